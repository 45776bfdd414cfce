"""Image encoders. Pixels from 0 to 255 in; each scales them for itself."""

from typing import Annotated

from pydantic import Field

from mmzoo.encoders.image.cnn import CNN as CNN
from mmzoo.encoders.image.lenet import LeNet as LeNet
from mmzoo.encoders.image.resnet import ResNet as ResNet

ImageEncoder = Annotated[CNN | LeNet | ResNet, Field(discriminator="type")]
