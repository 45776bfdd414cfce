"""Audio encoders: normalized spectrograms `[batch, frames, bins]` in, features out."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from mmzoo.modalities.audio.encoders.audio_cnn import AudioCNN as AudioCNN
from mmzoo.modalities.audio.encoders.audio_rnn import AudioGRU as AudioGRU
from mmzoo.modalities.audio.encoders.audio_rnn import AudioLSTM as AudioLSTM
from mmzoo.modalities.audio.encoders.audio_rnn import AudioRNN as AudioRNN
from mmzoo.modalities.base_encoder import Shared
from mmzoo.modalities.run_encoder import RunEncoder

AudioNetworks = AudioCNN | AudioGRU | AudioLSTM | AudioRNN
AudioEncoder = Annotated[
    AudioNetworks | Shared | RunEncoder[Annotated[AudioNetworks, Field(discriminator="type")]],
    Field(discriminator="type"),
]
