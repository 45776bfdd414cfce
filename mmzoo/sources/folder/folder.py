"""The source `folder`: a folder of photos, or of other files, for each class."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from typing import Annotated, Literal

from annotated_types import Gt, Lt, MinLen

from mmzoo.errors import DataError
from mmzoo.lazy import np
from mmzoo.sources.columns import check_columns
from mmzoo.sources.cut import cut_missing_splits
from mmzoo.sources.data import Data, OnBadRow, Splits
from mmzoo.sources.folder.classes import class_names_of
from mmzoo.sources.folder.layout import Layout, class_folders
from mmzoo.sources.folder.listing import Aside, Nested, files_below, first_of
from mmzoo.sources.folder.root import folder_root
from mmzoo.sources.media import problems
from mmzoo.spec import Problem, Spec
from mmzoo.spec.wording import describe, printable
from mmzoo.wanted import Wanted


class Folder(Spec):
    """A folder of files: one folder per class, or folders of splits with those of classes in them.

    Its columns are `file`, the files' paths, and `label`. Classes are called like their folders, in
    the order of the alphabet. Folders of splits are `train`, `validation` (or `val`, `valid`) and
    `test`; those that there are not are cut off `train`. Hidden files are left aside, and so are
    those with other suffixes, which is said. Links are followed to files within the folder only.
    """

    type: Literal["folder"] = "folder"
    path: Annotated[str, MinLen(1)]
    """The folder, relative to the working directory."""
    layout: Layout = "auto"
    """Whether the folders in it are classes or splits; auto is splits if all are called so."""
    nested: Nested = "error"
    """What to do with folders within a class folder: include their files in the class, or ignore
    them."""
    suffixes: Annotated[tuple[Annotated[str, MinLen(1)], ...], MinLen(1)] = (
        *(".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp"),
    )
    """Endings of the files that are examples, in capitals or not; all others are ignored."""
    on_bad_row: OnBadRow = "error"
    """What to do about files that cannot be read: stop, or skip them and list them in the run."""
    validation: Annotated[float, Gt(0), Lt(1)] = 0.1
    """Share of the training files that is cut off for validation, stratified by label, where there
    is no folder of them."""
    test: Annotated[float, Gt(0), Lt(1)] = 0.2
    """Share of the training files that is cut off for testing before that, where there is no folder
    of them."""

    def rules(self) -> Iterator[Problem]:
        if "\0" in self.path:
            yield Problem(("path",), "a path cannot hold the character \\0")
        for place, suffix in enumerate(self.suffixes):
            if not suffix.startswith("."):
                yield Problem(
                    ("suffixes", place), f"expected a dot first, as in .jpg; got {describe(suffix)}"
                )

    def columns(self) -> dict[str, Literal["input", "target"]] | None:
        """The columns there are, and what each is for."""
        return {"file": "input", "label": "target"}

    def load(self, wanted: Mapping[str, Wanted], seed: int) -> Data:
        """Lists the files and cuts the splits that there are not. No file is opened.

        So the fingerprint is that of names, labels and splits. Whoever reads the files adds what is
        in them.

        Args:
            wanted: Its keys are the columns to load.
            seed: Decides which files are cut off for validation.

        Returns:
            Data with the columns `file`, text `[examples]` of absolute paths of ordinary files
            below the folder; and `label`, int64 `[examples]`.

        Raises:
            DataError: There is no such folder, it is not laid out like this, a class has no files
                or too few to share, or files are bad and not to be skipped.
        """
        check_columns("the source `folder`", self.columns() or {}, wanted)
        root = folder_root(self.path)
        name = printable(os.path.basename(root) or root)
        aside = Aside()
        found = self._found(root, self.layout, aside)
        few = 2 if "label" in wanted else 1
        class_names = class_names_of(root, found, self._suffixes, few)
        splits = {split: _rows(classes, class_names) for split, classes in found.items()}
        shares = {"validation": self.validation, "test": self.test}
        cuts, said = cut_missing_splits(name, splits, "label", class_names, shares, seed)
        splits = {split: splits[split] for split in ("train", "validation", "test")}
        return Data(
            name=name,
            fingerprint=_fingerprint(splits, class_names, cuts),
            splits={split: _columns(rows, root, wanted) for split, rows in splits.items()},
            class_names={"label": class_names} if "label" in wanted else {},
            notes=(*said, *aside.notes(name), *_absent(name, splits, class_names)),
            row_names={split: rows["name"] for split, rows in splits.items()},
            bad={split: problems(rows["name"], root) for split, rows in splits.items()},
        )

    def rows(self, wanted: Mapping[str, Wanted], split: str) -> Data:
        """Lists all files as one split, for a model that is trained already.

        Each folder is a class, whatever it is called.

        Args:
            wanted: The columns; the names of `label` are the classes that the model knows. Files of
                another one are bad.
            split: What to call the split.

        Raises:
            DataError: There is no such folder, it is not laid out like this, or has no files.
        """
        check_columns("a folder of classes", self.columns() or {}, wanted)
        root, aside = folder_root(self.path, "--data"), Aside()
        found = self._found(root, "classes", aside)
        class_names = class_names_of(root, found, self._suffixes, few=1)
        known = (wanted["label"].names if "label" in wanted else None) or class_names
        strange = tuple(name for name in class_names if name not in known)
        rows = _rows(found["train"], (*known, *strange))
        bad = {
            int(row): f"its class '{printable(strange[rows['label'][row] - len(known)])}' is "
            "unknown to the model"
            for row in (rows["label"] >= len(known)).nonzero()[0]
        }
        name = printable(os.path.basename(root) or root)
        return Data(
            name=name,
            fingerprint=_fingerprint({split: rows}, (*known, *strange), {}),
            splits={split: _columns(rows, root, wanted)},
            class_names={"label": known} if "label" in wanted else {},
            notes=tuple(aside.notes(name)),
            row_names={split: rows["name"]},
            bad={split: {**bad, **problems(rows["name"], root)}},
        )

    @property
    def _suffixes(self) -> tuple[str, ...]:
        return tuple(suffix.lower() for suffix in self.suffixes)

    def _found(self, root: str, layout: Layout, aside: Aside) -> dict[str, dict[str, list[str]]]:
        """The files of each class by split; those with classes alone are all `train`."""
        found = {
            split: {
                class_name: files_below(root, folder, self._suffixes, self.nested, aside)
                for class_name, folder in folders.items()
            }
            for split, folders in class_folders(root, layout, self._suffixes, aside).items()
        }
        if self.nested == "error" and aside.nested:
            raise DataError(
                f"{printable(root)}: there are folders within class folders: "
                f"{first_of(aside.nested)}. Write `nested: include` into the config's source to "
                "take their files into the class, or `nested: ignore` to leave them aside."
            )
        return found


def _rows(classes: Mapping[str, list[str]], class_names: tuple[str, ...]) -> dict[str, np.ndarray]:
    """The names of files, relative to the root, and their labels."""

    files = [classes.get(name, []) for name in class_names]
    return {
        "name": np.array([path for paths in files for path in paths], dtype=np.str_),
        "label": np.repeat(np.arange(len(files), dtype=np.int64), [len(paths) for paths in files]),
    }


def _columns(
    rows: Mapping[str, np.ndarray], root: str, wanted: Mapping[str, object]
) -> dict[str, np.ndarray]:

    columns = {}
    for column in wanted:
        if column == "label":
            columns["label"] = rows["label"]
        else:
            paths = [os.path.join(root, name) for name in rows["name"].tolist()]
            columns["file"] = np.array(paths, dtype=np.str_)
    return columns


def _absent(name: str, splits: Splits, class_names: tuple[str, ...]) -> Iterator[str]:
    """A sentence on each split that lacks classes."""
    for split in ("validation", "test"):
        present = set(splits[split]["label"].tolist())
        absent = [one for label, one in enumerate(class_names) if label not in present]
        if absent:
            yield f"{name}: {split} has no file of class {first_of(absent)}"


def _fingerprint(splits: Splits, class_names: tuple[str, ...], cuts: Mapping[str, object]) -> str:
    listed = {
        split: [rows["name"].tolist(), rows["label"].tolist()] for split, rows in splits.items()
    }
    text = json.dumps({"classes": class_names, "splits": listed, "cuts": cuts}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
