"""Contrastive losses against numpy, over a batch in which some examples lack an input."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations, product
from typing import Any

import numpy as np
import pytest

from mmzoo import layers
from mmzoo.lazy import keras, tf

ROWS, INPUTS, DIM = 7, 3, 5
SCALE, BIAS = 6.0, -2.5


def vectors(missing: bool = True) -> np.ndarray:
    """Unit vectors, float32 `[rows, inputs, dim]`, NaN where an example lacks the input."""
    found = np.random.RandomState(0).normal(size=(ROWS, INPUTS, DIM)).astype("float32")
    found /= np.linalg.norm(found, axis=-1, keepdims=True)
    if missing:
        found[1, 0] = found[2, 1] = found[5, 0] = found[5, 1] = np.nan
    return found


def output(unit: np.ndarray, scale: float = SCALE, bias: float = BIAS) -> tf.Tensor:
    """As `SimilarityLogits` gives it."""
    both = np.broadcast_to(np.float32([scale, bias]), (*unit.shape[:2], 2))
    return tf.constant(np.concatenate([unit, both], axis=-1))


def entropy(logits: np.ndarray, right: int) -> float:
    return float(np.log(np.exp(logits).sum()) - logits[right])


def there(unit: np.ndarray, a: int, b: int) -> np.ndarray:
    """The vectors of the examples with both inputs, float64 `[2, examples, dim]`."""
    both = unit[:, [a, b]].astype(np.float64)
    return both[~np.isnan(both).any((1, 2))].transpose(1, 0, 2)


def info_nce(unit: np.ndarray) -> float:
    losses = []
    for a, b in combinations(range(unit.shape[1]), 2):
        first, second = there(unit, a, b)
        logits = SCALE * first @ second.T
        both = [entropy(row, i) for matrix in (logits, logits.T) for i, row in enumerate(matrix)]
        losses.append(np.mean(both))
    return float(np.mean(losses))


def sigmoid(unit: np.ndarray) -> float:
    losses = []
    for a, b in combinations(range(unit.shape[1]), 2):
        first, second = there(unit, a, b)
        total = 0.0
        for i, j in product(range(len(first)), repeat=2):
            sign = 1 if i == j else -1
            logit = SCALE * first[i] @ second[j] + BIAS
            total -= np.log(1 / (1 + np.exp(-sign * logit)))
        losses.append(total / len(first))
    return float(np.mean(losses))


def supervised(unit: np.ndarray, classes: np.ndarray) -> float:
    """Equation 2 of Khosla et al., over the pool of all vectors that have a class."""
    pool = [
        (unit[row, one].astype(np.float64), classes[row])
        for row, one in product(range(ROWS), range(unit.shape[1]))
        if classes[row] >= 0 and not np.isnan(unit[row, one]).any()
    ]
    losses = []
    for i, (anchor, own) in enumerate(pool):
        others = [j for j in range(len(pool)) if j != i]
        positives = [j for j in others if pool[j][1] == own]
        if not positives:
            continue
        total = sum(np.exp(SCALE * anchor @ pool[j][0]) for j in others)
        shares = [np.exp(SCALE * anchor @ pool[j][0]) / total for j in positives]
        losses.append(-np.mean(np.log(shares)))
    return float(np.mean(losses))


CLASSES = np.array([0, 1, 0, -1, 1, 0, 2])
"""Without a class in one row; the last is the only one of its class."""


@pytest.mark.parametrize("missing", [False, True])
@pytest.mark.parametrize(
    ("of_batch", "reference"),
    [(layers.info_nce_losses, info_nce), (layers.sigmoid_pair_losses, sigmoid)],
    ids=["InfoNCE", "sigmoid"],
)
def test_losses_of_pairs_equal_numpy(
    of_batch: Callable[..., Any], reference: Callable[..., float], missing: bool
) -> None:
    for unit in (vectors(missing), vectors(missing)[:, :2]):
        losses = of_batch(output(unit)).numpy()
        assert losses.shape == (ROWS,)
        assert losses.mean() == pytest.approx(reference(unit), rel=1e-5)
        if missing:
            assert losses[5] == 0


@pytest.mark.parametrize("missing", [False, True])
@pytest.mark.parametrize("inputs", [1, 2, 3])
def test_the_supervised_loss_equals_numpy(inputs: int, missing: bool) -> None:
    unit = vectors(missing)[:, :inputs]
    losses = layers.supervised_contrastive_losses(tf.constant(CLASSES), output(unit)).numpy()
    assert losses.mean() == pytest.approx(supervised(unit, CLASSES), rel=1e-5)
    assert losses[3] == 0


def test_a_batch_without_any_pair_has_no_loss_and_finite_gradients() -> None:
    unit = np.full((2, 2, DIM), np.nan, "float32")
    unit[0, 0] = unit[1, 1] = 1 / np.sqrt(DIM)
    given = tf.Variable(output(unit))
    with tf.GradientTape(persistent=True) as tape:
        losses = [
            tf.reduce_sum(one)
            for one in (
                layers.info_nce_losses(given),
                layers.sigmoid_pair_losses(given),
                layers.supervised_contrastive_losses(tf.constant([0, 1]), given),
            )
        ]
    for loss in losses:
        assert float(loss) == 0
        assert np.isfinite(tape.gradient(loss, given)).all()


def test_missing_vectors_are_nan_and_get_no_gradient() -> None:
    given = tf.Variable([[1.0, 2.0], [3.0, 4.0]])
    with tf.GradientTape() as tape:
        marked = layers.MissingAsNaN()(given, tf.constant([1.0, 0.0]))
        kept = tf.where(tf.math.is_nan(marked), 0.0, marked)
        loss = tf.reduce_sum(kept**2)
    np.testing.assert_array_equal(marked, [[1, 2], [np.nan, np.nan]])
    np.testing.assert_array_equal(tape.gradient(loss, given), [[2, 4], [0, 0]])


def test_scale_and_bias_start_as_asked_for_and_the_scale_is_limited() -> None:
    unit = [tf.constant(one) for one in vectors(missing=False)[:, :2].transpose(1, 0, 2)]
    softmax, sigmoid_layer = layers.SimilarityLogits(1 / 0.07), layers.SimilarityLogits(10, -10)
    for layer, scale, bias in ((softmax, 1 / 0.07, 0), (sigmoid_layer, 10, -10)):
        found = layer(unit).numpy()
        assert found.shape == (ROWS, 2, DIM + 2)
        np.testing.assert_array_equal(found[:, 1, :-2], unit[1])
        np.testing.assert_allclose(found[..., -2], scale, rtol=1e-6)
        np.testing.assert_allclose(found[..., -1], bias)
    assert len(softmax.trainable_variables) == 1
    assert len(sigmoid_layer.trainable_variables) == 2
    # A step that would make the scale e times as large.
    for layer, limit in ((softmax, 100), (sigmoid_layer, np.inf)):
        for _ in range(5):
            optimizer = keras.optimizers.SGD(1.0)
            optimizer.apply([tf.constant(-1.0)], [layer.log_scale])
        assert layer(unit).numpy()[0, 0, -2] == pytest.approx(min(limit, 10 * np.e**5), rel=1e-4)
