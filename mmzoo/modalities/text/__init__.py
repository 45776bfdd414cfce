"""The text input: tokenizer, vocabulary and encoders."""

from __future__ import annotations

from mmzoo.modalities.text.text_input import Text as Text
