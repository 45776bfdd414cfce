"""What every audio encoder offers besides its network."""

from __future__ import annotations

from abc import abstractmethod

from mmzoo.lazy import keras
from mmzoo.modalities.base_encoder import Encoder, Features


class AudioNetwork(Encoder):
    """Spectrograms in, features out. They come normalised, so no network scales them."""

    @abstractmethod
    def smallest_spectrogram(self) -> int:
        """The smallest number of frames, or of bins, that the network works with."""

    @abstractmethod
    def build(self, x: keras.KerasTensor) -> Features:
        """The network on one input, with weights as Keras draws them.

        Args:
            x: float `[batch, frames, bins]`, with a mean of about 0 and a deviation of about 1.
        """
