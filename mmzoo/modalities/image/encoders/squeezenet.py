"""SqueezeNet 1.1."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from mmzoo.lazy import keras
from mmzoo.modalities.image.encoders.imagenet_weights import OfficialWeights
from mmzoo.modalities.image.encoders.pretrained import CAFFE, Backbone, Pretrained

_SQUEEZE_FILTERS = (16, 16, 32, 32, 48, 48, 64, 64)
"""Squeeze filters of each fire module; each of its two expand layers has four times as many."""
_POOLING_AFTER = (3, 5)


class SqueezeNet(Pretrained):
    """SqueezeNet 1.1, pretrained on ImageNet: AlexNet accuracy with 50 times fewer parameters.

    A fire module squeezes the channels by 1x1 convolutions and expands them by 1x1 and 3x3
    convolutions. There is no batch normalization. The weights are those of the authors, converted
    from Caffe by DeepCognition's keras-squeezenet.

    Reference: Iandola et al., "SqueezeNet: AlexNet-level accuracy with 50x fewer parameters and
    <0.5MB model size", 2016.
    """

    backbones: ClassVar[Mapping[str, Backbone]] = {
        "squeezenet": Backbone(
            "SqueezeNet 1.1",
            "SqueezeNet",
            722_496,
            224,
            CAFFE,
            'Iandola et al., "SqueezeNet: AlexNet-level accuracy with 50x fewer parameters and '
            '<0.5MB model size", 2016',
            OfficialWeights(
                "squeezenet_weights_tf_dim_ordering_tf_kernels_notop.h5",
                "https://github.com/DeepCognition/keras-squeezenet/releases/download/v0.4/"
                "squeezenet_weights_tf_dim_ordering_tf_kernels_notop.h5",
                "17154246284f555591549ac2c83e127abfbf4307dc4b0060fdaa2931d0fa38da",
            ),
            smallest=31,
        )
    }

    type: Literal["squeezenet"] = "squeezenet"

    def _network(self, x: keras.KerasTensor, **options: Any) -> keras.Model:
        image = keras.utils.get_source_inputs(x)
        x = keras.layers.Conv2D(64, 3, strides=2, activation="relu", name="conv1")(x)
        x = keras.layers.MaxPooling2D(3, strides=2, name="pool1")(x)
        for number, filters in enumerate(_SQUEEZE_FILTERS, start=2):
            x = _fire(x, filters, f"fire{number}")
            if number in _POOLING_AFTER:
                x = keras.layers.MaxPooling2D(3, strides=2, name=f"pool{number}")(x)
        if self.pooling == "average":
            x = keras.layers.GlobalAveragePooling2D(name="average")(x)
        elif self.pooling == "max":
            x = keras.layers.GlobalMaxPooling2D(name="max")(x)
        return keras.Model(image, x, name="squeezenet")


def _fire(x: keras.KerasTensor, filters: int, name: str) -> keras.KerasTensor:
    squeezed = keras.layers.Conv2D(filters, 1, activation="relu", name=f"{name}_squeeze1x1")(x)
    expanded = [
        keras.layers.Conv2D(
            4 * filters, size, padding="same", activation="relu", name=f"{name}_expand{size}x{size}"
        )(squeezed)
        for size in (1, 3)
    ]
    return keras.layers.Concatenate(name=f"{name}_concat")(expanded)
