"""Encoders: one tensor in, features out. One package a modality, one encoder a file."""

from mmzoo.encoders.base import Encoder as Encoder
from mmzoo.encoders.features import Features as Features
