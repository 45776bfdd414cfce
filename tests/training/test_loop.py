"""The training loop validates what is saved and changes nothing else."""

from __future__ import annotations

import time

import numpy as np
import pytest
from tiny_loop import (
    WIDTH,
    X,
    Y,
    assert_equal,
    batch,
    linear,
    make_loop,
    noisy,
    take,
    values,
    weights,
)

from mmzoo.devices import prepare_devices
from mmzoo.lazy import keras, tf
from mmzoo.optimizers import SGD, Adam
from mmzoo.train_config import Train
from mmzoo.training.loop import Loop, named_by_head


def batches(*numbers: int) -> tf.data.Dataset:
    """Batches of different sizes; the last is half a batch."""
    pairs = [batch(number) for number in numbers]
    x, y = pairs[-1]
    pairs[-1] = x[:4], y[:4]
    return [tuple(tf.constant(part) for part in pair) for pair in pairs]


def hand_loss(kernel: np.ndarray, bias: np.ndarray, rows: slice) -> float:
    return float(((X[rows] @ kernel + bias - Y[rows]) ** 2).mean())


def test_validation_weighs_examples_equally():
    loop = make_loop()
    found = loop.validate(batches(0, 1))
    assert found is not None
    assert found["loss"] == pytest.approx(hand_loss(*weights(loop), slice(0, 12)), rel=1e-5)
    assert found.keys() == {"loss", "mean_absolute_error"}


def test_validation_resets_metrics():
    loop = make_loop()
    first = loop.validate(batches(0, 1))
    take(loop, batch(2))
    again = make_loop()
    take(again, batch(2))
    assert loop.validate(batches(0, 1)) == again.validate(batches(0, 1)) != first


def test_interrupted_validation_has_no_result():
    loop = make_loop()
    assert loop.validate(batches(0, 1), stop=True) is None


def test_validation_preserves_training_metrics():
    loop = make_loop(noisy)
    take(loop, batch(0), batch(1))
    kept, before = loop.metrics_state(), loop.metrics()
    loop.validate(batches(2, 3))
    assert loop.metrics() != before
    loop.restore_metrics(kept)
    assert loop.metrics() == before


def test_averages_follow_each_update():
    loop = make_loop(ema=0.75)
    average = None
    for number in range(4):
        take(loop, batch(number))
        now = weights(loop)
        average = (
            now
            if average is None
            else [0.75 * a + 0.25 * w for a, w in zip(average, now, strict=True)]
        )
    with loop.averaged_weights():
        for value, expected in zip(weights(loop), average, strict=True):
            np.testing.assert_allclose(value, expected, rtol=1e-6)
        found = loop.validate(batches(0, 1))
        assert found is not None
        assert found["loss"] == pytest.approx(hand_loss(*average, slice(0, 12)), rel=1e-5)
    assert_equal(weights(loop), now)


def test_before_the_first_update_the_averages_are_the_weights():
    """The first update is late with accumulation or skipped steps."""
    loop = make_loop(ema=0.9, accumulate=3)
    before = weights(loop)
    take(loop, batch(0))
    with loop.averaged_weights():
        assert_equal(weights(loop), before)


def test_weights_are_restored_bit_for_bit_even_after_an_error():
    loop = make_loop(noisy, ema=0.9, optimizer=Adam())
    take(loop, *(batch(number) for number in range(4)))
    before = values(loop)
    with loop.averaged_weights():
        assert not np.array_equal(weights(loop)[0], before[0])
    assert_equal(values(loop), before)
    with pytest.raises(KeyError), loop.averaged_weights():
        raise KeyError
    assert_equal(values(loop), before)


def test_without_averages_the_weights_are_validated():
    loop = make_loop()
    take(loop, batch(0))
    before = weights(loop)
    with loop.averaged_weights():
        assert_equal(weights(loop), before)


def test_all_variables_exist_before_the_first_step():
    """Otherwise a checkpoint could not be restored into them."""
    loop = make_loop(noisy, accumulate=2, ema=0.9, optimizer=Adam())
    before = [(tuple(v.shape), str(v.dtype)) for v in loop.variables]
    take(loop, batch(0), batch(1))
    assert [(tuple(v.shape), str(v.dtype)) for v in loop.variables] == before
    assert len(before) > 30


def test_variables_determine_the_following_steps():
    one = make_loop(noisy, accumulate=2, ema=0.9, optimizer=Adam())
    two = make_loop(noisy, accumulate=2, ema=0.9, optimizer=Adam())
    take(one, batch(0), batch(1), batch(2))
    for variable, value in zip(two.variables, values(one), strict=True):
        variable.assign(value)
    two.updates.step.assign(one.updates.step)
    for loop in (one, two):
        take(loop, batch(3), batch(0))
    assert_equal(values(one), values(two))
    assert one.metrics() == two.metrics()


def test_the_number_of_steps_per_call_changes_nothing():
    """One call of four steps equals four calls of one step."""
    at_once, one_by_one = make_loop(noisy), make_loop(noisy)
    take(at_once, *(batch(number) for number in range(4)))
    for number in range(4):
        take(one_by_one, batch(number))
    assert_equal(values(at_once), values(one_by_one))


@pytest.mark.parametrize("deterministic", [False, True])
def test_the_time_spent_waiting_for_data_is_measured(deterministic):
    def slow():
        for number in range(3):
            time.sleep(0.1)
            yield batch(number)

    loop = make_loop(linear, deterministic=deterministic)
    spec = (tf.TensorSpec((None, 3)), tf.TensorSpec((None, 1)))
    dataset = tf.data.Dataset.from_generator(slow, output_signature=spec)
    began = time.monotonic()
    assert 0.25 < loop.train(iter(dataset), 3) < time.monotonic() - began


def test_names_of_metrics_do_not_depend_on_the_number_of_heads():
    assert named_by_head({"loss": 1.0, "accuracy": 0.5}, ["digit"]) == {
        "loss": 1.0,
        "digit_accuracy": 0.5,
    }
    several = {"loss": 1.0, "a_loss": 0.5, "b_loss": 0.5, "a_accuracy": 0.1, "b_accuracy": 0.2}
    assert named_by_head(several, ["a", "b"]) == several


def two_heads(weights: tuple[float, float]) -> Loop:
    """A loop whose heads are `near`, a mean squared error, and `far`, a mean absolute one."""
    train = Train(optimizer=SGD(learning_rate=1e-30, momentum=0.0))
    devices = prepare_devices("cpu", train)
    inputs = {"x": keras.Input((WIDTH,), name="x")}
    outputs = {name: keras.layers.Dense(1, name=name)(inputs["x"]) for name in ("near", "far")}
    model = keras.Model(inputs, outputs)
    model.compile(
        train.optimizer.build(1e-30),
        loss={
            "near": keras.losses.MeanSquaredError(),
            "far": keras.losses.MeanAbsoluteError(),
        },
        loss_weights=dict(zip(outputs, weights, strict=True)),
        jit_compile=False,
    )
    step = tf.Variable(0, dtype=tf.int64)
    return Loop(model, model, train, devices, step, two_heads_spec(), collected=["far"])


def two_heads_spec() -> tuple[dict, dict]:
    numbers = tf.TensorSpec((None, 1))
    return {"x": tf.TensorSpec((None, WIDTH))}, {"near": numbers, "far": numbers}


@pytest.mark.parametrize("training", [True, False])
def test_losses_of_heads_are_means_over_examples(training):
    """The last batch is smaller, and its errors are larger."""
    loop = two_heads((2.0, 0.5))
    y = np.where(np.arange(11)[:, None] < 8, Y[:11], 9.0).astype("float32")
    sizes = (slice(0, 8), slice(8, 11))
    batches = [({"x": X[rows]}, {"near": y[rows], "far": y[rows]}) for rows in sizes]
    error = {name: loop.model({"x": X[:11]})[name].numpy() - y for name in ("near", "far")}
    near, far = (error["near"] ** 2).mean(), abs(error["far"]).mean()
    dataset = tf.data.Dataset.from_generator(
        lambda: iter(batches), output_signature=two_heads_spec()
    )
    if training:
        loop.train(iter(dataset), 2)
        found = loop.metrics()
    else:
        found = loop.validate(dataset)
        np.testing.assert_allclose(loop.collected["far"] - y, error["far"], rtol=1e-5)
        assert list(loop.collected) == ["far"]
    expected = {"loss": 2.0 * near + 0.5 * far, "near_loss": near, "far_loss": far}
    assert found == pytest.approx(expected, rel=1e-5)
