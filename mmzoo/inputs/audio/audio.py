"""Audio: sounds as an input of the model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar, Literal

from mmzoo import layers
from mmzoo.errors import DataError
from mmzoo.inputs.audio.decoding import decoded
from mmzoo.inputs.audio.degradations import DEGRADATIONS
from mmzoo.inputs.audio.files import Cut, Header, Keep
from mmzoo.inputs.audio.fitting import fitted
from mmzoo.inputs.audio.opening import SOUNDS, fitting_notes
from mmzoo.inputs.audio.picture import drawn
from mmzoo.inputs.audio.spectrogram import LogMel, Masking, Spectrogram
from mmzoo.inputs.degradation import Degradation
from mmzoo.inputs.measured import Measured
from mmzoo.inputs.of_files import InputOfFiles
from mmzoo.inputs.opened import are_files
from mmzoo.inputs.opening import FileKind
from mmzoo.lazy import keras, np, tf
from mmzoo.modalities.audio.audio_augmentation import AudioAugmentation, augment
from mmzoo.modalities.audio.encoders import AudioEncoder
from mmzoo.modalities.base_encoder import Features
from mmzoo.randomness import Randomness
from mmzoo.spec import PositiveFloat, PositiveInt, Problem, Rate, Spec
from mmzoo.spec.spec_model import LARGEST_INT

_WAVEFORMS = ("float32", "float64", "int16")


class Audio(InputOfFiles):
    """Sounds, as waveforms all the way into the model, which makes the spectrograms itself.

    Files are WAV, FLAC, OGG or MP3, whatever they are called; their channels are mixed into one.
    """

    pictured: ClassVar[bool] = True
    files: ClassVar[FileKind] = SOUNDS

    type: Literal["audio"] = "audio"
    column: str | None = None
    """Where the data has the sounds; by default, the column with the input's name."""
    rate: PositiveInt = 16_000
    """Samples a second, in hertz; files of another rate are resampled. Half of it is the highest
    frequency that is left: 8,000 suffices for telephones, 16,000 for speech."""
    seconds: PositiveFloat
    """How long all sounds are made: longer ones are cut, shorter ones padded with silence.
    Unlike a text's padding, it is part of the example, and heard like any other silence."""
    keep: Keep = "start"
    """Which part of a longer sound is kept: its start, or its center. A shorter one lies there."""
    spectrogram: Spectrogram = LogMel()
    """What the model makes of a waveform before the encoder."""
    normalize: Literal["example", "batch"] = "batch"
    """Whether each bin of the spectrogram gets a mean of 0 and a deviation of 1 over all of the
    training data, by batch norm; or each spectrogram as a whole by itself, so that loudness is
    lost."""
    augment: tuple[AudioAugmentation, ...] = ()
    """Random changes to the waveforms of training sounds, in this order."""
    masking: Masking | None = None
    """Random parts of the spectrograms that are hidden in training."""
    missing: Literal["error", "learned"] = "error"
    """What is done about an example that has no sound: it is a bad row, or something that is
    learned stands in the place of its features."""
    missing_files: Literal["error", "absent"] = "error"
    """What a path is at which there is no file: a bad row, or as good as an empty cell."""
    modality_dropout: Rate = 0.0
    """Share of the training examples from which the sounds are taken away, anew in every epoch, so
    that the model learns to do without; no example loses all of its inputs."""
    encoder: AudioEncoder
    """The network that reads the spectrograms."""

    def rules(self) -> Iterator[Problem]:
        """The spectrogram fits the sound, and the encoder's stages fit the spectrogram."""
        yield from super().rules()
        if not 1 <= self.seconds * self.rate <= LARGEST_INT:
            yield Problem(
                ("seconds",),
                f"{self.seconds:g} seconds at {self.rate:,} Hz are {self.samples:,} samples, "
                f"expected 1 to {LARGEST_INT:,}",
            )
            return
        problems = tuple(self.spectrogram.problems(self.samples, self.rate))
        yield from (Problem(("spectrogram", *one.path), one.message) for one in problems)
        frames, width = self.spectrogram.frames(self.samples, self.rate), self.spectrogram.width
        smallest = self.encoder.smallest_spectrogram()
        if not problems and min(frames, width) < smallest:
            yield Problem(
                ("encoder",),
                f"spectrograms of {frames} frames x {width} are too small for this "
                f"{self.encoder.type} encoder: the smallest that fit are {smallest} x {smallest}",
            )

    @property
    def samples(self) -> int:
        """How many samples each waveform has."""
        return round(self.seconds * self.rate)

    @property
    def augmentations(self) -> tuple[Spec, ...]:
        return self.augment if self.masking is None else (*self.augment, self.masking)

    @property
    def _cut(self) -> Cut:
        return Cut(self.rate, self.samples, self.keep)

    @property
    def degradations(self) -> tuple[Degradation, ...]:
        return DEGRADATIONS

    def placeholder(self, name: str) -> keras.KerasTensor:
        """The model's input: float32 `[batch, samples]`, from -1 to 1."""
        return keras.Input((self.samples,), dtype="float32", name=name)

    def fitting_notes(self, headers: Sequence[Header]) -> Iterator[str]:
        """A sentence on each thing that is done to sounds."""
        return fitting_notes(headers, self._cut)

    def check(self, values: np.ndarray, where: str) -> None:
        """Raises a DataError unless the values are waveforms or opened files.

        Args:
            values: The column.
            where: Says where they come from.
        """
        if are_files(values):
            return
        if values.ndim != 2 or values.shape[1] == 0:
            raise DataError(
                f"{where}: expected waveforms as an array of shape (sounds, samples), found "
                f"{values.shape}"
            )
        if values.dtype.name not in _WAVEFORMS:
            raise DataError(
                f"{where}: expected waveforms from -1 to 1 as float32, or of 16 bits as int16, "
                f"found {values.dtype.name}"
            )
        if bad := _rows_without_numbers(values):
            raise DataError(f"{where}: row {bad[0]} has samples that are no numbers")

    def measured(self, values: np.ndarray) -> Measured:
        """How long each sound is."""

        if are_files(values):
            return Measured(values[:, 1].astype(np.float64), self.seconds, "seconds")
        length = values.shape[1] / self.rate
        return Measured(np.full(len(values), length), self.seconds, "seconds")

    def preprocess(self, values: tf.Tensor) -> tf.Tensor:
        """Sounds as waveforms of this input's length.

        Args:
            values: Float or int16 `[batch, any samples]`, at this input's rate; or opened files,
                strings `[batch, 3]`, which are decoded; absent ones are silent.

        Returns:
            Float32 `[batch, samples]`; the very tensor if it is such.
        """
        if values.dtype == tf.string:
            return decoded(values, self._cut)
        return fitted(values, self.samples, self.keep)

    def augmented(self, waveforms: tf.Tensor, randomness: Randomness) -> tf.Tensor:
        """Preprocessed waveforms after this input's augmentations; float32, of the same shape."""
        return augment(waveforms, self.augment, randomness)

    def features(self, x: keras.KerasTensor) -> Features:
        """The features of the spectrograms of waveforms, float32 `[batch, samples]`."""
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
        """Made-up sounds: float32 `[rows, samples]` of noise."""
        return random.uniform(-1.0, 1.0, (rows, self.samples)).astype("float32")

    def picture(self, value: np.ndarray) -> np.ndarray:
        """One waveform, float32 `[samples]`, as a drawing of it above its spectrogram."""
        return drawn(value, self.spectrogram, self.rate)


def _rows_without_numbers(values: np.ndarray) -> list[int]:

    if values.dtype.kind != "f" or np.isfinite(values).all():
        return []
    return np.flatnonzero(~np.isfinite(values).all(axis=1)).tolist()
