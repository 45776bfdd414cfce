"""Decoder of table rows: numbers and categories from a code, and their errors."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from mmzoo import layers
from mmzoo.lazy import keras, np, tf
from mmzoo.modalities.base_encoder import Activation
from mmzoo.modalities.encoder_blocks import dense_layers
from mmzoo.modalities.tabular.tabular_mlp import MLP, UNSEEN, Layout
from mmzoo.spec import PositiveInt, Spec


class TabularDecoder(Spec):
    """Multilayer perceptron from a code to normalized numbers and the logits of categories."""

    units: tuple[PositiveInt, ...] = (64,)
    """Width of each dense layer between the code and the columns."""
    activation: Activation = "relu"
    """Activation of the dense layers."""

    def build(self, code: keras.KerasTensor, layout: Layout) -> keras.KerasTensor:
        """Numbers, then the logits of each categorical column, float32 `[batch, width]`."""
        x = dense_layers(code, self.units, self.activation, 0.0)
        width = layout.numbers + sum(layout.categories)
        return keras.layers.Dense(width, dtype="float32", name="output")(x)


def mirror_image(encoder: MLP) -> TabularDecoder:
    """The encoder's dense layers in reverse, without the last, which gives the code."""
    return TabularDecoder(units=encoder.units[-2::-1], activation=encoder.activation)


def known_cells(rows: tf.Tensor, layout: Layout) -> tf.Tensor:
    """Transformed rows, float32 `[batch, width]`, with NaN for missing and unseen cells."""
    numbers, categories = rows[:, : layout.numbers], rows[:, layout.numbers :]
    known = tf.where(categories > UNSEEN, categories, float("nan"))
    return tf.concat([numbers, known], axis=1)


def cell_errors(target: tf.Tensor, rebuilt: tf.Tensor, layout: Layout) -> dict[str, tf.Tensor]:
    """The errors of each row over its cells that are not NaN, `[batch]`; NaN if it has none.

    Args:
        target: from `known_cells`.
        rebuilt: from `TabularDecoder.build`.
        layout: column layout of the rows.

    Returns:
        `cell_error`, the mean over all cells: squared errors of normalized numbers and
        cross-entropies of categories; the means of both alone, `number_squared_error` and
        `category_cross_entropy`, and `category_accuracy`, for rows with such columns.
    """
    there, squares, entropies = cell_costs(target, rebuilt, layout)
    means = {}
    if layout.numbers:
        means["number_squared_error"] = layers.masked_mean(squares, there[:, : layout.numbers])
    if layout.categories:
        [entropy], of_categories = entropies, there[:, layout.numbers :]
        rights = [
            tf.argmax(of_column, axis=1, output_type=tf.int32) == ids
            for ids, of_column in _categories(target, rebuilt, layout)
        ]
        right = tf.cast(tf.stack(rights, axis=1), tf.float32)
        means["category_cross_entropy"] = layers.masked_mean(entropy, of_categories)
        means["category_accuracy"] = layers.masked_mean(right, of_categories)
    costs = tf.concat([squares, *entropies], axis=1)
    return {"cell_error": layers.masked_mean(costs, there), **means}


def cell_costs(
    target: tf.Tensor, rebuilt: tf.Tensor, layout: Layout
) -> tuple[tf.Tensor, tf.Tensor, list[tf.Tensor]]:
    """Which cells count, bool `[batch, columns]`; the squared errors of numbers; and, if there are
    categories, their cross-entropies, both float32 `[batch, columns of this kind]`."""
    there = tf.logical_not(tf.math.is_nan(target))
    numbers = tf.where(there, target, 0.0)[:, : layout.numbers]
    squares = tf.square(rebuilt[:, : layout.numbers] - numbers)
    entropies = [
        tf.nn.sparse_softmax_cross_entropy_with_logits(ids, logits)
        for ids, logits in _categories(target, rebuilt, layout)
    ]
    return there, squares, [tf.stack(entropies, axis=1)] if entropies else []


def _categories(
    target: tf.Tensor, rebuilt: tf.Tensor, layout: Layout
) -> Iterator[tuple[tf.Tensor, tf.Tensor]]:
    """The ids, int32 `[batch]`, and the logits of each categorical column."""
    if not layout.categories:
        return
    logits = tf.split(rebuilt[:, layout.numbers :], layout.categories, axis=1)
    for column, of_column in enumerate(logits, start=layout.numbers):
        ids = target[:, column]
        yield tf.cast(tf.where(tf.math.is_nan(ids), 0.0, ids), tf.int32), of_column


def most_probable_row(rebuilt: np.ndarray, layout: Layout) -> np.ndarray:
    """Transformed rows, float32 `[rows, width]`, from the decoder's output."""
    bounds = np.cumsum([layout.numbers, *layout.categories])
    ids = [rebuilt[:, start:end].argmax(axis=1, keepdims=True) for start, end in pairwise(bounds)]
    return np.concatenate([rebuilt[:, : layout.numbers], *ids], axis=1).astype(np.float32)
