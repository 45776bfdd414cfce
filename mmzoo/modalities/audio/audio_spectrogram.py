"""Spectrograms: log-mel and MFCC features of waveforms, and SpecAugment masking."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Annotated, Literal

from annotated_types import Ge, Lt
from pydantic import Field

from mmzoo import layers
from mmzoo.lazy import keras
from mmzoo.spec import (
    Fraction,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    Problem,
    Spec,
)
from mmzoo.spec.spec_model import LARGEST_INT

_SHORTEST_WINDOW = 4
"""In samples: a shorter Hann window has no curvature."""


class LogMelSpectrogram(Spec):
    """Log-mel spectrogram: the level of each frequency band in each frame, in decibels.

    The bands are triangular filters that overlap by half, evenly spaced on HTK's mel scale.

    Reference: Davis and Mermelstein, "Comparison of parametric representations for monosyllabic
    word recognition in continuously spoken sentences", 1980.
    """

    type: Literal["log_mel"] = "log_mel"
    bins: PositiveInt = 64
    """Number of mel bands."""
    window: PositiveFloat = 0.025
    """Length of a frame, in seconds."""
    hop: PositiveFloat = 0.01
    """Distance between the starts of consecutive frames, in seconds."""
    low: NonNegativeFloat = 20.0
    """Lower edge of the lowest band, in hertz."""
    high: PositiveFloat | None = None
    """Upper edge of the highest band, in hertz; by default, half of the sample rate."""
    floor: Annotated[float, Ge(-200), Lt(0)] = -80.0
    """Lowest level, in decibels relative to a sine of amplitude 1; lower levels are clipped to
    it."""

    @property
    def width(self) -> int:
        """Number of values per frame."""
        return self.bins

    def frames(self, samples: int, rate: int) -> int:
        """Number of complete frames; 0 or negative if the audio is shorter than one frame."""
        return 1 + (samples - self._window(rate)) // self._hop(rate)

    def problems(self, samples: int, rate: int) -> Iterator[Problem]:
        """Yields what is wrong with it for audio of this length and sample rate."""
        high = self.high or rate / 2
        if self._window(rate) < _SHORTEST_WINDOW:
            yield Problem(
                ("window",),
                f"{self.window} seconds are {self._window(rate)} samples at {rate:,} Hz, expected "
                f"{_SHORTEST_WINDOW} or more: at least {_SHORTEST_WINDOW / rate:.2g} seconds",
            )
        elif self.frames(samples, rate) < 1:
            yield Problem(
                ("window",),
                f"a frame of {self.window} seconds is longer than the audio, which has "
                f"{samples / rate:g}",
            )
        if high > rate / 2:
            yield Problem(
                ("high",),
                f"audio with a sample rate of {rate:,} Hz has no frequencies above "
                f"{rate / 2:g} Hz, got {high:g}",
            )
        elif self.low >= high:
            yield Problem(
                ("low",), f"expected less than {high:g}, the upper edge of the highest band"
            )
        elif self._window(rate) >= _SHORTEST_WINDOW and self._empty_band(rate, high):
            yield Problem(
                ("bins",),
                f"{self.bins} bands are too many for frames of {self.window} seconds: the lowest "
                "bands contain no frequency. Use fewer bands or a longer `window`",
            )

    def layers(self, x: keras.KerasTensor, rate: int) -> keras.KerasTensor:
        """The spectrogram of waveforms, float `[batch, samples]`, as `[batch, frames, width]`."""
        return layers.LogMel(
            rate,
            self.bins,
            self._window(rate),
            self._hop(rate),
            self.low,
            self.high or rate / 2,
            self.floor,
            dtype="float32",  # float16 would lose quiet parts.
            name="log_mel",
        )(x)

    def _window(self, rate: int) -> int:
        return round(min(self.window * rate, LARGEST_INT))  # The product may be infinite.

    def _hop(self, rate: int) -> int:
        return max(1, round(min(self.hop * rate, LARGEST_INT)))

    def _empty_band(self, rate: int, high: float) -> bool:
        """Whether a band is so narrow that it contains no frequency of the Fourier transform.

        In plain Python, since configs are checked without numpy.
        """
        spacing = rate / (1 << (self._window(rate) - 1).bit_length())
        lowest, highest = (math.log1p(hertz / 700) for hertz in (self.low, high))
        step = (highest - lowest) / (self.bins + 1)
        edges = [700 * math.expm1(lowest + step * edge) for edge in range(self.bins + 2)]
        return any(
            math.ceil(end / spacing) - math.floor(start / spacing) < 2
            for start, end in zip(edges, edges[2:], strict=False)
        )


class MFCCSpectrogram(LogMelSpectrogram):
    """Mel-frequency cepstral coefficients (MFCC): a compact description of each frame's spectrum.

    They are the first coefficients of the discrete cosine transform over the bands of `log_mel`,
    and nearly uncorrelated.

    Reference: Davis and Mermelstein, "Comparison of parametric representations for monosyllabic
    word recognition in continuously spoken sentences", 1980.
    """

    type: Literal["mfcc"] = "mfcc"  # type: ignore[assignment]
    coefficients: PositiveInt = 20
    """Number of coefficients per frame."""

    @property
    def width(self) -> int:
        return self.coefficients

    def rules(self) -> Iterator[Problem]:
        if self.coefficients > self.bins:
            yield Problem(("coefficients",), f"expected at most {self.bins}, the number of `bins`")

    def layers(self, x: keras.KerasTensor, rate: int) -> keras.KerasTensor:
        return layers.MFCC(self.coefficients, dtype="float32", name="cepstrum")(
            super().layers(x, rate)
        )


Spectrogram = Annotated[LogMelSpectrogram | MFCCSpectrogram, Field(discriminator="type")]


class Masking(Spec):
    """SpecAugment: masks random frequency bands and time intervals of spectrograms in training.

    Masked values become 0, the mean after normalization. The model draws new masks for every
    example in every step.

    Reference: Park et al., "SpecAugment: a simple data augmentation method for automatic speech
    recognition", 2019.
    """

    frequency_masks: NonNegativeInt = 1
    """Number of masked frequency bands."""
    frequency_width: Fraction = 0.2
    """Maximum width of a band, as a fraction of the bins; widths are random up to it."""
    time_masks: NonNegativeInt = 1
    """Number of masked time intervals."""
    time_width: Fraction = 0.2
    """Maximum length of an interval, as a fraction of the frames."""

    def layers(self, x: keras.KerasTensor) -> keras.KerasTensor:
        """The spectrograms, `[batch, frames, width]`, masked in training."""
        fields = self.model_dump()
        return layers.SpecAugment(**fields, name="masking")(x)
