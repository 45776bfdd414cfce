"""The source `dataset`: a named public data set."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, ClassVar, Literal

from annotated_types import Gt, Lt

from mmzoo.sources.columns import check_columns
from mmzoo.sources.cut import cut_missing_splits
from mmzoo.sources.data import Data, OnBadRow, Splits
from mmzoo.sources.named import NAMED, DatasetName
from mmzoo.sources.store import UnobtainableError, obtain
from mmzoo.spec import Problem, Spec
from mmzoo.wanted import Wanted


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
        wanted: Mapping[str, Wanted],
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
        check_columns(f"data set {named.name}", named.columns, wanted)
        notes = []
        try:
            files = obtain(named, tell)
        except UnobtainableError as error:
            if self.fallback is None:
                raise
            named, files = NAMED[self.fallback], {}
            check_columns(f"data set {named.name}", named.columns, wanted)
            notes.append(
                f"FALLBACK: {self.name} cannot be had ({error.why}), so {named.name} serves in its "
                f"place, and every figure of this run is about {named.name}, not {self.name}. "
                f"`mmzoo data fetch {self.name}` fetches it once there is a network"
            )
        splits = named.read(files)
        content = {file.name: file.sha256 for file in named.files} or _hashes(splits)
        by = next(iter(named.classes))
        shares = {"validation": self.validation, "test": self.test}
        cuts, said = cut_missing_splits(named.name, splits, by, named.classes[by], shares, seed)
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
            notes=(*notes, *said),
            fallback_for=None if named.name == self.name else self.name,
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
