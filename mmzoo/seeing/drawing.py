"""Drawing: what there is to see of examples or of a model, as a picture and in words."""

from __future__ import annotations

import os
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from mmzoo.errors import DataError


@dataclass(frozen=True)
class Drawing:
    """A picture that was written, or what there is to read where nothing can be looked at.

    Attributes:
        path: the PNG; None where there is none.
        text: what is on it, for people.
        facts: the same for programs, as JSON takes it.
    """

    path: Path | None
    text: str
    facts: dict[str, Any]


def require_png(path: Path | None) -> None:
    """Raises a DataError where no picture can be written by this name: before any work is done."""
    if path is not None and path.suffix.lower() != ".png":
        raise DataError(f"{path}: expected a name that ends in .png")


def unused_path(folder: Path, file: Path) -> Path:
    """A PNG in the folder that is called like a file; numbered where there is one by that name.

    Another file of this name, or another class of the same file, keeps its picture.
    """
    names = (f"{file.stem}_{number}.png" for number in count(2))
    path = folder / f"{file.stem}.png"
    while os.path.lexists(path):
        path = folder / next(names)
    return path
