"""Kept features: what takes an input's place once its encoder has seen every example."""

from __future__ import annotations

from typing import Literal

from mmzoo.lazy import tf
from mmzoo.randomness import Randomness
from mmzoo.spec import Spec


class KeptFeatures(Spec):
    """The features that a frozen encoder made of an input, as a column of the data.

    Nobody writes it into a config: a training puts it in the place of the input that it has
    encoded, so that batches are made of features by the same code as of pictures.
    """

    type: Literal["kept_features"] = "kept_features"
    column: str
    """Where the data has the features: `[rows, width]`, or `[rows, copies, width]` where the
    examples were augmented in several ways."""
    reads: tuple[str, ...]
    """The columns of the source that they were made of."""
    may_be_absent: bool = False
    """Whether examples may lack the input."""
    modality_dropout: float = 0.0
    """Share of the training examples from which it is taken away."""

    def source_columns(self) -> tuple[str, ...]:
        return self.reads

    def key(self, name: str, shared: bool) -> str:
        """Where the features are, whoever else reads what they were made of."""
        return self.column

    @property
    def augmentations(self) -> tuple[Spec, ...]:
        """None that could be left out: which copy is drawn is all that is random."""
        return ()

    def preprocess(self, values: tf.Tensor) -> tf.Tensor:
        """The features as float32, however small the numbers were that they were kept in."""
        return tf.cast(values, tf.float32)

    def augmented(self, values: tf.Tensor, randomness: Randomness) -> tf.Tensor:
        """One copy of each example, drawn anew in every epoch: float32 `[batch, width]`."""
        if len(values.shape) == 2:
            return values
        copies = values.shape[1]
        drawn = tf.cast(randomness.uniform()[:, 0] * float(copies), tf.int32)
        # Just below 1 a uniform float times the copies may round up to one too many.
        return tf.gather(values, tf.minimum(drawn, copies - 1), axis=1, batch_dims=1)
