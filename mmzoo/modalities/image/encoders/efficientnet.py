"""EfficientNet B0 to B7."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from mmzoo.errors import DataError
from mmzoo.lazy import keras, np
from mmzoo.modalities.image.encoders.imagenet_weights import OfficialWeights
from mmzoo.modalities.image.encoders.pretrained import (
    IMAGENET_MEAN,
    STANDARDIZED_TIMES_255,
    Backbone,
    Pretrained,
)


def _backbone(number: int, size: int, parameters: int, md5: str) -> Backbone:
    name = f"efficientnetb{number}_notop.h5"
    return Backbone(
        f"EfficientNet-B{number}",
        f"EfficientNetB{number}",
        parameters,
        size,
        STANDARDIZED_TIMES_255,
        'Tan and Le, "EfficientNet: Rethinking model scaling for convolutional neural networks", '
        "2019",
        OfficialWeights(name, f"keras-applications/{name}", md5),
    )


class EfficientNet(Pretrained):
    """EfficientNet, pretrained on ImageNet, without its classifier.

    Depth, width and resolution are scaled together. The blocks are those of MobileNetV2 with
    squeeze-and-excitation.

    Reference: Tan and Le, "EfficientNet: Rethinking model scaling for convolutional neural
    networks", 2019.
    """

    backbones: ClassVar[Mapping[str, Backbone]] = {
        "efficientnet_b0": _backbone(0, 224, 4_049_571, "50bc09e76180e00e4465e1a485ddc09d"),
        "efficientnet_b1": _backbone(1, 240, 6_575_239, "74c4e6b3e1f6a1eea24c589628592432"),
        "efficientnet_b2": _backbone(2, 260, 7_768_569, "111f8e2ac8aa800a7a99e3239f7bfb39"),
        "efficientnet_b3": _backbone(3, 300, 10_783_535, "af6d107764bb5b1abb91932881670226"),
        "efficientnet_b4": _backbone(4, 380, 17_673_823, "ebc24e6d6c33eaebbd558eafbeedf1ba"),
        "efficientnet_b5": _backbone(5, 456, 28_513_527, "38879255a25d3c92d5e44e04ae6cec6f"),
        "efficientnet_b6": _backbone(6, 528, 40_960_143, "9ecce42647a20130c1f39a5d4cb75743"),
        "efficientnet_b7": _backbone(7, 600, 64_097_687, "cbcfe4450ddf6f3ad90b1b398090fe4a"),
    }

    type: Literal[
        "efficientnet_b0",
        "efficientnet_b1",
        "efficientnet_b2",
        "efficientnet_b3",
        "efficientnet_b4",
        "efficientnet_b5",
        "efficientnet_b6",
        "efficientnet_b7",
    ]

    def load_pretrained(self, model: keras.Model) -> None:
        super().load_pretrained(model)
        for layer in model.layers:
            if isinstance(layer, keras.layers.Normalization):
                _reset_normalization(layer, self.type)


def _reset_normalization(layer: keras.layers.Normalization, network: str) -> None:
    """Resets the statistics of the first normalization layer after weights were loaded.

    The encoder scales pixels before this layer. Keras turns the loaded statistics into constants,
    which a resume would not restore, as it restores variables only.
    """

    mean, variance, count = layer.weights
    given = np.asarray(mean.numpy())
    if given.any() and not np.allclose(given, IMAGENET_MEAN, atol=0.01):
        raise DataError(
            f"weights: this file of {network} was trained on pixels with a mean of "
            f"{given.round(3).tolist()}, expected that of ImageNet, {list(IMAGENET_MEAN)}"
        )
    mean.assign([0.0, 0.0, 0.0])
    variance.assign([1.0, 1.0, 1.0])
    count.assign(0)
    layer.finalize_state()
