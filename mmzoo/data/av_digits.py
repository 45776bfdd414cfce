"""The source `av_digits`: pairs of images and recordings of digits, both with noise."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from annotated_types import Ge, Gt, Le, Lt

from mmzoo.column_spec import ColumnSpec
from mmzoo.data.datasets import AV_DIGITS
from mmzoo.data.datasets.casting import cast_column, check_specs
from mmzoo.data.datasets.dataset_files import obtain
from mmzoo.data.datasets.table_formats import read_recordings
from mmzoo.data.frame import ROW, Frame, OnBadRow, Splits, table_of
from mmzoo.data.splits import hold_out_stratified
from mmzoo.errors import DataError
from mmzoo.lazy import np
from mmzoo.spec import NonNegativeFloat, Spec

OFFICIAL = {"train": "train", "validation": "train", "test": "test"}
"""Split -> the official split of MNIST and FSDD that its examples come from."""
RATE = 8_000
"""Sampling rate of all recordings, in hertz."""
SAMPLES = 8_000
"""Length of each waveform: one second, which is longer than nearly all recordings."""

_BLOCK = 256
"""Rows that get their noise at a time; the noise of a row does not depend on it."""
_LOUDEST = 32_767

Count = Annotated[int, Ge(10), Le(1_000_000)]


class PairCounts(Spec):
    """Number of pairs in each split. The digits are balanced, up to one pair."""

    train: Count = 6_000
    """Number of training pairs."""
    validation: Count = 1_000
    """Number of validation pairs."""
    test: Count = 2_000
    """Number of test pairs."""


class AvDigits(Spec):
    """Images of digits (MNIST) and recordings of digits (FSDD), paired by class, with noise.

    With this much noise neither input suffices alone, so that the benefit of fusion shows, as with
    AV-MNIST. The columns are `image` (28x28, greyscale), `audio` (one second at 8,000 Hz), `label`
    and `speaker`.

    Test pairs are built from the official test examples only, and validation examples are in no
    training pair. In each split the digits are balanced up to one pair, and all images (and all
    recordings) of a digit occur equally often up to one pair. Recordings are truncated or padded
    with silence at the end. The noise is Gaussian and covers the padding too; its power is relative
    to the recording without padding. The result is scaled to the full range of 16 bits. Equal
    fields give equal bytes, for any `train.seed`.

    Reference: Vielzeuf et al., "CentralNet: a multilayer approach for multimodal fusion", 2018.
    """

    type: Literal["av_digits"] = "av_digits"
    pairs: PairCounts = PairCounts()
    """Number of pairs in each split."""
    image_noise: NonNegativeFloat = 250.0
    """Standard deviation of the Gaussian noise on each pixel, in grey levels, before clipping to 0
    to 255; 0 for none."""
    audio_snr: Annotated[float, Ge(-100), Le(100)] | None = -8.0
    """Signal-to-noise ratio of a recording and the white noise that is added to it, in decibels;
    null for no noise."""
    validation: Annotated[float, Gt(0), Lt(1)] = 0.1
    """Share of the official training images and recordings that is held out for validation pairs,
    stratified by digit."""
    seed: Annotated[int, Ge(0), Lt(2**32)] = 0
    """Decides which images and recordings are for validation, the pairs, and the noise."""

    on_bad_row: ClassVar[OnBadRow] = "error"

    def columns(self) -> dict[str, Literal["input", "target"]] | None:
        """Column -> whether it is an input or a target."""
        return AV_DIGITS.columns

    def read(self, specs: Mapping[str, ColumnSpec], seed: int) -> Frame:
        """Finds or downloads both data sets, pairs their examples and adds noise.

        Args:
            specs: The columns to read, with their roles.
            seed: Not used; the field `seed` decides everything.

        Raises:
            DataError: A column does not exist or does not fit its role, or a data set is damaged or
                cannot be downloaded.
        """
        check_specs(AV_DIGITS, specs)
        written, spoken = _parts()
        pairs = pair_examples(written, spoken, self.pairs.model_dump(), self.validation, self.seed)
        splits: Splits = {split: {} for split in pairs}
        for column, one in specs.items():
            for split, values in self._column(column, pairs, written, spoken).items():
                splits[split][column] = cast_column(AV_DIGITS, column, values, one.role)
        for split, of_split in pairs.items():
            files = spoken[OFFICIAL[split]]["name"]
            splits[split][ROW] = _names(OFFICIAL[split], of_split, files)
        return Frame(
            table_of(splits),
            name=AV_DIGITS.name,
            fingerprint=self._fingerprint(),
            class_names={
                column: AV_DIGITS.classes[column]
                for column, one in specs.items()
                if one.role == "class"
            },
            notes=(self._note(),),
        )

    def _column(
        self, column: str, pairs: Mapping[str, Pairs], written: Splits, spoken: Splits
    ) -> dict[str, np.ndarray]:
        """The values of one column in each split."""
        if column == "label":
            return {split: one.labels for split, one in pairs.items()}
        if column == "audio":
            return self._audio(pairs, spoken)
        if column == "image":
            return {
                split: add_image_noise(
                    written[OFFICIAL[split]][column][one.images],
                    self.image_noise,
                    random_stream(self.seed, f"{split} pictures"),
                )
                for split, one in pairs.items()
            }
        return {
            split: spoken[OFFICIAL[split]][column][one.recordings] for split, one in pairs.items()
        }

    def _audio(self, pairs: Mapping[str, Pairs], spoken: Splits) -> dict[str, np.ndarray]:
        clean = {
            split: read_recordings(columns["audio"], RATE, SAMPLES)
            for split, columns in spoken.items()
        }
        found = {}
        for split, one in pairs.items():
            waveforms, lengths = clean[OFFICIAL[split]]
            found[split] = add_audio_noise(
                waveforms[one.recordings],
                lengths[one.recordings],
                self.audio_snr,
                random_stream(self.seed, f"{split} sounds"),
            )
        return found

    def _note(self) -> str:
        counted = ", ".join(f"{count:,} {split}" for split, count in self.pairs)
        snr = "without noise" if self.audio_snr is None else f"SNR {self.audio_snr:g} dB"
        return (
            f"{AV_DIGITS.name}: pairs of {' and '.join(part.name for part in AV_DIGITS.parts)} "
            f"({counted}), image noise {self.image_noise:g} grey levels, audio {snr}, seed "
            f"{self.seed}"
        )

    def _fingerprint(self) -> str:
        content = {
            part.name: {file.name: file.sha256 for file in part.files} for part in AV_DIGITS.parts
        }
        identity = {"name": AV_DIGITS.name, "content": content, "options": self.model_dump()}
        return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()


def _parts() -> list[Splits]:
    """The official splits of MNIST and of FSDD."""
    try:
        return [part.read(obtain(part)) for part in AV_DIGITS.parts]
    except DataError as error:
        names = " and ".join(part.name for part in AV_DIGITS.parts)
        raise DataError(f"{AV_DIGITS.name} consists of {names}: {error}") from error


# Pairs.


@dataclass(frozen=True)
class Pairs:
    """The pairs of one split."""

    labels: np.ndarray
    """int64 `[pairs]`, the class of each pair."""
    images: np.ndarray
    """int64 `[pairs]`, rows of the official split of images."""
    recordings: np.ndarray
    """int64 `[pairs]`, rows of the official split of recordings."""


def pair_examples(
    written: Splits, spoken: Splits, counts: Mapping[str, int], validation: float, seed: int
) -> dict[str, Pairs]:
    """Pairs images and recordings of the same class.

    Args:
        written: The official splits of the images, `train` and `test`, with `label`.
        spoken: The official splits of the recordings, with the same classes.
        counts: Split -> number of pairs, balanced over the classes.
        validation: Share of the official training examples of either kind that is held out for
            validation pairs.
        seed: Decides everything.

    Raises:
        DataError: A class has only one training example.
    """
    images = _split_rows(written["train"]["label"], written["test"]["label"], validation, seed)
    recordings = _split_rows(spoken["train"]["label"], spoken["test"]["label"], validation, seed)
    classes = 1 + int(spoken["train"]["label"].max())
    pairs = {}
    for split, official in OFFICIAL.items():
        random = random_stream(seed, f"{split} pairs")
        labels = random.permutation(np.arange(counts[split]) % classes)
        pairs[split] = Pairs(
            labels,
            draw_partners(labels, written[official]["label"], images[split], random),
            draw_partners(labels, spoken[official]["label"], recordings[split], random),
        )
    return pairs


def draw_partners(
    labels: np.ndarray, classes: np.ndarray, among: np.ndarray, random: np.random.RandomState
) -> np.ndarray:
    """Draws an example of the right class for each pair.

    The examples of a class are shuffled, and the shuffled sequence is repeated if there are more
    pairs than examples. So all occur equally often, up to one pair.

    Args:
        labels: int64 `[pairs]`, the class of each pair.
        classes: int64 `[examples]`, the class of each example.
        among: int64, the rows to draw from, with every class.
        random: Decides the order.

    Returns:
        int64 `[pairs]`, rows of `classes`.
    """
    rows = np.empty(len(labels), np.int64)
    for label in np.unique(labels):
        pairs = np.flatnonzero(labels == label)
        shuffled = random.permutation(among[classes[among] == label])
        rows[pairs] = np.resize(shuffled, len(pairs))
    return rows


def _split_rows(
    train: np.ndarray, test: np.ndarray, validation: float, seed: int
) -> dict[str, np.ndarray]:
    """Split -> the rows of its official split that its pairs are drawn from."""
    remaining, held_out = hold_out_stratified(train, validation, seed)
    return {"train": remaining, "validation": held_out, "test": np.arange(len(test))}


def _names(official: str, pairs: Pairs, recordings: np.ndarray) -> np.ndarray:
    """The name of each pair: "test/00012 + recordings/7_theo_3.wav". Images count from 0."""
    files = recordings[pairs.recordings].tolist()
    return np.array(
        [
            f"{official}/{image:05d} + {file}"
            for image, file in zip(pairs.images.tolist(), files, strict=True)
        ],
        np.str_,
    )


# Noise.


def add_image_noise(images: np.ndarray, std: float, random: np.random.RandomState) -> np.ndarray:
    """Adds Gaussian noise to each pixel, rounded and clipped to 0 to 255.

    Args:
        images: uint8 `[examples, ...]`.
        std: Standard deviation of the noise, in grey levels.
        random: The source of the noise, example by example.

    Returns:
        uint8 of the same shape; `images` itself if `std` is 0.
    """
    if not std:
        return images
    noisy = np.empty_like(images)
    for rows in _blocks(len(images)):
        clean = images[rows]
        values = clean + std * random.standard_normal(clean.shape)
        noisy[rows] = np.rint(values).clip(0, 255)
    return noisy


def add_audio_noise(
    waveforms: np.ndarray, lengths: np.ndarray, snr: float | None, random: np.random.RandomState
) -> np.ndarray:
    """Adds white noise to waveforms and scales each to the full range of 16 bits.

    The signal power excludes the padding. The padding gets the same noise, so that it does not
    reveal the length of a recording.

    Args:
        waveforms: int16 `[examples, samples]`.
        lengths: int64 `[examples]`, the number of samples before the padding.
        snr: Signal-to-noise ratio in decibels; None for no noise.
        random: The source of the noise, example by example.

    Returns:
        int16 `[examples, samples]`.
    """
    noisy = np.empty_like(waveforms)
    for rows in _blocks(len(waveforms)):
        values = waveforms[rows].astype(np.float64)
        if snr is not None:
            power = np.square(values).sum(axis=1) / lengths[rows]
            std = np.sqrt(power / 10 ** (snr / 10))
            values += std[:, None] * random.standard_normal(values.shape)
        loudest = np.abs(values).max(axis=1, keepdims=True)
        noisy[rows] = np.rint(values * (_LOUDEST / np.maximum(loudest, 1.0)))
    return noisy


def random_stream(seed: int, purpose: str) -> np.random.RandomState:
    """Random numbers for one purpose, independent of those for other purposes.

    Another name of a purpose gives other examples, so the names never change.
    """
    return np.random.RandomState([seed, zlib.crc32(purpose.encode())])


def _blocks(rows: int) -> Iterator[slice]:
    return (slice(first, first + _BLOCK) for first in range(0, rows, _BLOCK))
