"""Learned features in the place of those of an input that an example lacks."""

from __future__ import annotations

from collections.abc import Sequence

from mmzoo.lazy import keras, tf


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
