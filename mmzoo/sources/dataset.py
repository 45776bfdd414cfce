"""The source `dataset`: a named public data set."""

from __future__ import annotations

import difflib
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from annotated_types import Gt, Lt

from mmzoo.errors import DataError
from mmzoo.sources.cut import stratified_cut
from mmzoo.sources.data import Data, OnBadRow, Splits
from mmzoo.sources.named import NAMED, DatasetName, NamedSet
from mmzoo.sources.store import UnobtainableError, obtain
from mmzoo.spec import Problem, Spec

if TYPE_CHECKING:
    import numpy as np

_TEST_SEED = 0
"""The same test split in every run, so that runs of several seeds can be compared."""


class Dataset(Spec):
    """A named public data set with its official splits, downloaded and checked when first used.

    Its columns are `image` and `label` (cifar100 has `coarse_label` too). Files are looked for in
    `MMZOO_DATA_DIR`, then in the cache; `mmzoo data list` says what is where.
    """

    type: Literal["dataset"] = "dataset"
    name: DatasetName
    """Which data set."""
    fallback: Literal["digits"] | None = None
    """What serves if the data set cannot be had: the 8x8 digits bundled with scikit-learn."""
    validation: Annotated[float, Gt(0), Lt(1)] = 0.1
    """Share of the training examples that is cut off for validation, stratified by label."""
    test: Annotated[float, Gt(0), Lt(1)] = 0.2
    """Share of all examples that is cut off for testing, where no official test split exists."""

    on_bad_row: ClassVar[OnBadRow] = "error"

    def rules(self) -> Iterator[Problem]:
        if self.fallback == self.name:
            yield Problem(
                ("fallback",), "digits is always there and needs no fallback: leave this out"
            )

    def columns(self) -> dict[str, Literal["input", "target"]] | None:
        """The columns there are, and what each is for."""
        targets = NAMED[self.name].classes
        return {"image": "input", **dict.fromkeys(targets, "target")}

    def load(
        self,
        wanted: Mapping[str, Callable[[np.random.RandomState, int], np.ndarray]],
        seed: int,
        tell: Callable[[str], None],
    ) -> Data:
        """Finds or downloads the data set, reads it and cuts the splits it lacks.

        Args:
            wanted: Its keys are the columns to load.
            seed: Decides which examples are cut off for validation.
            tell: Receives sentences on the progress.

        Raises:
            DataError: It has no such column, cannot be had and there is no fallback, is damaged,
                or a share leaves a class without examples.
        """
        named = NAMED[self.name]
        _check_columns(named, wanted)
        notes = []
        try:
            files = obtain(named, tell)
        except UnobtainableError as error:
            if self.fallback is None:
                raise
            named, files = NAMED[self.fallback], {}
            _check_columns(named, wanted)
            notes.append(
                f"FALLBACK: {self.name} cannot be had ({error.why}), so {named.name} serves in its "
                f"place, and every figure of this run is about {named.name}, not {self.name}. "
                f"`mmzoo data fetch {self.name}` fetches it once there is a network"
            )
        splits = named.read(files)
        content = {file.name: file.sha256 for file in named.files} or _hashes(splits)
        cuts = {"validation": (self.validation, seed)}
        if "test" not in splits:
            cuts = {"test": (self.test, _TEST_SEED), **cuts}
        for split, (fraction, cut_seed) in cuts.items():
            notes.append(_cut(named, splits, split, fraction, cut_seed))
        return Data(
            name=named.name,
            fingerprint=_fingerprint(named.name, content, cuts),
            splits={
                split: {column: splits[split][column] for column in wanted}
                for split in ("train", "validation", "test")
            },
            class_names={
                column: names for column, names in named.classes.items() if column in wanted
            },
            notes=tuple(notes),
            fallback_for=None if named.name == self.name else self.name,
        )


def _check_columns(named: NamedSet, wanted: Mapping[str, object]) -> None:
    for column in wanted:
        if column not in named.columns:
            near = difflib.get_close_matches(column, named.columns, n=1)
            meant = f"Did you mean `{near[0]}`? " if near else ""
            raise DataError(
                f"data set {named.name} has no column `{column}`. {meant}"
                f"There are: {', '.join(named.columns)}."
            )


def _cut(named: NamedSet, splits: Splits, split: str, fraction: float, seed: int) -> str:
    """Moves a share of the training examples to a split of their own; says so in a sentence."""
    by = next(iter(named.classes))
    train = splits["train"]
    try:
        kept, cut = stratified_cut(train[by], fraction, seed)
    except DataError as error:
        raise DataError(f"source.{split}: {error}") from error
    splits[split] = {column: values[cut] for column, values in train.items()}
    # A column at a time, so that only one is in memory twice.
    for column in train:
        train[column] = train[column][kept]
    return (
        f"{named.name} has no {split} split of its own: cut {len(cut):,} of "
        f"{len(cut) + len(kept):,} training examples, stratified by {by}, seed {seed}"
    )


def _hashes(splits: Splits) -> dict[str, str]:
    return {
        f"{split}/{column}": hashlib.sha256(values.tobytes()).hexdigest()
        for split, columns in splits.items()
        for column, values in columns.items()
    }


def _fingerprint(name: str, content: Mapping[str, str], cuts: Mapping[str, object]) -> str:
    text = json.dumps({"name": name, "content": content, "cuts": cuts}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
