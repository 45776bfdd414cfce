"""Generated examples, whatever generated them, and the folder that they are written to."""

from __future__ import annotations

import errno
import os
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmzoo.errors import RunError
from mmzoo.evaluation.image_grid import captioned_grid, write_png
from mmzoo.tables import write_table

Values = Sequence[NDArray[np.uint8]] | Sequence[str]
"""One value per example: an image, uint8 `[height, width, 1 or 3]`, or a text."""

TABLE = "table.csv"
_GRID = "grid.png"
_SHOWN = 36
"""Most images in the grid."""


@dataclass(frozen=True)
class GeneratedRows:
    """Some generated examples: rows of the table that is written.

    Attributes:
        outputs: name -> the generated values. The name is that of a column of the table, and of the
            folder of its images.
        labels: column -> what else is known of each example, such as its class.
    """

    outputs: Mapping[str, Values]
    labels: Mapping[str, Sequence[Any]]


def write_generated(folder: Path, batches: Iterable[GeneratedRows]) -> int:
    """Writes a folder: images, a grid of the first ones and a table of all; returns its rows.

    The folder appears when it is complete; if the generator fails, there is none.

    Args:
        folder: does not exist, or is empty.
        batches: the examples; all batches have the same outputs and labels.
    """
    temporary = folder.with_name(f".{folder.name}.{os.getpid()}.tmp")
    temporary.mkdir(parents=True)
    try:
        outputs: dict[str, list[str]] = {}
        labels: dict[str, list[Any]] = {}
        shown: list[NDArray[np.uint8]] = []
        captions: list[str] = []
        for batch in batches:
            first = len(next(iter(outputs.values()), []))
            folders = _folders(batch.outputs)
            cells = {
                name: _write_values(temporary, folders[name], values, first + 1)
                for name, values in batch.outputs.items()
            }
            for name, written in cells.items():
                outputs.setdefault(name, []).extend(written)
            for name, values in batch.labels.items():
                labels.setdefault(name, []).extend(values)
            for image, caption in _captioned(batch, first + 1):
                if len(shown) < _SHOWN:
                    shown.append(image)
                    captions.append(caption)
        if shown:
            write_png(temporary / _GRID, captioned_grid(shown, captions))
        renamed = {f"{name}_given" if name in outputs else name: of for name, of in labels.items()}
        write_table(temporary / TABLE, {**outputs, **renamed}, trusted=outputs)
        os.rename(temporary, folder)  # An empty folder is replaced.
        return len(next(iter(outputs.values()), []))
    except OSError as error:
        if error.errno in (errno.ENOTEMPTY, errno.EEXIST):
            raise RunError(f"{folder}: is not empty any more. Name another --output.") from error
        raise
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _folders(names: Iterable[str]) -> dict[str, str]:
    """A folder for the images of each output: its name without characters that paths may lack."""
    found: dict[str, str] = {}
    for name in names:
        found[name] = re.sub(r"[^A-Za-z0-9_-]+", "_", name)
        while [*found.values()].count(found[name]) > 1:
            found[name] += "_"
    return found


def _write_values(folder: Path, name: str, values: Values, first: int) -> list[str]:
    """Writes images to `<name>/00001.png` and so on; returns their paths, or the texts."""
    from PIL import Image

    written = []
    for number, value in enumerate(values, start=first):
        if isinstance(value, str):
            written.append(value)
            continue
        assert isinstance(value, np.ndarray)
        path = folder / name / f"{number:05d}.png"
        path.parent.mkdir(exist_ok=True)
        # Not synced one by one: the folder appears as a whole.
        Image.fromarray(value if value.shape[2] == 3 else value[:, :, 0]).save(path)
        written.append(f"{name}/{path.name}")
    return written


def _captioned(batch: GeneratedRows, first: int) -> Iterator[tuple[NDArray[np.uint8], str]]:
    """The images of a batch with captions: the labels of the example, or its number."""
    names = [
        name
        for name, values in batch.outputs.items()
        if len(values) and not isinstance(values[0], str)
    ]
    for row in range(len(next(iter(batch.outputs.values())))):
        known = [str(values[row]) for values in batch.labels.values()]
        caption = next(iter(known), str(first + row))
        for name in names:
            yield np.asarray(batch.outputs[name][row]), caption
