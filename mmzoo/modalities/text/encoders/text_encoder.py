"""Base class of text encoders: the word embedding and its pretrained vectors."""

from __future__ import annotations

import logging
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Self

from mmzoo import layers
from mmzoo.lazy import keras
from mmzoo.modalities.base_encoder import Encoder, Features, missing_file_message
from mmzoo.modalities.text.word_vectors import read_vectors
from mmzoo.spec import PositiveInt, Problem

logger = logging.getLogger(__name__)


FIRST_WORD_ID = 2
"""Id of the first word of the vocabulary: 0 is padding, 1 is out-of-vocabulary."""


class TextNetwork(Encoder):
    """Base class of text encoders: token ids in, features out.

    Padding changes neither the feature vector nor the token features.
    """

    dim: PositiveInt = 128
    """Width of the word embeddings."""
    vectors: str | None = None
    """File of pretrained word vectors with `dim` numbers each, relative to the working directory:
    GloVe or fastText text, word2vec binary (`.bin`), or numpy arrays `words` and `vectors`
    (`.npz`). Words that the file lacks start from random vectors. By default, all words do."""
    trainable: bool = True
    """Whether to train the word embeddings."""

    def unfrozen(self, layers: int | None) -> Self:
        return self if self.trainable else self.replace(trainable=True)

    def from_scratch(self) -> Self:
        return self.replace(vectors=None)

    def missing_file_problems(self) -> Iterator[Problem]:
        if self.vectors is not None and (problem := missing_file_message(Path(self.vectors))):
            yield Problem(("vectors",), problem)

    @abstractmethod
    def build(self, ids: keras.KerasTensor, words: int) -> Features:  # type: ignore[override]
        """Builds the network on one input, with random initial weights.

        Token features are zero at padding.

        Args:
            ids: int32 `[batch, positions]`. 0 is padding, always at the end; 1 is
                out-of-vocabulary.
            words: number of ids, including 0 and 1.
        """

    def load_vectors(self, model: keras.Model, vocabulary: Sequence[str]) -> None:
        """Loads the word vectors of the file `vectors`, if given, into the built network.

        Args:
            model: the sub-model `<input>_encoder`.
            vocabulary: words in the order of their ids, from id 2 on.

        Raises:
            DataError: the file cannot be read, or its vectors do not have `dim` numbers.
        """
        if self.vectors is None:
            return
        path = Path(self.vectors).expanduser()
        found = read_vectors(path, vocabulary, self.dim)
        table = model.get_layer("embedding").embeddings
        values = table.numpy()
        values[found.indices + FIRST_WORD_ID] = found.vectors
        table.assign(values)
        count = len(found.indices)
        others = "" if count == len(vocabulary) else "; the others start from random vectors"
        logger.info(
            f"word vectors: {count:,} of {len(vocabulary):,} words "
            f"({100 * count / max(1, len(vocabulary)):.0f} %) found in {path}{others}."
        )

    def embed(
        self, ids: keras.KerasTensor, words: int
    ) -> tuple[keras.KerasTensor, keras.KerasTensor]:
        """Word embeddings, zero at padding, and their mask.

        Returns:
            Float `[batch, positions, dim]` and bool `[batch, positions]`.
        """

        present = layers.PaddingMask(name="present")(ids)
        table = keras.layers.Embedding(words, self.dim, trainable=self.trainable, name="embedding")
        return layers.ZeroPaddedSteps(name="words")(table(ids), present), present
