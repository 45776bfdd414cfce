"""Text encoders. Ids of words in: 0 is padding, always at the end, and changes nothing."""

from typing import Annotated

from pydantic import Field

from mmzoo.encoders.shared import Shared
from mmzoo.encoders.text.attention import TextAttention as TextAttention
from mmzoo.encoders.text.cnn import TextCNN as TextCNN
from mmzoo.encoders.text.embedding import TextEmbedding as TextEmbedding
from mmzoo.encoders.text.gru import TextGRU as TextGRU
from mmzoo.encoders.text.lstm import TextLSTM as TextLSTM
from mmzoo.encoders.text.rnn import TextRNN as TextRNN
from mmzoo.encoders.text.transformer import TextTransformer as TextTransformer

TextEncoder = Annotated[
    TextAttention
    | TextCNN
    | TextEmbedding
    | TextGRU
    | TextLSTM
    | TextRNN
    | TextTransformer
    | Shared,
    Field(discriminator="type"),
]
