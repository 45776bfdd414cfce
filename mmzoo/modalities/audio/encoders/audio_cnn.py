"""A convolutional network over spectrograms, freely described."""

from __future__ import annotations

from typing import Literal

from mmzoo.lazy import keras
from mmzoo.modalities.audio.encoders.audio_encoder import AudioNetwork
from mmzoo.modalities.base_encoder import Features
from mmzoo.modalities.encoder_blocks import Convolutions, Pooling
from mmzoo.spec import PositiveInt


class AudioCNN(Convolutions, AudioNetwork):
    """Convolutions over time and frequency, as over a picture, then dense layers.

    A word or a sound is found at whatever time it comes, since the maximum of each of the last maps
    is taken; an average would be that of the silence around it too. What tells a high pitch from a
    low one is lost there, so the stages before must be enough for a position to see most bins. A
    field that takes one number or a list gives the number to every stage, or one entry to each.

    Reference: Piczak, "Environmental sound classification with convolutional neural networks",
    2015; Hershey et al., "CNN architectures for large-scale audio classification", 2017.
    """

    type: Literal["cnn"] = "cnn"
    filters: tuple[PositiveInt, ...] = (16, 32, 64, 128)
    """Filters of each stage's convolutions: one stage per entry."""
    padding: Literal["valid", "same"] = "same"
    """`valid` lets each convolution shrink the map by its kernel; `same` keeps its size."""
    batch_norm: bool = True
    """Normalise each convolution's output over the batch, before the activation."""
    pooling: Pooling = "max"
    """How the last feature map becomes a vector: all of it, or its average or maximum."""

    def smallest_spectrogram(self) -> int:
        """The smallest number of frames or bins that leaves something after the last stage."""
        return self.smallest_map()

    def build(self, x: keras.KerasTensor) -> Features:
        return self.convolved(keras.layers.Reshape((*x.shape[1:], 1), name="map")(x))
