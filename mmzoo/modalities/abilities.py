"""Abilities that only some inputs have, as protocols: ask `isinstance(spec, HasImage)`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from mmzoo.lazy import keras, np, pl, tf
from mmzoo.modalities.scan import Files, Lengths
from mmzoo.spec import Spec

if TYPE_CHECKING:
    from mmzoo.modalities.base_input import Corruption
    from mmzoo.randomness import Randomness


@runtime_checkable
class Augments(Protocol):
    """An input whose values are changed at random in training."""

    @property
    def augmentations(self) -> tuple[Spec, ...]:
        """Those that the config lists, in the order in which they are applied."""

    def augment_batch(self, values: tf.Tensor, randomness: Randomness) -> tf.Tensor:
        """A preprocessed batch after its random changes, of the same shape."""


def augmentations_of(spec: object) -> tuple[Spec, ...]:
    """The augmentations that the config lists for an input."""
    return spec.augmentations if isinstance(spec, Augments) else ()


@runtime_checkable
class HasCorruptions(Protocol):
    """An input whose values can be corrupted, for robustness curves."""

    @property
    def corruptions(self) -> tuple[Corruption, ...]:
        """Corruptions of a fitted input's values, one curve each."""


@runtime_checkable
class Mixable(Protocol):
    """An input that supports mixup and cutmix."""

    def blend(self, values: tf.Tensor, partners: tf.Tensor, share: tf.Tensor) -> tf.Tensor:
        """Weighted averages of loaded values and their partners, as in mixup.

        Args:
            values: `[batch, ...]`.
            partners: `[batch, ...]`.
            share: float32 scalar, weight of the values: 0 gives the partners, 1 the values.
        """

    def paste(
        self, values: tf.Tensor, partners: tf.Tensor, box: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Loaded values with a box of their partner pasted in, as in cutmix.

        Args:
            values: `[batch, ...]`.
            partners: `[batch, ...]`.
            box: float32 `[4]`: top, left, bottom and right as fractions of height and width.

        Returns:
            The mixed values, and the share of the original value in them, a float32 scalar.
        """


@runtime_checkable
class HasImage(Protocol):
    """An input whose values can be displayed as images."""

    def to_image(self, value: np.ndarray) -> np.ndarray:
        """One loaded value as uint8 `[height, width, 1 or 3]`."""


def draw(spec: object, value: np.ndarray) -> np.ndarray:
    """One loaded value of a `HasImage` input as uint8 `[height, width, 1 or 3]`."""
    assert isinstance(spec, HasImage)
    return spec.to_image(value)


@runtime_checkable
class ReadsImageFiles(Protocol):
    """An input that can read single image files."""

    encoder: Any

    def read_file(self, path: Path) -> np.ndarray:
        """Pixels of an image file, uint8 `[height, width, 1 or 3]`, not resized.

        Raises:
            DataError: the file is not a readable image.
        """

    def load(self, values: tf.Tensor) -> tf.Tensor:
        """A batch of such images as the model's input."""


@runtime_checkable
class HasText(Protocol):
    """An input whose values can be displayed as text."""

    def to_texts(self, values: np.ndarray, files: Files) -> list[str]:
        """Transformed values `[rows, ...]` as text.

        Args:
            values: from `transform`.
            files: from `fit`.
        """


@runtime_checkable
class Reconstructs(Protocol):
    """An input that a decoder can rebuild from a code, as in an autoencoder.

    A target has the values that the decoder should give, NaN for those that do not count.
    """

    decoder: Any
    """Spec of the decoder; None for the default."""

    @property
    def reconstruction_losses(self) -> tuple[str, ...]:
        """The losses to choose from, the default first; entries of `reconstruction_errors`."""

    @property
    def likelihoods(self) -> tuple[str, ...]:
        """The distributions of values, given a code, for `negative_log_likelihood`."""

    def reconstruction_metrics(self) -> tuple[str, ...]:
        """The entries of `reconstruction_errors`; the first one sums up an example."""

    @property
    def largest_noise(self) -> float:
        """The largest amount for `add_noise`."""

    def decoder_problem(self) -> str:
        """Why there is no decoder, to follow the input's name in an error; "" if there is one."""

    def decoder_output(self, code: keras.KerasTensor) -> keras.KerasTensor:
        """The rebuilt values, float32 `[batch, ...]`, from a code `[batch, width]`."""

    def reconstruction_target(self, values: tf.Tensor) -> tf.Tensor:
        """The target of a batch of model inputs, float32 `[batch, ...]`."""

    def reconstruction_errors(
        self, target: tf.Tensor, rebuilt: tf.Tensor
    ) -> Mapping[str, tf.Tensor]:
        """The errors of each example, float32 `[batch]`, by name; NaN where nothing counts.

        Args:
            target: from `reconstruction_target`.
            rebuilt: from `decoder_output`.
        """

    def negative_log_likelihood(
        self, target: tf.Tensor, rebuilt: tf.Tensor, distribution: str, std: float
    ) -> tf.Tensor:
        """That of each example, in nats, summed over the values that count: float32 `[batch]`.

        Args:
            target: from `reconstruction_target`.
            rebuilt: from `decoder_output`: the parameters of the distribution.
            distribution: one of `likelihoods`.
            std: standard deviation of `gaussian`, in the unit of the target.
        """

    def add_noise(self, values: tf.Tensor, amount: float, randomness: Randomness) -> tf.Tensor:
        """A batch of model inputs with noise, of the same shape and dtype."""

    def show_target(self, target: np.ndarray, files: Files) -> Sequence[np.ndarray] | Sequence[str]:
        """Originals to display: images, uint8 `[height, width, 1 or 3]`, or texts.

        Args:
            target: from `reconstruction_target`, without examples that lack the input.
            files: from `fit`.
        """

    def show_rebuilt(
        self, rebuilt: np.ndarray, files: Files
    ) -> Sequence[np.ndarray] | Sequence[str]:
        """Rebuilt values to display, like `show_target`.

        Args:
            rebuilt: from `decoder_output`.
            files: from `fit`.
        """


@runtime_checkable
class Generates(Reconstructs, Protocol):
    """An input whose decoder's values can take the place of real ones, as a GAN needs."""

    encoder: Any
    missing: str

    def from_reconstruction(self, rebuilt: tf.Tensor) -> tf.Tensor:
        """The model inputs that have `rebuilt` as their target, float32 and not rounded."""


@runtime_checkable
class HasCoverage(Protocol):
    """An input that reports what its transformed values do not hold, such as unknown words."""

    def coverage_note(
        self, values: Mapping[str, pl.Series], transformed: Mapping[str, np.ndarray]
    ) -> str:
        """What preprocessing discards, per split, in one line; empty if nothing."""


@runtime_checkable
class HasLengths(Protocol):
    """An input that truncates its values to a maximum length."""

    def lengths(self, values: pl.Series) -> Lengths:
        """Lengths of scanned values before truncation; the input must be fitted."""


@runtime_checkable
class VariesInLength(Protocol):
    """An input whose batches vary in a dimension other than the batch size."""

    def positions(self) -> int:
        """Number of positions of the longest possible value; the input must be fitted."""


@runtime_checkable
class CanBecomeEmpty(Protocol):
    """An input whose values a corruption can remove entirely, so that they count as missing."""

    def is_present_after(self, values: tf.Tensor) -> tf.Tensor:
        """Which examples of a corrupted batch still have a value: bool `[batch]`."""


@runtime_checkable
class DecodesFiles(Protocol):
    """An input whose transformed values may be files, which `load` decodes."""

    def find_corrupt(self, files: np.ndarray) -> dict[int, str]:
        """Decodes files, bytes `[rows, 3]`; returns row -> reason for those that are corrupt."""
