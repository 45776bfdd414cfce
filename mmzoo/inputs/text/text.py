"""Text: sentences, reviews, titles or questions as an input of the model."""

from __future__ import annotations

import logging
from typing import ClassVar, Literal, Self

from mmzoo.errors import DataError
from mmzoo.inputs.base import BaseInput, Files
from mmzoo.inputs.degradation import Degradation
from mmzoo.inputs.measured import Measured
from mmzoo.inputs.opened import Opened, Unopened
from mmzoo.inputs.text.degradations import degradations_of
from mmzoo.inputs.text.ids import FIRST, PADDING, UNKNOWN
from mmzoo.inputs.text.notes import FITTING, fit_sentence
from mmzoo.inputs.text.reading import (
    frequent_words,
    lengths_of,
    numbered_texts,
    rows_without_words,
)
from mmzoo.inputs.text.tokens import Tokenizer, Unit
from mmzoo.inputs.text.vocabulary import VOCABULARY, read_vocabulary, written_vocabulary
from mmzoo.lazy import keras, np, tf
from mmzoo.modalities.base_encoder import Features
from mmzoo.modalities.text.encoders import TextEncoder
from mmzoo.spec import PositiveInt, Rate
from mmzoo.spec.wording import describe
from mmzoo.wanted import Role

logger = logging.getLogger(__name__)

_UNKNOWN_SHOWN = "[?]"
_SYNTHETIC_WORDS = 100


class Text(BaseInput):
    """Texts in any language, as the numbers of their words or characters.

    All texts are brought to Unicode's NFKC form. Words are what stands between spaces and
    punctuation, apostrophes within them included; of scripts that put no spaces between words, such
    as Chinese, each character is a word. The vocabulary is read off the training texts.
    """

    worded: ClassVar[bool] = True
    length_varies: ClassVar[bool] = True
    role: ClassVar[Role] = "text"

    type: Literal["text"] = "text"
    column: str | None = None
    """Where the data has the texts; by default, the column with the input's name."""
    tokens: Unit = "words"
    """What is read at a time: words, or characters."""
    vocabulary_size: PositiveInt = 20_000
    """How many words are known at most: the most frequent ones of the training texts. All others
    are read as one and the same unknown word. A run's config has the number that was found."""
    min_count: PositiveInt = 1
    """How often a word must be in the training texts to be known."""
    length: PositiveInt | Literal["auto"] = 200
    """How many words of a text are read; what is beyond is cut off. With auto, as many as leave
    95 % of the training texts whole."""
    keep: Literal["start", "end"] = "start"
    """Which part of a text that is too long is read."""
    lowercase: bool = True
    """Whether words are read in lower case."""
    punctuation: Literal["remove", "keep"] = "remove"
    """What is done about punctuation and symbols: remove (save for emoji), or keep each as a word
    of its own."""
    html: Literal["remove", "keep"] = "remove"
    """What is done about HTML tags such as <br />: remove, or keep as if it were text."""
    missing: Literal["error", "empty", "learned"] = "error"
    """What is done about an example that has no text, or one without any word: it is a bad row,
    read as one unknown word, or something that is learned stands in the place of its features."""
    modality_dropout: Rate = 0.0
    """Share of the training examples from which the texts are taken away, anew in every epoch, so
    that the model learns to do without; no example loses all of its inputs."""
    encoder: TextEncoder
    """The network that reads the texts."""

    @property
    def whole(self) -> bool:
        """Whether the length is known; networks do without it, but not what is said of them."""
        return self.length != "auto"

    @property
    def _tokenizer(self) -> Tokenizer:
        return Tokenizer(self.tokens, self.lowercase, self.punctuation, self.html)

    @property
    def degradations(self) -> tuple[Degradation, ...]:
        return degradations_of(self._length())

    def synthetic(self, random: np.random.RandomState, rows: int) -> np.ndarray:
        """Made-up texts: objects `[rows]`, of up to as many words as are read."""

        length = 20 if self.length == "auto" else self.length
        words = np.array([f"word{number}" for number in range(_SYNTHETIC_WORDS)])
        drawn = words[random.randint(0, len(words), (rows, length))].tolist()
        lengths = random.randint(1, length + 1, rows).tolist()
        texts = [" ".join(row[:count]) for row, count in zip(drawn, lengths, strict=True)]
        return np.array(texts, dtype=object)

    def opened(self, column: Unopened) -> Opened:
        """Texts as they are; those without any word are bad rows, if `missing` is an error."""
        if self.missing != "error" or not all(map(_are_texts, column.values.values())):
            return Opened(column.values)  # `check` refuses what are no texts.
        bad = {
            split: {
                row: _without_word(texts[row])
                for row in rows_without_words(texts, self._tokenizer)
                if row not in column.known_bad(split)
            }
            for split, texts in column.values.items()
        }
        return Opened(column.values, bad)

    def present(self, values: np.ndarray) -> np.ndarray:
        """Which examples have it, bool `[rows]`: those with any word."""
        there = super().present(values)
        if _are_texts(values):  # `check` refuses what are no texts.
            there[rows_without_words(values, self._tokenizer)] = False
        return there

    def check(self, values: np.ndarray, where: str) -> None:
        """Raises a DataError unless the values are texts.

        Args:
            values: The column.
            where: Says where they come from.
        """
        if not _are_texts(values):
            raise DataError(
                f"{where}: expected texts, found {values.dtype.name} of shape {values.shape}"
            )

    def fit(self, values: np.ndarray, where: str) -> tuple[Self, Files]:
        """Reads the vocabulary off the training texts, and the length where that is auto.

        Returns:
            The input with `vocabulary_size` and `length` as found, and `vocabulary.txt`: a word a
            line, the most frequent first, words of one frequency in the order of their characters.

        Raises:
            DataError: The texts have no words, or none often enough.
        """

        words, lengths = frequent_words(
            values, self._tokenizer, self.vocabulary_size, self.min_count, where
        )
        length = self.length
        if length == "auto":
            length = max(1, int(np.percentile(lengths, FITTING, method="higher")))
        fitted = self.replace(vocabulary_size=len(words), length=length)
        return fitted, {VOCABULARY: written_vocabulary(words)}

    def measured(self, values: np.ndarray) -> Measured:
        """How many words or characters each text has."""
        return Measured(lengths_of(values, self._tokenizer), self._length(), self.tokens)

    def prepared(self, values: np.ndarray, files: Files, where: str) -> np.ndarray:
        """Texts as ids, unsigned `[texts, at most length]`: 0 is padding at the end, 1 unknown.

        An absent text is one unknown word, so that every encoder has something to read. Says how
        many words are unknown, and how many texts are cut where those are many.
        """

        words = self._vocabulary(files, where)
        length = self._length()

        ids, counts = numbered_texts(values, self._tokenizer, words, length, self.keep)
        # Where one may be absent, a text without words is none.
        read = counts > 0 if self.may_be_absent else np.ones(len(counts), bool)
        if read.any():
            told = fit_sentence(ids[read], counts[read], length, self.keep, self.tokens)
            logger.info(f"{where}: {told}")
        return ids

    def _vocabulary(self, files: Files, where: str) -> list[str]:
        return read_vocabulary(files.get(VOCABULARY), self.vocabulary_size, where)

    def _length(self) -> int:
        if self.length == "auto":
            raise ValueError("`fit` has not found the length yet")
        return self.length

    def preprocess(self, values: tf.Tensor) -> tf.Tensor:
        """Ids as int32 `[batch, longest text of the batch]`: padding that no text needs is cut."""
        ids = tf.cast(values, tf.int32)
        longest = tf.reduce_max(tf.math.count_nonzero(ids, axis=1))
        return ids[:, : tf.maximum(longest, 1)]

    def placeholder(self, name: str) -> keras.KerasTensor:
        """The model's input: int32 `[batch, positions]`; other batches have other positions."""
        return keras.Input((None,), dtype="int32", name=name)

    def positions(self) -> int:
        """The length, which needs a whole input."""
        return self._length()

    def features(self, x: keras.KerasTensor) -> Features:
        """The features of the encoder on ids, of which there are two more than words."""
        return self.encoder.build(x, FIRST + self.vocabulary_size)

    def load_pretrained(self, model: keras.Model, files: Files) -> None:
        """Puts the word vectors that the encoder starts from into the sub-model of `features`.

        Args:
            model: The sub-model `<input>_encoder`.
            files: What `fit` gave.
        """
        self.encoder.load_vectors(model, self._vocabulary(files, f"column '{self.column}'"))

    def written(self, values: np.ndarray, files: Files) -> list[str]:
        """Texts as the model reads them: `what a [?] film`, where one word is unknown.

        Args:
            values: Ids `[texts, positions]`.
            files: What `fit` gave.
        """

        shown = np.empty(FIRST + self.vocabulary_size, dtype=object)
        shown[PADDING], shown[UNKNOWN] = "", _UNKNOWN_SHOWN
        shown[FIRST:] = self._vocabulary(files, f"column '{self.column}'")
        between = " " if self.tokens == "words" else ""
        return [between.join(shown[ids[ids != PADDING]]) for ids in values]


def _are_texts(values: np.ndarray) -> bool:
    return values.ndim == 1 and values.dtype.kind == "O"


def _without_word(text: str | None) -> str:
    """Why a text cannot be used, as a clause."""
    return "it has no text" if text is None else f"there is no word in it: {describe(text)}"
