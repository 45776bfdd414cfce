"""The text input: its words, vocabulary and encoder."""

from mmzoo.inputs.text.text import Text as Text
