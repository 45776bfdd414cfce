"""Base class of audio encoders."""

from __future__ import annotations

from abc import abstractmethod

from mmzoo.lazy import keras
from mmzoo.modalities.base_encoder import Encoder, Features


class AudioNetwork(Encoder):
    """Base class of audio encoders: normalized spectrograms in, features out."""

    @abstractmethod
    def smallest_spectrogram(self) -> int:
        """Minimum number of frames and of bins that the network accepts."""

    @abstractmethod
    def build(self, x: keras.KerasTensor) -> Features:
        """Builds the network on one input, with random initial weights.

        Args:
            x: spectrograms, float `[batch, frames, bins]`, with mean and standard deviation near 0
                and 1.
        """
