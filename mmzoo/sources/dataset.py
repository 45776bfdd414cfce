"""The source `dataset`: a named public data set."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from annotated_types import Gt, Lt

from mmzoo.lazy import np
from mmzoo.sources.columns import check_columns
from mmzoo.sources.cut import cut_missing_splits
from mmzoo.sources.data import Data, OnBadRow, Splits
from mmzoo.sources.folds import Fold, dealt
from mmzoo.sources.named import NAMED, DatasetName, NamedSet
from mmzoo.sources.roles import check_role, in_role
from mmzoo.sources.store import UnobtainableError, obtain
from mmzoo.spec import Problem, Spec
from mmzoo.wanted import Wanted


class Dataset(Spec):
    """A named public data set with its official splits, downloaded and checked when first used.

    Sets of pictures have columns `image` and `label`, those of texts `text` and `label`; `mmzoo
    show NAME` has the columns of each. Files are looked for in `MMZOO_DATA_DIR`, then in the
    cache; `mmzoo data list` says what is where.
    """

    type: Literal["dataset"] = "dataset"
    name: DatasetName
    """Which data set."""
    fallback: Literal["digits"] | None = None
    """What serves if a data set of pictures cannot be had: the 8x8 digits bundled with
    scikit-learn."""
    fold: Fold | None = None
    """Which fold tests, for sets without an official test split; the first if null and the set has
    folds of its own, as `mr` has ten."""
    validation: Annotated[float, Gt(0), Lt(1)] = 0.1
    """Share of the training examples that is cut off for validation, stratified by label, where no
    official validation split exists."""
    test: Annotated[float, Gt(0), Lt(1)] = 0.2
    """Share of all examples that is cut off for testing, where there are neither an official test
    split nor folds."""

    on_bad_row: ClassVar[OnBadRow] = "error"

    def rules(self) -> Iterator[Problem]:
        named = NAMED[self.name]
        if self.fallback == self.name:
            yield Problem(
                ("fallback",), "digits is always there and needs no fallback: leave this out"
            )
        elif self.fallback and named.bundled:
            yield Problem(("fallback",), f"{self.name} is always there: leave this out")
        elif self.fallback and not named.pictured:
            yield Problem(
                ("fallback",),
                f"expected none: {self.fallback} are pictures and cannot serve for {self.name}",
            )
        if self.fold and "test" in named.examples:
            yield Problem(
                ("fold",), f"expected none: {self.name} has an official test split of its own"
            )
        if self.fold and named.folds not in (None, self.fold.of):
            yield Problem(
                ("fold", "of"),
                f"expected {named.folds}: so many folds {self.name} has of its own",
            )

    def columns(self) -> dict[str, Literal["input", "target"]] | None:
        """The columns there are, and what each is for."""
        return NAMED[self.name].columns

    def load(self, wanted: Mapping[str, Wanted], seed: int) -> Data:
        """Finds or downloads the data set, reads it and cuts the splits it lacks.

        Args:
            wanted: What each column is wanted for.
            seed: Decides which examples are cut off for validation.

        Raises:
            DataError: It has no such column or the column is of another kind, the set cannot be
                had and there is no fallback, is damaged, or a share leaves a class without
                examples.
        """
        named, files, notes = self._obtained(wanted)
        splits = named.read(files)
        by = next(iter(named.classes), None)
        class_names = named.classes[by] if by else ()
        content = {file.name: file.sha256 for file in named.files}
        if named.bundled or named.instead:
            content = _hashes(splits)
        decided: dict[str, object] = {}
        if fold := self.fold or (Fold(index=1, of=named.folds) if named.folds else None):
            _part(splits, fold, by)
            decided["fold"] = (fold.index, fold.of)
            notes.append(f"{named.name}: fold {fold.index} of {fold.of} is the test split")
        shares = {"validation": self.validation, "test": self.test}
        cuts, said = cut_missing_splits(
            named.name, splits, by, class_names, shares, seed, named.groups
        )
        splits = {split: splits[split] for split in ("train", "validation", "test")}
        return Data(
            name=named.name,
            fingerprint=_fingerprint(named.name, content, cuts | decided),
            splits={split: _wanted_of(columns, named, wanted) for split, columns in splits.items()},
            class_names={
                column: named.classes[column]
                for column, one in wanted.items()
                if one.role == "class"
            },
            notes=(*notes, *said),
            fallback_for=None if named.name == self.name else self.name,
            row_names={
                split: columns["name"] for split, columns in splits.items() if "name" in columns
            },
        )

    def _obtained(
        self, wanted: Mapping[str, Wanted]
    ) -> tuple[NamedSet, dict[str, Path], list[str]]:
        """The set that serves, its files by their names, and a sentence if it is the fallback."""
        named = NAMED[self.name]
        _check_columns(named, wanted)
        try:
            return named, obtain(named), []
        except UnobtainableError as error:
            if self.fallback is None:
                raise
            instead, why = NAMED[self.fallback], error.why
        _check_columns(instead, wanted)
        note = (
            f"FALLBACK: {self.name} cannot be had ({why}), so {instead.name} serves in its place, "
            f"and every figure of this run is about {instead.name}, not {self.name}. "
            f"`mmzoo data fetch {self.name}` fetches it once there is a network"
        )
        return instead, {}, [note]


def _check_columns(named: NamedSet, wanted: Mapping[str, Wanted]) -> None:
    where = f"data set {named.name}"
    check_columns(where, named.columns, wanted)
    for column, one in wanted.items():
        check_role(f"{where}: column `{column}`", named.kinds[column], one.role)


def _wanted_of(
    columns: Mapping[str, np.ndarray], named: NamedSet, wanted: Mapping[str, Wanted]
) -> dict[str, np.ndarray]:
    """The columns of a split that are wanted, as what they are wanted for."""
    return {
        column: in_role(
            columns[column], named.kinds[column], one.role, named.classes.get(column, ())
        )
        for column, one in wanted.items()
    }


def _part(splits: Splits, fold: Fold, by: str | None) -> None:
    """Parts one fold of the training examples off as the test split, in place."""
    train = splits["train"]
    folds = train.pop("fold", None)
    if folds is None:
        rows = len(next(iter(train.values())))
        folds = dealt(rows, fold.of, train[by] if by else None)
    tests = folds == fold.index - 1
    splits["test"] = {column: values[tests] for column, values in train.items()}
    splits["train"] = {column: values[~tests] for column, values in train.items()}


def _hashes(splits: Splits) -> dict[str, str]:
    return {
        f"{split}/{column}": hashlib.sha256(_bytes(values)).hexdigest()
        for split, columns in splits.items()
        for column, values in columns.items()
    }


def _bytes(values: np.ndarray) -> bytes:
    # An array of objects has but addresses; a JSON list tells where each text ends.
    return json.dumps(values.tolist()).encode() if values.dtype == object else values.tobytes()


def _fingerprint(name: str, content: Mapping[str, str], cuts: Mapping[str, object]) -> str:
    text = json.dumps({"name": name, "content": content, "cuts": cuts}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
