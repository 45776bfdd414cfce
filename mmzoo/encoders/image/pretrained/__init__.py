"""Pretrained networks: their weights were learnt on ImageNet, their classifier is left out."""

from mmzoo.encoders.image.pretrained.efficientnet import EfficientNet as EfficientNet
from mmzoo.encoders.image.pretrained.keras_backbone import KerasBackbone as KerasBackbone
from mmzoo.encoders.image.pretrained.mobilenet import MobileNet as MobileNet
from mmzoo.encoders.image.pretrained.squeezenet import SqueezeNet as SqueezeNet
