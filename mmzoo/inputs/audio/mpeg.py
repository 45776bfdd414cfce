"""MPEG: MP3 files that do not say how long they are, as those of many voices and recorders.

For such a file, libsndfile guesses a length from its size and the rate of its first frame. Where
the guess is short, it gives no sample beyond; where it is long, a whole file looks broken off.
"""

from __future__ import annotations

from dataclasses import dataclass

from mmzoo.inputs.reading import UnreadableError

_MPEG_1, _RESERVED = 3, 1
_LAYER_3 = 1
_BITRATES = {
    True: (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    False: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
"""Kilobits a second of MPEG-1, and of MPEG-2 and 2.5, by their number in the header."""
_RATES = {
    3: (44_100, 48_000, 32_000),
    2: (22_050, 24_000, 16_000),
    0: (11_025, 12_000, 8_000),
}
_MONO = 3
_ID3_HEADER = 10
_LENGTH_TAGS = (b"Xing", b"Info", b"VBRI")
_TAGS_BEHIND = (b"TAG", b"APETAGEX", b"LYRICSBEGIN", b"ID3")
_ROOMY = 9
"""The number of a bitrate whose frames hold a length at every rate."""


@dataclass(frozen=True)
class Frame:
    """What the header of an MPEG audio frame of layer III says."""

    version: int
    rate: int
    """Samples a second."""
    mono: bool
    length: int
    """In bytes, with the header."""

    @property
    def side_information(self) -> int:
        """Bytes between the header and what a frame of length has to say."""
        if self.version == _MPEG_1:
            return 17 if self.mono else 32
        return 9 if self.mono else 17


def with_length(content: bytes) -> bytes:
    """An MP3 file that says how long it is: itself, or its frames behind one that counts them.

    Raises:
        UnreadableError: It does not say so, and something that is no frame stands among its frames.
    """
    start = _frames_start(content)
    first = frame_at(content, start)
    if first is None or _has_length(content[start : start + first.length]):
        return content
    frames, end = _counted(content, start, first)
    return _counting_frame(content[start : start + 4], first, frames) + content[start:end]


def frame_at(content: bytes, place: int) -> Frame | None:
    """The frame that begins there; None if none of layer III with a declared bitrate does."""
    header = content[place : place + 4]
    if len(header) < 4 or header[0] != 0xFF or header[1] & 0xE0 != 0xE0:
        return None
    version, layer = header[1] >> 3 & 3, header[1] >> 1 & 3
    bitrate, rate, padding = header[2] >> 4, header[2] >> 2 & 3, header[2] >> 1 & 1
    if version == _RESERVED or layer != _LAYER_3 or bitrate in (0, 15) or rate == 3:
        return None
    hertz, bits = _RATES[version][rate], 1_000 * _BITRATES[version == _MPEG_1][bitrate]
    length = (144 if version == _MPEG_1 else 72) * bits // hertz + padding
    return Frame(version, hertz, header[3] >> 6 == _MONO, length)


def _frames_start(content: bytes) -> int:
    """Where what ID3 tags say at the beginning ends."""
    place = 0
    while content[place : place + 3] == b"ID3" and len(content) >= place + _ID3_HEADER:
        size = 0
        for byte in content[place + 6 : place + _ID3_HEADER]:
            size = size << 7 | byte & 0x7F
        place += _ID3_HEADER + size
    return place


def _has_length(frame: bytes) -> bool:
    return any(tag in frame[:64] for tag in _LENGTH_TAGS)


def _counted(content: bytes, start: int, first: Frame) -> tuple[int, int]:
    """How many whole frames follow one another, and where they end."""
    frames, place = 0, start
    while (frame := frame_at(content, place)) and (frame.version, frame.rate) == (
        first.version,
        first.rate,
    ):
        if place + frame.length > len(content):
            return frames, place
        frames, place = frames + 1, place + frame.length
    rest = content[place:]
    if len(rest) >= 4 and rest.strip(b"\0") and not rest.startswith(_TAGS_BEHIND):
        raise UnreadableError(
            f"the sound is damaged: at byte {place:,} of {len(content):,}, there is no MP3 frame"
        )
    return frames, place


def _counting_frame(header: bytes, first: Frame, frames: int) -> bytes:
    """A silent frame like the first that says how many follow it, as encoders write it.

    Reference: the Xing header, in "VBR header for MP3", 1998.
    """
    unprotected, bitrate = header[1] | 1, _ROOMY << 4 | header[2] & 0x0C
    header = bytes((header[0], unprotected, bitrate, header[3]))
    frame = frame_at(header, 0)
    assert frame is not None
    length = b"Xing" + (1).to_bytes(4, "big") + frames.to_bytes(4, "big")
    return (header + bytes(first.side_information) + length).ljust(frame.length, b"\0")
