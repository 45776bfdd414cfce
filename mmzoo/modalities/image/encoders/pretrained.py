"""Pretrained image networks: description, pixel scaling, construction and loading of weights."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

from mmzoo.lazy import keras
from mmzoo.modalities.base_encoder import Features, missing_file_message
from mmzoo.modalities.freezing import set_trainable
from mmzoo.modalities.image.encoders.image_encoder import ImageNetwork
from mmzoo.modalities.image.encoders.imagenet_weights import (
    OfficialWeights,
    find_weights_file,
    get_weights_file,
    load_weights_file,
)
from mmzoo.run_log import shown_by
from mmzoo.spec import PositiveInt, Problem, did_you_mean


@dataclass(frozen=True)
class Backbone:
    """Description of a pretrained network without its classifier."""

    title: str
    """Name of the network for users."""
    function: str
    """Name of its constructor in keras.applications."""
    parameters: int
    """Number of parameters."""
    size: int
    """Height and width, in pixels, of its training images."""
    scaling: Scaling
    reference: str
    weights: OfficialWeights
    smallest: int = 32
    """Minimum height or width, in pixels."""
    has_preprocessing: bool = False
    """Whether its first layers scale pixels unless `include_preprocessing=False`."""

    @property
    def summary(self) -> str:
        """One sentence about the network."""
        return (
            f"{self.title}: {self.parameters / 1e6:.1f} million parameters, trained on ImageNet at "
            f"{self.size} x {self.size} pixels (smallest: {self.smallest} x {self.smallest})."
        )


IMAGENET_MEAN = (0.485, 0.456, 0.406)
_IMAGENET_STD = (0.229, 0.224, 0.225)
"""Standard deviation of ImageNet's red, green and blue, from 0 to 1."""
_BGR_MEAN = (103.939, 116.779, 123.68)
"""Mean of ImageNet's blue, green and red, from 0 to 255, as used by Caffe."""


@dataclass(frozen=True)
class Scaling:
    """Pixel scaling: `pixel * scale + offset` per channel, for pixels from 0 to 255."""

    description: str
    scale: tuple[float, ...]
    offset: tuple[float, ...]
    reversed_channels: bool = False
    """Whether the network expects the order blue, green, red; so are scale and offset."""

    def apply(self, image: keras.KerasTensor) -> keras.KerasTensor:
        """Image scaled as the network expects.

        Args:
            image: uint8 `[batch, height, width, 3]`.

        Returns:
            Float32 of the same shape, whatever the precision policy: in half precision, the last
            bits of a pixel minus the mean would be lost.
        """
        x = keras.ops.flip(image, axis=-1) if self.reversed_channels else image
        return keras.layers.Rescaling(
            list(self.scale), list(self.offset), dtype="float32", name="scaling"
        )(x)


CAFFE = Scaling(
    "BGR order, minus ImageNet's mean",
    scale=(1.0, 1.0, 1.0),
    offset=tuple(-mean for mean in _BGR_MEAN),
    reversed_channels=True,
)
SYMMETRIC = Scaling("from -1 to 1", scale=(1 / 127.5,) * 3, offset=(-1.0,) * 3)
NEARLY_SYMMETRIC = Scaling("divided by 128, minus 1", scale=(1 / 128,) * 3, offset=(-1.0,) * 3)
STANDARDIZED = Scaling(
    "minus ImageNet's mean, divided by its standard deviation",
    scale=tuple(1 / (255 * std) for std in _IMAGENET_STD),
    offset=tuple(-mean / std for mean, std in zip(IMAGENET_MEAN, _IMAGENET_STD, strict=True)),
)
STANDARDIZED_TIMES_255 = Scaling(
    STANDARDIZED.description,  # The network's first layer then divides by 255.
    scale=tuple(255 * scale for scale in STANDARDIZED.scale),
    offset=tuple(255 * offset for offset in STANDARDIZED.offset),
)


def assign_stable_names(network: keras.Model) -> None:
    """Renames layers with default names so that names are the same in every process.

    Keras numbers default names (`conv2d_7`) across all layers that a process has created.
    """
    counts: Counter[str] = Counter()
    for operation in network.operations:
        kind = re.sub(r"_\d+$", "", operation.name)
        is_counted = kind.replace("_", "") == type(operation).__name__.lower()
        if is_counted and not isinstance(operation, keras.layers.InputLayer):
            counts[kind] += 1
            operation.name = f"{kind}_{counts[kind]}"


_KERAS_POOLING = {"average": "avg", "max": "max", "flatten": None}


class Pretrained(ImageNetwork):
    """Network pretrained on ImageNet, without its classifier."""

    channels: ClassVar[tuple[int, ...]] = (3,)
    is_backbone: ClassVar[bool] = True
    backbones: ClassVar[Mapping[str, Backbone]]
    """Description of each network, by `type`."""

    type: str
    weights: str = "imagenet"
    """`imagenet`; the path of a weights file (`.h5`), relative to the working directory; or `none`
    for random initial weights."""
    trainable: bool | PositiveInt = False
    """`false` freezes the network, `true` trains all of it, and a number trains the last
    convolutions: that many, with the normalization between and after them."""
    pooling: Literal["average", "max", "flatten"] = "average"
    """How the last feature map becomes a vector: global average or max pooling, or flattened."""
    batch_norm: Literal["auto", "frozen", "trained"] = "auto"
    """Whether batch normalization is trained with the layers around it. By default it stays frozen,
    because small batches degrade its ImageNet statistics; with random weights it is trained."""

    def rules(self) -> Iterator[Problem]:
        if self.weights not in ("imagenet", "none") and not self.weights.endswith(".h5"):
            hint = did_you_mean(self.weights, ("imagenet", "none")) or "."
            yield Problem(
                ("weights",),
                f"expected imagenet, none, or the path of a weights file that ends in .h5{hint} "
                f"Got '{self.weights}'",
            )

    @classmethod
    def describe_type(cls, kind: str) -> str:
        backbone = cls.backbones[kind]
        notes = super().describe_type(kind).partition("\n\nReference")[0]
        return (
            f"{backbone.summary}\n\n{notes}\n\n"
            f"The network scales pixels itself: {backbone.scaling.description}.\n\n"
            f"Reference: {backbone.reference}."
        )

    @property
    def backbone(self) -> Backbone:
        """Description of this network."""
        return self.backbones[self.type]

    @property
    def reversed_channels(self) -> bool:
        """Whether the first convolution sees blue, green, red, as in weights from Caffe."""
        return self.backbone.scaling.reversed_channels

    @property
    def frozen(self) -> bool:
        return self.trainable is False

    @property
    def trains_norm(self) -> bool:
        return self.batch_norm == "trained" or (
            self.batch_norm == "auto" and self.weights == "none"
        )

    def unfrozen(self, layers: int | None) -> Self:
        already = self.trainable is True or (layers is not None and self.trainable >= layers)
        return self if already else self.replace(trainable=layers or True)

    def from_scratch(self) -> Self:
        return self.replace(weights="none")

    def missing_file_problems(self) -> Iterator[Problem]:
        if self.weights in ("imagenet", "none"):
            return
        if problem := missing_file_message(Path(self.weights)):
            yield Problem(("weights",), problem)

    def smallest_image(self) -> int:
        return self.backbone.smallest

    def build(self, image: keras.KerasTensor) -> Features:
        network = self._network(self.backbone.scaling.apply(image))
        assign_stable_names(network)
        set_trainable(network, self.trainable, self.trains_norm)
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
            path = get_weights_file(self._official(height, width), self.type)
        else:
            path = Path(self.weights).expanduser()
        load_weights_file(path, model, self.type)

    def has_cached_weights(self, height: int, width: int) -> bool:
        """Whether the ImageNet weights for images of this size are already on this machine."""
        with shown_by(lambda message: None):
            return find_weights_file(self._official(height, width)) is not None

    def _official(self, height: int, width: int) -> OfficialWeights:
        """Official ImageNet weights for images of this size."""
        return self.backbone.weights

    def _network(self, x: keras.KerasTensor, **options: Any) -> keras.Model:
        """Network on scaled pixels, with random weights.

        Args:
            x: float `[batch, height, width, 3]`.
            options: arguments of its constructor in keras.applications.

        Returns:
            A model that ends in global pooling (in ConvNeXt, followed by a normalization), or in
            the last feature map if that is to be flattened.
        """
        backbone = self.backbone
        if backbone.has_preprocessing:
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
    """The last global pooling layer; earlier ones belong to squeeze-and-excitation blocks."""
    kinds = (keras.layers.GlobalAveragePooling2D, keras.layers.GlobalMaxPooling2D)
    return next(layer for layer in reversed(network.layers) if isinstance(layer, kinds))
