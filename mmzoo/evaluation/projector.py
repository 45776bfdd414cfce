"""The files of TensorBoard's PROJECTOR: points, what is known of each, and their pictures.

Vectors and what is known of them are tables of tabs, which the projector of
projector.tensorflow.org can load too.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mmzoo.evaluation.embeddings import Embeddings
from mmzoo.files import replacing, write_text

if TYPE_CHECKING:
    from numpy.typing import NDArray

_CONFIG = "projector_config.pbtxt"
"""TensorBoard looks for this name in folders that have event files."""
_FOLDER = "embeddings"
_LARGEST_SIDE = 64
"""Of one picture in the sprite, in pixels: 2,000 of them make a texture that browsers take."""


def write_projector(logs: Path, embeddings: Embeddings) -> Path:
    """Writes the embeddings of a split beside a run's curves; those of other splits stay.

    Args:
        logs: TensorBoard's folder of the run.
        embeddings: what to write.

    Returns:
        The folder of the files: `<name>.tsv` for each kind of vectors, `metadata.tsv` and, where
        there are pictures, `sprite.png`.
    """
    folder = logs / _FOLDER / embeddings.split
    write_text(folder / "metadata.tsv", _table(embeddings.columns))
    for name, vectors in embeddings.vectors.items():
        with replacing(folder / f"{name}.tsv") as temporary:
            np.savetxt(temporary, vectors, fmt="%.6g", delimiter="\t")
    tile = None
    if embeddings.pictures is not None:
        tiles = _reduced(embeddings.pictures)
        _write_sprite(folder / "sprite.png", tiles)
        tile = (tiles.shape[2], tiles.shape[1])
    write_text(logs / _CONFIG, _config(logs / _CONFIG, embeddings, tile))
    return folder


def _table(columns: Mapping[str, Sequence[Any]]) -> str:
    """A line of titles and one for each example, however class and file names are written."""
    lines = [columns.keys(), *zip(*columns.values(), strict=True)]
    return "".join("\t".join(map(_cell, line)) + "\n" for line in lines)


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    text = str(value).encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return " ".join(text.split())  # A tab or a line's end would begin another cell.


def _reduced(pictures: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Pictures of up to 64 pixels a side, in colour: uint8 `[count, height, width, 3]`."""
    from PIL import Image

    if pictures.shape[3] == 1:
        pictures = pictures.repeat(3, axis=3)
    height, width = pictures.shape[1:3]
    share = _LARGEST_SIDE / max(height, width)
    if share >= 1:
        return pictures
    size = max(1, round(width * share)), max(1, round(height * share))
    return np.stack([np.asarray(Image.fromarray(picture).resize(size)) for picture in pictures])


def _write_sprite(path: Path, tiles: NDArray[np.uint8]) -> None:
    """All pictures in one, row by row, as many in a row as there are rows."""
    from PIL import Image

    count, height, width, _ = tiles.shape
    side = math.ceil(math.sqrt(count))
    padded = np.zeros((side * side, height, width, 3), np.uint8)
    padded[:count] = tiles
    grid = padded.reshape(side, side, height, width, 3).transpose(0, 2, 1, 3, 4)
    with replacing(path) as temporary:
        Image.fromarray(grid.reshape(side * height, side * width, 3)).save(temporary, format="PNG")


def _config(path: Path, embeddings: Embeddings, tile: tuple[int, int] | None) -> str:
    """What is at `path`, with the entries of this split in place of its earlier ones."""
    from google.protobuf import text_format  # type: ignore[import-untyped]
    from tensorboard.plugins.projector import ProjectorConfig

    before, config = ProjectorConfig(), ProjectorConfig()
    with suppress(FileNotFoundError, text_format.ParseError):
        text_format.Parse(path.read_text(encoding="utf-8"), before)
    prefix = f"{embeddings.split}/"
    config.embeddings.extend(
        entry for entry in before.embeddings if not entry.tensor_name.startswith(prefix)
    )
    for name, vectors in embeddings.vectors.items():
        entry = config.embeddings.add(
            tensor_name=prefix + name,
            tensor_shape=vectors.shape,
            tensor_path=f"{_FOLDER}/{prefix}{name}.tsv",
            metadata_path=f"{_FOLDER}/{prefix}metadata.tsv",
        )
        if tile is not None:
            entry.sprite.image_path = f"{_FOLDER}/{prefix}sprite.png"
            entry.sprite.single_image_dim.extend(tile)
    return text_format.MessageToString(config)
