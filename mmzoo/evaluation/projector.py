"""The files of TensorBoard's PROJECTOR: points, their labels, and their images.

Points and labels are tab-separated tables, which projector.tensorflow.org can load too.
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
"""Of one image in the sprite, in pixels: browsers accept a texture of 2,000 of them."""


def write_projector(logs: Path, embeddings: Embeddings) -> Path:
    """Writes the embeddings of a split into TensorBoard's folder; those of other splits stay.

    Returns:
        The folder of the files: `<name>.tsv` for each kind of vectors, `metadata.tsv` and, where
        there are images, `sprite.png`.
    """
    folder = logs / _FOLDER / embeddings.split
    write_text(folder / "metadata.tsv", _table(embeddings.columns))
    for name, vectors in embeddings.vectors.items():
        with replacing(folder / f"{name}.tsv") as temporary:
            np.savetxt(temporary, vectors, fmt="%.6g", delimiter="\t")
    tile = None
    if embeddings.images is not None:
        tiles = _thumbnails(embeddings.images)
        _write_sprite(folder / "sprite.png", tiles)
        tile = (tiles.shape[2], tiles.shape[1])
    write_text(logs / _CONFIG, _config(logs / _CONFIG, embeddings, tile))
    return folder


def _table(columns: Mapping[str, Sequence[Any]]) -> str:
    """A line of titles and one for each example; names may hold any character."""
    lines = [columns.keys(), *zip(*columns.values(), strict=True)]
    return "".join("\t".join(map(_cell, line)) + "\n" for line in lines)


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    text = str(value).encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return " ".join(text.split())  # A tab or line break would start another cell.


def _thumbnails(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """RGB images of up to 64 pixels a side, uint8 `[count, height, width, 3]`."""
    from PIL import Image

    if images.shape[3] == 1:
        images = images.repeat(3, axis=3)
    height, width = images.shape[1:3]
    share = _LARGEST_SIDE / max(height, width)
    if share >= 1:
        return images
    size = max(1, round(width * share)), max(1, round(height * share))
    return np.stack([np.asarray(Image.fromarray(image).resize(size)) for image in images])


def _write_sprite(path: Path, tiles: NDArray[np.uint8]) -> None:
    """All images in one square grid, row by row."""
    from PIL import Image

    count, height, width, _ = tiles.shape
    side = math.ceil(math.sqrt(count))
    padded = np.zeros((side * side, height, width, 3), np.uint8)
    padded[:count] = tiles
    grid = padded.reshape(side, side, height, width, 3).transpose(0, 2, 1, 3, 4)
    with replacing(path) as temporary:
        Image.fromarray(grid.reshape(side * height, side * width, 3)).save(temporary, format="PNG")


def _config(path: Path, embeddings: Embeddings, tile: tuple[int, int] | None) -> str:
    """The config at `path`, with the entries of this split replaced."""
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
