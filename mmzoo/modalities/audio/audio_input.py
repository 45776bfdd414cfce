"""Audio: an input of audio recordings."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import ClassVar, Literal

from mmzoo import layers
from mmzoo.errors import DataError
from mmzoo.lazy import keras, np, pl, tf
from mmzoo.modalities.audio.audio_augmentation import AudioAugmentation, augment
from mmzoo.modalities.audio.audio_corruptions import CORRUPTIONS
from mmzoo.modalities.audio.audio_decoding import (
    AUDIO_FILES,
    conversion_notes,
    decode_batch,
    pad_or_trim,
)
from mmzoo.modalities.audio.audio_files import AudioHeader, Keep, WaveformFormat
from mmzoo.modalities.audio.audio_flaws import find_audio_flaw
from mmzoo.modalities.audio.audio_plot import plot_audio, plot_levels
from mmzoo.modalities.audio.audio_spectrogram import LogMelSpectrogram, Masking, Spectrogram
from mmzoo.modalities.audio.encoders import AudioEncoder
from mmzoo.modalities.audio.encoders.audio_encoder import AudioNetwork
from mmzoo.modalities.base_encoder import Features
from mmzoo.modalities.base_input import Corruption
from mmzoo.modalities.decoder_blocks import ConvolutionalDecoder, decoder_problem, rebuild_map
from mmzoo.modalities.file_input import FileInput
from mmzoo.modalities.file_probe import FileKind
from mmzoo.modalities.run_encoder import RunEncoder
from mmzoo.modalities.scan import Files, Lengths
from mmzoo.modalities.suggestion import Section
from mmzoo.randomness import Randomness
from mmzoo.spec import PositiveFloat, PositiveInt, Problem, Spec
from mmzoo.spec.spec_model import LARGEST_INT

_WAVEFORMS = ("float32", "float64", "int16")
_SPEECH_RATE = 16_000
_MAX_SECONDS = 10.0
"""The start of a longer recording usually suffices."""


class Audio(FileInput):
    """Audio as waveforms; the model computes the spectrograms itself.

    Files may be WAV, FLAC, OGG or MP3, whatever their suffix. Their channels are averaged.
    """

    files: ClassVar[FileKind] = AUDIO_FILES
    suffixes: ClassVar[tuple[str, ...]] = (".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3")

    type: Literal["audio"] = "audio"
    rate: PositiveInt = 16_000
    """Sample rate in hertz; files with other rates are resampled. Frequencies above half of it are
    lost: 8,000 suffices for telephone calls, 16,000 for speech."""
    seconds: PositiveFloat
    """Length of all examples: longer audio is truncated, shorter audio padded with silence. Unlike
    the padding of texts, the silence is not masked."""
    keep: Keep = "start"
    """The part that remains of longer audio, and the position of shorter audio: start or center."""
    spectrogram: Spectrogram = LogMelSpectrogram()
    """Spectrogram that the encoder takes."""
    normalize: Literal["example", "batch"] = "batch"
    """Normalization to mean 0 and standard deviation 1: batch normalizes each frequency bin over
    the training data, by batch normalization; example normalizes each spectrogram as a whole,
    which removes differences in loudness."""
    augment: tuple[AudioAugmentation, ...] = ()
    """Data augmentation of training waveforms, applied in this order."""
    masking: Masking | None = None
    """SpecAugment: random parts of the spectrograms that are masked in training."""
    encoder: AudioEncoder
    """Network that computes features of the spectrograms."""
    decoder: ConvolutionalDecoder | None = None
    """Network that rebuilds the log-mel spectrograms for a `reconstruction` head; by default the
    mirror image of a `cnn` encoder."""

    def rules(self) -> Iterator[Problem]:
        """The length suffices for the spectrogram, and the spectrogram for the encoder."""
        yield from super().rules()
        if isinstance(self.encoder, RunEncoder) and self.encoder.network is None:
            return  # The settings that are left open are not known yet.
        if not 1 <= self.seconds * self.rate <= LARGEST_INT:
            yield Problem(
                ("seconds",),
                f"{self.seconds:g} seconds at {self.rate:,} Hz are "
                f"{self.seconds * self.rate:,.0f} samples, expected 1 to {LARGEST_INT:,}",
            )
            return
        problems = tuple(self.spectrogram.problems(self.samples, self.rate))
        yield from (Problem(("spectrogram", *one.path), one.message) for one in problems)
        encoder = self.encoder.architecture
        if not isinstance(encoder, AudioNetwork):
            return  # The input with the encoder itself has the same spectrograms and checks them.
        frames, width = self.spectrogram.frames(self.samples, self.rate), self.spectrogram.width
        smallest = encoder.smallest_spectrogram()
        if not problems and min(frames, width) < smallest:
            yield Problem(
                ("encoder",),
                f"spectrograms of {frames} frames x {width} are too small for this "
                f"{encoder.type} encoder: the minimum is {smallest} x {smallest}",
            )

    @property
    def samples(self) -> int:
        """Length of a waveform in samples."""
        return round(min(self.seconds * self.rate, LARGEST_INT + 1))  # The product may be infinite.

    @property
    def augmentations(self) -> tuple[Spec, ...]:
        return self.augment if self.masking is None else (*self.augment, self.masking)

    @property
    def _waveform_format(self) -> WaveformFormat:
        return WaveformFormat(self.rate, self.samples, self.keep)

    @property
    def file_kind(self) -> FileKind:
        form = self._waveform_format
        return replace(
            AUDIO_FILES,
            find_flaw=lambda content, info: find_audio_flaw(content, form),
            flaws_of=f"_{form.rate}_{form.samples}_{form.keep}",
        )

    @property
    def corruptions(self) -> tuple[Corruption, ...]:
        return CORRUPTIONS

    def placeholder(self, name: str) -> keras.KerasTensor:
        """The model's input: float32 `[batch, samples]`, from -1 to 1."""
        return keras.Input((self.samples,), dtype="float32", name=name)

    def conversion_notes(self, headers: Sequence[AudioHeader]) -> Iterator[str]:
        """Notes on how files are converted: resampled, averaged, truncated or padded."""
        return conversion_notes(headers, self._waveform_format)

    def check(self, values: np.ndarray, where: str) -> None:
        """Checks that values are waveforms `[rows, samples]`, floats or int16.

        Raises:
            DataError: the shape or dtype is wrong, or samples are not finite.
        """
        if values.ndim != 2 or values.shape[1] == 0:
            raise DataError(
                f"{where}: expected waveforms as an array of shape (rows, samples), found "
                f"{values.shape}"
            )
        if values.dtype.name not in _WAVEFORMS:
            raise DataError(
                f"{where}: expected waveforms as float32 from -1 to 1, or as int16, "
                f"found {values.dtype.name}"
            )
        if bad := _non_finite_rows(values):
            raise DataError(f"{where}: row {bad[0]} has samples that are not finite")

    def lengths(self, values: pl.Series) -> Lengths:
        """Lengths in seconds."""
        if isinstance(values.dtype, pl.Array):
            seconds = np.full(len(values), values.dtype.shape[0] / self.rate)
        else:
            info = values.struct.field("info")
            seconds = info.str.extract(r"^(\S+)").cast(pl.Float64).to_numpy()
        return Lengths(seconds, self.seconds, "seconds")

    def load(self, values: tf.Tensor) -> tf.Tensor:
        """Decodes audio if necessary, and truncates or pads it to `seconds`.

        Args:
            values: floats or int16 `[batch, any]`, with sample rate `rate`; or files, strings
                `[batch, 3]`, of which missing ones become silence.

        Returns:
            float32 `[batch, samples]`; the same tensor if nothing changes.
        """
        if values.dtype == tf.string:
            return decode_batch(values, self._waveform_format)
        return pad_or_trim(values, self.samples, self.keep)

    def augment_batch(self, waveforms: tf.Tensor, randomness: Randomness) -> tf.Tensor:
        """Applies `augment` to loaded waveforms; float32, of the same shape."""
        return augment(waveforms, self.augment, randomness)

    def features(self, x: keras.KerasTensor) -> Features:
        """Features of the spectrograms of waveforms, float32 `[batch, samples]`."""
        spectrograms = self._normalized(self.spectrogram.layers(x, self.rate))
        if self.masking is not None:
            spectrograms = self.masking.layers(spectrograms)
        return self.encoder.build(spectrograms)

    def _normalized(self, spectrograms: keras.KerasTensor) -> keras.KerasTensor:
        if self.normalize == "example":
            return layers.Standardize(dtype="float32", name="normalize")(spectrograms)
        return keras.layers.BatchNormalization(
            momentum=0.9, center=False, scale=False, dtype="float32", name="normalize"
        )(spectrograms)

    def synthetic(self, random: np.random.RandomState, rows: int) -> np.ndarray:
        """White noise, float32 `[rows, samples]`."""
        return random.uniform(-1.0, 1.0, (rows, self.samples)).astype("float32")

    def to_image(self, value: np.ndarray) -> np.ndarray:
        """A plot of one waveform, float32 `[samples]`, above its spectrogram."""
        return plot_audio(value, self.spectrogram, self.rate)

    @property
    def reconstruction_losses(self) -> tuple[str, ...]:
        return ("mean_squared_error",)

    @property
    def likelihoods(self) -> tuple[str, ...]:
        return ("gaussian",)

    def reconstruction_metrics(self) -> tuple[str, ...]:
        return self.reconstruction_losses

    @property
    def largest_noise(self) -> float:
        """As a fraction of the largest amplitude."""
        return 1.0

    def decoder_problem(self) -> str:
        return decoder_problem(
            self.decoder,
            self.encoder.architecture,
            "such as `decoder: {filters: [64, 32, 16]}`, which starts from maps of 1/8 of the "
            "frames and bands",
        )

    def decoder_output(self, code: keras.KerasTensor) -> keras.KerasTensor:
        """Levels of the log-mel spectrogram, 0 to 1: float32 `[batch, frames, bins]`."""
        frames = self.spectrogram.frames(self.samples, self.rate)
        shape = (frames, self.spectrogram.bins, 1)
        encoder = self.encoder.architecture
        levels = rebuild_map(code, self.decoder, encoder, shape, "linear")
        return keras.layers.Reshape(shape[:2], dtype="float32", name="spectrogram")(levels)

    def reconstruction_target(self, waveforms: tf.Tensor) -> tf.Tensor:
        """Levels of the log-mel spectrogram, float32 `[batch, frames, bins]`.

        0 is the spectrogram's `floor`, 1 a sine of amplitude 1. For MFCC it is the spectrogram that
        they are computed from.
        """
        decibels = LogMelSpectrogram.layers(self.spectrogram, waveforms, self.rate)
        return 1.0 - decibels / self.spectrogram.floor

    def reconstruction_errors(self, target: tf.Tensor, rebuilt: tf.Tensor) -> dict[str, tf.Tensor]:
        """The mean squared error over the levels of each spectrogram, `[batch]`."""
        there = tf.logical_not(tf.math.is_nan(target))
        squares = tf.square(rebuilt - tf.where(there, target, 0.0))
        return {"mean_squared_error": layers.masked_mean(squares, there)}

    def negative_log_likelihood(
        self, target: tf.Tensor, rebuilt: tf.Tensor, distribution: str, std: float
    ) -> tf.Tensor:
        """That of the levels of each spectrogram, normally distributed, in nats: `[batch]`."""
        there = tf.logical_not(tf.math.is_nan(target))
        squares = tf.square(rebuilt - tf.where(there, target, 0.0))
        return layers.masked_sum(layers.normal_costs(squares, std), there)

    def add_noise(self, waveforms: tf.Tensor, amount: float, randomness: Randomness) -> tf.Tensor:
        """Waveforms with white noise; `amount` is its standard deviation."""
        return waveforms + amount * randomness.normal(self.samples)

    def show_target(self, target: np.ndarray, files: Files) -> list[np.ndarray]:
        """Spectrograms as images, uint8 `[height, width, 3]`."""
        return [*map(plot_levels, target)]

    def show_rebuilt(self, rebuilt: np.ndarray, files: Files) -> list[np.ndarray]:
        """Spectrograms as images, uint8 `[height, width, 3]`."""
        return self.show_target(rebuilt, files)

    @classmethod
    def suggest_fields(cls, headers: Sequence[AudioHeader]) -> Section:
        """Sample rate and length that fit audio files with these headers."""
        [(found, _)] = Counter(header.rate for header in headers).most_common(1)
        lengths = sorted(header.samples / header.rate for header in headers)
        percentile = lengths[min(len(lengths) - 1, int(0.95 * len(lengths)))]
        seconds = max(0.2, math.ceil(percentile * 10) / 10)
        return Section(
            {
                "type": "audio",
                "rate": min(found, _SPEECH_RATE),
                "seconds": min(seconds, _MAX_SECONDS),
                "encoder": {"type": "cnn", "dropout": 0.3},
            },
            {
                "rate": f"samples per second; the files have {found:,}",
                "seconds": f"the 95th percentile of the lengths is {percentile:.2g} seconds",
            },
        )


def _non_finite_rows(values: np.ndarray) -> list[int]:
    if values.dtype.kind != "f" or np.isfinite(values).all():
        return []
    return np.flatnonzero(~np.isfinite(values).all(axis=1)).tolist()
