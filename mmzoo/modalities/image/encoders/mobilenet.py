"""MobileNet versions 1 to 3, each in several widths."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Literal

from annotated_types import Ge

from mmzoo.lazy import keras
from mmzoo.modalities.image.encoders.imagenet_weights import OfficialWeights, keras_storage_file
from mmzoo.modalities.image.encoders.pretrained import SYMMETRIC, Backbone, Pretrained
from mmzoo.spec import Problem
from mmzoo.spec.wording import join_or

_V1_FILE_WIDTHS = {0.25: "2_5", 0.5: "5_0", 0.75: "7_5", 1.0: "1_0"}
"""Width multipliers and their spelling in file names."""
_PUBLISHED_WIDTHS = {
    "mobilenet": tuple(_V1_FILE_WIDTHS),
    "mobilenet_v2": (0.35, 0.5, 0.75, 1.0, 1.3, 1.4),
    "mobilenet_v3_small": (0.75, 1.0),
    "mobilenet_v3_large": (0.75, 1.0),
}
"""Width multipliers with published weights."""
_PUBLISHED_SIZES = {"mobilenet": (128, 160, 192, 224), "mobilenet_v2": (96, 128, 160, 192, 224)}
"""Sizes of square images with published weights; others use those for 224."""
_MD5 = {
    ("small", 0.75): "ebdb5cc8e0b497cd13a7c275d475c819",
    ("small", 1.0): "d3e8ec802a04aa4fc771ee12a9a9b836",
    ("large", 0.75): "40af19a13ebea4e2ee0c676887f69a2e",
    ("large", 1.0): "07fb09a5933dd0c8eaafa16978110389",
}
"""MD5 of the weights of version 3; none were published for the others."""


def _v1(alpha: float, size: int) -> OfficialWeights:
    name = f"mobilenet_{_V1_FILE_WIDTHS[alpha]}_{size}_tf_no_top.h5"
    return keras_storage_file("mobilenet", name, None)


def _v2(alpha: float, size: int) -> OfficialWeights:
    name = f"mobilenet_v2_weights_tf_dim_ordering_tf_kernels_{alpha}_{size}_no_top.h5"
    return keras_storage_file("mobilenet_v2", name, None)


def _v3(kind: str, alpha: float) -> OfficialWeights:
    name = f"weights_mobilenet_v3_{kind}_224_{alpha}_float_no_top_v2.h5"
    return keras_storage_file("mobilenet_v3", name, _MD5[kind, alpha])


def _backbone_v3(kind: str, parameters: int) -> Backbone:
    return Backbone(
        f"MobileNetV3-{kind.capitalize()}",
        f"MobileNetV3{kind.capitalize()}",
        parameters,
        224,
        SYMMETRIC,
        'Howard et al., "Searching for MobileNetV3", 2019',
        _v3(kind, 1.0),
        has_preprocessing=True,
    )


class MobileNet(Pretrained):
    """MobileNet, pretrained on ImageNet, without its classifier: efficient networks for phones.

    The blocks are depthwise separable convolutions.

    References: Howard et al., "MobileNets: Efficient convolutional neural networks for mobile
    vision applications", 2017; Sandler et al., "MobileNetV2: Inverted residuals and linear
    bottlenecks", 2018; Howard et al., "Searching for MobileNetV3", 2019.
    """

    backbones: ClassVar[Mapping[str, Backbone]] = {
        "mobilenet": Backbone(
            "MobileNet",
            "MobileNet",
            3_228_864,
            224,
            SYMMETRIC,
            'Howard et al., "MobileNets: Efficient convolutional neural networks for mobile vision '
            'applications", 2017',
            _v1(1.0, 224),
        ),
        "mobilenet_v2": Backbone(
            "MobileNetV2",
            "MobileNetV2",
            2_257_984,
            224,
            SYMMETRIC,
            'Sandler et al., "MobileNetV2: Inverted residuals and linear bottlenecks", 2018',
            _v2(1.0, 224),
        ),
        "mobilenet_v3_small": _backbone_v3("small", 939_120),
        "mobilenet_v3_large": _backbone_v3("large", 2_996_352),
    }

    type: Literal["mobilenet", "mobilenet_v2", "mobilenet_v3_small", "mobilenet_v3_large"]
    alpha: Annotated[float, Ge(0.1)] = 1.0
    """Width multiplier of the paper's filters. There are weights for 0.25, 0.5, 0.75 and 1
    (mobilenet); 0.35, 0.5, 0.75, 1, 1.3 and 1.4 (mobilenet_v2); 0.75 and 1 (mobilenet_v3)."""

    def rules(self) -> Iterator[Problem]:
        yield from super().rules()
        widths = _PUBLISHED_WIDTHS[self.type]
        if self.weights == "imagenet" and self.alpha not in widths:
            known = join_or([f"{width:g}" for width in widths])
            yield Problem(
                ("alpha",),
                f"there are ImageNet weights of {self.type} for {known}, not for {self.alpha:g}; "
                "for random weights, set `weights: none`",
            )

    def _official(self, height: int, width: int) -> OfficialWeights:
        is_known = height == width and height in _PUBLISHED_SIZES.get(self.type, ())
        size = height if is_known else 224
        match self.type:
            case "mobilenet":
                return _v1(self.alpha, size)
            case "mobilenet_v2":
                return _v2(self.alpha, size)
            case _:
                return _v3(self.type.removeprefix("mobilenet_v3_"), self.alpha)

    def _network(self, x: keras.KerasTensor, **options: Any) -> keras.Model:
        return super()._network(x, alpha=self.alpha, **options)
