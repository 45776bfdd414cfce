"""Audio containers: headers of WAV, FLAC, Ogg and MP3 files, and checks for truncated files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from mmzoo.modalities.file_probe import UnreadableError

Container = Literal["WAV", "FLAC", "OGG", "MP3"]

_RIFF = (b"RIFF", b"RIFX", b"RF64")
_UNKNOWN_SIZES = (0, 0x7FFFFFFF, 0xFFFFFFFF)
"""Declared sizes, within `_TOLERANCE`, of streaming recorders that do not know the size yet."""
_TOLERANCE = 4096
_OGG_HEADER = 27
_OGG_END = 4
"""Flag of the last page."""


def detect_container(content: bytes) -> Container | None:
    """Container of a file, detected from its first bytes; None if mmzoo cannot read it."""
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
    """Whether the content starts with a valid MPEG audio frame header."""
    if len(content) < 4 or content[0] != 0xFF or content[1] & 0xE0 != 0xE0:
        return False
    version, layer = content[1] >> 3 & 3, content[1] >> 1 & 3
    bitrate, rate = content[2] >> 4, content[2] >> 2 & 3
    return version != 1 and layer != 0 and bitrate != 15 and rate != 3


def require_complete(content: bytes, container: Container) -> None:
    """Checks that a WAV or Ogg file is not truncated; decoders check FLAC and MP3 themselves.

    Raises:
        UnreadableError: the file is truncated, or its sample rate is 0.
    """
    if container == "WAV":
        _require_whole_wav(content)
    elif container == "OGG":
        _require_whole_ogg(content)


def _require_whole_wav(content: bytes) -> None:
    order: Literal["little", "big"] = "big" if content[:4] == b"RIFX" else "little"
    for name, start, size in _chunks(content, order):
        if name == b"fmt " and content[start + 4 : start + 8] == bytes(4):
            raise UnreadableError("the audio has a sample rate of 0 Hz in its header")
        available = len(content) - start
        if name == b"data" and size > available and not _is_unknown(size):
            raise UnreadableError(
                f"the audio is damaged: it has {available:,} of {size:,} bytes of samples"
            )


def _chunks(content: bytes, order: Literal["little", "big"]) -> Iterator[tuple[bytes, int, int]]:
    """Yields name, offset and declared size of each chunk of a WAV file."""
    offset = 12
    while offset + 8 <= len(content):
        size = int.from_bytes(content[offset + 4 : offset + 8], order)
        yield content[offset : offset + 4], offset + 8, size
        offset += 8 + size + size % 2


def _is_unknown(size: int) -> bool:
    return any(abs(size - unknown) <= _TOLERANCE for unknown in _UNKNOWN_SIZES[1:]) or size == 0


def _require_whole_ogg(content: bytes) -> None:
    page = content.rfind(b"OggS")
    header = content[page : page + _OGG_HEADER]
    if len(header) == _OGG_HEADER:
        segments = content[page + _OGG_HEADER : page + _OGG_HEADER + header[26]]
        end = page + _OGG_HEADER + header[26] + sum(segments)
        if header[5] & _OGG_END and len(segments) == header[26] and end <= len(content):
            return
    raise UnreadableError("the audio is damaged: its last page is missing")


_MPEG_1, _RESERVED = 3, 1
_LAYER_3 = 1
_BITRATES = {
    True: (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    False: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
"""Kilobits per second, by whether it is MPEG-1 and by the index in the header."""
_SAMPLE_RATES = {
    3: (44_100, 48_000, 32_000),
    2: (22_050, 24_000, 16_000),
    0: (11_025, 12_000, 8_000),
}
_MONO = 3
_ID3_HEADER = 10
_COUNT_TAGS = (b"Xing", b"Info", b"VBRI")
_TRAILING_TAGS = (b"TAG", b"APETAGEX", b"LYRICSBEGIN", b"ID3")
_XING_BITRATE = 9
"""Index of a bitrate whose frames have room for a Xing header at every sample rate."""


@dataclass(frozen=True)
class Frame:
    """Header of an MPEG audio layer III frame."""

    version: int
    rate: int
    """Samples per second."""
    mono: bool
    length: int
    """Length in bytes, including the header."""

    @property
    def side_information(self) -> int:
        """Bytes between the header and a Xing header."""
        if self.version == _MPEG_1:
            return 17 if self.mono else 32
        return 9 if self.mono else 17


def add_frame_count(content: bytes) -> bytes:
    """An MP3 file that declares its number of frames; prepends a Xing header if there is none.

    Raises:
        UnreadableError: the file has no such header, and invalid data between its frames.
    """
    start = _frames_start(content)
    first = parse_frame(content, start)
    if first is None or _has_frame_count(content[start : start + first.length]):
        return content
    frames, end = _count_frames(content, start, first)
    return _xing_frame(content[start : start + 4], first, frames) + content[start:end]


def parse_frame(content: bytes, offset: int) -> Frame | None:
    """The frame at an offset; None if there is no layer III frame with a declared bitrate."""
    header = content[offset : offset + 4]
    if len(header) < 4 or header[0] != 0xFF or header[1] & 0xE0 != 0xE0:
        return None
    version, layer = header[1] >> 3 & 3, header[1] >> 1 & 3
    bitrate, rate, padding = header[2] >> 4, header[2] >> 2 & 3, header[2] >> 1 & 1
    if version == _RESERVED or layer != _LAYER_3 or bitrate in (0, 15) or rate == 3:
        return None
    hertz, bits = _SAMPLE_RATES[version][rate], 1_000 * _BITRATES[version == _MPEG_1][bitrate]
    length = (144 if version == _MPEG_1 else 72) * bits // hertz + padding
    return Frame(version, hertz, header[3] >> 6 == _MONO, length)


def _frames_start(content: bytes) -> int:
    """Offset of the first frame, after any ID3 tags."""
    offset = 0
    while content[offset : offset + 3] == b"ID3" and len(content) >= offset + _ID3_HEADER:
        size = 0
        for byte in content[offset + 6 : offset + _ID3_HEADER]:
            size = size << 7 | byte & 0x7F
        offset += _ID3_HEADER + size
    return offset


def _has_frame_count(frame: bytes) -> bool:
    return any(tag in frame[:64] for tag in _COUNT_TAGS)


def _count_frames(content: bytes, start: int, first: Frame) -> tuple[int, int]:
    """Number of complete consecutive frames, and the offset of their end."""
    frames, offset = 0, start
    while (frame := parse_frame(content, offset)) and (frame.version, frame.rate) == (
        first.version,
        first.rate,
    ):
        if offset + frame.length > len(content):
            return frames, offset
        frames, offset = frames + 1, offset + frame.length
    rest = content[offset:]
    if len(rest) >= 4 and rest.strip(b"\0") and not rest.startswith(_TRAILING_TAGS):
        raise UnreadableError(
            f"the audio is damaged: at byte {offset:,} of {len(content):,}, there is no MP3 frame"
        )
    return frames, offset


def _xing_frame(header: bytes, first: Frame, frames: int) -> bytes:
    """A silent frame with a Xing header, which holds the number of frames that follow.

    Reference: "VBR header for MP3", 1998.
    """
    unprotected, bitrate = header[1] | 1, _XING_BITRATE << 4 | header[2] & 0x0C
    header = bytes((header[0], unprotected, bitrate, header[3]))
    frame = parse_frame(header, 0)
    assert frame is not None
    length = b"Xing" + (1).to_bytes(4, "big") + frames.to_bytes(4, "big")
    return (header + bytes(first.side_information) + length).ljust(frame.length, b"\0")
