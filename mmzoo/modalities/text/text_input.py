"""Text: an input of texts, such as sentences, reviews, titles or questions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from mmzoo import layers
from mmzoo.column_spec import Role
from mmzoo.data.column_profile import ColumnProfile
from mmzoo.data.column_types import count_words
from mmzoo.errors import DataError
from mmzoo.lazy import keras, np, pl, tf
from mmzoo.modalities.base_encoder import Features
from mmzoo.modalities.base_input import BaseInput, Corruption
from mmzoo.modalities.scan import Files, Lengths, Scan
from mmzoo.modalities.suggestion import Suggestion
from mmzoo.modalities.text.encoders import TextEncoder
from mmzoo.modalities.text.encoders.text_encoder import TextNetwork
from mmzoo.modalities.text.text_corruptions import drop_words, text_corruptions
from mmzoo.modalities.text.text_decoder import TextDecoder
from mmzoo.modalities.text.tokenizer import (
    FIRST,
    PADDING,
    UNKNOWN,
    Tokenizer,
    Unit,
    encode_ids,
    tokenize,
)
from mmzoo.modalities.text.vocabulary import (
    LENGTH_PERCENTILE,
    VOCABULARY,
    coverage_note,
    format_vocabulary,
    most_frequent,
    read_vocabulary,
)
from mmzoo.randomness import Randomness
from mmzoo.spec import PositiveInt, Rate
from mmzoo.spec.wording import describe

if TYPE_CHECKING:
    from mmzoo.data.frame import Frame

_UNKNOWN_TEXT = "[?]"
_SYNTHETIC_WORDS = 100
_MAX_SUGGESTED_LENGTH = 400
"""Longer texts take more time and rarely improve results."""
_MIN_TEXTS_FOR_BIGRAMS = 2_000
_SUGGESTED_VOCABULARY = 20_000
_BUCKETS = 50_000


class Text(BaseInput):
    """Texts in any language, as ids of their words or characters.

    Texts are normalized to Unicode NFKC and split into words at spaces and punctuation, except for
    apostrophes within words. In scripts without spaces between words, such as Chinese, each
    character is a word. The vocabulary is fitted to the training texts.
    """

    role: ClassVar[Role] = "text"

    type: Literal["text"] = "text"
    column: str | None = None
    """Column with the texts; by default, the one with the name of the input."""
    tokens: Unit = "words"
    """Unit of the tokens: words or characters."""
    vocabulary_size: PositiveInt = 20_000
    """Maximum size of the vocabulary, the most frequent words of the training texts. All other
    words become one unknown word. A run's config has the actual size."""
    min_count: PositiveInt = 1
    """Minimum number of occurrences in the training texts for a word to be in the vocabulary."""
    length: PositiveInt | Literal["auto"] = 200
    """Maximum number of words; longer texts are truncated. With auto, the 95th percentile of the
    lengths of the training texts."""
    keep: Literal["start", "end"] = "start"
    """The part that remains of truncated texts."""
    lowercase: bool = True
    """Whether to convert texts to lower case."""
    punctuation: Literal["remove", "keep"] = "remove"
    """Handling of punctuation and symbols: remove drops them, except emoji; keep makes each a word
    of its own."""
    html: Literal["remove", "keep"] = "remove"
    """Handling of HTML tags such as <br />: remove drops them, keep treats them as text."""
    missing: Literal["error", "empty", "learned"] = "error"
    """Handling of examples without a text, or with a text without words: error makes them bad rows,
    empty uses one unknown word, learned replaces their features by learned ones."""
    modality_dropout: Rate = 0.0
    """Fraction of training examples whose text is dropped, drawn anew in every epoch, so that the
    model learns to work without it; no example loses all of its inputs."""
    encoder: TextEncoder
    """Network that computes features of the texts."""
    decoder: TextDecoder | None = None
    """Network that rebuilds the texts for a `reconstruction` head."""

    @classmethod
    def suggest(cls, column: ColumnProfile) -> Suggestion | None:
        """A text input for a column of sentences."""
        return _suggest(column) if column.type == "text" else None

    @property
    def is_fitted(self) -> bool:
        """Whether the length is known; encoders do not need it, but reports on them do."""
        return self.length != "auto"

    @property
    def _tokenizer(self) -> Tokenizer:
        return Tokenizer(self.tokens, self.lowercase, self.punctuation, self.html)

    @property
    def corruptions(self) -> tuple[Corruption, ...]:
        return text_corruptions(self._length())

    def synthetic(self, random: np.random.RandomState, rows: int) -> np.ndarray:
        """Random texts of up to `length` words, objects `[rows]`."""
        length = 20 if self.length == "auto" else self.length
        words = np.array([f"word{number}" for number in range(_SYNTHETIC_WORDS)])
        drawn = words[random.randint(0, len(words), (rows, length))].tolist()
        lengths = random.randint(1, length + 1, rows).tolist()
        texts = [" ".join(row[:count]) for row, count in zip(drawn, lengths, strict=True)]
        return np.array(texts, dtype=object)

    def scan(self, frame: Frame, where: str) -> Scan:
        """Tokens of all texts: lists of categoricals, null where the text is missing.

        Texts without words count as missing, or are bad rows with `missing: error`.

        Raises:
            DataError: the column does not contain texts.
        """
        [column] = self.source_columns()
        texts = frame.table[column]
        if texts.dtype != pl.String:
            values = texts.head(1).to_numpy()
            kind = f"{values.dtype.name} of shape {(len(texts), *values.shape[1:])}"
            raise DataError(f"{where}: expected texts, found {kind}")
        tokens = tokenize(texts, self._tokenizer)
        empty = tokens.list.len() == 0
        if self.missing == "error":
            rows = empty.arg_true().to_list()
            return Scan(tokens, {row: _empty_reason(texts[row]) for row in rows})
        if self.is_optional:
            present = pl.DataFrame({"tokens": tokens, "empty": empty})
            not_empty = pl.when(~pl.col("empty")).then(pl.col("tokens"))
            tokens = present.select(not_empty.alias(column)).to_series()
        return Scan(tokens)

    def fit(self, values: pl.Series, where: str) -> tuple[Self, Files]:
        """Fits the vocabulary to the training texts, and the length if it is auto.

        Returns:
            A copy with the actual `vocabulary_size` and `length`, and `vocabulary.txt`: one word
            per line, the most frequent first, ties ordered alphabetically.

        Raises:
            DataError: no word occurs at least `min_count` times.
        """
        words = most_frequent(values, self.vocabulary_size, self.min_count)
        if not words:
            least = self.min_count
            often = f" that occurs {least} times (`min_count`)" if least > 1 else ""
            raise DataError(f"{where}: the {len(values):,} training texts have no word{often}.")
        length = self.length
        if length == "auto":
            lengths = values.list.len().to_numpy()
            length = max(1, int(np.percentile(lengths, LENGTH_PERCENTILE, method="higher")))
        fitted = self.replace(vocabulary_size=len(words), length=length)
        return fitted, {VOCABULARY: format_vocabulary(words)}

    def lengths(self, values: pl.Series) -> Lengths:
        """Number of words or characters of each text."""
        return Lengths(values.list.len().to_numpy(), self._length(), self.tokens)

    def transform(self, values: pl.Series, files: Files, where: str) -> np.ndarray:
        """Token ids, unsigned integers `[texts, at most length]`: 0 is padding, 1 the unknown word.

        A missing text becomes one unknown word, so that no sequence is empty.
        """
        words, length = self._vocabulary(files, where), self._length()
        truncated = values.list.head(length) if self.keep == "start" else values.list.tail(length)
        return encode_ids(truncated, words)

    def coverage_note(
        self, values: Mapping[str, pl.Series], transformed: Mapping[str, np.ndarray]
    ) -> str:
        """Out-of-vocabulary words in each split and, if there are many, truncated texts."""
        words = {
            split: series.list.len().fill_null(0).to_numpy() for split, series in values.items()
        }
        # A text without words becomes one unknown word, which is none of its own.
        ids = {split: transformed[split][counts > 0] for split, counts in words.items()}
        lengths = np.concatenate([counts[counts > 0] for counts in words.values()])
        return coverage_note(ids, lengths, self._length(), self.keep, self.tokens)

    def _vocabulary(self, files: Files, where: str) -> list[str]:
        return read_vocabulary(files.get(VOCABULARY), self.vocabulary_size, where)

    def _length(self) -> int:
        if self.length == "auto":
            raise ValueError("`length` is auto: call `fit` first")
        return self.length

    def load(self, values: tf.Tensor) -> tf.Tensor:
        """Ids as int32 `[batch, longest text of the batch]`, without superfluous padding."""
        ids = tf.cast(values, tf.int32)
        longest = tf.reduce_max(tf.math.count_nonzero(ids, axis=1))
        return ids[:, : tf.maximum(longest, 1)]

    def placeholder(self, name: str) -> keras.KerasTensor:
        """The model's input: int32 `[batch, positions]`; the positions vary between batches."""
        return keras.Input((None,), dtype="int32", name=name)

    def positions(self) -> int:
        """The maximum length; requires a fitted input."""
        return self._length()

    def features(self, x: keras.KerasTensor) -> Features:
        """Features of token ids: padding, the unknown word and the vocabulary."""
        return self.encoder.build(x, FIRST + self.vocabulary_size)

    def load_pretrained(self, model: keras.Model, files: Files) -> None:
        """Loads the encoder's pretrained word vectors into the sub-model of `features`.

        Args:
            model: the sub-model `<input>_encoder`.
            files: from `fit`.
        """
        super().load_pretrained(model, files)
        if isinstance(self.encoder, TextNetwork):
            self.encoder.load_vectors(model, self._vocabulary(files, f"column '{self.column}'"))

    @property
    def reconstruction_losses(self) -> tuple[str, ...]:
        return ("token_cross_entropy",)

    @property
    def likelihoods(self) -> tuple[str, ...]:
        return ("categorical",)

    def reconstruction_metrics(self) -> tuple[str, ...]:
        return "token_cross_entropy", "token_accuracy"

    @property
    def largest_noise(self) -> float:
        """As a share of the tokens."""
        return 1.0

    def decoder_problem(self) -> str:
        return ""

    def decoder_output(self, code: keras.KerasTensor) -> keras.KerasTensor:
        """The logits of each token, float32 `[batch, length, ids]`."""
        decoder = self.decoder or TextDecoder()
        return decoder.build(code, self._length(), FIRST + self.vocabulary_size)

    def reconstruction_target(self, ids: tf.Tensor) -> tf.Tensor:
        """Ids up to the first padding, the end of the text; then NaN: float32 `[batch, positions]`.

        There is one position more than in `ids`, unless these have the full length.
        """
        ids = tf.pad(ids, [[0, 0], [0, 1]])[:, : self._length()]
        is_after_end = tf.cumsum(tf.cast(ids == PADDING, tf.int32), axis=1) > 1
        return tf.where(is_after_end, float("nan"), tf.cast(ids, tf.float32))

    def reconstruction_errors(self, target: tf.Tensor, rebuilt: tf.Tensor) -> dict[str, tf.Tensor]:
        """The mean cross-entropy and accuracy over the tokens of each text, `[batch]`."""
        there, ids, logits, entropy = self._token_costs(target, rebuilt)
        is_right = tf.cast(tf.argmax(logits, axis=-1, output_type=tf.int32) == ids, tf.float32)
        return {
            "token_cross_entropy": layers.masked_mean(entropy, there),
            "token_accuracy": layers.masked_mean(is_right, there),
        }

    def _token_costs(
        self, target: tf.Tensor, rebuilt: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]:
        """By position: whether it counts, its id, its logits and their cross-entropy."""
        there = tf.logical_not(tf.math.is_nan(target))
        ids = tf.cast(tf.where(there, target, 0.0), tf.int32)
        logits = rebuilt[:, : tf.shape(ids)[1]]
        return there, ids, logits, tf.nn.sparse_softmax_cross_entropy_with_logits(ids, logits)

    def negative_log_likelihood(
        self, target: tf.Tensor, rebuilt: tf.Tensor, distribution: str, std: float
    ) -> tf.Tensor:
        """That of the tokens of each text, in nats, `[batch]`."""
        there, _, _, entropy = self._token_costs(target, rebuilt)
        return layers.masked_sum(entropy, there)

    def add_noise(self, ids: tf.Tensor, amount: float, randomness: Randomness) -> tf.Tensor:
        """Replaces a random fraction `amount` of the ids by that of the unknown word."""
        return drop_words(ids, tf.constant(amount), randomness, self._length())

    def show_target(self, target: np.ndarray, files: Files) -> list[str]:
        """Texts."""
        return self.to_texts(np.nan_to_num(target, nan=PADDING).astype(np.int64), files)

    def show_rebuilt(self, rebuilt: np.ndarray, files: Files) -> list[str]:
        """Texts of the most probable token at each position up to the first padding."""
        ids = rebuilt.argmax(axis=-1)
        ids[(ids == PADDING).cumsum(axis=1) > 0] = PADDING
        return self.to_texts(ids, files)

    def to_texts(self, values: np.ndarray, files: Files) -> list[str]:
        """Decodes ids to texts as the model gets them: `what a [?] film` with an unknown word.

        Args:
            values: token ids `[texts, positions]`.
            files: from `fit`.
        """
        words = np.empty(FIRST + self.vocabulary_size, dtype=object)
        words[PADDING], words[UNKNOWN] = "", _UNKNOWN_TEXT
        words[FIRST:] = self._vocabulary(files, f"column '{self.column}'")
        separator = " " if self.tokens == "words" else ""
        return [separator.join(words[ids[ids != PADDING]]) for ids in values]


def _empty_reason(text: str | None) -> str:
    """Why an empty text cannot be used, as a clause."""
    return "it has no text" if text is None else f"its text has no words: {describe(text)}"


def _suggest(column: ColumnProfile) -> Suggestion:
    """A text input for a column of sentences."""
    sample = column.sample
    lengths = sample.str.len_chars() if column.unspaced else count_words(sample)
    percentile = int(lengths.quantile(0.95, "higher") or 1)
    length = min(_MAX_SUGGESTED_LENGTH, max(5, _rounded_up(percentile)))
    unit = "characters" if column.unspaced else "words"
    reasons = {"length": f"the 95th percentile of the lengths is {percentile:,} {unit}"}
    if percentile > length:
        reasons["length"] += "; longer texts are truncated to save time"
    encoder: dict[str, Any] = {"type": "embedding", "dim": 64, "dropout": 0.5}
    if column.distinct >= _MIN_TEXTS_FOR_BIGRAMS:
        encoder |= {"ngrams": 2, "buckets": _BUCKETS}
        reasons["encoder"] = "averages embeddings of words and bigrams: a fast, strong baseline"
    fields: dict[str, Any] = {
        "type": "text",
        "length": length,
        "vocabulary_size": _SUGGESTED_VOCABULARY,
    }
    if column.unspaced:
        fields["tokens"] = "characters"
    if column.missing:
        fields["missing"] = "empty"
        reasons["missing"] = f"{column.missing:,} of {column.rows:,} cells are empty"
    return Suggestion({**fields, "encoder": encoder}, reasons)


def _rounded_up(length: int) -> int:
    step = 5 if length <= 50 else 10 if length <= 200 else 50
    return -(-length // step) * step
