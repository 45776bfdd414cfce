"""Image encoders. Pixels from 0 to 255 in; each scales them for itself."""

from typing import Annotated

from pydantic import Field

from mmzoo.encoders.image.alexnet import AlexNet as AlexNet
from mmzoo.encoders.image.cnn import CNN as CNN
from mmzoo.encoders.image.inception import Inception as Inception
from mmzoo.encoders.image.lenet import LeNet as LeNet
from mmzoo.encoders.image.pretrained import EfficientNet as EfficientNet
from mmzoo.encoders.image.pretrained import KerasBackbone as KerasBackbone
from mmzoo.encoders.image.pretrained import MobileNet as MobileNet
from mmzoo.encoders.image.pretrained import SqueezeNet as SqueezeNet
from mmzoo.encoders.image.resnet import ResNet as ResNet
from mmzoo.encoders.image.vgg import VGG as VGG
from mmzoo.encoders.shared import Shared

ImageEncoder = Annotated[
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
    | Shared,
    Field(discriminator="type"),
]
