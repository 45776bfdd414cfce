"""The source `av_digits`."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from annotated_types import Ge, Gt, Le, Lt

from mmzoo.errors import DataError
from mmzoo.lazy import np
from mmzoo.sources.av_digits.noise import noisy_pictures, noisy_sounds
from mmzoo.sources.av_digits.pairing import OFFICIAL, Pairs, paired, stream
from mmzoo.sources.columns import check_columns
from mmzoo.sources.data import Data, OnBadRow, Splits
from mmzoo.sources.formats.recordings import read_recordings
from mmzoo.sources.named import AV_DIGITS
from mmzoo.sources.roles import check_role, in_role
from mmzoo.sources.store import obtain
from mmzoo.spec import NonNegativeFloat, Spec
from mmzoo.wanted import Wanted

RATE = 8_000
"""Samples a second of all recordings, in hertz."""
SAMPLES = 8_000
"""Of each waveform: a second, which is longer than nearly all recordings."""

Count = Annotated[int, Ge(10), Le(1_000_000)]


class PairCounts(Spec):
    """How many pairs each split has, of each digit as many as of any other or one more."""

    train: Count = 6_000
    """How many to train on."""
    validation: Count = 1_000
    """How many validate."""
    test: Count = 2_000
    """How many test."""


class AvDigits(Spec):
    """Written digits of MNIST and spoken digits of FSDD, paired by class and spoilt by noise.

    Neither suffices by itself, so that it can be seen what comes of having both, as with AV-MNIST.
    Columns `image` (28x28, grey), `audio` (a second at 8,000 Hz), `label` and `speaker`. Test pairs
    are of the two sets' official test examples alone, and what validates is in no training pair.
    A split has as many pairs of each digit as of any other, or one more; its pictures, and its
    recordings, are in equally many pairs of their digit, or in one more. A recording is cut or
    padded with silence at its end; the power of the noise, which is gaussian and all along, is
    measured against that of the recording without its padding, and the sum is made as loud as 16
    bits allow. The same fields give the same bytes, whatever `train.seed` is.

    Reference: Vielzeuf et al., "CentralNet: a multilayer approach for multimodal fusion", 2018.
    """

    type: Literal["av_digits"] = "av_digits"
    pairs: PairCounts = PairCounts()
    """How many pairs each split has."""
    picture_noise: NonNegativeFloat = 250.0
    """Standard deviation of the gaussian noise on each pixel, in grey levels; pixels are then cut
    off at 0 and 255. 0 for none."""
    sound_snr: Annotated[float, Ge(-100), Le(100)] | None = -8.0
    """Power of a recording over that of the white noise that is added to it, in decibels; null for
    none."""
    validation: Annotated[float, Gt(0), Lt(1)] = 0.1
    """Share of the training pictures and recordings that make the pairs for validation, stratified
    by digit."""
    seed: Annotated[int, Ge(0), Lt(2**32)] = 0
    """Decides which pictures and recordings validate, which of them make a pair, and the noise."""

    on_bad_row: ClassVar[OnBadRow] = "error"

    def columns(self) -> dict[str, Literal["input", "target"]] | None:
        """The columns there are, and what each is for."""
        return AV_DIGITS.columns

    def load(self, wanted: Mapping[str, Wanted], seed: int) -> Data:
        """Finds or downloads both data sets, pairs their examples and adds the noise.

        Args:
            wanted: What each column is wanted for.
            seed: Decides nothing: the field of this name does.

        Raises:
            DataError: There is no such column or it is of another kind, or a set cannot be had or
                is damaged.
        """
        where = f"data set {AV_DIGITS.name}"
        check_columns(where, AV_DIGITS.columns, wanted)
        for column, one in wanted.items():
            check_role(f"{where}: column `{column}`", AV_DIGITS.kinds[column], one.role)
        written, spoken = _parts()
        pairs = paired(written, spoken, self.pairs.model_dump(), self.validation, self.seed)
        splits: Splits = {split: {} for split in pairs}
        for column, one in wanted.items():
            names = AV_DIGITS.classes.get(column, ())
            for split, values in self._made(column, pairs, written, spoken).items():
                splits[split][column] = in_role(values, AV_DIGITS.kinds[column], one.role, names)
        return Data(
            name=AV_DIGITS.name,
            fingerprint=self._fingerprint(),
            splits=splits,
            class_names={
                column: AV_DIGITS.classes[column]
                for column, one in wanted.items()
                if one.role == "class"
            },
            notes=(self._note(),),
            row_names={
                split: _names(OFFICIAL[split], one, spoken[OFFICIAL[split]]["name"])
                for split, one in pairs.items()
            },
        )

    def _made(
        self, column: str, pairs: Mapping[str, Pairs], written: Splits, spoken: Splits
    ) -> dict[str, np.ndarray]:
        """One column of each split."""
        if column == "label":
            return {split: one.labels for split, one in pairs.items()}
        if column == "audio":
            return self._sounds(pairs, spoken)
        if column == "image":
            return {
                split: noisy_pictures(
                    written[OFFICIAL[split]][column][one.pictures],
                    self.picture_noise,
                    stream(self.seed, f"{split} pictures"),
                )
                for split, one in pairs.items()
            }
        return {
            split: spoken[OFFICIAL[split]][column][one.recordings] for split, one in pairs.items()
        }

    def _sounds(self, pairs: Mapping[str, Pairs], spoken: Splits) -> dict[str, np.ndarray]:
        clean = {
            split: read_recordings(columns["audio"], RATE, SAMPLES)
            for split, columns in spoken.items()
        }
        found = {}
        for split, one in pairs.items():
            waveforms, lengths = clean[OFFICIAL[split]]
            found[split] = noisy_sounds(
                waveforms[one.recordings],
                lengths[one.recordings],
                self.sound_snr,
                stream(self.seed, f"{split} sounds"),
            )
        return found

    def _note(self) -> str:
        counted = ", ".join(f"{count:,} {split}" for split, count in self.pairs)
        snr = "none" if self.sound_snr is None else f"{self.sound_snr:g} dB"
        return (
            f"{AV_DIGITS.name}: pairs of {' and '.join(part.name for part in AV_DIGITS.parts)} "
            f"({counted}), noise on pictures {self.picture_noise:g} grey levels, signal to noise "
            f"of sounds {snr}, seed {self.seed}"
        )

    def _fingerprint(self) -> str:
        content = {
            part.name: {file.name: file.sha256 for file in part.files} for part in AV_DIGITS.parts
        }
        told = {"name": AV_DIGITS.name, "content": content, "options": self.model_dump()}
        return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def _parts() -> list[Splits]:
    """What is in each of the sets that this one is made of."""
    try:
        return [part.read(obtain(part)) for part in AV_DIGITS.parts]
    except DataError as error:
        names = " and ".join(part.name for part in AV_DIGITS.parts)
        raise DataError(f"{AV_DIGITS.name} is made of {names}: {error}") from error


def _names(official: str, pairs: Pairs, recordings: np.ndarray) -> np.ndarray:
    """What people call each pair: "test/00012 + recordings/7_theo_3.wav"; pictures from 0 on."""

    files = recordings[pairs.recordings].tolist()
    return np.array(
        [
            f"{official}/{picture:05d} + {file}"
            for picture, file in zip(pairs.pictures.tolist(), files, strict=True)
        ],
        np.str_,
    )
