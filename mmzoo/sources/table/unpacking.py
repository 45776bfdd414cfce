"""The bytes of a text file, unpacked up to a limit."""

from __future__ import annotations

import gzip
import lzma
import zlib
from collections.abc import Callable, Iterator
from typing import BinaryIO

from mmzoo.errors import DataError
from mmzoo.sources.table.format import Compression

MAX_BYTES = 4_000_000_000
"""Of text, once it is unpacked: all of it is held in memory. A file of a few megabytes can unpack
to more than any machine holds."""
_CHUNK = 1 << 22
_ZSTD_CHUNK = 1 << 12
"""Of packed bytes: each can become 32,000, and there is no way to ask for less of them."""


def content_of(
    place: str, shown: str, compression: Compression | None, enough: int | None = None
) -> bytearray:
    """All bytes of a text file, unpacked; or those at its beginning.

    Args:
        place: The file's path.
        shown: Its name, for errors.
        compression: How it is compressed.
        enough: The rest need not be read once there are so many.

    Raises:
        DataError: It cannot be read, is damaged or larger than `MAX_BYTES`.
    """
    content = bytearray()
    try:
        with open(place, "rb") as file:
            for chunk in _chunks(file, compression):
                content += chunk
                if len(content) > MAX_BYTES:
                    unpacked = " unpacked" if compression else ""
                    raise DataError(
                        f"{shown}: it has more than {MAX_BYTES:,} bytes{unpacked}, which is what "
                        "mmzoo reads of a table of text. Write it as Parquet, or cut it up."
                    )
                if enough is not None and len(content) >= enough:
                    break
    except (EOFError, gzip.BadGzipFile, zlib.error, lzma.LZMAError) as error:
        why = str(error).rstrip(".")
        raise DataError(
            f"{shown}: the compressed file is damaged or not complete ({why}). Get it anew."
        ) from None
    except OSError as error:
        raise DataError(f"{shown}: it cannot be read ({error.strerror}).") from None
    return content


def _chunks(file: BinaryIO, compression: Compression | None) -> Iterator[bytes]:
    match compression:
        case "zst":
            yield from _unpacked_zstd(file)
            return
        case "gz":
            read: Callable[[int], bytes] = gzip.GzipFile(fileobj=file).read
        case "xz":
            read = lzma.LZMAFile(file).read  # noqa: SIM115 (closed by who opened `file`)
        case _:
            read = file.read
    while chunk := read(_CHUNK):
        yield chunk


def _unpacked_zstd(file: BinaryIO) -> Iterator[bytes]:
    import zstandard

    unpacker = zstandard.ZstdDecompressor().decompressobj()
    packed = file.read(_ZSTD_CHUNK)
    try:
        while packed:
            yield unpacker.decompress(packed)
            if unpacker.eof:  # A file may have several frames, one after the other.
                packed = unpacker.unused_data or file.read(_ZSTD_CHUNK)
                if packed:
                    unpacker = zstandard.ZstdDecompressor().decompressobj()
            else:
                packed = file.read(_ZSTD_CHUNK)
    except zstandard.ZstdError as error:
        raise EOFError(str(error)) from None
    if not unpacker.eof:
        raise EOFError("it ends too early")
