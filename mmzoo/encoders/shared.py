"""The encoder of another input."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from mmzoo.encoders.base import Encoder
from mmzoo.encoders.features import Features

if TYPE_CHECKING:
    import keras


class Shared(Encoder):
    """No network of its own: the encoder of another input reads this one too.

    As for four photos of one house: one network learns from all of them. The input takes all that
    it leaves open from the other, which must be of its own type: shape, length, and what is read
    off the data, which is the other's training values alone.

    Reference: Bromley et al., "Signature verification using a Siamese time delay neural network",
    1993.
    """

    channels: ClassVar[tuple[int, ...]] = (1, 3)

    type: Literal["shared"] = "shared"
    input: str
    """The name of the input whose encoder it is."""

    def smallest_image(self) -> int:
        """The smallest picture that it takes: the other input's encoder has its own say."""
        return 1

    def smallest_spectrogram(self) -> int:
        """Likewise of spectrograms."""
        return 1

    def build(self, *arguments: Any) -> Features:
        raise TypeError(f"a shared encoder is built by inputs.{self.input}")

    def load_vectors(self, model: keras.Model, vocabulary: Sequence[str]) -> None:
        """Nothing: the input whose encoder it is loads what it starts from."""
