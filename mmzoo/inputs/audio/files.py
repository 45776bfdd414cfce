"""Sound files from anywhere, read with care."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from mmzoo.inputs.audio.containers import container_of, require_whole
from mmzoo.inputs.audio.mpeg import with_length
from mmzoo.inputs.reading import UnreadableError
from mmzoo.lazy import np

if TYPE_CHECKING:
    import soundfile

FORMATS = ("WAV", "FLAC", "OGG", "MP3")
MAX_CHANNELS = 8
LOWEST_RATE, HIGHEST_RATE = 1_000, 768_000
MAX_SAMPLES = 2**31 - 1
"""In all channels together."""

Keep = Literal["start", "center"]
"""Which part of a longer sound is kept."""

_BLOCK = 2**20
"""Samples of each channel that are decoded at once."""
_SPARE = 0.05
"""Seconds that are decoded beyond the end of what is kept, as resampling looks ahead."""


@dataclass(frozen=True)
class Header:
    """What a sound file says of itself before its samples."""

    rate: int
    """Samples a second, of each channel."""
    channels: int
    samples: int
    """Of each channel."""


@dataclass(frozen=True)
class Cut:
    """What a waveform is to be, whatever its file has."""

    rate: int
    """Samples a second."""
    samples: int
    keep: Keep


def sound_header(content: bytes) -> Header:
    """What the header says of a sound file with this content.

    Raises:
        UnreadableError: It is no sound that we read, there is nothing in it, or too much.
    """
    with _sound(content) as sound:
        return _header(sound)


def waveform(content: bytes, cut: Cut) -> np.ndarray:
    """The samples of a sound file: the mean of its channels, resampled, cut or padded.

    Of a long sound, no more is decoded than is kept.

    Args:
        content: Of the file.
        cut: What to make of it.

    Returns:
        Float32 `[cut.samples]`; from -1 to 1 unless the file has floats beyond.

    Raises:
        UnreadableError: It is damaged, or `sound_header` would raise.
    """
    with _sound(content) as sound:
        header = _header(sound)
        needed = -(-cut.samples * header.rate // cut.rate)
        spare = 0 if header.rate == cut.rate else round(_SPARE * header.rate)
        first = max(0, header.samples - needed) // 2 if cut.keep == "center" else 0
        if first:
            sound.seek(first)
        values = _read(sound, header, first, needed + spare)
    # The mean of one channel is itself, at the cost of a copy.
    mono = values[:, 0] if header.channels == 1 else values.mean(axis=1)
    return fitted(_resampled(mono, header.rate, cut.rate), cut)


def require_decodable(content: bytes) -> None:
    """Decodes all of a sound file; raises an UnreadableError as `waveform` would."""
    with _sound(content) as sound:
        header = _header(sound)
        for first in range(0, header.samples, _BLOCK):
            _read(sound, header, first, _BLOCK)


def _read(sound: soundfile.SoundFile, header: Header, first: int, most: int) -> np.ndarray:
    """The samples from one on, as many as there are or at most so many: float32 `[any, channels]`.

    Args:
        sound: At the first of them.
        header: Its header.
        first: The number of the first.
        most: How many, at most.
    """

    wanted = min(header.samples - first, most)
    values = sound.read(wanted, dtype="float32", always_2d=True)
    if len(values) < wanted:
        raise UnreadableError(
            f"the sound is damaged: it ends after {first + len(values):,} of {header.samples:,} "
            "samples"
        )
    if not np.isfinite(values).all():
        raise UnreadableError("the sound is damaged: it has samples that are no numbers")
    return values


def fitted(values: np.ndarray, cut: Cut) -> np.ndarray:
    """A waveform, float32 `[any]`, cut or padded with silence to `[cut.samples]`."""

    missing = cut.samples - len(values)
    if missing <= 0:
        return values[: cut.samples]  # What `center` leaves out at the start was never decoded.
    before = missing // 2 if cut.keep == "center" else 0
    return np.pad(values, (before, missing - before))


def _resampled(values: np.ndarray, rate: int, to: int) -> np.ndarray:
    if rate == to:
        return values
    import soxr

    return soxr.resample(values, rate, to)


@contextmanager
def _sound(content: bytes) -> Iterator[soundfile.SoundFile]:
    """libsndfile's reader of a file's content; whatever goes wrong is an UnreadableError."""
    import soundfile

    container = container_of(content)
    if container is None:
        raise UnreadableError(
            f"not a sound that mmzoo reads: expected {', '.join(FORMATS[:-1])} or {FORMATS[-1]}"
        )
    require_whole(content, container)
    if container == "MP3":
        content = with_length(content)
    try:
        with soundfile.SoundFile(io.BytesIO(content)) as sound:
            yield sound
    except UnreadableError:
        raise
    except soundfile.LibsndfileError as error:
        reason = error.error_string.removeprefix("Error : ").rstrip(".")
        raise UnreadableError(f"the sound is damaged: {reason}") from error


def _header(sound: soundfile.SoundFile) -> Header:
    header = Header(sound.samplerate, sound.channels, sound.frames)
    if header.samples < 1:
        raise UnreadableError("there is no sound in it: it has a header, and no samples")
    if not LOWEST_RATE <= header.rate <= HIGHEST_RATE:
        raise UnreadableError(
            f"the sound has {header.rate:,} samples a second, and mmzoo reads {LOWEST_RATE:,} to "
            f"{HIGHEST_RATE:,}: resample it"
        )
    if header.channels > MAX_CHANNELS:
        raise UnreadableError(
            f"the sound has {header.channels} channels, and mmzoo mixes up to {MAX_CHANNELS}: "
            "leave some out"
        )
    if header.samples * header.channels > MAX_SAMPLES:
        raise UnreadableError(
            f"the sound has {header.samples:,} samples a channel, and mmzoo reads up to "
            f"{MAX_SAMPLES // header.channels:,}: part it"
        )
    return header
