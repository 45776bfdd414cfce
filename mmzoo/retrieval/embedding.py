"""Embedding: the vectors of files, texts, rows of a table or a split, by a trained model."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmzoo.batches import evaluation_batches
from mmzoo.config import Config, Preprocessing
from mmzoo.data import InMemoryTable
from mmzoo.data.frame import ROW, Frame, OnBadRow, scanned_column
from mmzoo.devices import Kind, memory_errors, prepare_devices
from mmzoo.errors import DataError, RunError
from mmzoo.evaluation.evaluation_data import load_split
from mmzoo.heads import HasCommonSpace, LabelledHead
from mmzoo.lazy import keras, np, pl, tf
from mmzoo.missing_values import label_array
from mmzoo.modalities.base_input import presence
from mmzoo.modalities.file_input import FileInput
from mmzoo.model_graph import encoder_output, head_inputs
from mmzoo.prediction import named_corrupt_files
from mmzoo.preprocessing import Arrays, load_rows, transform
from mmzoo.retrieval.vector_index import VectorIndex
from mmzoo.runs import Run, preprocessing_checksums
from mmzoo.single_input_rows import SPLIT_NAME, is_folder_of_files, single_input_rows
from mmzoo.spec import did_you_mean
from mmzoo.spec.wording import join_or, shorten
from mmzoo.trained_model import load_trained, open_trained

logger = logging.getLogger(__name__)

FUSED = "fused"
"""The name of the fused features among the vectors of an index."""


@memory_errors()
def embed(
    run: Run | Path | str,
    files: Iterable[Path | str] | Path | str = (),
    *,
    texts: Iterable[str] | str = (),
    data: Path | str | InMemoryTable | None = None,
    split: str | None = None,
    input: str | None = None,
    head: str | None = None,
    on_bad_row: OnBadRow = "error",
    checkpoint: str | Path = "best",
    device: Kind = "auto",
) -> VectorIndex:
    """Embeds files or texts, the rows of a table, or a split of the run's data.

    A run with a contrastive head gives the vector of each input in the common space, with a length
    of 1. Any other run gives its fused features or, with `input`, the vector of that encoder.

    Args:
        run: a run, its directory, `runs/<name>` for its newest, or a weights file of a run.
        files: one or more files of one input, or folders of them.
        texts: one or more texts instead.
        data: instead of files, a table with the columns of the inputs, or a folder.
        split: instead of files, "train", "validation" or "test".
        input: the input to embed; by default all of a table or split, and the one that reads such
            files.
        head: the contrastive head, if the config has several.
        on_bad_row: what to do with files or rows that cannot be used: "error" or "skip".
        checkpoint: "best", "last", or a weights file.
        device: "auto", "cpu" or "gpu".

    Returns:
        The vectors with the columns that identify their rows; `write` writes a file of them.

    Raises:
        DataError: there is nothing to embed, or the data cannot be read.
        RunError: there is no such run, checkpoint, input or head.

    Example:
        >>> index = mmzoo.embed("runs/products_search", data="products.csv")
        >>> index.vectors["photo"].shape
        (200, 64)
    """
    paths = [Path(files)] if isinstance(files, Path | str) else [Path(file) for file in files]
    texts = [texts] if isinstance(texts, str) else list(texts)
    if sum((bool(paths), bool(texts), data is not None, split is not None)) != 1:
        raise DataError("expected one of files, texts, a table and a split to embed")
    embedder = open_embedder(run, head=head, checkpoint=checkpoint, device=device)
    if split is not None:
        return embedder.of_split(split, input)
    if data is not None:
        return embedder.of_table(data, input, on_bad_row)
    return embedder.of_files(paths, texts, input, on_bad_row)


@dataclass(frozen=True)
class Embedder:
    """A trained model that embeds examples.

    Attributes:
        run: the run.
        config: its config.
        model: with its weights.
        preprocessing: of its inputs.
        fingerprint: of weights and preprocessing.
        head: the name of the contrastive head; "" without one.
    """

    run: Run
    config: Config
    model: keras.Model
    preprocessing: Preprocessing
    fingerprint: str
    head: str

    @property
    def common_space(self) -> HasCommonSpace | None:
        head = self.config.heads.get(self.head)
        return head if isinstance(head, HasCommonSpace) else None

    @property
    def inputs(self) -> tuple[str, ...]:
        """The inputs that can be embedded by themselves."""
        return self.common_space.inputs if self.common_space else tuple(self.config.inputs)

    def of_files(
        self,
        paths: Sequence[Path],
        texts: Sequence[str],
        input: str | None,
        on_bad_row: OnBadRow = "error",
    ) -> VectorIndex:
        """The vectors of files or texts of one input."""
        name = self.input_of(paths, bool(texts), input)
        config = _only(self.config, [name])
        where = str(self.run.directory)
        frame, given = single_input_rows(config, where, paths, texts, on_bad_row)
        names = (FUSED,) if self._is_fused(input) else (name,)
        return self._index(config, frame, given, names, from_files=True)

    def of_table(
        self,
        data: Path | str | InMemoryTable,
        input: str | None,
        on_bad_row: OnBadRow = "error",
    ) -> VectorIndex:
        """The vectors of the rows of a table, or of a folder."""
        names = self._names(input)
        config = _only(self.config, self._needed(names))
        if isinstance(data, Path | str) and is_folder_of_files(config, Path(data)):
            return self.of_files([Path(data)], [], input, on_bad_row)
        # A table in memory may have images as columns.
        others: Any = "all" if isinstance(data, Path | str) else "unused"
        frame = load_rows(
            config, data, SPLIT_NAME, labelled=False, on_bad_row=on_bad_row, others=others
        )
        for message in frame.messages():
            logger.info(message)
        given = frame.other_columns() or {frame.rows_are: frame.table[ROW]}
        return self._index(config, frame, given, names)

    def of_split(self, split: str, input: str | None) -> VectorIndex:
        """The vectors of a split of the run's data, with the labels of its rows."""
        names = self._names(input)
        frame = load_split(self.run, self.config, split)
        row_names = frame.row_names.get(split)
        given: dict[str, Any] = {"row": list(range(frame.examples(split)))}
        if row_names is not None:
            is_file = row_names.dtype.kind == "U"
            given |= {"file" if is_file else "row": row_names.tolist()}
        for name, head in self.config.labelled_heads.items():
            given[f"{name}_true"] = _true_labels(head, frame, self.config.columns[name])
        return self._index(_only(self.config, self._needed(names)), frame, given, names)

    def input_of(self, paths: Sequence[Path], is_text: bool, input: str | None) -> str:
        """The input that files or texts are of.

        Raises:
            RunError: there is no such input, or several could be meant.
        """
        if input is not None:
            self._require(input)
            return input
        if self._is_fused(None) and len(self.config.inputs) > 1:
            raise RunError(
                f"{self.run.directory}: the features of {len(self.config.inputs)} inputs need a "
                f"table with their columns: use --data, or choose one with --input "
                f"{join_or([*self.config.inputs])}"
            )
        reads = [name for name in self.inputs if self._reads(name, paths, is_text)]
        if len(reads) == 1:
            return reads[0]
        if len(self.inputs) == 1:
            return self.inputs[0]
        what = "texts" if is_text else "such files"
        found = "several inputs read" if reads else "no input reads"
        raise RunError(
            f"{self.run.directory}: {found} {what}: choose one with --input: "
            f"{join_or([*(reads or self.inputs)])}"
        )

    def _reads(self, name: str, paths: Sequence[Path], is_text: bool) -> bool:
        spec = self.config.inputs[name]
        if is_text:
            return spec.role == "text"
        if isinstance(spec, FileInput):
            suffixes: Collection[str] = spec.suffixes
        else:
            suffixes = ("", ".txt") if spec.role == "text" else ()
        # Of a folder only the files that an input reads are used.
        return all(
            any(one.suffix.lower() in suffixes for one in path.rglob("*.*"))
            if path.is_dir()
            else path.suffix.lower() in suffixes
            for path in paths
        )

    def _require(self, input: str) -> None:
        if input not in self.inputs:
            meant = did_you_mean(input, self.inputs) or "."
            where = f"heads.{self.head}" if self.head else "the model"
            raise RunError(
                f"{self.run.directory}: unknown input '{shorten(input)}' of {where}{meant} There "
                f"are: {', '.join(self.inputs)}"
            )

    def _is_fused(self, input: str | None) -> bool:
        return input is None and self.common_space is None

    def _names(self, input: str | None) -> tuple[str, ...]:
        """The names of the vectors to compute."""
        if input is not None:
            self._require(input)
            return (input,)
        return self.common_space.inputs if self.common_space else (FUSED,)

    def _needed(self, names: Collection[str]) -> tuple[str, ...]:
        """The inputs that these vectors depend on."""
        return tuple(self.config.inputs) if FUSED in names else tuple(names)

    def _index(
        self,
        config: Config,
        frame: Frame,
        given: Mapping[str, Sequence[Any] | pl.Series],
        names: Collection[str],
        from_files: bool = False,
    ) -> VectorIndex:
        """The vectors of the rows of a frame with one split.

        Args:
            config: with the inputs that are needed, and no heads.
            frame: scanned.
            given: the columns that identify its rows.
            names: inputs, or "fused".
            from_files: whether its rows are single files.
        """
        arrays = transform(config, frame, self.preprocessing)
        [split] = frame.splits
        with named_corrupt_files(config, frame, arrays, split, from_files):
            vectors = self._compute(config, arrays, split, names)
        for name in vectors.keys() & config.inputs.keys():
            missing = frame.values(scanned_column(name), split).is_null().to_numpy()
            vectors[name][missing] = np.nan
        where = str(self.run.directory)
        return VectorIndex(vectors, given, where, self.fingerprint, self.head)

    def _compute(
        self, config: Config, arrays: Arrays, split: str, names: Collection[str]
    ) -> dict[str, np.ndarray]:
        placeholders = {
            one: self.model.input[one]
            for name in config.inputs
            for one in (name, presence(name))
            if one in self.model.input
        }
        tensors = {name: self._tensor(name) for name in names}
        network = keras.Model(placeholders, tensors)
        batches = evaluation_batches(config, arrays.splits[split], labelled=False)

        @tf.function(input_signature=batches.element_spec, autograph=False)
        def compute(inputs: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
            rows = tf.shape(next(iter(inputs.values())))[:1]
            given = {
                name: inputs[name] if name in inputs else tf.ones(rows) for name in placeholders
            }
            return {
                name: tf.cast(tf.reshape(vector, [rows[0], -1]), tf.float32)
                for name, vector in network(given, training=False).items()
            }

        compute = compute.get_concrete_function()  # One graph for batches of all sizes.
        parts = [
            {name: of.numpy() for name, of in compute(inputs).items()} for (inputs,) in batches
        ]
        return {name: np.concatenate([part[name] for part in parts]) for name in names}

    def _tensor(self, name: str) -> keras.KerasTensor:
        """The tensor of an input's vector, or of the fused features, within the model."""
        space = self.common_space
        if space is not None:
            return head_inputs(self.model, [self.head])[space.inputs.index(name)]
        if name != FUSED:
            return encoder_output(self.model, name)
        read = head_inputs(self.model, [next(iter(self.config.heads))])
        if len(read) != 1:
            raise RunError(
                f"{self.run.directory}: has no fused features, as each input has predictions of "
                f"its own: choose an input with --input {join_or([*self.config.inputs])}"
            )
        return read[0]


def open_embedder(
    run: Run | Path | str,
    *,
    head: str | None = None,
    checkpoint: str | Path = "best",
    device: Kind = "auto",
) -> Embedder:
    """Loads the model of a run to embed with; arguments as for `embed`."""
    run, checkpoint = open_trained(run, checkpoint)
    config = run.config()
    heads = [name for name, one in config.heads.items() if isinstance(one, HasCommonSpace)]
    if head is not None and head not in heads:
        listed = f"There are: {', '.join(heads)}" if heads else "There is none"
        raise RunError(f"{run.directory}: '{shorten(head)}' is no contrastive head. {listed}")
    if head is None and len(heads) > 1:
        raise RunError(
            f"{run.directory}: has several contrastive heads: choose one with --head "
            f"{join_or(heads)}"
        )
    devices = prepare_devices(device, config.train)
    model, config = load_trained(run, checkpoint, devices.precision)
    preprocessing = run.preprocessing()
    chosen = head or next(iter(heads), "")
    return Embedder(run, config, model, preprocessing, _fingerprint(model, preprocessing), chosen)


def _fingerprint(model: keras.Model, preprocessing: Preprocessing) -> str:
    """sha256 of all weights and preprocessing: vectors of equal ones can be compared."""
    found = hashlib.sha256(
        json.dumps(preprocessing_checksums(preprocessing), sort_keys=True).encode()
    )
    for weight in model.weights:
        values = np.ascontiguousarray(weight.numpy())
        found.update(f"{values.dtype}{values.shape}".encode())
        found.update(values.tobytes())
    return found.hexdigest()


def _only(config: Config, names: Collection[str]) -> Config:
    """The config to read some inputs with, without heads; it is no experiment and not validated."""
    inputs = {name: spec for name, spec in config.inputs.items() if name in names}
    return config.model_copy(update={"inputs": inputs, "heads": {}})


def _true_labels(head: LabelledHead, frame: Frame, column: str) -> list[Any]:
    return head.true_labels(label_array(frame, column))
