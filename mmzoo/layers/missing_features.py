"""Layers for padding and missing values: masks and learned replacements."""

from __future__ import annotations

from collections.abc import Sequence

from mmzoo.lazy import keras, tf


@keras.saving.register_keras_serializable("mmzoo")
class PaddingMask(keras.layers.Layer):
    """Boolean mask of token ids: true at tokens, false at padding (id 0).

    Input: integer `[batch, positions]`. Output: bool of the same shape.

    The mask is an explicit tensor that is passed to every layer that mixes positions. Keras'
    implicit masks are lost in layers that do not support masking.
    """

    def call(self, ids: tf.Tensor) -> tf.Tensor:
        return tf.not_equal(ids, 0)


@keras.saving.register_keras_serializable("mmzoo")
class AllTrueMask(keras.layers.Layer):
    """Mask of a token sequence without padding: true at every position.

    Input: `[batch, positions, width]`. Output: bool `[batch, positions]`.
    """

    def call(self, tokens: tf.Tensor) -> tf.Tensor:
        return tf.ones(tf.shape(tokens)[:2], tf.bool)

    def compute_output_spec(self, tokens: keras.KerasTensor) -> keras.KerasTensor:
        return keras.KerasTensor(tokens.shape[:2], dtype="bool")


@keras.saving.register_keras_serializable("mmzoo")
class LearnedImputation(keras.layers.Layer):
    """Imputation of missing numbers (NaN) by a learned value per column.

    Input: float `[batch, columns]`. The learned values start at 0, the mean of normalized numbers.
    They stay there for columns without missing values in the training data.

    Returns:
        The imputed numbers and the missing indicators (1 where a number was missing, else 0), both
        float `[batch, columns]`.
    """

    def build(self, shape: tuple[int | None, ...]) -> None:
        self.value = self.add_weight(shape=(shape[-1],), initializer="zeros", name="value")

    def call(self, inputs: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        missing = tf.math.is_nan(inputs)
        filled = tf.where(missing, tf.cast(self.value, inputs.dtype), inputs)
        return filled, tf.cast(missing, inputs.dtype)


@keras.saving.register_keras_serializable("mmzoo")
class MissingFeatures(keras.layers.Layer):
    """Learned features in place of those of missing inputs.

    If an input is missing, nothing that its encoder computes reaches the output. The feature vector
    is replaced by a learned vector, and every token by a learned token. If there is a mask, only
    the first position is marked as present.

    Args of `call`:
        features: vector `[batch, width]`, optionally followed by tokens `[batch, positions, width]`
            and their mask, bool `[batch, positions]`.
        present: `[batch]`, greater than 0 where the input is present.

    Returns:
        The features in the same order and with the same shapes.

    Reference: Ma et al., "SMIL: Multimodal learning with severely missing modality", 2021. There,
    missing features are reconstructed; here, they are learned parameters.
    """

    def build(
        self, features_shape: Sequence[tuple[int | None, ...]], present_shape: tuple[int | None]
    ) -> None:
        self.vector = self._add_vector("vector", features_shape[0][-1])
        self.token = None
        if len(features_shape) > 1:
            self.token = self._add_vector("token", features_shape[1][-1])

    def _add_vector(self, name: str, width: int | None) -> keras.Variable:
        return self.add_weight(shape=(width,), initializer="zeros", name=name)

    def call(self, features: Sequence[tf.Tensor], present: tf.Tensor) -> list[tf.Tensor]:
        is_present = present > 0
        vector, *others = features
        outputs = [tf.where(is_present[:, None], vector, tf.cast(self.vector, vector.dtype))]
        if others:
            tokens = others[0]
            outputs.append(
                tf.where(is_present[:, None, None], tokens, tf.cast(self.token, tokens.dtype))
            )
        if len(others) > 1:
            mask = others[1]
            first = tf.range(tf.shape(mask)[1])[None] == 0
            outputs.append(tf.where(is_present[:, None], mask, first))
        return outputs
