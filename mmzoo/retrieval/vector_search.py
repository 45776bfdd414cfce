"""Search for the nearest rows of a vector index, and zero-shot classification."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from mmzoo.data import InMemoryTable, TableFormat, columns_of
from mmzoo.data.frame import OnBadRow
from mmzoo.devices import Kind, memory_errors
from mmzoo.errors import DataError, RunError
from mmzoo.lazy import np
from mmzoo.prediction import Predictions
from mmzoo.retrieval.embedding import FUSED, Embedder, open_embedder
from mmzoo.retrieval.vector_index import VectorIndex, read_index
from mmzoo.runs import Run
from mmzoo.spec import did_you_mean
from mmzoo.spec.wording import escape, join_or, shorten

logger = logging.getLogger(__name__)

_CLASS = "class"
"""The column of a table of classes with their names; it is also that of predictions."""
_SAME = 1e-6


@memory_errors()
def search(
    run: Run | Path | str,
    index: VectorIndex | Path | str,
    query: Path | str | None = None,
    *,
    text: str | None = None,
    top: int = 10,
    input: str | None = None,
    target: str | None = None,
    checkpoint: str | Path = "best",
    device: Kind = "auto",
) -> list[dict[str, Any]]:
    """The rows of an index that are nearest to a file or a text, by cosine.

    Args:
        run: the run that the index is of, its directory, `runs/<name>` for its newest, or a weights
            file inside one.
        index: an index or its file, of `embed` with the same weights.
        query: a file of one of the inputs.
        text: a text instead.
        top: how many rows to return.
        input: the input that the query is of; by default the one that reads such files.
        target: the input whose vectors are searched; by default another one than the query's, if
            the index has exactly one.
        checkpoint: "best", "last", or a weights file.
        device: "auto", "cpu" or "gpu".

    Returns:
        A dict for each row, the nearest first: `rank` from 1, `similarity`, the cosine, and the
        columns of the index that identify the row. Rows without the target are left out.

    Raises:
        DataError: index or query cannot be read, or they do not belong together.
        RunError: there is no such run or checkpoint.
    """
    if (query is None) == (text is None):
        raise DataError("expected either a file or a text to search for")
    if not isinstance(index, VectorIndex):
        index = read_index(index)
    head = index.head or None
    embedder = open_embedder(run, head=head, checkpoint=checkpoint, device=device)
    _require_same_run(index, embedder)
    paths, texts = ([] if query is None else [Path(query)]), ([] if text is None else [text])
    if FUSED in index.vectors:
        name, target = FUSED, FUSED
        found = embedder.of_files(paths, texts, None)
    else:
        name = embedder.input_of(paths, text is not None, input)
        target = _target(index, name, target)
        found = embedder.of_files(paths, texts, name)
    cosines = _unit(index.vectors[target]) @ _unit(found.vectors[name])[0]
    usable = np.flatnonzero(~np.isnan(cosines))
    order = usable[np.argsort(-cosines[usable], kind="stable")][:top]
    return [
        {
            "rank": rank,
            "similarity": float(cosines[row]),
            **{column: values[int(row)] for column, values in index.given.items()},
        }
        for rank, row in enumerate(order, start=1)
    ]


def _require_same_run(index: VectorIndex, embedder: Embedder) -> None:
    if index.fingerprint != embedder.fingerprint:
        raise DataError(
            f"the index has vectors of {index.run} (fingerprint {index.fingerprint[:12]}), which "
            f"are not comparable with those of {embedder.run.directory} "
            f"({embedder.fingerprint[:12]}): other weights. Write it again with "
            f"`mmzoo embed {embedder.run.directory}`"
        )


def _target(index: VectorIndex, name: str, target: str | None) -> str:
    """The input whose vectors are searched."""
    if target is not None:
        if target not in index.vectors:
            meant = did_you_mean(target, index.vectors) or "."
            raise DataError(
                f"the index has no vectors of '{shorten(target)}'{meant} There are: "
                f"{', '.join(index.vectors)}"
            )
        return target
    if not index.head and name not in index.vectors:
        raise DataError(
            f"the index has vectors of {', '.join(index.vectors)}, which cannot be compared with "
            f"those of {name}: the run has no contrastive head"
        )
    others = [one for one in index.vectors if one != name] if index.head else []
    if len(others) > 1:
        raise DataError(
            f"the index has vectors of several inputs: choose one with --target {join_or(others)}"
        )
    return others[0] if others else name


@dataclass(frozen=True)
class _Classes:
    """Names of classes, and the unit vector of each, `[classes, dim]`."""

    names: tuple[str, ...]
    vectors: np.ndarray


@memory_errors()
def zero_shot(
    run: Run | Path | str,
    files: Iterable[Path | str] | Path | str = (),
    *,
    classes: Sequence[str] | Mapping[str, str | Sequence[str]] | Path,
    texts: Iterable[str] | str = (),
    data: Path | str | InMemoryTable | None = None,
    input: str | None = None,
    head: str | None = None,
    top: int = 0,
    probabilities: bool = False,
    on_bad_row: OnBadRow = "error",
    checkpoint: str | Path = "best",
    device: Kind = "auto",
) -> Predictions:
    """Zero-shot classification: the class whose description is nearest in the common space.

    Args:
        run: a run with a contrastive head.
        files: one or more files of one input, or folders of them.
        classes: descriptions of the classes, which are their names too; or class names with one or
            several descriptions each, of which the mean vector is used; or the path of a text file
            with a description in each line, or of a table. The table has a column `class` and those
            of another input of the head, such as texts or recordings; a class may have several
            rows.
        texts: one or more texts to classify instead of files.
        data: a table with the columns of the input instead of files.
        input: the input to classify; by default the one that reads such files or, with `data`, one
            that does not describe the classes, if there is one such.
        head: the contrastive head, if the config has several.
        top: number of most probable classes to return.
        probabilities: whether to return the probabilities of all classes.
        on_bad_row: what to do with files or rows that cannot be used: "error" or "skip".
        checkpoint: "best", "last", or a weights file.
        device: "auto", "cpu" or "gpu".

    Returns:
        Columns of a table as of `mmzoo.predict`: `class` and `class_probability`, the softmax of
        the learned logits.

    Raises:
        DataError: files or classes cannot be read, or do not fit the inputs.
        RunError: the run has no contrastive head, or there is no such run.

    Example:
        >>> mmzoo.zero_shot("runs/pets", "1.png", classes=["a photo of a cat", "a photo of a dog"])
    """
    paths = [Path(files)] if isinstance(files, Path | str) else [Path(file) for file in files]
    texts = [texts] if isinstance(texts, str) else list(texts)
    if sum((bool(paths), bool(texts), data is not None)) != 1:
        raise DataError("expected one of files, texts and a table to classify")
    embedder = open_embedder(run, head=head, checkpoint=checkpoint, device=device)
    space = embedder.common_space
    if space is None:
        raise RunError(
            f"{embedder.run.directory}: has no contrastive head, which zero-shot classification "
            "needs; `mmzoo predict` without --classes predicts the classes of its heads"
        )
    if data is None:
        name = embedder.input_of(paths, bool(texts), input)
        found = embedder.of_files(paths, texts, name, on_bad_row)
    else:
        name = input or _classified_input(embedder, not _is_table(classes))
        found = embedder.of_table(data, name, on_bad_row)
    described = _described(embedder, classes, name)
    logits = space.logits(embedder.model, embedder.head, found.vectors[name] @ described.vectors.T)
    shares = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares /= shares.sum(axis=1, keepdims=True)
    return _predictions(found.given, described.names, shares, top, probabilities)


def _predictions(
    given: Mapping[str, Any],
    names: tuple[str, ...],
    shares: np.ndarray,
    top: int,
    probabilities: bool,
) -> Predictions:
    """The columns of the most probable classes, as those of a classification head."""
    order = np.argsort(-shares, axis=1, kind="stable")
    rows = np.arange(len(shares))
    predicted: dict[str, list[Any]] = {}
    for rank in range(min(max(top, 1), len(names))):
        column = _CLASS if rank == 0 else f"{_CLASS}_{rank + 1}"
        predicted[column] = [names[index] for index in order[:, rank]]
        predicted[f"{column}_probability"] = shares[rows, order[:, rank]].tolist()
    if probabilities:
        columns = shares.T.tolist()
        predicted |= {
            f"{_CLASS}_{name}_probability": of for name, of in zip(names, columns, strict=True)
        }
    kept = {f"{key}_given" if key in predicted else key: of for key, of in given.items()}
    return Predictions(kept, predicted, frozenset(names))


def _classified_input(embedder: Embedder, by_text: bool) -> str:
    """The input of a table to classify: the one that is no text, if texts describe the classes."""
    inputs = embedder.config.inputs
    found = [one for one in embedder.inputs if by_text and inputs[one].role != "text"]
    if len(found) != 1:
        raise RunError(
            f"{embedder.run.directory}: choose the input to classify with --input: "
            f"{join_or([*embedder.inputs])}"
        )
    return found[0]


def _described(embedder: Embedder, classes: Any, classified: str) -> _Classes:
    """The classes with the mean vector of their descriptions or examples."""
    others = [one for one in embedder.inputs if one != classified] or [classified]
    if _is_table(classes):
        names, vectors = _of_table(embedder, classes, others)
    else:
        names, texts = _texts_of(classes)
        reads = [one for one in others if embedder.config.inputs[one].role == "text"]
        if len(reads) != 1:
            raise RunError(
                f"{embedder.run.directory}: {'several inputs are' if reads else 'no input is'} a "
                "text that could describe classes: give a table with a column `class` and one of "
                f"{join_or(others)}"
            )
        vectors = embedder.of_files([], texts, reads[0]).vectors[reads[0]]
    means = {
        name: vectors[[one == name for one in names]].mean(axis=0) for name in dict.fromkeys(names)
    }
    if len(means) < 2:
        raise DataError(f"expected two classes or more, got {len(means)}")
    found = _Classes(tuple(means), _unit(np.stack([*means.values()])))
    _warn_of_equal(found)
    return found


def _is_table(classes: object) -> bool:
    return isinstance(classes, Path) and classes.suffix.lower() not in ("", ".txt")


def _of_table(
    embedder: Embedder, path: Path, inputs: Sequence[str]
) -> tuple[list[str], np.ndarray]:
    """The class of each row of a table, and its vector of the first input that it has."""
    of_input = {name: embedder.config.inputs[name].source_columns() for name in inputs}
    wanted = [_CLASS, *chain.from_iterable(of_input.values())]
    columns = columns_of(str(path), TableFormat(), wanted, "--classes") or ()
    if _CLASS not in columns:
        raise DataError(
            f"{escape(str(path))}: expected a column `{_CLASS}` with the names of the classes, got "
            f"{', '.join(map(escape, columns))}"
        )
    has = [name for name, own in of_input.items() if set(own) <= set(columns)]
    name = (has or inputs)[0]
    index = embedder.of_table(path, name)
    classes = list(index.given[_CLASS])
    return [str(one) for one in classes], index.vectors[name]


def _texts_of(classes: Any) -> tuple[list[str], list[str]]:
    """Class names and descriptions, as many of both."""
    if isinstance(classes, Path):
        classes = _lines(classes)
    if isinstance(classes, Mapping):
        several = {key: [of] if isinstance(of, str) else list(of) for key, of in classes.items()}
        pairs = [(name, text) for name, of in several.items() for text in of]
        return [name for name, _ in pairs], [text for _, text in pairs]
    names = list(classes)
    if repeated := [name for name in dict.fromkeys(names) if names.count(name) > 1]:
        raise DataError(f"the class '{shorten(repeated[0])}' is described twice: keep one")
    return names, names


def _lines(path: Path) -> list[str]:
    """The lines of a text file that are not empty."""
    shown = escape(str(path))
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(
            f"{shown}: expected UTF-8 text, but byte {error.start} is invalid"
        ) from error
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if not lines:
        raise DataError(f"{shown}: expected a description of a class in each line, got none")
    return lines


def _warn_of_equal(classes: _Classes) -> None:
    """Warns of classes that cannot be told apart, as those of unknown words only."""
    cosines = classes.vectors @ classes.vectors.T
    rows, columns = np.nonzero(np.triu(cosines > 1 - _SAME, 1))
    if len(rows):
        first, second = classes.names[rows[0]], classes.names[columns[0]]
        logger.warning(
            f"Warning: the classes '{shorten(first)}' and '{shorten(second)}' have the same "
            "vector, so they cannot be told apart: the model may not know their words."
        )


def _unit(vectors: np.ndarray) -> np.ndarray:
    """Vectors with a length of 1; NaN stays, and 0 too."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.where(lengths == 0, 1, lengths)
