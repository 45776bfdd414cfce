"""Containers: what a sound file's own bytes tell that its decoder keeps quiet about.

libsndfile reads a WAV or Ogg file that breaks off as if it were a shorter one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from mmzoo.inputs.reading import UnreadableError

Container = Literal["WAV", "FLAC", "OGG", "MP3"]

_RIFF = (b"RIFF", b"RIFX", b"RF64")
_UNKNOWN_SIZES = (0, 0x7FFFFFFF, 0xFFFFFFFF)
"""What recorders write that cannot go back to the beginning once they know; close to these too."""
_NEAR = 4096
_OGG_HEADER = 27
_OGG_END = 4
"""The flag of the last page."""


def container_of(content: bytes) -> Container | None:
    """Which kind of file this is, by its first bytes; None if it is none that we read."""
    if content[:4] in _RIFF and content[8:12] == b"WAVE":
        return "WAV"
    if content[:4] == b"fLaC":
        return "FLAC"
    if content[:4] == b"OggS":
        return "OGG"
    if content[:3] == b"ID3" or _is_mpeg_frame(content):
        return "MP3"
    return None


def _is_mpeg_frame(content: bytes) -> bool:
    """Whether this begins with the header of an MPEG audio frame: eleven ones, no reserved bits."""
    if len(content) < 4 or content[0] != 0xFF or content[1] & 0xE0 != 0xE0:
        return False
    version, layer = content[1] >> 3 & 3, content[1] >> 1 & 3
    bitrate, rate = content[2] >> 4, content[2] >> 2 & 3
    return version != 1 and layer != 0 and bitrate != 15 and rate != 3


def require_whole(content: bytes, container: Container) -> None:
    """Raises an UnreadableError if the file tells that it was longer once, or that it has no rate.

    Decoders find out by themselves about FLAC, and about the samples of an MP3.
    """
    if container == "WAV":
        _require_whole_wav(content)
    elif container == "OGG":
        _require_whole_ogg(content)


def _require_whole_wav(content: bytes) -> None:
    order: Literal["little", "big"] = "big" if content[:4] == b"RIFX" else "little"
    for name, start, size in _chunks(content, order):
        if name == b"fmt " and content[start + 4 : start + 8] == bytes(4):
            raise UnreadableError("the sound's header says 0 Hz: there is no such rate")
        there = len(content) - start
        if name == b"data" and size > there and not _is_unknown(size):
            raise UnreadableError(
                f"the sound is damaged: it has {there:,} of {size:,} bytes of samples"
            )


def _chunks(content: bytes, order: Literal["little", "big"]) -> Iterator[tuple[bytes, int, int]]:
    """Name, place and declared size of each chunk of a WAV file, as far as there are any."""
    place = 12
    while place + 8 <= len(content):
        size = int.from_bytes(content[place + 4 : place + 8], order)
        yield content[place : place + 4], place + 8, size
        place += 8 + size + size % 2


def _is_unknown(size: int) -> bool:
    return any(abs(size - unknown) <= _NEAR for unknown in _UNKNOWN_SIZES[1:]) or size == 0


def _require_whole_ogg(content: bytes) -> None:
    page = content.rfind(b"OggS")
    header = content[page : page + _OGG_HEADER]
    if len(header) == _OGG_HEADER:
        segments = content[page + _OGG_HEADER : page + _OGG_HEADER + header[26]]
        end = page + _OGG_HEADER + header[26] + sum(segments)
        if header[5] & _OGG_END and len(segments) == header[26] and end <= len(content):
            return
    raise UnreadableError("the sound is damaged: it breaks off before its last page")
