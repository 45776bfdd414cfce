"""Spectrograms: what the model makes of a waveform before the encoder reads it."""

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

_SHORTEST_WINDOW = 4
"""In samples: a Hann window of fewer has nothing of a curve."""


class LogMel(Spec):
    """How loud each band of frequencies is in each frame, in decibels.

    Bands are triangles that overlap by half, equally far apart on the mel scale of HTK.

    Reference: Davis and Mermelstein, "Comparison of parametric representations for monosyllabic
    word recognition in continuously spoken sentences", 1980.
    """

    type: Literal["log_mel"] = "log_mel"
    bins: PositiveInt = 64
    """How many bands of frequencies, equally far apart on the mel scale."""
    window: PositiveFloat = 0.025
    """Length of a frame, in seconds."""
    hop: PositiveFloat = 0.01
    """From the beginning of a frame to that of the next, in seconds."""
    low: NonNegativeFloat = 20.0
    """Where the lowest band begins, in hertz."""
    high: PositiveFloat | None = None
    """Where the highest band ends, in hertz; by default, at half of the rate."""
    floor: Annotated[float, Ge(-200), Lt(0)] = -80.0
    """The least loudness that is told apart from silence, in decibels beside a sine of amplitude
    1."""

    @property
    def width(self) -> int:
        """How many numbers there are for each frame."""
        return self.bins

    def frames(self, samples: int, rate: int) -> int:
        """How many frames lie within a sound; 0 or fewer where it is shorter than one."""
        return 1 + (samples - self._window(rate)) // self._hop(rate)

    def problems(self, samples: int, rate: int) -> Iterator[Problem]:
        """What is wrong with it for sounds of so many samples and this rate."""
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
                f"a frame of {self.window} seconds is longer than the sound, which has "
                f"{samples / rate:g}",
            )
        if high > rate / 2:
            yield Problem(
                ("high",),
                f"a sound of {rate:,} Hz has no frequencies above {rate / 2:g} Hz, got {high:g}",
            )
        elif self.low >= high:
            yield Problem(("low",), f"expected less than {high:g}, where the highest band ends")
        elif self._window(rate) >= _SHORTEST_WINDOW and self._empty_band(rate, high):
            yield Problem(
                ("bins",),
                f"{self.bins} bands are too many for frames of {self.window} seconds: at the low "
                "end there are bands without any frequency. Take fewer, or a longer `window`",
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
            dtype="float32",  # In float16 a sound would lose its quiet parts.
            name="log_mel",
        )(x)

    def _window(self, rate: int) -> int:
        return round(self.window * rate)

    def _hop(self, rate: int) -> int:
        return max(1, round(self.hop * rate))

    def _empty_band(self, rate: int, high: float) -> bool:
        """Whether a band is so narrow that it lies between two frequencies of the transform.

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


class MFCC(LogMel):
    """Mel-frequency cepstral coefficients: a few numbers for the shape of each frame's spectrum.

    They are the first of the cosine transform over the bands of `log_mel`, and nearly uncorrelated.

    Reference: Davis and Mermelstein, "Comparison of parametric representations for monosyllabic
    word recognition in continuously spoken sentences", 1980.
    """

    type: Literal["mfcc"] = "mfcc"  # type: ignore[assignment]
    coefficients: PositiveInt = 20
    """How many coefficients of each frame."""

    @property
    def width(self) -> int:
        return self.coefficients

    def rules(self) -> Iterator[Problem]:
        if self.coefficients > self.bins:
            yield Problem(
                ("coefficients",), f"expected at most {self.bins}, as many as there are `bins`"
            )

    def layers(self, x: keras.KerasTensor, rate: int) -> keras.KerasTensor:

        return layers.Cepstrum(self.coefficients, dtype="float32", name="cepstrum")(
            super().layers(x, rate)
        )


Spectrogram = Annotated[LogMel | MFCC, Field(discriminator="type")]


class Masking(Spec):
    """Hides random bands of frequencies and stretches of time of spectrograms, in training only.

    What is hidden is the mean of what has been normalised. The masks are drawn within the model, so
    that it hides others each time it sees an example.

    Reference: Park et al., "SpecAugment: a simple data augmentation method for automatic speech
    recognition", 2019.
    """

    frequency_masks: NonNegativeInt = 1
    """How many bands of frequencies."""
    frequency_width: Fraction = 0.2
    """The widest band, as a share of the bins; each has a random width up to it."""
    time_masks: NonNegativeInt = 1
    """How many stretches of time."""
    time_width: Fraction = 0.2
    """The longest stretch, as a share of the frames."""

    def layers(self, x: keras.KerasTensor) -> keras.KerasTensor:
        """The spectrograms, `[batch, frames, width]`, masked in training."""

        fields = self.model_dump()
        return layers.SpecAugment(**fields, name="masking")(x)
