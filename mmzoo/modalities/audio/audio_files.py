"""Audio files, read with libsndfile, with limits on their size."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from mmzoo.lazy import np
from mmzoo.modalities.audio.audio_containers import (
    add_frame_count,
    detect_container,
    require_complete,
)
from mmzoo.modalities.file_probe import UnreadableError

if TYPE_CHECKING:
    import soundfile


FORMATS = ("WAV", "FLAC", "OGG", "MP3")
MAX_CHANNELS = 8
LOWEST_RATE, HIGHEST_RATE = 1_000, 768_000
MAX_SAMPLES = 2**31 - 1
"""Total over all channels."""

Keep = Literal["start", "center"]
"""The part that remains of longer audio."""

_BLOCK = 2**20
"""Samples per channel that are decoded at once."""
_LOOKAHEAD = 0.05
"""Extra seconds that are decoded, for the filter of the resampler."""


@dataclass(frozen=True)
class Header:
    """Header of an audio file."""

    rate: int
    """Samples per second, per channel."""
    channels: int
    samples: int
    """Samples per channel."""


@dataclass(frozen=True)
class WaveformFormat:
    """Sample rate and length to which files are converted."""

    rate: int
    """Samples per second."""
    samples: int
    """Length in samples."""
    keep: Keep
    """The part that remains of longer audio, and the position of shorter audio."""


def read_audio_header(content: bytes) -> Header:
    """Header of an audio file with this content.

    Raises:
        UnreadableError: it is not audio that mmzoo can read, empty or too long.
    """
    with _open(content) as audio:
        return _header(audio)


def decode_audio(content: bytes, form: WaveformFormat) -> np.ndarray:
    """Decodes an audio file to mono, resampled, and truncated or padded to one length.

    Only the part that remains after truncation is decoded.

    Args:
        content: content of the file.
        form: sample rate and length of the waveform.

    Returns:
        float32 `[form.samples]`, from -1 to 1, unless the file has floats beyond.

    Raises:
        UnreadableError: it is damaged, or `read_audio_header` would raise.
    """
    with _open(content) as audio:
        header = _header(audio)
        needed = -(-form.samples * header.rate // form.rate)
        lookahead = 0 if header.rate == form.rate else round(_LOOKAHEAD * header.rate)
        first = max(0, header.samples - needed) // 2 if form.keep == "center" else 0
        if first:
            audio.seek(first)
        values = _read(audio, header, first, needed + lookahead)
    # `mean` would copy a single channel.
    mono = values[:, 0] if header.channels == 1 else values.mean(axis=1)
    return pad_or_trim(_resampled(mono, header.rate, form.rate), form)


def require_decodable(content: bytes) -> None:
    """Decodes a whole audio file; raises an UnreadableError if it is damaged."""
    with _open(content) as audio:
        header = _header(audio)
        for first in range(0, header.samples, _BLOCK):
            _read(audio, header, first, _BLOCK)


def _read(audio: soundfile.SoundFile, header: Header, first: int, most: int) -> np.ndarray:
    """Decodes up to `most` samples, starting at sample `first`: float32 `[samples, channels]`.

    Args:
        audio: reader, positioned at `first`.
        header: header of the file.
        first: index of the first sample.
        most: maximum number of samples.
    """
    expected = min(header.samples - first, most)
    values = audio.read(expected, dtype="float32", always_2d=True)
    if len(values) < expected:
        raise UnreadableError(
            f"the audio is damaged: it ends after {first + len(values):,} of {header.samples:,} "
            "samples"
        )
    if not np.isfinite(values).all():
        raise UnreadableError("the audio is damaged: it has samples that are not finite")
    return values


def pad_or_trim(values: np.ndarray, form: WaveformFormat) -> np.ndarray:
    """Truncates a waveform, float32 `[any]`, or pads it with silence, to `[form.samples]`."""
    missing = form.samples - len(values)
    if missing <= 0:
        return values[: form.samples]  # With `center`, its start was not decoded.
    before = missing // 2 if form.keep == "center" else 0
    return np.pad(values, (before, missing - before))


def _resampled(values: np.ndarray, rate: int, to: int) -> np.ndarray:
    if rate == to:
        return values
    import soxr

    return soxr.resample(values, rate, to)


@contextmanager
def _open(content: bytes) -> Iterator[soundfile.SoundFile]:
    """libsndfile's reader of a file's content; all of its errors become UnreadableErrors."""
    import soundfile

    container = detect_container(content)
    if container is None:
        raise UnreadableError(
            "not an audio file that mmzoo can read: expected "
            f"{', '.join(FORMATS[:-1])} or {FORMATS[-1]}"
        )
    require_complete(content, container)
    if container == "MP3":
        content = add_frame_count(content)
    try:
        with soundfile.SoundFile(io.BytesIO(content)) as audio:
            yield audio
    except UnreadableError:
        raise
    except soundfile.LibsndfileError as error:
        reason = error.error_string.removeprefix("Error : ").rstrip(".")
        raise UnreadableError(f"the audio is damaged: {reason}") from error


def _header(audio: soundfile.SoundFile) -> Header:
    header = Header(audio.samplerate, audio.channels, audio.frames)
    if header.samples < 1:
        raise UnreadableError("the audio is empty: it has a header but no samples")
    if not LOWEST_RATE <= header.rate <= HIGHEST_RATE:
        raise UnreadableError(
            f"the audio has {header.rate:,} samples per second, and mmzoo reads {LOWEST_RATE:,} to "
            f"{HIGHEST_RATE:,}: resample it"
        )
    if header.channels > MAX_CHANNELS:
        raise UnreadableError(
            f"the audio has {header.channels} channels, and mmzoo mixes at most {MAX_CHANNELS}: "
            "remove some"
        )
    if header.samples * header.channels > MAX_SAMPLES:
        raise UnreadableError(
            f"the audio has {header.samples:,} samples per channel, and mmzoo reads at most "
            f"{MAX_SAMPLES // header.channels:,}: split it"
        )
    return header
