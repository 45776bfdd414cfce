"""The average of a text's words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from mmzoo.lazy import keras
from mmzoo.modalities.base_encoder import Activation, Features
from mmzoo.modalities.encoder_blocks import dense_layers
from mmzoo.modalities.text.encoders.text_encoder import TextNetwork
from mmzoo.spec import PositiveInt, Problem, Rate

_LONGEST_NGRAM = 8


class TextEmbedding(TextNetwork):
    """The average of the words' vectors, then dense layers: the quickest to train.

    With `ngrams: 2` it is fastText: pairs of adjacent words have vectors too, which are averaged
    together with the words', so that "not good" is not just "not" and "good". Pairs are not listed
    but hashed: those whose hashes meet share a vector.

    Reference: Joulin et al., "Bag of tricks for efficient text classification", 2016.
    """

    type: Literal["embedding"] = "embedding"
    ngrams: PositiveInt = 1
    """Words in the longest runs that have vectors of their own; 1 means words only."""
    buckets: PositiveInt = 2**18
    """How many vectors the runs of 2 words and more share. Adam goes through all of them at every
    step, so more take longer."""
    spatial_dropout: Rate = 0.0
    """Share of the entries of the words' vectors dropped, the same ones for all words of a text."""
    units: tuple[PositiveInt, ...] = ()
    """Width of each dense layer after the average."""
    activation: Activation = "relu"
    """The activation of the dense layers."""
    dropout: Rate = 0.0
    """Share of each dense layer's output dropped; without `units`, of the average."""

    def rules(self) -> Iterator[Problem]:
        if self.ngrams > _LONGEST_NGRAM:
            yield Problem(
                ("ngrams",), f"expected at most {_LONGEST_NGRAM} words in a run, got {self.ngrams}"
            )

    def build(self, ids: keras.KerasTensor, words: int) -> Features:  # type: ignore[override]
        from mmzoo.layers.sequences import MaskedAverage

        tokens, mask = self.embedded(ids, words)
        x, present = tokens, mask
        if self.ngrams > 1:
            x, present = self._with_ngrams(x, present, ids)
        if self.spatial_dropout:
            x = keras.layers.SpatialDropout1D(self.spatial_dropout, name="spatial_dropout")(x)
        x = MaskedAverage(name="average")(x, present)
        if self.dropout and not self.units:
            x = keras.layers.Dropout(self.dropout, name="dropout")(x)
        x = dense_layers(x, self.units, self.activation, self.dropout)
        return Features(vector=x, tokens=tokens, mask=mask)

    def _with_ngrams(
        self, x: keras.KerasTensor, present: keras.KerasTensor, ids: keras.KerasTensor
    ) -> tuple[keras.KerasTensor, keras.KerasTensor]:
        """The vectors of words with those of n-grams behind them, and where there are any."""
        from mmzoo.layers.embeddings import HashedNgrams
        from mmzoo.layers.missing_features import Present

        numbers = HashedNgrams(self.ngrams, self.buckets, name="ngrams")(ids)
        # From zeros: a run that no training text has leaves the average's direction as it is.
        table = keras.layers.Embedding(
            self.buckets + 1, self.dim, embeddings_initializer="zeros", name="ngram_embedding"
        )
        vectors = keras.layers.Concatenate(axis=1, name="words_and_ngrams")([x, table(numbers)])
        there = Present(name="ngrams_present")(numbers)
        return vectors, keras.layers.Concatenate(axis=1, name="all_present")([present, there])
