"""Averaged word and n-gram embeddings, as in fastText."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from mmzoo import layers
from mmzoo.lazy import keras
from mmzoo.modalities.base_encoder import Activation, Features
from mmzoo.modalities.encoder_blocks import dense_layers
from mmzoo.modalities.text.encoders.text_encoder import TextNetwork
from mmzoo.spec import PositiveInt, Problem, Rate

_MAX_NGRAM = 8


class TextEmbedding(TextNetwork):
    """Average of word embeddings, then dense layers: the fastest text encoder.

    With `ngrams: 2` this is fastText: pairs of adjacent words have embeddings too, averaged with
    those of the words, so that "not good" differs from "not" and "good". N-grams are hashed to
    `buckets` ids; colliding n-grams share an embedding.

    Reference: Joulin et al., "Bag of tricks for efficient text classification", 2016.
    """

    type: Literal["embedding"] = "embedding"
    ngrams: PositiveInt = 1
    """Length of the longest n-grams with embeddings; 1 means words only."""
    buckets: PositiveInt = 2**18
    """Number of n-gram embeddings, shared by all n-grams of 2 or more words. Adam updates all of
    them at every step, so more buckets take longer."""
    spatial_dropout: Rate = 0.0
    """Dropout rate of the embeddings, with the same mask for all words of a text."""
    units: tuple[PositiveInt, ...] = ()
    """Width of each dense layer after the average."""
    activation: Activation = "relu"
    """Activation of the dense layers."""
    dropout: Rate = 0.0
    """Dropout rate of each dense layer's output; without `units`, of the average."""

    def rules(self) -> Iterator[Problem]:
        if self.ngrams > _MAX_NGRAM:
            yield Problem(("ngrams",), f"expected at most {_MAX_NGRAM} words, got {self.ngrams}")

    def build(self, ids: keras.KerasTensor, words: int) -> Features:  # type: ignore[override]
        tokens, mask = self.embed(ids, words)
        x, present = tokens, mask
        if self.ngrams > 1:
            x, present = self._with_ngrams(x, present, ids)
        if self.spatial_dropout:
            x = keras.layers.SpatialDropout1D(self.spatial_dropout, name="spatial_dropout")(x)
        x = layers.MaskedAverage(name="average")(x, present)
        if self.dropout and not self.units:
            x = keras.layers.Dropout(self.dropout, name="dropout")(x)
        x = dense_layers(x, self.units, self.activation, self.dropout)
        return Features(vector=x, tokens=tokens, mask=mask)

    def _with_ngrams(
        self, x: keras.KerasTensor, present: keras.KerasTensor, ids: keras.KerasTensor
    ) -> tuple[keras.KerasTensor, keras.KerasTensor]:
        """Word embeddings followed by n-gram embeddings along the positions, and their mask."""

        ngram_ids = layers.HashedNgrams(self.ngrams, self.buckets, name="ngrams")(ids)
        # Zeros, so that n-grams unseen in training do not change the direction of the average.
        table = keras.layers.Embedding(
            self.buckets + 1, self.dim, embeddings_initializer="zeros", name="ngram_embedding"
        )
        vectors = keras.layers.Concatenate(axis=1, name="words_and_ngrams")([x, table(ngram_ids)])
        ngrams_present = layers.PaddingMask(name="ngrams_present")(ngram_ids)
        return vectors, keras.layers.Concatenate(axis=1, name="all_present")(
            [present, ngrams_present]
        )
