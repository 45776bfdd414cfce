"""The source `tfds`: a data set of TensorFlow Datasets."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Literal

from annotated_types import Gt, Lt, MinLen
from pydantic import AfterValidator

from mmzoo.directories import cache_directory
from mmzoo.errors import DataError
from mmzoo.lazy import np
from mmzoo.sources.cut import cut_missing_splits
from mmzoo.sources.data import Data, OnBadRow, Splits
from mmzoo.sources.media import problems
from mmzoo.sources.prepared import builder_of, set_name, split_name
from mmzoo.sources.prepared_columns import check_features, class_columns, read_columns
from mmzoo.spec import Problem, Spec, did_you_mean
from mmzoo.spec.wording import there_are
from mmzoo.wanted import Wanted

if TYPE_CHECKING:
    from tensorflow_datasets.core import DatasetBuilder

Split = Annotated[str, AfterValidator(split_name)]


class Tfds(Spec):
    """A data set of TensorFlow Datasets, which needs `pip install 'mmzoo[tfds]'`.

    What is prepared in its folder is read from there, without the code that made it; anything else
    is downloaded and prepared first. Its columns are the set's own pictures and labels, most often
    `image` and `label`; other features are not read. Pictures of one size, up to 1 GB of them, are
    held in memory. Others are unpacked once, as they are, into mmzoo's cache, and read as files.
    """

    type: Literal["tfds"] = "tfds"
    name: Annotated[str, AfterValidator(set_name)]
    """Which data set: `beans`; with a version, `beans:0.1.0`; or one of several configurations,
    `cifar10_corrupted/fog_1`."""
    data_dir: Annotated[str, MinLen(1)] | None = None
    """The folder of prepared data sets, relative to the working directory; if null, that of
    `TFDS_DATA_DIR`, or else `~/tensorflow_datasets`."""
    train_split: Split = "train"
    """Which of the set's splits to train on."""
    validation_split: Split | None = "validation"
    """Which of its splits validates; null, or one that it has not, to cut it off train."""
    test_split: Split | None = "test"
    """Which of its splits tests; null, or one that it has not, to cut it off train."""
    on_bad_row: OnBadRow = "error"
    """What to do about pictures that cannot be read: stop, or skip them and list them in the
    run."""
    validation: Annotated[float, Gt(0), Lt(1)] = 0.1
    """Share of the training examples that is cut off for validation, stratified by the first column
    of labels."""
    test: Annotated[float, Gt(0), Lt(1)] = 0.2
    """Share of the training examples that is cut off for testing, before that for validation."""

    def rules(self) -> Iterator[Problem]:
        used: dict[str | None, str] = {}
        for field in ("train_split", "validation_split", "test_split"):
            split = getattr(self, field)
            if split is not None and split in used:
                yield Problem((field,), f"expected another split than {used[split]}, or null")
            used[split] = field

    def columns(self) -> dict[str, Literal["input", "target"]] | None:
        """None: they are known once the data set is."""
        return None

    def load(self, wanted: Mapping[str, Wanted], seed: int) -> Data:
        """Finds or prepares the data set, reads it and cuts the splits it lacks.

        Args:
            wanted: Its keys are the columns to load.
            seed: Decides which examples are cut off for validation.

        Returns:
            Data whose pictures are uint8 `[examples, height, width, channels]`, or text
            `[examples]`, the absolute paths of their files; labels are int64 `[examples]`.

        Raises:
            DataError: tensorflow-datasets is not installed, the data set cannot be had, is damaged,
                has no such column or no labels, or a share leaves a class without examples.
        """
        builder = builder_of(self.name, self.data_dir)
        name = builder.info.full_name
        check_features(builder, wanted)
        classes = class_columns(builder)
        official = self._official_splits(builder)
        by = next(iter(classes), None)
        if by is None and len(official) < 3:
            raise DataError(
                f"data set {name} has no labels by which splits could be cut: set "
                "`source.validation_split` and `source.test_split` to two of its own: "
                f"{', '.join(builder.info.splits)}."
            )
        unpacked = cache_directory() / "tfds"
        columns = dict.fromkeys([*wanted, *([by] if by else [])])
        splits = read_columns(builder, official, columns, unpacked)
        cuts: dict[str, tuple[float, int]] = {}
        notes: tuple[str, ...] = ()
        if by:
            _require_labels(name, official, splits, classes)
            shares = {"validation": self.validation, "test": self.test}
            cuts, notes = cut_missing_splits(name, splits, by, classes[by], shares, seed)
        splits = {
            split: {column: splits[split][column] for column in wanted}
            for split in ("train", "validation", "test")
        }
        names, bad = _files(splits, str(unpacked))
        return Data(
            name=name,
            fingerprint=_fingerprint(builder, official, splits, cuts),
            splits=splits,
            class_names={column: classes[column] for column in wanted if column in classes},
            notes=notes,
            row_names=names,
            bad=bad,
        )

    def _official_splits(self, builder: DatasetBuilder) -> dict[str, str]:
        """Which of the set's splits is which of ours, without those that are to be cut."""
        there = [split for split, info in builder.info.splits.items() if info.num_examples]
        found = {}
        for split in ("train", "validation", "test"):
            field = f"{split}_split"
            name = getattr(self, field)
            if name in there:
                found[split] = name
            elif split == "train" or name not in (None, type(self).model_fields[field].default):
                raise DataError(
                    f"source.{field}: data set {builder.info.full_name} has no split "
                    f"'{name}'{did_you_mean(name, there) or '.'} {there_are(there)}."
                )
        return found


def _require_labels(
    name: str,
    official: Mapping[str, str],
    splits: Splits,
    classes: Mapping[str, tuple[str, ...]],
) -> None:
    """Checks that no example is without a class: of some sets, those of the test split are."""
    for split, columns in splits.items():
        for column in columns.keys() & classes.keys():
            unlabelled = int((columns[column] < 0).sum())
            if unlabelled:
                mend = (
                    "Prepare a part that has labels."
                    if split == "train"
                    else f"Set `source.{split}_split` to another, or to null to cut one off train."
                )
                raise DataError(
                    f"data set {name}: {unlabelled:,} of {len(columns[column]):,} examples of its "
                    f"{official[split]} split have no `{column}`. {mend}"
                )


def _files(splits: Splits, root: str) -> tuple[dict[str, np.ndarray], dict[str, dict[int, str]]]:
    """The names of rows that are files, and what is wrong with some; nothing if none is one."""

    names: dict[str, np.ndarray] = {}
    bad: dict[str, dict[int, str]] = {}
    for split, columns in splits.items():
        for values in columns.values():
            if values.dtype.kind == "U":
                paths = values.tolist()
                names.setdefault(
                    split, np.array(["/".join(path.split(os.sep)[-2:]) for path in paths])
                )
                bad[split] = {**problems(paths, root), **bad.get(split, {})}
    return names, bad


def _fingerprint(
    builder: DatasetBuilder,
    official: Mapping[str, str],
    splits: Splits,
    cuts: Mapping[str, tuple[float, int]],
) -> str:
    """Of what is in memory, and of the splits. Whoever reads files adds what is in them."""
    told = {
        "set": builder.info.full_name,
        "splits": {
            split: [
                name,
                builder.info.splits[name].num_examples,
                builder.info.splits[name].num_bytes,
            ]
            for split, name in official.items()
        },
        "cuts": cuts,
        "content": {
            f"{split}/{column}": hashlib.sha256(values.data).hexdigest()
            for split, columns in splits.items()
            for column, values in columns.items()
            if values.dtype.kind != "U"
        },
    }
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()
