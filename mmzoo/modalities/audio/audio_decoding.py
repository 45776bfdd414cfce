"""Decoding of audio files in the tf.data pipeline, and detection of corrupt ones."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

from mmzoo.lazy import np, tf
from mmzoo.modalities.audio.audio_files import (
    AudioHeader,
    Keep,
    WaveformFormat,
    decode_audio,
    read_audio_header,
)
from mmzoo.modalities.audio.audio_flaws import find_audio_flaw
from mmzoo.modalities.file_probe import FileKind, read_file

_INT16_SCALE = 2.0**15
"""Quantization levels of a 16-bit sample on either side of zero."""


def pad_or_trim(waveforms: tf.Tensor, samples: int, keep: Keep) -> tf.Tensor:
    """Truncates waveforms or pads them with silence to one length.

    Args:
        waveforms: `[batch, any]`, floats or int16; only the batch size may be unknown.
        samples: target length.
        keep: the part that remains of longer waveforms, and the position of shorter ones.

    Returns:
        float32 `[batch, samples]`; the same tensor if nothing changes.
    """
    if waveforms.dtype == tf.int16:
        waveforms = tf.cast(waveforms, tf.float32) / _INT16_SCALE
    waveforms = tf.cast(waveforms, tf.float32)
    missing = samples - waveforms.shape[1]
    before = abs(missing) // 2 if keep == "center" else 0
    if missing < 0:
        return waveforms[:, before : before + samples]
    return tf.pad(waveforms, [[0, 0], [before, missing - before]]) if missing else waveforms


def decode_batch(files: tf.Tensor, form: WaveformFormat) -> tf.Tensor:
    """Waveforms of a batch of files.

    Args:
        files: strings `[batch, 3]`: paths, `audio_info` and hashes, see `file_array`. An empty path
            gives silence.
        form: sample rate and length of the waveforms.

    Returns:
        float32 `[batch, form.samples]`.
    """

    def decode(files: np.ndarray) -> np.ndarray:
        values = np.zeros((len(files), form.samples), np.float32)
        for row, (path, info, _) in enumerate(files):
            if path:
                content = read_file(os.fsdecode(path), "audio")
                values[row] = decode_audio(content, form, _parts(info))
        return values

    values = tf.numpy_function(decode, [files], tf.float32, stateful=False)
    return tf.ensure_shape(values, [None, form.samples])


def audio_info(header: AudioHeader) -> str:
    """Seconds of a file, and the offsets of its parts but the first: "2.500" or "5.000 40125"."""
    return " ".join([f"{header.samples / header.rate:.3f}", *map(str, header.parts[1:])])


def _parts(info: bytes) -> tuple[int, ...]:
    return (0, *map(int, info.split()[1:]))


AUDIO_FILES = FileKind(
    type="audio",
    noun="audio",
    header=read_audio_header,
    info=audio_info,
    find_flaw=lambda content, info: find_audio_flaw(content),
)


def conversion_notes(headers: Sequence[AudioHeader], form: WaveformFormat) -> Iterator[str]:
    """Notes on how files are converted, each with the number of files."""
    of_all = f"of {len(headers):,} files"
    seconds = f"{form.samples / form.rate:g} s"
    lengths = [header.samples * form.rate / header.rate for header in headers]
    resampled = [header.rate for header in headers if header.rate != form.rate]
    if resampled:
        lowest, highest = min(resampled), max(resampled)
        rates = f"{lowest:,}" if lowest == highest else f"{lowest:,} to {highest:,}"
        yield f"{len(resampled):,} {of_all} are resampled, from {rates} to {form.rate:,} Hz"
    if joined := sum(len(header.parts) > 1 for header in headers):
        yield f"{joined:,} {of_all} are several files that were joined, and are read whole"
    if mixed := sum(header.channels > 1 for header in headers):
        yield f"{mixed:,} {of_all} have several channels, which are averaged into one"
    if longer := sum(length > form.samples for length in lengths):
        part = {"start": "start", "center": "middle"}[form.keep]
        yield f"{longer:,} {of_all} are longer than {seconds}, and truncated to their {part}"
    if shorter := sum(length < form.samples for length in lengths):
        yield f"{shorter:,} {of_all} are shorter than {seconds}, and padded with silence"
