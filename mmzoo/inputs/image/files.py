"""Picture files from anywhere, read with care: for `mmzoo predict RUN photo.png`."""

from __future__ import annotations

import stat
import threading
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from mmzoo.errors import DataError

if TYPE_CHECKING:
    import numpy as np
    import PIL.Image

FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP")
MAX_PIXELS = 50_000_000
MAX_BYTES = 200_000_000

_OPENING = threading.Lock()


def read_picture(path: Path) -> np.ndarray:
    """The pixels of a picture file, upright, in 8 bits, over white where it is transparent.

    What is decoded is known by its first bytes, whatever the file is called, and its size by its
    header: a few kilobytes can unpack to gigabytes. Of an animation the first frame is read.

    Returns:
        Uint8 `[height, width, channels]`: one channel if the file is grey, else three.

    Raises:
        DataError: There is no such file, it is too large, or it is no picture that we read.
    """
    from PIL import Image, UnidentifiedImageError

    _require_ordinary_file(path)
    try:
        with _opened(path) as image:
            _require_moderate_size(path, *image.size)
            return _pixels(image)
    except DataError:
        raise
    except Image.DecompressionBombError:
        raise DataError(
            f"{path}: the picture has more than {MAX_PIXELS:,} pixels: make it smaller"
        ) from None
    except UnidentifiedImageError:
        raise DataError(
            f"{path}: not a picture that mmzoo reads: expected {', '.join(FORMATS[:-1])} "
            f"or {FORMATS[-1]}"
        ) from None
    except Exception as error:
        # Decoders meet damage with errors of every kind: OSError, SyntaxError, struct.error, ...
        raise DataError(f"{path}: the picture is damaged: {error}") from error


def _opened(path: Path) -> PIL.Image.Image:
    """The picture with its header read; not its pixels, which several threads may then decode."""
    from PIL import Image

    # The filters of warnings are the whole process's, so that one thread at a time may change them.
    with _OPENING, warnings.catch_warnings():
        # Pillow's own size check comes first and only warns; ours is the tighter one.
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        return Image.open(path, formats=FORMATS)


def _require_ordinary_file(path: Path) -> None:
    try:
        found = path.stat()
    except OSError as error:
        raise DataError(f"{path}: {error.strerror}") from None
    # A pipe would be waited on for ever, a device read without end.
    if not stat.S_ISREG(found.st_mode):
        kind = "a folder" if stat.S_ISDIR(found.st_mode) else "a device or a pipe"
        raise DataError(f"{path}: expected a picture file, found {kind}")
    if found.st_size > MAX_BYTES:
        raise DataError(
            f"{path}: the file has {found.st_size:,} bytes, and mmzoo reads up to {MAX_BYTES:,}: "
            f"make the picture smaller"
        )


def _require_moderate_size(path: Path, width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        raise DataError(
            f"{path}: the picture has {width} x {height} pixels, and mmzoo reads up to "
            f"{MAX_PIXELS:,}: make it smaller"
        )


def _pixels(image: PIL.Image.Image) -> np.ndarray:
    import numpy as np
    from PIL import Image, ImageOps

    image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I"):
        # 16 bits of grey, which Pillow's own conversion to 8 would clip rather than scale.
        return ((np.asarray(image).astype(np.uint32) + 128) // 257).astype(np.uint8)[:, :, None]
    grey = image.mode in ("1", "L", "LA")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    pixels = np.asarray(image.convert("L" if grey else "RGB"))
    return pixels[:, :, None] if grey else pixels
