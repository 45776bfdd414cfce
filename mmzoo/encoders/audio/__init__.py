"""Audio encoders. Normalised spectrograms in: `[batch, frames, bins]`."""

from typing import Annotated

from pydantic import Field

from mmzoo.encoders.audio.cnn import AudioCNN as AudioCNN
from mmzoo.encoders.audio.gru import AudioGRU as AudioGRU
from mmzoo.encoders.audio.lstm import AudioLSTM as AudioLSTM
from mmzoo.encoders.audio.rnn import AudioRNN as AudioRNN
from mmzoo.encoders.shared import Shared

AudioEncoder = Annotated[
    AudioCNN | AudioGRU | AudioLSTM | AudioRNN | Shared, Field(discriminator="type")
]
