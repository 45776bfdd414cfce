"""Layers for missing inputs: learned replacements and presence masks."""

from __future__ import annotations

from collections.abc import Sequence

from mmzoo.lazy import keras, tf


@keras.saving.register_keras_serializable("mmzoo")
class Present(keras.layers.Layer):
    """Ids `[batch, positions]` as bool of that shape: true where there is a word, not padding (0).

    It goes to every layer that looks at more than one position, in plain sight: Keras' own masks
    travel unseen, and get lost in layers that know nothing of them.
    """

    def call(self, ids: tf.Tensor) -> tf.Tensor:
        return tf.not_equal(ids, 0)


@keras.saving.register_keras_serializable("mmzoo")
class AllPresent(keras.layers.Layer):
    """Tokens `[batch, positions, width]` as bool `[batch, positions]`, true everywhere."""

    def call(self, tokens: tf.Tensor) -> tf.Tensor:
        return tf.ones(tf.shape(tokens)[:2], tf.bool)

    def compute_output_spec(self, tokens: keras.KerasTensor) -> keras.KerasTensor:
        return keras.KerasTensor(tokens.shape[:2], dtype="bool")


@keras.saving.register_keras_serializable("mmzoo")
class LearnedMissing(keras.layers.Layer):
    """Numbers `[batch, columns]` that may be NaN as numbers that are not, and where they were.

    In the place of NaN stands a learned value of the column. It begins at 0, the mean of normalised
    numbers, and stays there where a column never lacks a number in training.

    Returns:
        The numbers, and zeros with a one where each was missing; both `[batch, columns]`.
    """

    def build(self, shape: tuple[int | None, ...]) -> None:
        self.value = self.add_weight(shape=(shape[-1],), initializer="zeros", name="value")

    def call(self, inputs: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        missing = tf.math.is_nan(inputs)
        filled = tf.where(missing, tf.cast(self.value, inputs.dtype), inputs)
        return filled, tf.cast(missing, inputs.dtype)


@keras.saving.register_keras_serializable("mmzoo")
class MissingFeatures(keras.layers.Layer):
    """The features of an input where it is there, and learned ones where it is not.

    Where it is absent, nothing that the encoder made goes on, so what stood in its place cannot
    matter: the vector is a learned one; the tokens are a single learned one, at the first position
    where there is a mask, else the same at all positions, which is one to whoever attends to them.

    Reference: Ma et al., "SMIL: Multimodal learning with severely missing modality", 2021, have
    features made up for missing ones; here they are learned as they are.

    Returns:
        The features in the order that they came: vector `[batch, width]`, and as there are any,
        tokens `[batch, positions, width]` and mask bool `[batch, positions]`.
    """

    def build(
        self, features_shape: Sequence[tuple[int | None, ...]], present_shape: tuple[int | None]
    ) -> None:
        self.vector = self._learned("vector", features_shape[0][-1])
        self.token = None
        if len(features_shape) > 1:
            self.token = self._learned("token", features_shape[1][-1])

    def _learned(self, name: str, width: int | None) -> keras.Variable:
        return self.add_weight(shape=(width,), initializer="zeros", name=name)

    def call(self, features: Sequence[tf.Tensor], present: tf.Tensor) -> list[tf.Tensor]:
        there = present > 0
        vector, *others = features
        given = [tf.where(there[:, None], vector, tf.cast(self.vector, vector.dtype))]
        if others:
            tokens = others[0]
            given.append(tf.where(there[:, None, None], tokens, tf.cast(self.token, tokens.dtype)))
        if len(others) > 1:
            mask = others[1]
            first = tf.range(tf.shape(mask)[1])[None] == 0
            given.append(tf.where(there[:, None], mask, first))
        return given
