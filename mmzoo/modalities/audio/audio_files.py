"""Audio files, read with libsndfile, with limits on their size."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

from mmzoo.lazy import np
from mmzoo.modalities.audio.audio_containers import (
    Container,
    codec,
    detect_container,
    find_parts,
    prepare_part,
    with_flac_length,
)
from mmzoo.modalities.audio.mp3_frames import add_frame_count
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

BLOCK = 2**20
"""Samples per channel that are decoded at once."""
_LOOKAHEAD = 0.05
"""Extra seconds that are decoded, for the filter of the resampler."""
_MAX_PEAK = 2.0**32
"""No integer format has larger samples, and spectrograms of much larger ones are not finite."""
_WAV_CODECS = (
    *(f"{bits}-bit PCM" for bits in (8, 16, 24, 32)),
    *("float", "A-law", "mu-law", "Microsoft ADPCM", "IMA ADPCM", "GSM 6.10"),
)
"""Codecs that libsndfile reads in WAV files, so that such a file is damaged if it does not."""
_EXACT_SEEK = ("PCM", "FLOAT", "DOUBLE")
"""Beginnings of the codecs in which libsndfile finds a sample exactly."""
_UNKNOWN_SAMPLES = 2**63 - 1
"""libsndfile's number of samples for FLAC files that do not declare it."""


@dataclass(frozen=True)
class AudioHeader:
    """Header of an audio file."""

    rate: int
    """Samples per second, per channel."""
    channels: int
    samples: int
    """Samples per channel."""
    parts: tuple[int, ...] = (0,)
    """Offsets in bytes of the files that were joined end to end to this one; usually one."""


@dataclass(frozen=True)
class WaveformFormat:
    """Sample rate and length to which files are converted."""

    rate: int
    """Samples per second."""
    samples: int
    """Length in samples."""
    keep: Keep
    """The part that remains of longer audio, and the position of shorter audio."""


def read_audio_header(content: bytes) -> AudioHeader:
    """Header of an audio file with this content.

    Raises:
        UnreadableError: it is not audio that mmzoo can read, empty or too long.
    """
    parts = find_parts(content, _container(content))
    headers = []
    for part, container in split_parts(content, parts):
        with open_part(part, container) as (_, header):
            headers.append(header)
    rates = {header.rate for header in headers}
    if len(rates) > 1:
        raise UnreadableError(
            f"{len(parts)} audio files were joined to this one, with sample rates from "
            f"{min(rates):,} to {max(rates):,} Hz: split or resample it"
        )
    first = headers[0]
    samples = sum(header.samples for header in headers)
    return _moderate(AudioHeader(first.rate, first.channels, samples, parts))


def decode_audio(
    content: bytes, form: WaveformFormat, parts: tuple[int, ...] | None = None
) -> np.ndarray:
    """Decodes an audio file to mono, resampled, and truncated or padded to one length.

    Files that were joined end to end to this one are decoded one after the other.

    Args:
        content: content of the file.
        form: sample rate and length of the waveform.
        parts: `AudioHeader.parts`, if known.

    Returns:
        float32 `[form.samples]`, from -1 to 1, unless the file has floats beyond.

    Raises:
        UnreadableError: it is damaged, or `read_audio_header` would raise.
    """
    container = _container(content)
    parts = parts or find_parts(content, container)
    if len(parts) > 1:
        return _decode_joined(content, form)
    with open_part(content, container) as (audio, header):
        mono = _read_mono(audio, header, *_range(header, form))
    return pad_or_trim(_resampled(mono, header.rate, form.rate), form)


def _decode_joined(content: bytes, form: WaveformFormat) -> np.ndarray:
    header = read_audio_header(content)
    first, most = _range(header, form)
    waveforms = []
    for part, container in split_parts(content, header.parts):
        with open_part(part, container) as (audio, one):
            if first < one.samples and most > 0:
                waveforms.append(_read_mono(audio, one, first, most))
                most -= len(waveforms[-1])
            first = max(0, first - one.samples)
    return pad_or_trim(_resampled(np.concatenate(waveforms), header.rate, form.rate), form)


def split_parts(
    content: bytes, parts: tuple[int, ...] | None = None
) -> Iterator[tuple[bytes, Container]]:
    """Yields content and container of each file that was joined to this one; usually one.

    Args:
        content: content of the file.
        parts: `AudioHeader.parts`, if known.
    """
    container = _container(content)
    parts = parts or find_parts(content, container)
    if parts == (0,):
        yield content, container
        return
    for start, end in pairwise((*parts, len(content))):
        yield content[start:end], container


def kept_samples(header: AudioHeader, form: WaveformFormat) -> tuple[int, int]:
    """First and end of the samples of a file that remain, at its own sample rate."""
    needed = -(-form.samples * header.rate // form.rate)
    first = max(0, header.samples - needed) // 2 if form.keep == "center" else 0
    return first, first + needed


def _range(header: AudioHeader, form: WaveformFormat) -> tuple[int, int]:
    """The first sample of a file that is decoded, and the most samples from there on."""
    first, end = kept_samples(header, form)
    lookahead = 0 if header.rate == form.rate else round(_LOOKAHEAD * header.rate)
    return first, end - first + lookahead


def _container(content: bytes) -> Container:
    container = detect_container(content)
    if container is None:
        raise UnreadableError(
            "not an audio file that mmzoo can read: expected "
            f"{', '.join(FORMATS[:-1])} or {FORMATS[-1]}"
        )
    return container


def mono(values: np.ndarray) -> np.ndarray:
    """The average of the channels: float32 `[samples]`."""
    # `mean` would copy a single channel.
    return values[:, 0] if values.shape[1] == 1 else values.mean(axis=1)


def _read_mono(
    audio: soundfile.SoundFile, header: AudioHeader, first: int, most: int
) -> np.ndarray:
    """Decodes up to `most` samples of a file, starting at sample `first`: float32 `[samples]`."""
    if audio.subtype.startswith(_EXACT_SEEK):
        audio.seek(first)
    else:
        # Seeking lands up to a fifth of a second off; in Vorbis only on the last page.
        for start in range(0, first, BLOCK):
            read_block(audio, header, start, min(BLOCK, first - start))
    return mono(read_block(audio, header, first, most))


def read_block(
    audio: soundfile.SoundFile, header: AudioHeader, first: int, most: int
) -> np.ndarray:
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
    peak = max(-values.min(initial=0.0), values.max(initial=0.0))
    if peak > _MAX_PEAK:
        raise UnreadableError(f"the audio has samples up to {peak:.1e}, expected them from -1 to 1")
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
def open_part(
    content: bytes, container: Container
) -> Iterator[tuple[soundfile.SoundFile, AudioHeader]]:
    """libsndfile's reader of a part of a file, and its header.

    All errors of libsndfile, also in the block, become UnreadableErrors.
    """
    import soundfile

    content, container = prepare_part(content, container)
    if container == "MP3":
        content = add_frame_count(content)
    try:
        with _reader()(io.BytesIO(content)) as audio:
            if audio.frames < _UNKNOWN_SAMPLES:
                yield audio, _header(audio)
                return
            content = with_flac_length(content, _count_samples(audio))
        with _reader()(io.BytesIO(content)) as audio:
            yield audio, _header(audio)
    except UnreadableError:
        raise
    except soundfile.LibsndfileError as error:
        raise UnreadableError(_reason(error, content, container)) from error


@cache
def _reader() -> type[soundfile.SoundFile]:
    import soundfile

    class SequentialReader(soundfile.SoundFile):
        """A reader that does not seek after every read, which is not exact for MP3."""

        def seekable(self) -> bool:
            return False

    return SequentialReader


def _count_samples(audio: soundfile.SoundFile) -> int:
    """Number of samples of a file that does not declare it, by decoding it."""
    samples = 0
    while read := len(audio.read(BLOCK, dtype="float32")):
        samples += read
    return samples


def _reason(error: soundfile.LibsndfileError, content: bytes, container: Container) -> str:
    """Why libsndfile cannot read a file. Its own words are often those of other errors."""
    reason = error.error_string.removeprefix("Error : ").rstrip(".")
    if (kind := codec(content, container)) and kind not in _WAV_CODECS:
        return f"a WAV file with {kind} audio, which mmzoo cannot read: convert it to 16-bit PCM"
    if not reason or "regular file" in reason or "System error" in reason:
        return f"the audio is damaged: libsndfile cannot read this {container} file"
    return f"the audio is damaged: {reason}"


def _header(audio: soundfile.SoundFile) -> AudioHeader:
    header = AudioHeader(audio.samplerate, audio.channels, audio.frames)
    if header.samples < 1:
        raise UnreadableError("the audio is empty: it has a header but no samples")
    return _moderate(header)


def _moderate(header: AudioHeader) -> AudioHeader:
    """The header, if its numbers are within the limits."""
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
