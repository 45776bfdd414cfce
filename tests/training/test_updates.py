"""Gradient updates: norms, accumulation, and non-finite gradients."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tiny_loop import (
    ROWS,
    WIDTH,
    X,
    Y,
    assert_equal,
    batch,
    hand_gradient,
    make_loop,
    noisy,
    relu,
    rooted,
    take,
    values,
    weights,
)

from mmzoo.lazy import keras
from mmzoo.optimizers import SGD, Adam
from mmzoo.training.loop import Loop

# Measured.


@pytest.mark.parametrize("clip", [None, 0.01])
def test_the_norm_is_global_and_before_clipping(clip):
    loop = make_loop(optimizer=SGD(clip_norm=clip))
    kernel, bias = hand_gradient(loop, *batch(0))
    take(loop, batch(0))
    expected = np.sqrt((kernel**2).sum() + (bias**2).sum())
    assert loop.updates.gradient_norm.numpy() == pytest.approx(expected, rel=1e-5)


def test_clipping_uses_the_global_norm():
    loop = make_loop(optimizer=SGD(learning_rate=1.0, momentum=0.0, clip_norm=0.01))
    before = weights(loop)
    take(loop, batch(0))
    moved = [after - was for after, was in zip(weights(loop), before, strict=True)]
    assert np.sqrt(sum((part**2).sum() for part in moved)) == pytest.approx(0.01, rel=1e-4)


def words() -> list[keras.layers.Layer]:
    """Word vectors, whose gradient has one slice per occurrence of a word."""
    return [
        keras.layers.Embedding(4, 2),
        keras.layers.GlobalAveragePooling1D(),
        keras.layers.Dense(1, use_bias=False),
    ]


def repeated_words() -> tuple[np.ndarray, np.ndarray]:
    """A batch with repeated words."""
    return np.array([[0, 1, 1], [1, 1, 2]] * 4, "float32"), np.ones((ROWS, 1), "float32")


def moved(loop: Loop) -> np.ndarray:
    before = weights(loop)
    take(loop, repeated_words())
    return np.concatenate(
        [(after - was).ravel() for after, was in zip(weights(loop), before, strict=True)]
    )


def test_the_norm_sums_sparse_gradients_by_word():
    loop = make_loop(words, optimizer=SGD(learning_rate=1.0, momentum=0.0))
    step = moved(loop)
    assert loop.updates.gradient_norm.numpy() == pytest.approx(np.linalg.norm(step), rel=1e-5)


def test_clipping_sums_sparse_gradients_by_word():
    plain = SGD(learning_rate=1.0, momentum=0.0)
    step = moved(make_loop(words, optimizer=plain))
    clipped = moved(make_loop(words, optimizer=plain.replace(clip_norm=0.01)))
    assert np.linalg.norm(clipped) == pytest.approx(0.01, rel=1e-4)
    np.testing.assert_allclose(clipped, step * 0.01 / np.linalg.norm(step), rtol=1e-3, atol=1e-7)
    value = float(np.abs(step).max()) / 2
    cut = moved(make_loop(words, optimizer=plain.replace(clip_value=value)))
    np.testing.assert_allclose(cut, step.clip(-value, value), rtol=1e-5, atol=1e-7)


def test_steps_are_counted():
    loop = make_loop()
    take(loop, batch(0), batch(1), batch(2))
    assert loop.updates.step.numpy() == 3
    assert loop.updates.bad_step.numpy() == -1


# Accumulated.


def test_two_accumulated_halves_equal_a_full_batch():
    momentum = SGD(learning_rate=0.1, momentum=0.9)
    full_batches, halves = (
        make_loop(optimizer=momentum),
        make_loop(optimizer=momentum, accumulate=2),
    )
    x, y = X[:ROWS], Y[:ROWS]
    for _ in range(3):
        take(full_batches, (x, y))
        take(halves, (x[:4], y[:4]), (x[4:], y[4:]))
    for one, two in zip(weights(full_batches), weights(halves), strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-5, atol=1e-7)


def test_weights_change_only_at_updates():
    loop = make_loop(accumulate=3, optimizer=Adam())
    before = weights(loop)
    take(loop, batch(0), batch(1))
    assert_equal(weights(loop), before)
    take(loop, batch(2))
    assert not np.array_equal(weights(loop)[0], before[0])
    assert int(loop.model.optimizer.iterations.numpy()) == 1
    assert all(not total.numpy().any() for total in loop.updates.variables)


def mean_gradient(loop: Loop, *numbers: int) -> list[np.ndarray]:
    gradients = [hand_gradient(loop, *batch(number)) for number in numbers]
    return [np.mean(parts, axis=0) for parts in zip(*gradients, strict=True)]


@pytest.mark.parametrize("accumulate", [3, 100])
@pytest.mark.parametrize("non_finite", ["stop", "skip"])
def test_the_last_steps_make_their_own_update(accumulate, non_finite):
    """Also if there are fewer steps than `accumulate`."""
    loop = make_loop(accumulate=accumulate, non_finite=non_finite, last_step=5)
    take(loop, batch(0), batch(1), batch(2))
    before = weights(loop)
    numbers = (3, 0) if accumulate == 3 else (0, 1, 2, 3, 0)
    kernel, bias = mean_gradient(loop, *numbers)
    take(loop, batch(3), batch(0))
    np.testing.assert_allclose(weights(loop)[0], before[0] - 0.1 * kernel, rtol=1e-5)
    np.testing.assert_allclose(weights(loop)[1], before[1] - 0.1 * bias, rtol=1e-5)


@pytest.mark.parametrize(
    ("ours", "plain"),
    [
        (SGD(learning_rate=0.1, momentum=0.0), lambda: keras.optimizers.SGD(0.1)),
        (Adam(learning_rate=0.01), lambda: keras.optimizers.Adam(0.01)),
    ],
)
@pytest.mark.parametrize("non_finite", ["stop", "skip"])
def test_accumulation_is_plain_keras_on_larger_batches(ours, plain, non_finite):
    """Also for the remaining steps at the end; a skipped step is not among those averaged."""
    loop = make_loop(optimizer=ours, accumulate=3, non_finite=non_finite, last_step=8)
    model = keras.Sequential([keras.Input((WIDTH,)), keras.layers.Dense(1)])
    model.set_weights(weights(loop))
    model.compile(plain(), "mean_squared_error", jit_compile=False)
    bad = non_finite == "skip"
    updates = [(0, 2) if bad else (0, 1, 2), (3, 0, 1), (2, 3)]
    steps = [batch(0), non_finite_batch("input") if bad else batch(1), batch(2)]
    take(loop, *steps, *(batch(number) for update in updates[1:] for number in update))
    for update in updates:
        batches = [batch(number) for number in update]
        model.train_on_batch(*(np.concatenate(parts) for parts in zip(*batches, strict=True)))
    for found, expected in zip(weights(loop), model.get_weights(), strict=True):
        np.testing.assert_allclose(found, expected, rtol=2e-5, atol=1e-7)


# Not finite.


def non_finite_batch(kind: str) -> Any:
    return {
        "input": lambda: batch(1, bad_x=np.nan),
        "label": lambda: batch(1, bad_y=np.inf),
    }[kind]()


@pytest.mark.parametrize("kind", ["input", "label"])
def test_the_first_bad_step_is_remembered(kind):
    loop = make_loop()
    take(loop, batch(0), batch(2), non_finite_batch(kind), batch(3), non_finite_batch(kind))
    assert loop.updates.bad_step.numpy() == 2


def test_a_nan_hidden_by_relu_is_found_in_the_gradient():
    loop = make_loop(relu)
    x, y = batch(0)
    x[:] = -1.0  # All units are off ...
    x[3, 1] = np.nan  # ... and stay off for a NaN, which the kernel's gradient meets all the same.
    take(loop, (x, y))
    if np.isnan(loop.metrics()["loss"]):
        pytest.skip("this build of TensorFlow lets a NaN through relu")
    assert loop.updates.bad_step.numpy() == 0


def test_an_infinite_loss_with_a_finite_gradient_is_bad():
    loop = make_loop(loss="mean_absolute_error")
    take(loop, batch(0), batch(1, bad_y=np.inf))
    assert np.isfinite(loop.updates.gradient_norm.numpy())
    assert loop.updates.bad_step.numpy() == 1


@pytest.mark.parametrize("kind", ["input", pytest.param("label", marks=pytest.mark.slow)])
@pytest.mark.parametrize("first", [True, False])
def test_a_skipped_step_leaves_no_trace(kind, first):
    """Not even in batch norm, metrics or momentum."""
    loop = make_loop(noisy, non_finite="skip", optimizer=Adam(), ema=0.9)
    if not first:
        take(loop, batch(0))
    before = values(loop)
    take(loop, non_finite_batch(kind))
    assert_equal(values(loop), before)
    assert loop.updates.skipped.numpy() == 1
    assert loop.updates.step.numpy() == 2 - first
    take(loop, batch(2))
    assert all(np.isfinite(value).all() for value in values(loop))
    assert np.isfinite(loop.metrics()["loss"])


@pytest.mark.slow
def test_skipping_changes_nothing_if_all_is_finite():
    stop, skip = make_loop(noisy), make_loop(noisy, non_finite="skip")
    for loop in (stop, skip):
        take(loop, batch(0), batch(1), batch(2))
    assert_equal(values(stop), values(skip))


def test_a_bad_step_adds_nothing_to_an_accumulated_update():
    """The update is made even if the bad step is its last."""
    loop = make_loop(accumulate=3, non_finite="skip")
    for _ in range(2):  # The steps are counted anew after each update.
        kernel, bias = mean_gradient(loop, 0, 2)
        before = weights(loop)
        take(loop, batch(0), batch(2), non_finite_batch("input"))
        np.testing.assert_allclose(weights(loop)[0], before[0] - 0.1 * kernel, rtol=1e-5)
        np.testing.assert_allclose(weights(loop)[1], before[1] - 0.1 * bias, rtol=1e-5)
    before = weights(loop)
    take(loop, *[non_finite_batch("input")] * 3)
    assert_equal(weights(loop), before)


# Scaled for float16.


def scale(loop: Loop) -> float:
    return float(loop.model.optimizer.dynamic_scale.numpy())


def test_an_overflow_of_a_scaled_gradient_is_not_an_error():
    loop = make_loop(precision="mixed_float16", optimizer=SGD(learning_rate=1e-3))
    scale_before, before = scale(loop), weights(loop)
    take(loop, batch(0, bad_x=300.0, bad_y=300.0))
    assert loop.updates.bad_step.numpy() == -1
    assert scale(loop) == scale_before / 2
    assert_equal(weights(loop), before)


@pytest.mark.parametrize("non_finite", [pytest.param("stop", marks=pytest.mark.slow), "skip"])
def test_a_scaled_gradient_may_overflow_among_accumulated_ones(non_finite):
    """All steps of the update are dropped, as a larger batch would be; and the sums stay finite."""
    settings = {"precision": "mixed_float16", "accumulate": 2, "non_finite": non_finite}
    loop = make_loop(optimizer=SGD(learning_rate=1e-3, momentum=0.0), **settings)
    scale_before, before = scale(loop), weights(loop)
    take(loop, batch(0, bad_x=300.0, bad_y=300.0))
    assert all(np.isfinite(value).all() for value in values(loop))
    restored = make_loop(optimizer=SGD(learning_rate=1e-3, momentum=0.0), **settings)
    for variable, value in zip(restored.variables, values(loop), strict=True):
        variable.assign(value)
    restored.updates.step.assign(1)
    for one in (loop, restored):
        take(one, batch(1))
        assert (one.updates.bad_step.numpy(), one.updates.skipped.numpy()) == (-1, 0)
        assert scale(one) == scale_before / 2
        assert_equal(weights(one), before)
        take(one, batch(0), batch(1))
    assert scale(loop) == scale_before / 2
    kernel, _ = mean_gradient(make_loop(), 0, 1)  # From the same initial weights.
    np.testing.assert_allclose(weights(loop)[0], before[0] - 1e-3 * kernel, rtol=1e-2)
    assert_equal(weights(restored), weights(loop))


def test_the_norm_is_unscaled():
    loop = make_loop(precision="mixed_float16")
    x, y = batch(0)
    small = x / 10, y / 10
    kernel, bias = hand_gradient(loop, *small)
    take(loop, small)
    expected = np.sqrt((kernel**2).sum() + (bias**2).sum())
    assert loop.updates.gradient_norm.numpy() == pytest.approx(expected, rel=1e-2)


def test_a_non_finite_loss_is_bad_at_any_scale():
    loop = make_loop(precision="mixed_float16")
    take(loop, batch(0), batch(1, bad_y=np.nan))
    assert loop.updates.bad_step.numpy() == 1


def test_a_gradient_non_finite_at_every_scale_is_bad():
    loop = make_loop(rooted, precision="mixed_float16")
    take(loop, *[batch(0)] * 20)
    assert np.isfinite(loop.metrics()["loss"])
    assert loop.updates.bad_step.numpy() == 15  # The scale starts at 2 ** 15.
