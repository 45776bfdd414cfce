"""Picture files from anywhere, read with care."""

from __future__ import annotations

import io
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mmzoo.errors import DataError
from mmzoo.inputs.reading import UnreadableError, read_file
from mmzoo.lazy import np

if TYPE_CHECKING:
    import PIL.Image

FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP")
MAX_PIXELS = 50_000_000

_OPENING = threading.Lock()
_ORIENTATION = 0x0112  # EXIF's tag.
TURNED = 5
"""From this orientation on, height and width of what is shown are exchanged in the file."""


@dataclass(frozen=True)
class Header:
    """What a picture file says of itself before its pixels.

    Attributes:
        height: of the picture as it is shown.
        width: likewise.
        orientation: EXIF's number, 1 to 8, of how the pixels lie in the file; 1 is upright.
        grey: whether it has one channel.
    """

    height: int
    width: int
    orientation: int
    grey: bool


def read_picture(path: Path) -> np.ndarray:
    """The pixels of a picture file, upright, in 8 bits, over white where it is transparent.

    What is decoded is known by its first bytes, whatever the file is called, and its size by its
    header: a few kilobytes can unpack to gigabytes. Of an animation the first frame is read.

    Returns:
        Uint8 `[height, width, channels]`: one channel if the file is grey, else three.

    Raises:
        DataError: There is no such file, it is too large, or it is no picture that we read.
    """
    try:
        return picture_pixels(read_file(path, "picture"))
    except UnreadableError as error:
        raise DataError(f"{path}: {error}") from error


def picture_header(content: bytes) -> Header:
    """What the header says of a picture file with this content.

    Raises:
        UnreadableError: It is no picture that we read, or it has too many pixels.
    """
    with _image(content) as image:
        orientation = _orientation(image, content)
        width, height = image.size if orientation < TURNED else image.size[::-1]
        return Header(height, width, orientation, _is_grey(image))


def picture_pixels(content: bytes) -> np.ndarray:
    """As `read_picture`, of the file's content.

    Raises:
        UnreadableError: It is damaged, or `picture_header` would raise.
    """
    with _image(content) as image:
        return _pixels(_upright(image, _orientation(image, content)))


@contextmanager
def _image(content: bytes) -> Iterator[PIL.Image.Image]:
    """Pillow's picture of a file's content; whatever goes wrong with it is an UnreadableError."""
    from PIL import Image, UnidentifiedImageError

    try:
        image = _opened(content)
        _require_moderate_size(*image.size)
        yield image
    except UnreadableError:
        raise
    except Image.DecompressionBombError:
        raise UnreadableError(
            f"the picture has more than {MAX_PIXELS:,} pixels: make it smaller"
        ) from None
    except UnidentifiedImageError:
        raise UnreadableError(
            f"not a picture that mmzoo reads: expected {', '.join(FORMATS[:-1])} or {FORMATS[-1]}"
        ) from None
    except Exception as error:
        # Decoders meet damage with errors of every kind: OSError, SyntaxError, struct.error, ...
        raise UnreadableError(f"the picture is damaged: {error}") from error


def _opened(content: bytes) -> PIL.Image.Image:
    """The picture with its header read; not its pixels, which several threads may then decode."""
    from PIL import Image

    # The filters of warnings are the whole process's, so that one thread at a time may change them.
    with _OPENING, warnings.catch_warnings():
        # Pillow's own size check comes first and only warns; ours is the tighter one.
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        return Image.open(io.BytesIO(content), formats=FORMATS)


def _require_moderate_size(width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        raise UnreadableError(
            f"the picture has {width} x {height} pixels, and mmzoo reads up to {MAX_PIXELS:,}: "
            "make it smaller"
        )


def _orientation(image: PIL.Image.Image, content: bytes) -> int:
    """EXIF's orientation, or 1 where the file has none that means anything."""
    # To look for EXIF data behind a PNG's pixels, Pillow decodes all of them.
    if image.format == "PNG" and b"eXIf" not in content and b"profile type exif" not in content:
        return 1
    try:
        orientation = image.getexif().get(_ORIENTATION, 1)
    except Exception:
        return 1  # Viewers show a picture all the same when only its EXIF data are damaged.
    return orientation if orientation in range(1, 9) else 1


def _upright(image: PIL.Image.Image, orientation: int) -> PIL.Image.Image:
    from PIL.Image import Transpose

    if orientation == 1:
        return image
    turns = {
        2: Transpose.FLIP_LEFT_RIGHT,
        3: Transpose.ROTATE_180,
        4: Transpose.FLIP_TOP_BOTTOM,
        5: Transpose.TRANSPOSE,
        6: Transpose.ROTATE_270,
        7: Transpose.TRANSVERSE,
        8: Transpose.ROTATE_90,
    }
    return image.transpose(turns[orientation])


def _is_grey(image: PIL.Image.Image) -> bool:
    return image.mode in ("1", "L", "LA") or image.mode.startswith("I")


def _pixels(image: PIL.Image.Image) -> np.ndarray:
    from PIL import Image

    if image.mode.startswith("I"):
        # 16 bits of grey, which Pillow's own conversion to 8 would clip rather than scale.
        return ((np.asarray(image).astype(np.uint32) + 128) // 257).astype(np.uint8)[:, :, None]
    grey = _is_grey(image)
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    pixels = np.asarray(image.convert("L" if grey else "RGB"))
    return pixels[:, :, None] if grey else pixels
