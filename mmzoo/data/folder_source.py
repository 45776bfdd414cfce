"""The source `folder`: a folder per class, or a folder per split with a folder per class in it."""

from __future__ import annotations

import hashlib
import json
import os
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Annotated, Literal

from annotated_types import Gt, Lt, MinLen

from mmzoo.column_spec import ColumnSpec
from mmzoo.data.class_encoding import first_names
from mmzoo.data.folder_listing import (
    Ignored,
    Layout,
    Nested,
    checked_class_names,
    class_folders,
    files_below,
    first_few,
    folder_root,
)
from mmzoo.data.frame import ROW, SPLIT, Frame, Issues, OnBadRow, issues_table, table_of
from mmzoo.data.media_paths import problems
from mmzoo.data.parse_columns import check_columns
from mmzoo.data.split_assignment import Assignment, SplitInfo, assign_splits
from mmzoo.data.splits import SPLITS, Fold
from mmzoo.errors import DataError
from mmzoo.lazy import np, pl
from mmzoo.spec import Problem, Spec
from mmzoo.spec.wording import describe, escape, shorten


class Folder(Spec):
    """A folder of files: one folder per class, or one per split with a folder per class in it.

    Its columns are `file`, the path, and `label`, the name of the class folder; classes are sorted
    by name. Folders of splits are `train`, `validation` (or `val`, `valid`) and `test`; missing
    splits are sampled from `train`. Hidden files and files with other suffixes are ignored with a
    note. Links are followed only to files within the folder.

    Example:
        `photos/cat/1.jpg`, `photos/dog/2.jpg`; or `photos/train/cat/1.jpg`,
        `photos/test/cat/7.jpg`.
    """

    type: Literal["folder"] = "folder"
    path: Annotated[str, MinLen(1)]
    """The folder, relative to the working directory."""
    layout: Layout = "auto"
    """Whether the folders in it are classes or splits; `auto` means splits if all of them have
    names of splits."""
    nested: Nested = "error"
    """What to do about folders within a class folder: stop with an error, include their files in
    the class, or ignore them."""
    suffixes: Annotated[tuple[Annotated[str, MinLen(1)], ...], MinLen(1)] = (
        *(".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".bmp", ".gif", ".webp"),
    )
    """Suffixes of examples, case-insensitive; all other files are ignored."""
    fold: Fold | None = None
    """For cross-validation: the fold that is the test split, if there is no folder of test files.
    The folds are stratified by label, and the same for all seeds."""
    on_bad_row: OnBadRow = "error"
    """What to do about files that cannot be read: stop with an error, or skip them and list them
    in the run."""
    validation: Annotated[float, Gt(0), Lt(1)] = 0.1
    """Share of the training files that is held out for validation, stratified by label, if there is
    no folder of validation files."""
    test: Annotated[float, Gt(0), Lt(1)] = 0.2
    """Share of the training files that is held out for testing, before those for validation, if
    there is no folder of test files."""

    def rules(self) -> Iterator[Problem]:
        if "\0" in self.path:
            yield Problem(("path",), "a path cannot hold the character \\0")
        for index, suffix in enumerate(self.suffixes):
            if not suffix.startswith("."):
                yield Problem(
                    ("suffixes", index), f"expected a dot first, as in .jpg; got {describe(suffix)}"
                )

    def columns(self) -> dict[str, Literal["input", "target"]] | None:
        """Column -> whether it is an input or a target."""
        return {"file": "input", "label": "target"}

    def read(self, specs: Mapping[str, ColumnSpec], seed: int) -> Frame:
        """Lists the files and samples missing splits. No file is opened.

        The fingerprint covers names, labels and splits; the code that reads the files adds their
        content.

        Args:
            specs: Its keys are the columns to read.
            seed: Decides which files are held out for validation.

        Returns:
            A frame with the columns `file`, absolute paths, and `label`. Files that must not be
            opened have issues.

        Raises:
            DataError: There is no such folder, it does not have the layout, or a class has too few
                files.
        """
        check_columns("the source `folder`", self.columns() or {}, specs)
        root = folder_root(self.path)
        name = escape(os.path.basename(root) or root)
        ignored = Ignored()
        found = self._list_files(root, self.layout, ignored)
        minimum = 2 if "label" in specs else 1
        class_names = checked_class_names(root, found, self._suffixes, minimum)
        if self.fold and "test" in found:
            raise DataError(f"source.fold: expected none: {escape(root)} has a test split.")
        names, codes, assigned = self._assign(name, found, class_names, seed)
        table = _table(names, codes, root, specs, "train").with_columns(
            pl.Series(SPLIT, [SPLITS[index] for index in assigned.splits])
        )
        listed = {
            split: [[names[row] for row in rows], codes[rows].tolist()]
            for index, split in enumerate(SPLITS)
            for rows in [np.flatnonzero(assigned.splits == index)]
        }
        given = {
            split: set(of) for split, (_, of) in listed.items() if split not in assigned.sampled
        }
        return Frame(
            table,
            name=name,
            fingerprint=_fingerprint(listed, class_names, assigned.sampled),
            issues=issues_table(_problems(names, root)),
            class_names={"label": class_names} if "label" in specs else {},
            notes=(
                *assigned.notes,
                *ignored.notes(name),
                *_missing_classes(name, given, class_names),
            ),
            assignment=assigned,
        )

    def _assign(
        self,
        name: str,
        found: Mapping[str, Mapping[str, list[str]]],
        class_names: tuple[str, ...],
        seed: int,
    ) -> tuple[list[str], np.ndarray, Assignment]:
        """The relative paths of all files, and their labels, in the order of splits."""
        names, labels, splits = [], [], []
        for index, split in enumerate(SPLITS):
            split_names, split_labels = _flatten(found.get(split, {}), class_names)
            names += split_names
            labels += split_labels
            splits += [index] * len(split_names)
        codes = np.array(labels, np.int64)
        info = SplitInfo(np.array(splits), classes=codes, class_names=class_names, by="label")
        shares = {"validation": self.validation, "test": self.test}
        assigned = assign_splits(name, info, shares, seed, self.fold)
        order = np.argsort(assigned.splits, kind="stable")
        return [names[row] for row in order], codes[order], assigned.take(order)

    def rows(self, specs: Mapping[str, ColumnSpec], split: str) -> Frame:
        """Lists all files as a single split, for a trained model.

        Each folder is a class, even one with the name of a split.

        Args:
            specs: The columns to read. The names of `label` are the classes that the model knows;
                files of other classes have issues.
            split: The name of the split.

        Raises:
            DataError: There is no such folder, it does not have the layout, or has no files.
        """
        if lacking := [column for column in specs if column not in (self.columns() or {})]:
            raise DataError(
                f"{escape(self.path)}: a folder of classes has the columns `file` and `label`, but "
                f"the model reads `{lacking[0]}`. Give a table with the columns "
                f"{', '.join(specs)}, such as paths of files; to predict the files of the folder, "
                "give it to `mmzoo predict` without --data."
            )
        root, ignored = folder_root(self.path, "--data"), Ignored()
        found = self._list_files(root, "classes", ignored)
        # A class without files does not matter to a trained model.
        found["train"] = {name: files for name, files in found["train"].items() if files}
        if not found["train"]:
            raise DataError(
                f"{escape(root)}: there are no files in its class folders whose names end in "
                f"{' or '.join(self._suffixes)}"
            )
        class_names = checked_class_names(root, found, self._suffixes, minimum=1)
        known = (specs["label"].names if "label" in specs else None) or class_names
        unknown = tuple(name for name in class_names if name not in known)
        names, labels = _flatten(found["train"], (*known, *unknown))
        expected = f"expected one of the classes {first_names(known)}"
        issues = {
            row: (
                "label",
                f"its `label` has class '{shorten(unknown[label - len(known)])}', {expected}",
            )
            for row, label in enumerate(labels)
            if label >= len(known)
        }
        name = escape(os.path.basename(root) or root)
        return Frame(
            _table(names, np.array(labels, np.int64), root, specs, split),
            name=name,
            fingerprint=_fingerprint({split: [names, labels]}, (*known, *unknown), {}),
            issues=issues_table({**issues, **_problems(names, root)}),
            class_names={"label": known} if "label" in specs else {},
            notes=tuple(ignored.notes(name)),
        )

    @property
    def _suffixes(self) -> tuple[str, ...]:
        return tuple(suffix.lower() for suffix in self.suffixes)

    def _list_files(
        self, root: str, layout: Layout, ignored: Ignored
    ) -> dict[str, dict[str, list[str]]]:
        """Split -> class -> files; without folders of splits all files are in `train`."""
        found: dict[str, dict[str, list[str]]] = {}
        for split, folders in class_folders(root, layout, self._suffixes, ignored).items():
            classes = found.setdefault(split, {})
            for class_name, folder in folders.items():
                # macOS decomposes accents in names of files, other systems do not.
                files = classes.setdefault(unicodedata.normalize("NFC", class_name), [])
                files += files_below(root, folder, self._suffixes, self.nested, ignored)
        if self.nested == "error" and ignored.nested:
            raise DataError(
                f"{escape(root)}: there are folders within class folders: "
                f"{first_few(ignored.nested)}. Write `nested: include` into the config's source to "
                "include their files in the class, or `nested: ignore` to ignore them."
            )
        return found


def _flatten(
    classes: Mapping[str, list[str]], class_names: tuple[str, ...]
) -> tuple[list[str], list[int]]:
    """The paths of all files, relative to the root, class by class; and their labels."""
    files = [
        (path, label) for label, name in enumerate(class_names) for path in classes.get(name, [])
    ]
    return [path for path, _ in files], [label for _, label in files]


def _table(
    names: list[str], labels: np.ndarray, root: str, specs: Mapping[str, object], split: str
) -> pl.DataFrame:
    """The table of the files of one split. Bytes of a name that are not UTF-8 are escaped."""
    shown = [name.encode("utf-8", "backslashreplace").decode() for name in names]
    columns = {"label": labels, "file": np.array([os.path.join(root, n) for n in shown], object)}
    chosen = {column: columns[column] for column in specs}
    return table_of({split: {**chosen, ROW: np.array(shown, object)}})


def _problems(names: list[str], root: str) -> Issues:
    return {row: ("file", reason) for row, reason in problems(names, root).items()}


def _missing_classes(
    name: str, labels: Mapping[str, set[int]], class_names: tuple[str, ...]
) -> Iterator[str]:
    """A sentence on each of these splits that has no files of some classes."""
    for split, found in labels.items():
        missing = [one for label, one in enumerate(class_names) if label not in found]
        if missing:
            yield f"{name}: {split} has no file of class {first_few(missing)}"


def _fingerprint(
    listed: Mapping[str, object], class_names: tuple[str, ...], sampled: Mapping[str, object]
) -> str:
    text = json.dumps({"classes": class_names, "splits": listed, "cuts": sampled}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
