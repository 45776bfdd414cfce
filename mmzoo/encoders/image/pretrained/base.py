"""What all pretrained networks have in common: their fields, and how they are built and filled."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from mmzoo.encoders.base import absence
from mmzoo.encoders.features import Features
from mmzoo.encoders.image.base import ImageNetwork
from mmzoo.encoders.image.pretrained.backbone import Backbone
from mmzoo.encoders.image.pretrained.layers import name_layers, thaw
from mmzoo.encoders.image.pretrained.official import OfficialWeights, found, obtain
from mmzoo.encoders.image.pretrained.weights_file import load_weights_file
from mmzoo.lazy import keras
from mmzoo.run_log import shown_by
from mmzoo.spec import PositiveInt, Problem, did_you_mean

if TYPE_CHECKING:
    from keras import KerasTensor

_KERAS_POOLING = {"average": "avg", "max": "max", "flatten": None}


class Pretrained(ImageNetwork):
    """A network whose weights were learnt on ImageNet, without its classifier."""

    channels: ClassVar[tuple[int, ...]] = (3,)
    backbones: ClassVar[Mapping[str, Backbone]]
    """What is known of each network, by `type`."""

    type: str
    weights: str = "imagenet"
    """`imagenet`; the path of a weights file (`.h5`), relative to the working directory; or `none`,
    to begin with random ones."""
    trainable: bool | PositiveInt = False
    """`false` leaves the network as it is, `true` trains all of it, and a number its last
    convolutions: as many of them, with the normalisation between and after."""
    pooling: Literal["average", "max", "flatten"] = "average"
    """How the last feature map becomes a vector: its average or maximum, or all of it."""
    batch_norm: Literal["auto", "frozen", "trained"] = "auto"
    """Whether batch norm is trained with the layers round it. Its statistics are of ImageNet, and
    small batches would spoil them, so by default it stays frozen, save where weights are random."""

    def rules(self) -> Iterator[Problem]:
        if self.weights not in ("imagenet", "none") and not self.weights.endswith(".h5"):
            meant = did_you_mean(self.weights, ("imagenet", "none")) or "."
            yield Problem(
                ("weights",),
                f"expected imagenet, none, or the path of a weights file that ends in .h5{meant} "
                f"Got '{self.weights}'",
            )

    @classmethod
    def about(cls, kind: str) -> str:
        backbone = cls.backbones[kind]
        notes = super().about(kind).partition("\n\nReference")[0]
        return (
            f"{backbone.summary}\n\n{notes}\n\n"
            f"Pixels are scaled inside: {backbone.scaling.words}.\n\n"
            f"Reference: {backbone.reference}."
        )

    @property
    def backbone(self) -> Backbone:
        """What is known of this network."""
        return self.backbones[self.type]

    @property
    def frozen(self) -> bool:
        return self.trainable is False

    def unfrozen(self, layers: int | None) -> Self:
        already = self.trainable is True or (layers is not None and self.trainable >= layers)
        return self if already else self.replace(trainable=layers or True)

    def from_scratch(self) -> Self:
        return self.replace(weights="none")

    def absent_files(self) -> Iterator[Problem]:
        if self.weights in ("imagenet", "none"):
            return
        if problem := absence(Path(self.weights)):
            yield Problem(("weights",), problem)

    def smallest_image(self) -> int:
        return self.backbone.smallest

    def build(self, image: KerasTensor) -> Features:
        network = self._network(self.backbone.scaling.scaled(image))
        name_layers(network)
        trained_norm = self.batch_norm == "trained" or (
            self.batch_norm == "auto" and self.weights == "none"
        )
        thaw(network, self.trainable, trained_norm)
        last_map = vector = network.output
        if self.pooling == "flatten":
            vector = keras.layers.Flatten(name="flatten")(last_map)
        else:
            last_map = _pooling_layer(network).input
        tokens = keras.layers.Reshape((-1, last_map.shape[-1]), name="tokens")(last_map)
        return Features(vector=vector, tokens=tokens)

    def load_pretrained(self, model: keras.Model) -> None:
        if self.weights == "none":
            return
        if self.weights == "imagenet":
            _, height, width, _ = model.input_shape
            path = obtain(self._official(height, width), self.type)
        else:
            path = Path(self.weights).expanduser()
        load_weights_file(path, model, self.type)

    def weights_here(self, height: int, width: int) -> bool:
        """Whether its ImageNet weights for pictures of this size are on this machine already."""
        with shown_by(lambda message: None):
            return found(self._official(height, width)) is not None

    def _official(self, height: int, width: int) -> OfficialWeights:
        """The weights learnt on ImageNet, for pictures of this size."""
        return self.backbone.weights

    def _network(self, x: KerasTensor, **options: Any) -> keras.Model:
        """The network on scaled pixels, with random weights.

        Args:
            x: float `[batch, height, width, 3]`.
            options: for its function in keras.applications.

        Returns:
            A model that ends in a global pooling, which ConvNeXt still normalises after, or in the
            last feature map if that is to be flattened.
        """
        backbone = self.backbone
        if backbone.scales_itself:
            options["include_preprocessing"] = False
        function = getattr(keras.applications, backbone.function)
        return function(
            include_top=False,
            weights=None,
            input_tensor=x,
            pooling=_KERAS_POOLING[self.pooling],
            **options,
        )


def _pooling_layer(network: keras.Model) -> keras.Layer:
    """The last global pooling; those before it squeeze channels within blocks."""
    kinds = (keras.layers.GlobalAveragePooling2D, keras.layers.GlobalMaxPooling2D)
    return next(layer for layer in reversed(network.layers) if isinstance(layer, kinds))
