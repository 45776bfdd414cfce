"""Text encoders: token ids in, features out. Id 0 is padding, always at the end of a text."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from mmzoo.modalities.base_encoder import Shared
from mmzoo.modalities.run_encoder import RunEncoder
from mmzoo.modalities.text.encoders.text_cnn import TextCNN as TextCNN
from mmzoo.modalities.text.encoders.text_rnn import TextAttention as TextAttention
from mmzoo.modalities.text.encoders.text_rnn import TextGRU as TextGRU
from mmzoo.modalities.text.encoders.text_rnn import TextLSTM as TextLSTM
from mmzoo.modalities.text.encoders.text_rnn import TextRNN as TextRNN
from mmzoo.modalities.text.encoders.text_transformer import TextTransformer as TextTransformer
from mmzoo.modalities.text.encoders.word_embedding import TextEmbedding as TextEmbedding

TextNetworks = (
    TextAttention | TextCNN | TextEmbedding | TextGRU | TextLSTM | TextRNN | TextTransformer
)
TextEncoder = Annotated[
    TextNetworks | Shared | RunEncoder[Annotated[TextNetworks, Field(discriminator="type")]],
    Field(discriminator="type"),
]
