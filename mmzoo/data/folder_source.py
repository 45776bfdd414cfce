"""The source `folder`: a folder per class, or a folder per split with a folder per class in it."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from typing import Annotated, Literal

from annotated_types import Gt, Lt, MinLen

from mmzoo.column_spec import ColumnSpec
from mmzoo.data.folder_listing import Ignored, Nested, files_below, first_few, folders_in
from mmzoo.data.frame import ROW, Frame, Issues, OnBadRow, issues_table, table_of
from mmzoo.data.media_paths import problems
from mmzoo.data.parse_columns import check_columns
from mmzoo.data.split_assignment import fill_missing_splits
from mmzoo.data.splits import SPLITS
from mmzoo.errors import DataError
from mmzoo.lazy import np, pl
from mmzoo.spec import Problem, Spec, nearest
from mmzoo.spec.wording import describe, escape


def folder_root(path: str, field: str = "source.path") -> str:
    """The absolute path of the source's folder, with links resolved.

    Raises:
        DataError: The folder does not exist; suggests the most similar one.
    """
    root = os.path.realpath(os.path.expanduser(path))
    if os.path.isdir(root):
        return root
    if os.path.lexists(root):
        raise DataError(f"{field}: {escape(root)} is a file, expected a folder.")
    missing = root
    while not os.path.isdir(os.path.dirname(missing)):
        missing = os.path.dirname(missing)
    parent, name = os.path.split(missing)
    near = nearest(name, (entry.name for entry in _folders(parent)))
    hint = (
        f"Did you mean {escape(os.path.join(parent, near))}?"
        if near
        else "Create it, or correct the path."
    )
    needed = "" if missing == root else f", a parent of {escape(path)}"
    raise DataError(
        f"{field}: there is no folder {escape(name)} in {escape(parent)}{needed}. {hint}"
    )


def _folders(path: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(path) as found:
            return [entry for entry in found if entry.is_dir()]
    except OSError:
        return []


Layout = Literal["auto", "classes", "splits"]

_SPLITS = {
    "train": "train",
    "training": "train",
    "validation": "validation",
    "valid": "validation",
    "val": "validation",
    "test": "test",
    "testing": "test",
}
"""Lower-case name of a folder -> split."""


def class_folders(
    root: str, layout: Layout, suffixes: tuple[str, ...], ignored: Ignored
) -> dict[str, dict[str, str]]:
    """Split -> class -> folder, relative to the root.

    With "auto", folders are splits if all of them have names of splits. A single folder `train`
    among others may be a class of trains.

    Args:
        root: The source's folder.
        layout: Its layout, or "auto" to detect it.
        suffixes: Lower-case suffixes of examples, which must not lie next to these folders.
        ignored: Collects ignored files and folders.

    Raises:
        DataError: The folder does not have this layout, or its layout is ambiguous.
    """
    folders = folders_in(root, "", suffixes, ignored)
    split_folders = [name for name in folders if name.lower() in _SPLITS]
    others = [name for name in folders if name.lower() not in _SPLITS]
    if layout == "auto":
        layout = "classes" if others else "splits"
        mixed = [name for name in split_folders if others and _has_folders(root, name)]
        if mixed:
            raise DataError(
                f"{escape(root)}: there are folders of splits ({first_few(mixed)}) next to others "
                f"({first_few(others)}). Write `layout: splits` into the config's source to use "
                "only the folders of splits, or `layout: classes` if each is a class."
            )
    if layout == "classes":
        return {"train": {name: name for name in folders}}
    ignored.beside += others
    return {
        split: {
            name: os.path.join(folder, name) for name in folders_in(root, folder, suffixes, ignored)
        }
        for split, folder in _folder_of_split(root, split_folders).items()
    }


def _folder_of_split(root: str, names: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name in names:
        split = _SPLITS[name.lower()]
        if split in found:
            raise DataError(
                f"{escape(root)}: both {found[split]} and {name} are the {split} split. Merge "
                "them into one folder, or move one of them away."
            )
        found[split] = name
    if "train" not in found:
        raise DataError(
            f"{escape(root)}: there is no folder train, only {', '.join(names) or 'others'}. "
            "Add it, or write `layout: classes` into the config's source if each folder is a class."
        )
    return found


def _has_folders(root: str, folder: str) -> bool:
    with os.scandir(os.path.join(root, folder)) as found:
        return any(entry.is_dir() and not entry.name.startswith(".") for entry in found)


def checked_class_names(
    root: str, found: Mapping[str, Mapping[str, list[str]]], suffixes: tuple[str, ...], minimum: int
) -> tuple[str, ...]:
    """The classes of the training split, after checking all splits against them.

    Args:
        root: The folder, for errors.
        found: Split -> class -> files.
        suffixes: The suffixes of examples, for errors.
        minimum: Smallest number of classes.

    Raises:
        DataError: There are fewer classes, a class has no training files, or a split has other
            classes or no files.
    """
    where = escape(root)
    names = tuple(found["train"])
    if len(names) < minimum:
        raise DataError(
            f"{where}: there is only one class, '{escape(names[0])}'. Expected two or more, each "
            "in its own folder."
        )
    for split, classes in found.items():
        for name in classes:
            if not _is_text(name):
                raise DataError(f"{where}: a class folder's name is not UTF-8 text: {escape(name)}")
            if name not in names:
                raise DataError(
                    f"{where}: {split} has a class '{escape(name)}' that train does not have. Add "
                    "a folder for it to train, or remove it here."
                )
    empty = [name for name, files in found["train"].items() if not files]
    if empty:
        raise DataError(
            f"{where}: there are no training files in class folders: {first_few(empty)}. Add some "
            f"or remove the folder; `source.suffixes` is {' '.join(suffixes)}."
        )
    for split, classes in found.items():
        if not any(classes.values()):
            raise DataError(
                f"{where}: there are no files in the folder of the {split} split. Add some, or "
                "remove the folder to sample the split from the training files."
            )
    return names


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


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
        *(".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp"),
    )
    """Suffixes of examples, case-insensitive; all other files are ignored."""
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
        names, labels, given = [], [], []
        for split, classes in found.items():
            split_names, split_labels = _flatten(classes, class_names)
            names += split_names
            labels += split_labels
            given += [SPLITS.index(split)] * len(split_names)
        shares = {"validation": self.validation, "test": self.test}
        codes = np.array(labels, np.int64)
        assigned, sampled, sampling_notes = fill_missing_splits(
            name, np.array(given, np.int64), shares, seed, "label", codes, class_names
        )
        table = pl.concat(
            [
                _table([names[row] for row in rows], codes[rows], root, specs, split)
                for index, split in enumerate(SPLITS)
                if len(rows := np.flatnonzero(assigned == index))
            ]
        )
        listed = {
            split: [
                [names[row] for row in np.flatnonzero(assigned == index)],
                codes[assigned == index].tolist(),
            ]
            for index, split in enumerate(SPLITS)
        }
        return Frame(
            table,
            name=name,
            fingerprint=_fingerprint(listed, class_names, sampled),
            issues=issues_table(_problems([n for of, _ in listed.values() for n in of], root)),
            class_names={"label": class_names} if "label" in specs else {},
            notes=(
                *sampling_notes,
                *ignored.notes(name),
                *_missing_classes(
                    name,
                    {split: set(of) for split, (_, of) in listed.items() if split not in sampled},
                    class_names,
                ),
            ),
        )

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
        check_columns("a folder of classes", self.columns() or {}, specs)
        root, ignored = folder_root(self.path, "--data"), Ignored()
        found = self._list_files(root, "classes", ignored)
        class_names = checked_class_names(root, found, self._suffixes, minimum=1)
        known = (specs["label"].names if "label" in specs else None) or class_names
        unknown = tuple(name for name in class_names if name not in known)
        names, labels = _flatten(found["train"], (*known, *unknown))
        issues = {
            row: (
                "label",
                f"its class '{escape(unknown[label - len(known)])}' is unknown to the model",
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
        found = {
            split: {
                class_name: files_below(root, folder, self._suffixes, self.nested, ignored)
                for class_name, folder in folders.items()
            }
            for split, folders in class_folders(root, layout, self._suffixes, ignored).items()
        }
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
