"""Pretrained image networks: fields, pixel scaling, construction and loading of weights."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

from mmzoo.lazy import keras
from mmzoo.modalities.base_encoder import Features, absence
from mmzoo.modalities.image.encoders.image_encoder import ImageNetwork
from mmzoo.modalities.image.encoders.imagenet_weights import (
    OfficialWeights,
    found,
    load_weights_file,
    obtain,
)
from mmzoo.run_log import shown_by
from mmzoo.spec import PositiveInt, Problem, did_you_mean


@dataclass(frozen=True)
class Backbone:
    """One network, without its classifier."""

    title: str
    function: str
    """Builds it: its name in keras.applications."""
    parameters: int
    size: int
    """Height and width, in pixels, of the pictures that it was trained on."""
    scaling: Scaling
    reference: str
    weights: OfficialWeights
    smallest: int = 32
    """The smallest height or width that it works with."""
    scales_itself: bool = False
    """Whether its first layers scale pixels unless they are told not to."""

    @property
    def summary(self) -> str:
        """A sentence about it."""
        return (
            f"{self.title}: {self.parameters / 1e6:.1f} million parameters, learnt on ImageNet at "
            f"{self.size} x {self.size} pixels (smallest: {self.smallest} x {self.smallest})."
        )


IMAGENET_MEAN = (0.485, 0.456, 0.406)
_DEVIATION = (0.229, 0.224, 0.225)
"""Of ImageNet's red, green and blue, from 0 to 1."""
_BGR_MEAN = (103.939, 116.779, 123.68)
"""Of the blue, green and red that Caffe's networks saw, from 0 to 255."""


@dataclass(frozen=True)
class Scaling:
    """Pixels from 0 to 255 times `scale` plus `offset`, each one number a channel."""

    words: str
    scale: tuple[float, ...]
    offset: tuple[float, ...]
    reversed_channels: bool = False
    """Whether the channels come as blue, green and red; scale and offset are in that order."""

    def scaled(self, image: keras.KerasTensor) -> keras.KerasTensor:
        """The picture as the network takes it.

        Args:
            image: uint8 `[batch, height, width, 3]`.

        Returns:
            Float32 of that shape, whatever the precision of the layers: in half of it, a pixel less
            the mean would lose the last bits that it has.
        """
        x = keras.ops.flip(image, axis=-1) if self.reversed_channels else image
        return keras.layers.Rescaling(
            list(self.scale), list(self.offset), dtype="float32", name="scaling"
        )(x)


CAFFE = Scaling(
    "blue, green and red, less ImageNet's mean",
    scale=(1.0, 1.0, 1.0),
    offset=tuple(-mean for mean in _BGR_MEAN),
    reversed_channels=True,
)
SYMMETRIC = Scaling("from -1 to 1", scale=(1 / 127.5,) * 3, offset=(-1.0,) * 3)
NEARLY_SYMMETRIC = Scaling("divided by 128, less 1", scale=(1 / 128,) * 3, offset=(-1.0,) * 3)
STANDARDISED = Scaling(
    "less ImageNet's mean, divided by its deviation",
    scale=tuple(1 / (255 * deviation) for deviation in _DEVIATION),
    offset=tuple(
        -mean / deviation for mean, deviation in zip(IMAGENET_MEAN, _DEVIATION, strict=True)
    ),
)
STANDARDISED_TIMES_255 = Scaling(
    STANDARDISED.words,  # Once the network's own first layer has divided by 255.
    scale=tuple(255 * scale for scale in STANDARDISED.scale),
    offset=tuple(255 * offset for offset in STANDARDISED.offset),
)


def name_layers(network: keras.Model) -> None:
    """Gives the layers that have no name of their own one that is the same in every process.

    Keras counts such names up (`conv2d_7`) over all that a process has built.
    """
    counts: Counter[str] = Counter()
    for operation in network.operations:
        kind = re.sub(r"_\d+$", "", operation.name)
        is_counted = kind.replace("_", "") == type(operation).__name__.lower()
        if is_counted and not isinstance(operation, keras.layers.InputLayer):
            counts[kind] += 1
            operation.name = f"{kind}_{counts[kind]}"


def thaw(network: keras.Model, trainable: bool | int, trained_norm: bool) -> None:
    """Says of every layer whether training changes it.

    What stays frozen is deterministic in training too: its batch norm keeps its statistics, and it
    drops nothing.

    Args:
        network: any, with its layers in order.
        trainable: all, none, or how many of the last layers that have a kernel; others, such as
            normalisation, go with the one before them.
        trained_norm: whether batch norm is trained with them.
    """
    layers = list(_leaves(network))
    kernels = [place for place, layer in enumerate(layers) if _has_kernel(layer)]
    match trainable:
        case True:
            first = 0
        case False:
            first = len(layers)
        case number:
            first = kernels[-min(number, len(kernels))]
    for place, layer in enumerate(layers):
        is_norm = isinstance(layer, keras.layers.BatchNormalization)
        layer.trainable = place >= first and (trained_norm or not is_norm)
        if place < first and isinstance(layer, keras.layers.Dropout):
            # Keras passes `training` on to every layer, even where one was called without it.
            layer.rate = 0.0


def _leaves(network: keras.Model) -> Iterator[keras.Layer]:
    for layer in network.layers:
        if isinstance(layer, keras.Model):
            yield from _leaves(layer)
        else:
            yield layer


def _has_kernel(layer: keras.Layer) -> bool:
    return any(len(weight.shape) > 1 for weight in layer.weights)


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

    def build(self, image: keras.KerasTensor) -> Features:
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

    def _network(self, x: keras.KerasTensor, **options: Any) -> keras.Model:
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
