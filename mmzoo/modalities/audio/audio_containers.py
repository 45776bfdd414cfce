"""Audio containers: lengths that WAV, FLAC, Ogg and MP3 files declare, and joined files.

Decoders trust a file's header. These functions find files whose header is wrong, so that nothing is
left unread silently: files joined end to end, and lengths that are unknown, too large or too small.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from mmzoo.modalities.audio.mp3_frames import is_mpeg_frame, mp3_end, mp3_parts, skip_id3
from mmzoo.modalities.file_probe import UnreadableError

Container = Literal["WAV", "FLAC", "OGG", "MP3"]

_RIFF = (b"RIFF", b"RIFX", b"RF64")
_RIFF_HEADER, _CHUNK_HEADER = 12, 8
_UNKNOWN_SIZE = 0x7FFE0000
"""Declared sizes from here on, and 0, are those of streaming recorders, which do not know the size.
Files are far smaller."""
_MAX_JUNK, _MAX_JUNK_SHARE = 4096, 0.1
"""Bytes after the end of a WAV or MP3 file that do not matter, also as a fraction of the file."""
_MAX_EXCESS = 64
"""Bytes of samples that a WAV file may declare and not have: some writers count the header too."""
_FLAC = (b"fLaC\x00\x00\x00\x22", b"fLaC\x80\x00\x00\x22")
"""Marker and header of the first metadata block, which always has 34 bytes."""
_FLAC_TOTAL = slice(21, 26)
"""The bytes of a FLAC file whose last 36 bits are the number of samples."""
_OGG_HEADER = 27
_OGG_BEGIN, _OGG_END = 2, 4
"""Flags of the first and the last page of a stream."""
_CODECS = {
    0x0001: "PCM",
    0x0002: "Microsoft ADPCM",
    0x0003: "float",
    0x0006: "A-law",
    0x0007: "mu-law",
    0x0011: "IMA ADPCM",
    0x0031: "GSM 6.10",
    0x0050: "MPEG",
    0x0055: "MP3",
    0x00FF: "AAC",
    0x0161: "WMA",
    0x0162: "WMA",
    0x1600: "AAC",
    0x1610: "AAC",
    0x2000: "AC-3",
    0xF1AC: "FLAC",
}
"""Names of WAV format tags."""
_EXTENSIBLE = 0xFFFE


def detect_container(content: bytes) -> Container | None:
    """Container of a file, detected from its first bytes; None if mmzoo cannot read it."""
    start = skip_id3(content)
    if content[start : start + 4] in _RIFF and content[start + 8 : start + 12] == b"WAVE":
        return "WAV"
    if content[start : start + 4] == b"fLaC":
        return "FLAC"
    if content[start : start + 4] == b"OggS":
        return "OGG"
    if start or is_mpeg_frame(content):
        return "MP3"
    return None


def find_parts(content: bytes, container: Container) -> tuple[int, ...]:
    """Offsets at which the parts of files that were joined end to end begin: `(0,)` if it is one.

    A decoder reads the first part only.
    """
    start = skip_id3(content)
    match container:
        case "MP3":
            return mp3_parts(content)
        case "WAV":
            return (0, *_wav_parts(content, start))
        case "OGG":
            return (0, *_ogg_links(content, start))
        case "FLAC":
            return (0, *_flac_parts(content, start))


def prepare_part(content: bytes, container: Container) -> tuple[bytes, Container]:
    """One part of a file as libsndfile reads it whole: without ID3 tags, and with its size.

    MP3 audio is taken out of a WAV file.

    Raises:
        UnreadableError: a WAV or Ogg file is truncated (decoders check FLAC and MP3 themselves), or
            its sample rate is 0.
    """
    if container != "MP3" and (start := skip_id3(content)):
        content = content[start:]
    if container == "OGG":
        _require_last_page(content)
    if container == "WAV":
        content = _checked_wav(content)
        if codec(content, container) == "MP3":
            [data] = [
                content[at : at + size] for name, at, size in _chunks(content, 0) if name == b"data"
            ]
            return data, "MP3"
    return content, container


def unread_bytes(content: bytes, container: Container) -> int:
    """Bytes after the samples of a WAV or MP3 file that are not chunks, tags or padding."""
    if container not in ("WAV", "MP3"):
        return 0
    end = mp3_end(content) if container == "MP3" else _wav_end(content, 0)[1]
    rest = len(content) - end
    is_short = rest <= min(_MAX_JUNK, _MAX_JUNK_SHARE * len(content))
    return 0 if is_short or not content[end:].strip(b"\0") else rest


def codec(content: bytes, container: Container) -> str:
    """What a WAV file holds, by its format tag: "64-bit PCM"; "" for other containers."""
    if container != "WAV":
        return ""
    for name, start, size in _chunks(content, 0):
        if name == b"fmt " and start + 16 <= len(content):
            order = _order(content)
            tag = int.from_bytes(content[start : start + 2], order)
            if tag == _EXTENSIBLE and size >= 26:
                tag = int.from_bytes(content[start + 24 : start + 26], order)
            bits = int.from_bytes(content[start + 14 : start + 16], order)
            known = _CODECS.get(tag, f"format 0x{tag:04x}")
            return f"{bits}-bit {known}" if known == "PCM" else known
    return ""


def with_flac_length(content: bytes, samples: int) -> bytes:
    """A FLAC file that declares its number of samples."""
    declared = int.from_bytes(content[_FLAC_TOTAL], "big") >> 36 << 36 | samples
    return content[: _FLAC_TOTAL.start] + declared.to_bytes(5, "big") + content[_FLAC_TOTAL.stop :]


def _order(content: bytes) -> Literal["little", "big"]:
    return "big" if content[:4] == b"RIFX" else "little"


def _chunks(content: bytes, start: int) -> Iterator[tuple[bytes, int, int]]:
    """Yields name, offset and declared size of each chunk of the WAV file at an offset."""
    order = _order(content[start : start + 4])
    offset = start + _RIFF_HEADER
    while offset + _CHUNK_HEADER <= len(content):
        name = content[offset : offset + 4]
        size = int.from_bytes(content[offset + 4 : offset + 8], order)
        yield name, offset + _CHUNK_HEADER, size
        offset += _CHUNK_HEADER + size + size % 2


def _wav_end(content: bytes, start: int) -> tuple[bool, int]:
    """Whether a WAV file has samples, and where its last chunk ends, at most the end of content."""
    has_data, end = False, start + _RIFF_HEADER
    for name, offset, size in _chunks(content, start):
        if name == b"data" and _is_unknown(size):
            return True, len(content)
        if has_data and (name in _RIFF or not _is_chunk(name) or offset + size > len(content)):
            break
        has_data = has_data or name == b"data"
        end = offset + size
        # The byte that pads a chunk to an even size is sometimes left out.
        if size % 2 and content[end : end + 4] not in _RIFF:
            end += 1
    return has_data, min(end, len(content))


def _is_chunk(name: bytes) -> bool:
    return name.isascii() and name.decode().isprintable()


def _wav_parts(content: bytes, start: int) -> Iterator[int]:
    while True:
        has_data, start = _wav_end(content, start)
        if not has_data or content[start : start + 4] not in _RIFF:
            return
        yield start


def _is_unknown(size: int) -> bool:
    return size == 0 or size >= _UNKNOWN_SIZE


def _checked_wav(content: bytes) -> bytes:
    """The WAV file, with the size of its samples if it declares 0, or a little too much."""
    order = _order(content)
    for name, start, size in _chunks(content, 0):
        if name == b"fmt " and content[start + 4 : start + 8] == bytes(4):
            raise UnreadableError("the audio has a sample rate of 0 Hz in its header")
        available = len(content) - start
        excess = size - available
        # libsndfile would read no samples of a size of 0.
        is_unset = size == 0 and not _are_chunks(content[start:])
        if name == b"data" and (is_unset or 0 < excess <= _MAX_EXCESS):
            return content[: start - 4] + available.to_bytes(4, order) + content[start:]
        if name == b"data" and excess > 0 and not _is_unknown(size):
            raise UnreadableError(
                f"the audio is damaged: it has {available:,} of {size:,} bytes of samples"
            )
    return content


def _are_chunks(content: bytes) -> bool:
    """Whether the content is a sequence of whole chunks, or empty."""
    offset = 0
    while _is_chunk(content[offset : offset + 4]) and offset + _CHUNK_HEADER <= len(content):
        size = int.from_bytes(content[offset + 4 : offset + 8], "little")
        offset += _CHUNK_HEADER + size + size % 2
    return offset >= len(content)


def _flac_parts(content: bytes, start: int) -> Iterator[int]:
    while True:
        found = [content.find(marker, start + 1) for marker in _FLAC]
        if not (later := [place for place in found if place > 0]):
            return
        start = min(later)
        yield start


def _ogg_links(content: bytes, start: int) -> Iterator[int]:
    """Offsets of the links of a chained Ogg file, without the first.

    A link begins with a first page that follows another kind of page: several first pages in a row
    are streams that are multiplexed.
    """
    was_first = True
    while 0 <= start <= len(content) - _OGG_HEADER:
        is_first = bool(content[start + 5] & _OGG_BEGIN)
        if is_first and not was_first:
            yield start
        was_first = is_first
        segments = content[start + _OGG_HEADER : start + _OGG_HEADER + content[start + 26]]
        start = content.find(b"OggS", start + _OGG_HEADER + len(segments) + sum(segments))


def _require_last_page(content: bytes) -> None:
    page = content.rfind(b"OggS")
    header = content[page : page + _OGG_HEADER]
    if len(header) == _OGG_HEADER:
        segments = content[page + _OGG_HEADER : page + _OGG_HEADER + header[26]]
        end = page + _OGG_HEADER + header[26] + sum(segments)
        if header[5] & _OGG_END and len(segments) == header[26] and end <= len(content):
            return
    raise UnreadableError("the audio is damaged: its last page is missing")
