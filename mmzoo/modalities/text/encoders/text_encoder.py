"""What every text encoder offers besides its network."""

from __future__ import annotations

import logging
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Self

from mmzoo.lazy import keras
from mmzoo.modalities.base_encoder import Encoder, Features, absence
from mmzoo.modalities.text.word_vectors import read_vectors
from mmzoo.spec import PositiveInt, Problem

logger = logging.getLogger(__name__)


FIRST_WORD = 2
"""The id of the vocabulary's first word: 0 is padding, and 1 a word that is not in it."""


class TextNetwork(Encoder):
    """Ids of words in, features out. What pads a text changes neither its vector nor its tokens."""

    dim: PositiveInt = 128
    """Width of each word's vector."""
    vectors: str | None = None
    """A file of word vectors to begin with, of `dim` numbers each, relative to the working
    directory: text as of GloVe and fastText, binary as of word2vec (`.bin`), or numpy arrays
    `words` and `vectors` (`.npz`). Words that it lacks begin with random ones, like all by
    default."""
    trainable: bool = True
    """Whether training changes the words' vectors."""

    def unfrozen(self, layers: int | None) -> Self:
        return self.replace(trainable=True)

    def from_scratch(self) -> Self:
        return self.replace(vectors=None)

    def absent_files(self) -> Iterator[Problem]:
        if self.vectors is not None and (problem := absence(Path(self.vectors))):
            yield Problem(("vectors",), problem)

    @abstractmethod
    def build(self, ids: keras.KerasTensor, words: int) -> Features:  # type: ignore[override]
        """The network on one input, with weights as Keras draws them.

        The tokens are the words' own features, and zeros at padding.

        Args:
            ids: int32 `[batch, positions]`: 0 is padding, always at the end; 1 an unknown word.
            words: how many ids there are, with 0 and 1.
        """

    def load_vectors(self, model: keras.Model, vocabulary: Sequence[str]) -> None:
        """Puts the vectors of `self.vectors` into the sub-model that was built, if a file is given.

        Args:
            model: the sub-model `<input>_encoder`.
            vocabulary: the words, in the order of their ids from 2 on.

        Raises:
            DataError: the file cannot be read, or its vectors are of another width.
        """
        if self.vectors is None:
            return
        path = Path(self.vectors).expanduser()
        found = read_vectors(path, vocabulary, self.dim)
        table = model.get_layer("embedding").embeddings
        values = table.numpy()
        values[found.places + FIRST_WORD] = found.vectors
        table.assign(values)
        count = len(found.places)
        others = "" if count == len(vocabulary) else "; the others begin at random"
        logger.info(
            f"word vectors: {count:,} of {len(vocabulary):,} words "
            f"({100 * count / max(1, len(vocabulary)):.0f} %) found in {path}{others}."
        )

    def embedded(
        self, ids: keras.KerasTensor, words: int
    ) -> tuple[keras.KerasTensor, keras.KerasTensor]:
        """The words' vectors, with zeros at padding, and where they are.

        Returns:
            Float `[batch, positions, dim]` and bool `[batch, positions]`.
        """
        from mmzoo.layers.missing_features import Present
        from mmzoo.layers.sequences import ZeroedPadding

        present = Present(name="present")(ids)
        table = keras.layers.Embedding(words, self.dim, trainable=self.trainable, name="embedding")
        return ZeroedPadding(name="words")(table(ids), present), present
