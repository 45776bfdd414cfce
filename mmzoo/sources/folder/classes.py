"""The classes of a folder: enough of them, and the same in each split."""

from __future__ import annotations

from collections.abc import Mapping

from mmzoo.errors import DataError
from mmzoo.sources.folder.listing import first_of
from mmzoo.spec.wording import printable


def class_names_of(
    root: str, found: Mapping[str, Mapping[str, list[str]]], suffixes: tuple[str, ...], few: int
) -> tuple[str, ...]:
    """The classes that there are to train on, once they are found to be enough and complete.

    Args:
        root: The folder, for errors.
        found: The files of each class by split.
        suffixes: Of the files that count, for errors.
        few: How many classes there must be.

    Raises:
        DataError: There are fewer, one has no file to train on, or a split has other ones.
    """
    where = printable(root)
    names = tuple(found["train"])
    if len(names) < few:
        raise DataError(
            f"{where}: there is a single class, '{printable(names[0])}'. Expected two or "
            "more, each in a folder of its own."
        )
    for split, classes in found.items():
        for name in classes:
            if not _is_text(name):
                raise DataError(
                    f"{where}: a class folder's name is not UTF-8 text: {printable(name)}"
                )
            if name not in names:
                raise DataError(
                    f"{where}: {split} has a class '{printable(name)}', and train has not. Add a "
                    "folder of it to train, or remove it here."
                )
    empty = [name for name, files in found["train"].items() if not files]
    if empty:
        raise DataError(
            f"{where}: there are no files to train on in class folders: {first_of(empty)}. Put "
            f"some there or remove the folder; `source.suffixes` counts {' '.join(suffixes)}."
        )
    for split, classes in found.items():
        if not any(classes.values()):
            raise DataError(
                f"{where}: there are no files in the folder of the {split} split. Put some there, "
                "or remove it to have the split cut off the files to train on."
            )
    return names


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
