"""Pretrained networks of keras.applications."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from mmzoo.modalities.image.encoders.imagenet_weights import OfficialWeights, keras_storage_file
from mmzoo.modalities.image.encoders.pretrained import (
    CAFFE,
    NEARLY_SYMMETRIC,
    STANDARDIZED,
    SYMMETRIC,
    Backbone,
    Pretrained,
)


def _vgg(depth: int, parameters: int, md5: str) -> Backbone:
    return Backbone(
        f"VGG-{depth}",
        f"VGG{depth}",
        parameters,
        224,
        CAFFE,
        'Simonyan and Zisserman, "Very deep convolutional networks for large-scale image '
        'recognition", 2014',
        keras_storage_file(f"vgg{depth}", f"vgg{depth}_weights{_KERNELS}", md5),
    )


def _resnet(depth: int, parameters: int, md5: str) -> Backbone:
    return Backbone(
        f"ResNet-{depth}",
        f"ResNet{depth}",
        parameters,
        224,
        CAFFE,
        'He et al., "Deep residual learning for image recognition", 2015',
        keras_storage_file("resnet", f"resnet{depth}_weights{_KERNELS}", md5),
    )


def _resnet_v2(depth: int, parameters: int, md5: str) -> Backbone:
    return Backbone(
        f"ResNet-{depth} v2",
        f"ResNet{depth}V2",
        parameters,
        224,
        SYMMETRIC,
        'He et al., "Identity mappings in deep residual networks", 2016',
        keras_storage_file("resnet", f"resnet{depth}v2_weights{_KERNELS}", md5),
    )


def _densenet(depth: int, parameters: int, md5: str) -> Backbone:
    return Backbone(
        f"DenseNet-{depth}",
        f"DenseNet{depth}",
        parameters,
        224,
        STANDARDIZED,
        'Huang et al., "Densely connected convolutional networks", 2016',
        keras_storage_file("densenet", f"densenet{depth}_weights{_KERNELS}", md5),
    )


def _nasnet(kind: str, size: int, parameters: int, md5: str) -> Backbone:
    return Backbone(
        f"NASNet-A {kind}",
        f"NASNet{kind.capitalize()}",
        parameters,
        size,
        SYMMETRIC,
        'Zoph et al., "Learning transferable architectures for scalable image recognition", 2017',
        OfficialWeights(
            f"nasnet_{kind}_no_top.h5",
            f"tensorflow/keras-applications/nasnet/NASNet-{kind}-no-top.h5",
            md5,
        ),
    )


def _efficientnet_v2(kind: str, size: int, parameters: int, md5: str) -> Backbone:
    return Backbone(
        f"EfficientNetV2-{kind.upper()}",
        f"EfficientNetV2{kind.upper()}",
        parameters,
        size,
        STANDARDIZED if kind.startswith("b") else NEARLY_SYMMETRIC,
        'Tan and Le, "EfficientNetV2: Smaller models and faster training", 2021',
        keras_storage_file("efficientnet_v2", f"efficientnetv2-{kind}_notop.h5", md5),
        has_preprocessing=True,
    )


def _convnext(kind: str, parameters: int, sha256: str) -> Backbone:
    title = "XLarge" if kind == "xlarge" else kind.capitalize()
    return Backbone(
        f"ConvNeXt-{title}",
        f"ConvNeXt{title}",
        parameters,
        224,
        STANDARDIZED,
        'Liu et al., "A ConvNet for the 2020s", 2022',
        keras_storage_file("convnext", f"convnext_{kind}_notop.h5", sha256),
        has_preprocessing=True,
    )


_KERNELS = "_tf_dim_ordering_tf_kernels_notop.h5"

_BACKBONES: dict[str, Backbone] = {
    "vgg16": _vgg(16, 14_714_688, "6d6bbae143d832006294945121d1f1fc"),
    "vgg19": _vgg(19, 20_024_384, "253f8cb515780f3b799900260a226db6"),
    "resnet50": _resnet(50, 23_587_712, "4d473c1dd8becc155b73f8504c6f6626"),
    "resnet101": _resnet(101, 42_658_176, "88cf7a10940856eca736dc7b7e228a21"),
    "resnet152": _resnet(152, 58_370_944, "ee4c566cf9a93f14d82f913c2dc6dd0c"),
    "resnet50_v2": _resnet_v2(50, 23_564_800, "fac2f116257151a9d068a22e544a4917"),
    "resnet101_v2": _resnet_v2(101, 42_626_560, "c0ed64b8031c3730f411d2eb4eea35b5"),
    "resnet152_v2": _resnet_v2(152, 58_331_648, "ed17cf2e0169df9d443503ef94b23b33"),
    "inception_v3": Backbone(
        "Inception-v3",
        "InceptionV3",
        21_802_784,
        299,
        SYMMETRIC,
        'Szegedy et al., "Rethinking the Inception architecture for computer vision", 2015',
        keras_storage_file(
            "inception_v3",
            f"inception_v3_weights{_KERNELS}",
            "bcbd6486424b2319ff4ef7d526e38f63",
        ),
        smallest=75,
    ),
    "inception_resnet_v2": Backbone(
        "Inception-ResNet-v2",
        "InceptionResNetV2",
        54_336_736,
        299,
        SYMMETRIC,
        'Szegedy et al., "Inception-v4, Inception-ResNet and the impact of residual connections '
        'on learning", 2016',
        keras_storage_file(
            "inception_resnet_v2",
            f"inception_resnet_v2_weights{_KERNELS}",
            "d19885ff4a710c122648d3b5c3b684e4",
        ),
        smallest=75,
    ),
    "xception": Backbone(
        "Xception",
        "Xception",
        20_861_480,
        299,
        SYMMETRIC,
        'Chollet, "Xception: Deep learning with depthwise separable convolutions", 2016',
        keras_storage_file(
            "xception", f"xception_weights{_KERNELS}", "b0042744bf5b25fce3cb969f33bebb97"
        ),
        smallest=71,
    ),
    "densenet121": _densenet(121, 7_037_504, "30ee3e1110167f948a6b9946edeeb738"),
    "densenet169": _densenet(169, 12_642_880, "b8c4d4c20dd625c148057b9ff1c1176b"),
    "densenet201": _densenet(201, 18_321_984, "c13680b51ded0fb44dff2d8f86ac8bb1"),
    "nasnet_mobile": _nasnet("mobile", 224, 4_269_716, "1ed92395b5b598bdda52abe5c0dbfd63"),
    "nasnet_large": _nasnet("large", 331, 84_916_818, "d81d89dc07e6e56530c4e77faddd61b5"),
    "efficientnet_v2_b0": _efficientnet_v2(
        "b0", 224, 5_919_312, "893217f2bb855e2983157299931e43ff"
    ),
    "efficientnet_v2_b1": _efficientnet_v2(
        "b1", 240, 6_931_124, "0e80663031ca32d657f9caa404b6ec37"
    ),
    "efficientnet_v2_b2": _efficientnet_v2(
        "b2", 260, 8_769_374, "1dfe2e7a5d45b6632553a8961ea609eb"
    ),
    "efficientnet_v2_b3": _efficientnet_v2(
        "b3", 300, 12_930_622, "f6abf7b5849ac99a89b50dd3fd532856"
    ),
    "efficientnet_v2_s": _efficientnet_v2("s", 384, 20_331_360, "af0682fb74e8c54910f2d4393339c070"),
    "efficientnet_v2_m": _efficientnet_v2("m", 480, 53_150_388, "1b8dc055df72dde80d614482840fe342"),
    "efficientnet_v2_l": _efficientnet_v2(
        "l", 480, 117_746_848, "b0b66b5c863aef5b46e8608fe1711615"
    ),
    "convnext_tiny": _convnext(
        "tiny", 27_820_128, "d547c096cabd03329d7be5562c5e14798aa39ed24b474157cef5e85ab9e49ef1"
    ),
    "convnext_small": _convnext(
        "small", 49_454_688, "6fc8009faa2f00c1c1dfce59feea9b0745eb260a7dd11bee65c8e20843da6eab"
    ),
    "convnext_base": _convnext(
        "base", 87_566_464, "40a20c5548a5e9202f69735ecc06c990e6b7c9d2de39f0361e27baeb24cb7c45"
    ),
    "convnext_large": _convnext(
        "large", 196_230_336, "96f02b6f0753d4f543261bc9d09bed650f24dd6bc02ddde3066135b63d23a1cd"
    ),
    "convnext_xlarge": _convnext(
        "xlarge", 348_147_968, "de3f8a54174130e0cecdc71583354753d557fcf1f4487331558e2a16ba0cfe05"
    ),
}
"""Networks by their `type` in the config."""


class KerasBackbone(Pretrained):
    """Network of keras.applications, pretrained on ImageNet, without its classifier.

    The features are those of keras.applications with the same weights, pixel scaling and pooling.

    References: Simonyan and Zisserman, "Very deep convolutional networks for large-scale image
    recognition", 2014; He et al., "Deep residual learning for image recognition", 2015; He et al.,
    "Identity mappings in deep residual networks", 2016; Szegedy et al., "Rethinking the Inception
    architecture for computer vision", 2015; Szegedy et al., "Inception-v4, Inception-ResNet and the
    impact of residual connections on learning", 2016; Chollet, "Xception: Deep learning with
    depthwise separable convolutions", 2016; Huang et al., "Densely connected convolutional
    networks", 2016; Zoph et al., "Learning transferable architectures for scalable image
    recognition", 2017; Tan and Le, "EfficientNetV2: Smaller models and faster training", 2021; Liu
    et al., "A ConvNet for the 2020s", 2022.
    """

    backbones: ClassVar[Mapping[str, Backbone]] = _BACKBONES

    type: Literal[
        "vgg16",
        "vgg19",
        "resnet50",
        "resnet101",
        "resnet152",
        "resnet50_v2",
        "resnet101_v2",
        "resnet152_v2",
        "inception_v3",
        "inception_resnet_v2",
        "xception",
        "densenet121",
        "densenet169",
        "densenet201",
        "nasnet_mobile",
        "nasnet_large",
        "efficientnet_v2_b0",
        "efficientnet_v2_b1",
        "efficientnet_v2_b2",
        "efficientnet_v2_b3",
        "efficientnet_v2_s",
        "efficientnet_v2_m",
        "efficientnet_v2_l",
        "convnext_tiny",
        "convnext_small",
        "convnext_base",
        "convnext_large",
        "convnext_xlarge",
    ]
