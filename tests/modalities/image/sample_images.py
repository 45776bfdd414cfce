"""Image files of every supported format, for tests."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import PIL.Image
from PIL.Image import Transpose

ORIENTED = {
    1: None,
    2: Transpose.FLIP_LEFT_RIGHT,
    3: Transpose.ROTATE_180,
    4: Transpose.FLIP_TOP_BOTTOM,
    5: Transpose.TRANSPOSE,
    6: Transpose.ROTATE_90,
    7: Transpose.TRANSVERSE,
    8: Transpose.ROTATE_270,
}
"""EXIF orientation -> how an upright image is transformed for storage."""


def scene(height: int = 50, width: int = 70, seed: int = 0) -> PIL.Image.Image:
    """A smooth image with an edge and four different corners."""
    random = np.random.RandomState(seed)
    coarse = PIL.Image.fromarray(random.randint(0, 256, (4, 5, 3)).astype("uint8"))
    image = coarse.resize((width, height), PIL.Image.Resampling.BICUBIC)
    image.paste((250, 20, 60), (0, 0, width // 3, height // 4))
    return image


def transparent(image: PIL.Image.Image) -> PIL.Image.Image:
    """The image, increasingly transparent towards the right."""
    opacity = np.linspace(255, 0, image.width).astype("uint8")
    image = image.copy()
    image.putalpha(PIL.Image.fromarray(np.tile(opacity, (image.height, 1))))
    return image


def write(path: Path, image: PIL.Image.Image, orientation: int = 1, **options: object) -> Path:
    """Saves the image such that a viewer that respects EXIF shows it as given here."""
    turn = ORIENTED[orientation]
    exif = PIL.Image.Exif()
    if orientation > 1:
        exif[0x0112] = orientation
        options["exif"] = exif
    (image if turn is None else image.transpose(turn)).save(path, **options)
    return path


def png(pixels: np.ndarray, color_type: int, depth: int, key: Sequence[int] | None = None) -> bytes:
    """A PNG file of any color type and depth, which Pillow would not write.

    Args:
        pixels: whole numbers `[height, width]` or `[height, width, channels]`.
        color_type: 0 greyscale, 2 RGB, 4 greyscale with alpha, 6 RGB with alpha.
        depth: bits per channel, 8 or 16.
        key: the transparent color.
    """

    def chunk(name: bytes, content: bytes) -> bytes:
        checksum = struct.pack(">I", zlib.crc32(name + content))
        return struct.pack(">I", len(content)) + name + content + checksum

    height, width = pixels.shape[:2]
    lines = pixels.astype(">u2" if depth == 16 else "u1")
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, color_type, 0, 0, 0))
        + (b"" if key is None else chunk(b"tRNS", np.array(key, ">u2").tobytes()))
        + chunk(b"IDAT", zlib.compress(b"".join(b"\0" + line.tobytes() for line in lines)))
        + chunk(b"IEND", b"")
    )


def every_kind(folder: Path) -> dict[str, Path]:
    """A file of each format and mode, all of the same scene except the greyscale ones."""
    colour = scene()
    grey, alpha = colour.convert("L"), transparent(colour)
    deep = PIL.Image.fromarray(np.asarray(grey).astype("uint16") * 257)
    palette = colour.quantize(64)
    frames = [palette, scene(seed=1).quantize(64)]
    kinds = {
        "colour.jpg": (colour, {"quality": 92}),
        "whole_chroma.jpg": (colour, {"quality": 92, "subsampling": 0}),
        "grey.jpg": (grey, {}),
        "cmyk.jpg": (colour.convert("CMYK"), {"quality": 92}),
        "progressive.jpg": (colour, {"progressive": True}),
        "colour.png": (colour, {}),
        "grey.png": (grey, {}),
        "bits.png": (grey.convert("1"), {}),
        "few_colours.png": (colour.quantize(9), {}),
        "deep.png": (deep, {}),
        "alpha.png": (alpha, {}),
        "grey_alpha.png": (alpha.convert("LA"), {}),
        "palette.png": (palette, {}),
        "palette_with_holes.png": (palette, {"transparency": 3}),
        "colour_key.png": (colour, {"transparency": colour.getpixel((0, 0))}),
        "colour.bmp": (colour, {}),
        "grey.bmp": (grey, {}),
        "palette.bmp": (palette, {}),
        "still.gif": (palette, {}),
        "holes.gif": (palette, {"transparency": 3}),
        "animation.gif": (frames[0], {"save_all": True, "append_images": frames[1:]}),
        "colour.webp": (colour, {"quality": 90}),
        "alpha.webp": (alpha, {"lossless": True}),
    }
    return {
        name: write(folder / name, image, **options) for name, (image, options) in kinds.items()
    }
