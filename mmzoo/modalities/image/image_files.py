"""Image files, read with Pillow, with limits on their size."""

from __future__ import annotations

import io
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mmzoo.lazy import np
from mmzoo.modalities.file_probe import UnreadableError

if TYPE_CHECKING:
    import PIL.Image


FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP")
MAX_PIXELS = 50_000_000

_OPENING = threading.Lock()
_ORIENTATION = 0x0112  # EXIF tag.
_PNG_METADATA = (b"eXIf", b"profile type exif", b"XML:com.adobe.xmp")
"""Names of PNG chunks and texts that may hold an orientation."""
TRANSPOSED = 5
"""From this EXIF orientation on, height and width are swapped in the file."""


@dataclass(frozen=True)
class ImageHeader:
    """Header of an image file.

    Attributes:
        height: height in pixels of the upright image.
        width: width in pixels of the upright image.
        orientation: EXIF orientation, 1 to 8; 1 is upright.
        is_greyscale: whether the image is greyscale.
    """

    height: int
    width: int
    orientation: int
    is_greyscale: bool


def read_image_header(content: bytes) -> ImageHeader:
    """Header of an image file with this content.

    Raises:
        UnreadableError: it is not an image that mmzoo can read, or has too many pixels.
    """
    with _image(content) as image:
        orientation = _orientation(image, content)
        width, height = image.size if orientation < TRANSPOSED else image.size[::-1]
        return ImageHeader(height, width, orientation, _is_greyscale(image))


def decode_image(content: bytes) -> np.ndarray:
    """Pixels of an image file with this content: upright, 8 bits, transparency over white.

    The format is detected from the content, not from the file name. The size is checked before
    decoding, since a few kilobytes can decompress to gigabytes. Of an animation, only the first
    frame is read.

    Returns:
        uint8 `[height, width, channels]`, with one channel for greyscale files, else three.

    Raises:
        UnreadableError: it is damaged, or `read_image_header` would raise.
    """
    with _image(content) as image:
        return _pixels(_upright(image, _orientation(image, content)))


@contextmanager
def _image(content: bytes) -> Iterator[PIL.Image.Image]:
    """Pillow's image of a file's content; all of its errors become UnreadableErrors."""
    from PIL import Image, UnidentifiedImageError

    try:
        image = _open(content)
        _require_moderate_size(*image.size)
        yield image
    except UnreadableError:
        raise
    except Image.DecompressionBombError:
        raise UnreadableError(
            f"the image has more than {MAX_PIXELS:,} pixels: make it smaller"
        ) from None
    except UnidentifiedImageError:
        raise UnreadableError(
            f"not an image that mmzoo can read: expected {', '.join(FORMATS[:-1])} or {FORMATS[-1]}"
        ) from None
    except Exception as error:
        # For damaged files, decoders raise all kinds of errors: OSError, SyntaxError, struct.error.
        raise UnreadableError(f"the image is damaged: {error}") from error


def _open(content: bytes) -> PIL.Image.Image:
    """Opens the image and reads its header only; threads can then decode pixels in parallel."""
    from PIL import Image

    # Warning filters are global, so only one thread at a time may change them.
    with _OPENING, warnings.catch_warnings():
        # Pillow's own size check comes first and only warns; ours is stricter.
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        return Image.open(io.BytesIO(content), formats=FORMATS)


def _require_moderate_size(width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        raise UnreadableError(
            f"the image has {width} x {height} pixels, and mmzoo reads at most {MAX_PIXELS:,}: "
            "make it smaller"
        )


def _orientation(image: PIL.Image.Image, content: bytes) -> int:
    """EXIF orientation, or 1 if the file has none or an invalid one."""
    # Pillow decodes all pixels of a PNG to find EXIF data behind them.
    if image.format == "PNG" and not any(marker in content for marker in _PNG_METADATA):
        return 1
    try:
        orientation = image.getexif().get(_ORIENTATION, 1)
    except Exception:
        return 1  # Like image viewers, ignore damaged EXIF data.
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


def _is_greyscale(image: PIL.Image.Image) -> bool:
    return image.mode in ("1", "L", "LA") or image.mode.startswith("I")


def _pixels(image: PIL.Image.Image) -> np.ndarray:
    from PIL import Image

    if image.mode.startswith("I"):
        # 16-bit greyscale, which Pillow would clip to 8 bits rather than scale.
        return ((np.asarray(image).astype(np.uint32) + 128) // 257).astype(np.uint8)[:, :, None]
    is_grey = _is_greyscale(image)
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    pixels = np.asarray(image.convert("L" if is_grey else "RGB"))
    return pixels[:, :, None] if is_grey else pixels


_SAMPLE = 31
"""Every this many pixels suffice to see that an image is good."""
_MIN_RANGE = 16
"""Difference of the brightest and the darkest pixel below which an image is of one colour."""
_MIN_DEEP = 64
"""Brightness below which nearly all pixels of a 16-bit image are, if it has 14 bits or fewer."""
_BRIGHT_SHARE = 0.001


def find_image_flaw(content: bytes, pixels: np.ndarray) -> str | None:
    """Why the model would see nothing of an image; None if it would.

    Args:
        content: content of the file.
        pixels: its decoded pixels, uint8 `[height, width, 3]`.

    Returns:
        The flaw as the end of a sentence on several files: "are of one colour".
    """
    pixels = pixels.reshape(-1, 3)
    sample = pixels[::_SAMPLE]
    if np.ptp(sample, axis=0).max() >= _MIN_RANGE and sample.max() >= _MIN_DEEP:
        return None
    is_flat = np.ptp(pixels, axis=0).max() < _MIN_RANGE
    with _image(content) as image:
        if image.has_transparency_data and is_flat:
            alpha = np.asarray(image.convert("RGBA"))[..., 3]
            if alpha.max() < _MIN_RANGE:
                return "are fully transparent, so they become plain white: remove their alpha"
    is_deep = content[:8] == b"\x89PNG\r\n\x1a\n" and content[24:25] == b"\x10"
    if is_deep and (pixels.max(axis=1) >= _MIN_DEEP).mean() < _BRIGHT_SHARE:
        return (
            "have 16 bits per pixel, but values of 14 bits or fewer, so they become nearly black: "
            "scale the values to 0 to 65,535"
        )
    if not is_flat:
        return None
    if pixels.max() < _MIN_RANGE:
        return "are black or nearly black"
    return "are of one colour, or nearly so"
