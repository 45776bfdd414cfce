"""Convolutional audio encoder."""

from __future__ import annotations

from typing import Literal

from mmzoo.lazy import keras
from mmzoo.modalities.audio.encoders.audio_encoder import AudioNetwork
from mmzoo.modalities.base_encoder import Features
from mmzoo.modalities.encoder_blocks import ConvolutionalStages, Pooling
from mmzoo.spec import PositiveInt


class AudioCNN(ConvolutionalStages, AudioNetwork):
    """Convolutional network on the spectrogram as an image of time and frequency.

    Global max pooling detects a word or a sound wherever it occurs; average pooling would dilute it
    with silence. Pooling also discards the absolute pitch, so there should be enough stages for
    each position of the last map to see most bins. Fields that accept a number or a list apply the
    number to every stage, or one entry to each.

    Reference: Piczak, "Environmental sound classification with convolutional neural networks",
    2015; Hershey et al., "CNN architectures for large-scale audio classification", 2017.
    """

    type: Literal["cnn"] = "cnn"
    filters: tuple[PositiveInt, ...] = (16, 32, 64, 128)
    """Filters of the convolutions of each stage; one stage per entry."""
    padding: Literal["valid", "same"] = "same"
    """Padding of the convolutions: `same` keeps height and width, `valid` shrinks them by the
    kernel size minus 1."""
    batch_norm: bool = True
    """Whether to add batch normalization between each convolution and its activation."""
    pooling: Pooling = "max"
    """How the last feature map becomes a vector: flattened, or global average or max pooling."""

    def smallest_spectrogram(self) -> int:
        """Minimum number of frames or bins for which the last feature map is not empty."""
        return self.min_map_size()

    def build(self, x: keras.KerasTensor) -> Features:
        return self.convolutional_features(keras.layers.Reshape((*x.shape[1:], 1), name="map")(x))
