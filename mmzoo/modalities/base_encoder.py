"""Encoders: one tensor in, features out. What all of them share."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

from mmzoo.lazy import keras
from mmzoo.spec import Problem, Spec, what_is_missing
from mmzoo.spec.wording import printable

Activation = Literal[
    "relu",
    "leaky_relu",
    "elu",
    "selu",
    "gelu",
    "silu",
    "mish",
    "softplus",
    "tanh",
    "sigmoid",
    "linear",
]


@dataclass(frozen=True)
class Features:
    """What an encoder makes of one input.

    Attributes:
        vector: float `[batch, width]`, one vector per example.
        tokens: float `[batch, positions, width]`, or None where the encoder has none: the positions
            of an image's last feature map, the words of a text, the frames of a sound.
        mask: bool `[batch, positions]`, true where a token is one and not padding; None where all
            of them are.
    """

    vector: keras.KerasTensor
    tokens: keras.KerasTensor | None = None
    mask: keras.KerasTensor | None = None

    def tensors(self) -> list[keras.KerasTensor]:
        """Those that there are, in the order of the attributes."""
        return [x for x in (self.vector, self.tokens, self.mask) if x is not None]


class Encoder(Spec):
    """One tensor in, features out.

    Most encoders begin with random weights and are trained whole; what is said here of frozen and
    pretrained ones is for the few that override it.
    """

    @property
    def frozen(self) -> bool:
        """Whether training leaves all of it as it is, so its features can be computed once."""
        return False

    def unfrozen(self, layers: int | None) -> Self:
        """The same encoder with its last `layers` trained, or all of them where that is None."""
        return self

    def from_scratch(self) -> Self:
        """The same network beginning with random weights: to be tried without a download."""
        return self

    def absent_files(self) -> Iterator[Problem]:
        """Yields a Problem for each file that it begins with and that is not there.

        No rule, as a finished run needs none of them.
        """
        return iter(())

    @abstractmethod
    def build(self, x: keras.KerasTensor) -> Features:
        """The network on one input, with weights as Keras draws them."""

    def load_pretrained(self, model: keras.Model) -> None:
        """Puts the weights to start from into the sub-model that was built.

        Called once, where a training begins: a finished run has all weights of its own.

        Args:
            model: the sub-model `<input>_encoder`.

        Raises:
            MmzooError: the weights cannot be had, or are of another network.
        """


def absence(path: Path) -> str | None:
    """Where a file is looked for and what is there instead, or None if it is there."""
    path = path.expanduser()
    if path.is_file():
        return None
    what = "it is a folder" if path.is_dir() else what_is_missing(path)
    where = "" if path.is_absolute() else f", relative to {Path.cwd()}"
    return printable(f"{path}{where}: {what}")


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
