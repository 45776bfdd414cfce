"""MP3 files: parsing of frames, joined files, and headers that declare the number of frames."""

from __future__ import annotations

import re
from dataclasses import dataclass

from mmzoo.modalities.file_probe import UnreadableError

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
_ID3_1 = 128
"""Length of an ID3v1 tag."""
_APE_HEADER = 32
_COUNT_TAGS = (b"Xing", b"Info", b"VBRI")
_TRAILING_TAGS = (b"TAG", b"APETAGEX", b"LYRICSBEGIN", b"ID3")
_XING_BITRATE = 9
"""Index of a bitrate whose frames have room for a Xing header at every sample rate."""
_HAS_FRAMES, _HAS_BYTES = 1, 2
"""Flags of a Xing header."""
_SYNC = re.compile(rb"\xff[\xe2\xe3\xf2\xf3\xfa\xfb]")
"""How the header of a layer III frame begins."""
_MIN_PART = 3
"""Frames that make a part of a joined file; encoders may declare one or two frames too few."""


@dataclass(frozen=True)
class Mp3Frame:
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


def is_mpeg_frame(content: bytes) -> bool:
    """Whether the content starts with a valid MPEG audio frame header, of any layer."""
    if len(content) < 4 or content[0] != 0xFF or content[1] & 0xE0 != 0xE0:
        return False
    version, layer = content[1] >> 3 & 3, content[1] >> 1 & 3
    bitrate, rate = content[2] >> 4, content[2] >> 2 & 3
    return version != _RESERVED and layer != 0 and bitrate != 15 and rate != 3


def parse_frame(content: bytes, offset: int) -> Mp3Frame | None:
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
    return Mp3Frame(version, hertz, header[3] >> 6 == _MONO, length)


def mp3_parts(content: bytes) -> tuple[int, ...]:
    """Offsets at which the parts of joined MP3 files begin; `(0,)` for a single file.

    A new part begins at an ID3 tag or a header with a number of frames between frames, at frames
    beyond the declared number, and at frames after zeros or other data: a decoder stops there.
    """
    starts = [0]
    while (start := _next_part(content, starts[-1])) is not None:
        starts.append(start)
    return tuple(starts)


def _next_part(content: bytes, start: int) -> int | None:
    """Offset of the part after the one at `start`, if there is any."""
    offset = skip_id3(content, start)
    first = parse_frame(content, offset)
    if first is None:
        return None
    declared = _declared_frames(content, offset, first)
    frames = 0
    while frame := parse_frame(content, offset):
        is_start = frames and (
            _has_frame_count(content[offset : offset + frame.length])
            or (declared is not None and frames > declared)
        )
        if is_start and _is_part(content, offset):
            return offset
        frames, offset = frames + 1, offset + frame.length
    following = _skip_tags(content, offset)
    if following > offset and _is_part(content, following):
        return following
    found = _find_frames(content, following)
    gap = content[following:found].strip(b"\0")
    # Invalid data before the declared number of frames, or without any, is damage to this part.
    is_damaged = gap != b"" if declared is None else frames < declared
    return None if is_damaged else found


def _find_frames(content: bytes, offset: int) -> int | None:
    """Offset of the next frames after data of another kind."""
    found = (match.start() for match in _SYNC.finditer(content, offset))
    return next((start for start in found if _is_part(content, start)), None)


def mp3_end(content: bytes) -> int:
    """Offset after the frames and tags of one part; its length if a decoder reads it to the end."""
    offset = skip_id3(content)
    if parse_frame(content, offset) is None:
        return len(content)
    while frame := parse_frame(content, offset):
        offset += frame.length
    end = _skip_tags(content, offset)
    is_read = content.startswith(_TRAILING_TAGS, end) or _find_frames(content, end) is not None
    return len(content) if is_read else min(end, len(content))


def _is_part(content: bytes, offset: int) -> bool:
    """Whether a few frames follow one another at an offset."""
    for _ in range(_MIN_PART):
        frame = parse_frame(content, offset)
        if frame is None:
            return False
        offset += frame.length
    return True


def _declared_frames(content: bytes, offset: int, first: Mp3Frame) -> int | None:
    """Number of frames after the first, as declared by its Xing header; None without one."""
    tag, flags = _xing_tag(content, offset, first)
    return int.from_bytes(content[tag + 8 : tag + 12], "big") if flags & _HAS_FRAMES else None


def _xing_tag(content: bytes, offset: int, first: Mp3Frame) -> tuple[int, int]:
    """Offset and flags of the Xing header in a frame; without flags if there is none."""
    tag = offset + 4 + first.side_information
    is_tag = content[tag : tag + 4] in (b"Xing", b"Info")
    return tag, int.from_bytes(content[tag + 4 : tag + 8], "big") if is_tag else 0


def add_frame_count(content: bytes) -> bytes:
    """An MP3 file that declares its number of frames; prepends a Xing header if there is none.

    A Xing header that declares another number of bytes than the file has is corrected.

    Raises:
        UnreadableError: the file has no such header, and invalid data between its frames.
    """
    start = skip_id3(content)
    first = parse_frame(content, start)
    if first is None:
        return content
    if _has_frame_count(content[start : start + first.length]):
        return _with_byte_count(content, start, first)
    frames, end = _count_frames(content, start, first)
    return _xing_frame(content[start : start + 4], first, frames) + content[start:end]


def _with_byte_count(content: bytes, start: int, first: Mp3Frame) -> bytes:
    """The file with the right number of bytes in its Xing header: others make mpg123 log."""
    tag, flags = _xing_tag(content, start, first)
    place = tag + 8 + (4 if flags & _HAS_FRAMES else 0)
    size = (len(content) - start).to_bytes(4, "big")
    if not flags & _HAS_BYTES or content[place : place + 4] == size:
        return content
    return content[:place] + size + content[place + 4 :]


def skip_id3(content: bytes, offset: int = 0) -> int:
    """Offset after the ID3 tags at an offset."""
    while content[offset : offset + 3] == b"ID3" and len(content) >= offset + _ID3_HEADER:
        size = 0
        for byte in content[offset + 6 : offset + _ID3_HEADER]:
            size = size << 7 | byte & 0x7F
        offset += _ID3_HEADER + size
    return offset


def _skip_tags(content: bytes, offset: int) -> int:
    """Offset after all ID3 and APE tags at an offset."""
    while True:
        before = offset
        offset = skip_id3(content, offset)
        if content[offset : offset + 3] == b"TAG":
            offset += _ID3_1
        if content[offset : offset + 8] == b"APETAGEX":
            # The size includes the footer, but not the header.
            offset += _APE_HEADER + int.from_bytes(content[offset + 12 : offset + 16], "little")
        if offset == before:
            return offset


def _has_frame_count(frame: bytes) -> bool:
    return any(tag in frame[:64] for tag in _COUNT_TAGS)


def _count_frames(content: bytes, start: int, first: Mp3Frame) -> tuple[int, int]:
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


def _xing_frame(header: bytes, first: Mp3Frame, frames: int) -> bytes:
    """A silent frame with a Xing header, which holds the number of frames that follow.

    Reference: "VBR header for MP3", 1998.
    """
    unprotected, bitrate = header[1] | 1, _XING_BITRATE << 4 | header[2] & 0x0C
    header = bytes((header[0], unprotected, bitrate, header[3]))
    frame = parse_frame(header, 0)
    assert frame is not None
    length = b"Xing" + (1).to_bytes(4, "big") + frames.to_bytes(4, "big")
    return (header + bytes(first.side_information) + length).ljust(frame.length, b"\0")
