"""The idx format of MNIST: a header of big-endian sizes, then the bytes of one array.

The header is two zero bytes, a type (8 for unsigned bytes), the number of dimensions, and the
size of each as a 32-bit integer.

Reference: LeCun et al., "The MNIST database of handwritten digits", "File formats" on its page.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping
from pathlib import Path

from mmzoo.errors import DataError
from mmzoo.lazy import np
from mmzoo.sources.data import Splits

_UNSIGNED_BYTE = 8
_GZIP = 31
"""zlib's word for a gzip header and the largest window."""


def read_mnist_layout(files: Mapping[str, Path]) -> Splits:
    """Reads the four files that MNIST and the sets made after it consist of."""
    return {
        split: {
            "image": read_idx(files[f"{prefix}-images-idx3-ubyte.gz"], (examples, 28, 28))[
                ..., None
            ],
            "label": read_idx(files[f"{prefix}-labels-idx1-ubyte.gz"], (examples,)).astype("int64"),
        }
        for split, prefix, examples in (("train", "train", 60_000), ("test", "t10k", 10_000))
    }


def read_idx(path: Path, shape: tuple[int, ...]) -> np.ndarray:
    """Reads a gzipped idx file of unsigned bytes.

    Args:
        path: The file.
        shape: What its header must say; nothing larger is ever unpacked.

    Returns:
        uint8 `[*shape]`, read-only.

    Raises:
        DataError: The file is not gzip, cut short, too long, or of another type or shape.
    """

    header = struct.pack(f">HBB{len(shape)}I", 0, _UNSIGNED_BYTE, len(shape), *shape)
    content = _gunzip(path, len(header) + int(np.prod(shape)))
    if not content.startswith(header):
        raise DataError(f"{path} is not the idx file it should be: {_complaint(content, shape)}.")
    if len(content) != len(header) + np.prod(shape):
        raise DataError(
            f"{path} is cut short or damaged: it holds {len(content) - len(header):,} bytes of "
            f"values, expected {np.prod(shape):,}."
        )
    return np.frombuffer(content, np.uint8, offset=len(header)).reshape(shape)


def _gunzip(path: Path, size: int) -> bytes:
    """Unpacks a gzip file of `size` bytes, checksum included, and never more than that."""
    unpacker = zlib.decompressobj(_GZIP)
    try:
        content = unpacker.decompress(path.read_bytes(), size + 1)
    except zlib.error as error:
        raise DataError(f"{path} is not a sound gzip file: {error}.") from error
    if len(content) > size:
        raise DataError(f"{path} unpacks to more than the {size:,} bytes that it should.")
    if not unpacker.eof:
        raise DataError(f"{path} is cut short: its gzip stream has no end.")
    return content


def _complaint(content: bytes, shape: tuple[int, ...]) -> str:
    if content[:2] != b"\0\0" or len(content) < 4:
        return f"it starts with {content[:4].hex(' ') or 'nothing'}, expected 00 00 08"
    kind, dimensions = content[2], content[3]
    if kind != _UNSIGNED_BYTE:
        return f"its values are of type {kind:#04x}, expected 0x08, unsigned bytes"
    if len(content) < 4 + 4 * dimensions:
        return f"its header ends before the sizes of its {dimensions} dimensions"
    found = struct.unpack_from(f">{dimensions}I", content, 4)
    return f"its shape is {list(found)}, expected {list(shape)}"
