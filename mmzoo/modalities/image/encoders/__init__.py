"""Image encoders: pixels from 0 to 255 in, features out. Each encoder scales its input itself."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from mmzoo.modalities.base_encoder import Shared
from mmzoo.modalities.image.encoders.alexnet import AlexNet as AlexNet
from mmzoo.modalities.image.encoders.efficientnet import EfficientNet as EfficientNet
from mmzoo.modalities.image.encoders.image_cnn import CNN as CNN
from mmzoo.modalities.image.encoders.inception import Inception as Inception
from mmzoo.modalities.image.encoders.keras_applications import KerasBackbone as KerasBackbone
from mmzoo.modalities.image.encoders.lenet import LeNet as LeNet
from mmzoo.modalities.image.encoders.mobilenet import MobileNet as MobileNet
from mmzoo.modalities.image.encoders.resnet import ResNet as ResNet
from mmzoo.modalities.image.encoders.squeezenet import SqueezeNet as SqueezeNet
from mmzoo.modalities.image.encoders.vgg import VGG as VGG
from mmzoo.modalities.run_encoder import RunEncoder

ImageNetworks = (
    AlexNet
    | CNN
    | Inception
    | LeNet
    | ResNet
    | VGG
    | KerasBackbone
    | EfficientNet
    | MobileNet
    | SqueezeNet
)
ImageEncoder = Annotated[
    ImageNetworks | Shared | RunEncoder[Annotated[ImageNetworks, Field(discriminator="type")]],
    Field(discriminator="type"),
]
