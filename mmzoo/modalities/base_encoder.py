"""Encoder interface shared by all modalities: one input tensor in, features out."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from mmzoo.lazy import keras
from mmzoo.spec import Problem, Spec, describe_missing_path
from mmzoo.spec.wording import escape

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
    """Output of an encoder for one input.

    Attributes:
        vector: feature vector, float `[batch, width]`.
        tokens: token features, float `[batch, positions, width]`: the positions of an image's last
            feature map, the words of a text, the frames of a spectrogram. None if the encoder has
            no tokens.
        mask: bool `[batch, positions]`, false at padding. None if no token is padding.
        present: float `[batch]`, 0 for an example that lacks the input, whose features are then
            learned ones. None if no example can lack it, and within an encoder.
    """

    vector: keras.KerasTensor
    tokens: keras.KerasTensor | None = None
    mask: keras.KerasTensor | None = None
    present: keras.KerasTensor | None = None

    def tensors(self) -> list[keras.KerasTensor]:
        """Vector, tokens and mask, as far as they are not None."""
        return [x for x in (self.vector, self.tokens, self.mask) if x is not None]


class Encoder(Spec):
    """Base class of encoders: the config of a network from one input tensor to features.

    By default an encoder starts from random weights and is trained entirely. Encoders with
    pretrained or frozen weights override the respective methods.
    """

    is_backbone: ClassVar[bool] = False
    """Whether it is a published network of many layers, one row in a model summary."""

    if TYPE_CHECKING:  # A field, which each encoder declares with its own literals.
        type: str

    @property
    def architecture(self) -> Encoder:
        """The encoder that describes the layers: this one, or that of the run it starts from."""
        return self

    @property
    def trains_norm(self) -> bool:
        """Whether batch normalization is trained with the layers around it."""
        return True

    @property
    def frozen(self) -> bool:
        """Whether no weight is trained, so that features can be computed once and cached."""
        return False

    def unfrozen(self, layers: int | None) -> Self:
        """Copy with the last `layers` trainable, all if None; the encoder itself if they are."""
        return self

    def from_scratch(self) -> Self:
        """Copy of the encoder that starts from random weights, so that nothing is downloaded."""
        return self

    def missing_file_problems(self) -> Iterator[Problem]:
        """Yields a Problem for each missing file of initial weights.

        Not part of `rules()`: a finished run has its own weights and does not need these files.
        """
        return iter(())

    @abstractmethod
    def build(self, x: keras.KerasTensor) -> Features:
        """Builds the network on one input, with random initial weights."""

    def freeze(self, model: keras.Model) -> None:
        """Freezes the layers of the sub-model `<input>_encoder` that are not trained.

        By default none; networks that freeze their layers in `build` need not do it here.
        """

    def load_pretrained(self, model: keras.Model) -> None:
        """Loads pretrained weights into the built network.

        Called once, at the start of a training; a finished run has its own weights.

        Args:
            model: the sub-model `<input>_encoder`.

        Raises:
            MmzooError: the weights cannot be downloaded or read, or belong to another network.
        """


def missing_file_message(path: Path) -> str | None:
    """Message that says where a file is missing, or None if it exists."""
    path = path.expanduser()
    if path.is_file():
        return None
    reason = "it is a folder" if path.is_dir() else describe_missing_path(path)
    where = "" if path.is_absolute() else f", relative to {Path.cwd()}"
    return escape(f"{path}{where}: {reason}")


class Shared(Encoder):
    """Encoder shared with another input: both use one network and its weights.

    For inputs of the same kind, such as four photos of one house. The other input must have the
    same `type`. Settings that this input leaves open are copied from the other input: shape,
    length, and everything fitted on the data, which then comes from the other input's training
    values only.

    Reference: Bromley et al., "Signature verification using a Siamese time delay neural network",
    1993.
    """

    type: Literal["shared"] = "shared"
    input: str
    """Name of the input whose encoder is shared."""

    def build(self, *arguments: Any) -> Features:
        raise TypeError(f"a shared encoder is built by inputs.{self.input}")
