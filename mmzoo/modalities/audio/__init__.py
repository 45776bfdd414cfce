"""The audio input: decoding, spectrograms, augmentation and encoders."""

from __future__ import annotations

from mmzoo.modalities.audio.audio_augmentation import AudioAugmentation as AudioAugmentation
from mmzoo.modalities.audio.audio_input import Audio as Audio
from mmzoo.modalities.audio.audio_spectrogram import Masking as Masking
from mmzoo.modalities.audio.audio_spectrogram import Spectrogram as Spectrogram
