"""The source `dataset`: a named public data set."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from annotated_types import Gt, Lt

from mmzoo.column_spec import ColumnSpec
from mmzoo.data.datasets import NAMED, DatasetName, NamedSet
from mmzoo.data.datasets.casting import cast_column, check_specs
from mmzoo.data.datasets.dataset_files import UnobtainableError, obtain
from mmzoo.data.frame import ROW, SPLIT, Frame, OnBadRow, Splits, table_of, to_series
from mmzoo.data.split_assignment import SplitInfo, assign_splits
from mmzoo.data.splits import SPLITS, Fold
from mmzoo.errors import DataError
from mmzoo.lazy import np, pl
from mmzoo.spec import PositiveInt, Problem, Spec


class Dataset(Spec):
    """A public data set by name, with its official splits; downloaded and verified on first use.

    Image data sets have the columns `image` and `label`, text data sets `text` and `label`; `mmzoo
    show NAME` lists the columns of each. Files are searched in `MMZOO_DATA_DIR`, then in the
    cache; `mmzoo data list` shows where each data set is.
    """

    type: Literal["dataset"] = "dataset"
    name: DatasetName
    """The data set."""
    fallback: Literal["digits"] | None = None
    """A replacement for an image data set that cannot be downloaded: the 8x8 digits bundled with
    scikit-learn."""
    fold: Fold | None = None
    """The fold that is the test split, for data sets without an official one. By default the first
    fold if the data set has official folds, as `mr` has ten."""
    validation: Annotated[float, Gt(0), Lt(1)] = 0.1
    """Share of the training examples that is held out for validation, stratified by label, if there
    is no official validation split."""
    test: Annotated[float, Gt(0), Lt(1)] = 0.2
    """Share of all examples that is held out for testing, if there are neither an official test
    split nor folds."""
    train_size: PositiveInt | None = None
    """Number of training examples to use, drawn by `train.split_seed` and stratified by label, to
    learn from few examples. By default all that are not held out."""

    on_bad_row: ClassVar[OnBadRow] = "error"

    def rules(self) -> Iterator[Problem]:
        named = NAMED[self.name]
        if self.fallback == self.name:
            yield Problem(
                ("fallback",), "digits is always available and needs no fallback: leave this out"
            )
        elif self.fallback and named.bundled:
            yield Problem(("fallback",), f"{self.name} is always available: leave this out")
        elif self.fallback and not named.has_only_images:
            yield Problem(
                ("fallback",),
                f"expected none: {self.fallback} are images and cannot replace {self.name}",
            )
        if self.fold and "test" in named.examples:
            yield Problem(("fold",), f"expected none: {self.name} has an official test split")
        if self.fold and named.folds not in (None, self.fold.of):
            yield Problem(
                ("fold", "of"), f"expected {named.folds}, the number of folds that {self.name} has"
            )

    def columns(self) -> dict[str, Literal["input", "target"]] | None:
        """Column -> whether it is an input or a target."""
        return NAMED[self.name].columns

    def read(self, specs: Mapping[str, ColumnSpec], seed: int) -> Frame:
        """Finds or downloads the data set, reads it and samples missing splits.

        Args:
            specs: The columns to read, with their roles.
            seed: Decides which examples are held out for validation.

        Raises:
            DataError: A column does not exist or does not fit its role; the data set is damaged, or
                cannot be downloaded and has no fallback; or a class has too few examples.
        """
        named, files, notes = self._obtained(specs)
        official = named.read(files)
        content = {file.name: file.sha256 for file in named.files}
        if named.bundled or named.alternatives:
            content = _hashes(official)
        by = next(iter(named.classes), None)
        given = np.repeat([SPLITS.index(split) for split in official], _sizes(official))
        classes = np.concatenate([columns[by] for columns in official.values()]) if by else None
        folds = None
        test_fold: dict[str, tuple[float, int]] = {}
        if fold := self.fold or (Fold(index=1, of=named.folds) if named.folds else None):
            if (official_folds := official["train"].pop("fold", None)) is not None:
                folds = np.full(len(given), -1)
                folds[given == 0] = official_folds
            test_fold["fold"] = (fold.index, fold.of)
        info = SplitInfo(given, folds=folds)
        if named.groups:
            values = np.concatenate([columns[named.groups] for columns in official.values()])
            info = replace(info, groups=to_series("group", values), grouped_by=named.groups)
        elif by:
            info = replace(info, classes=classes, class_names=named.classes[by], by=by)
        shares = {"validation": self.validation, "test": self.test}
        assigned = assign_splits(named.name, info, shares, seed, fold)
        table = _table(official, assigned.splits, named, specs)
        cuts: dict[str, tuple[float, int]] = {**assigned.sampled, **test_fold}
        notes += assigned.notes
        if self.train_size is not None:
            kept = self._few_examples(info, assigned.splits, named.name, seed)
            table, cuts["train_size"] = table[kept], (self.train_size, seed)
            notes.append(
                f"{named.name}: {self.train_size:,} training examples are used, {info.how}, seed "
                f"{seed}"
            )
        return Frame(
            table,
            name=named.name,
            fingerprint=_fingerprint(named.name, content, cuts),
            class_names={
                column: named.classes[column]
                for column, spec in specs.items()
                if spec.role == "class"
            },
            notes=tuple(notes),
            fallback_for=None if named.name == self.name else self.name,
        )

    def _few_examples(
        self, info: SplitInfo, splits: np.ndarray, name: str, seed: int
    ) -> np.ndarray:
        """The rows that remain with `train_size` training examples, ascending."""
        train = np.flatnonzero(splits == 0)
        assert self.train_size is not None
        if self.train_size >= len(train):
            raise DataError(
                f"source.train_size: expected fewer than the {len(train):,} training examples of "
                f"{name}, got {self.train_size:,}"
            )
        drawn = info.hold_out(train, self.train_size / len(train), seed)
        return np.union1d(drawn, np.flatnonzero(splits != 0))

    def _obtained(
        self, specs: Mapping[str, ColumnSpec]
    ) -> tuple[NamedSet, dict[str, Path], list[str]]:
        """The data set or its fallback; file name -> path; and a note if it is the fallback."""
        named = NAMED[self.name]
        check_specs(named, specs)
        try:
            return named, obtain(named), []
        except UnobtainableError as error:
            if self.fallback is None:
                if not named.has_only_images:
                    raise
                raise DataError(
                    f"{error}\n  set `source.fallback: digits`, to use small bundled images"
                ) from error
            fallback, why = NAMED[self.fallback], error.why
        check_specs(fallback, specs)
        note = (
            f"FALLBACK: {self.name} is not available ({why}), so {fallback.name} is used instead. "
            f"All metrics of this run are for {fallback.name}, not {self.name}. "
            f"`mmzoo data fetch {self.name}` downloads it when there is a network"
        )
        return fallback, {}, [note]


def _table(
    official: Splits, given: np.ndarray, named: NamedSet, specs: Mapping[str, ColumnSpec]
) -> pl.DataFrame:
    """The table of a frame: the required columns, cast to their roles, and the names of rows.

    `given`, int64 `[rows]`, is the split of each row as an index into `SPLITS`.
    """
    parts = {}
    for split, columns in official.items():
        chosen = {
            column: cast_column(named, column, columns[column], spec.role)
            for column, spec in specs.items()
        }
        if "name" in columns:
            chosen[ROW] = columns["name"]
        parts[split] = chosen
    table = table_of(parts)
    assigned = pl.Series(SPLIT, given).replace_strict([0, 1, 2], list(SPLITS))
    return table.with_columns(assigned)


def _sizes(splits: Splits) -> list[int]:
    return [len(next(iter(columns.values()))) for columns in splits.values()]


def _hashes(splits: Splits) -> dict[str, str]:
    return {
        f"{split}/{column}": hashlib.sha256(_bytes(values)).hexdigest()
        for split, columns in splits.items()
        for column, values in columns.items()
    }


def _bytes(values: np.ndarray) -> bytes:
    # The bytes of an object array are addresses; JSON has the texts, and separates them.
    return json.dumps(values.tolist()).encode() if values.dtype == object else values.tobytes()


def _fingerprint(name: str, content: Mapping[str, str], splits: Mapping[str, object]) -> str:
    text = json.dumps({"name": name, "content": content, "cuts": splits}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
