"""The audio input: its files, spectrograms, augmentations and encoder."""

from mmzoo.inputs.audio.audio import Audio as Audio
from mmzoo.inputs.audio.spectrogram import Masking as Masking
from mmzoo.inputs.audio.spectrogram import Spectrogram as Spectrogram
from mmzoo.modalities.audio.audio_augmentation import AudioAugmentation as AudioAugmentation
