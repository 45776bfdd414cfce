"""A loop around a model so small that its steps can be computed by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from mmzoo.devices import prepare_devices
from mmzoo.lazy import keras, tf
from mmzoo.optimizers import SGD
from mmzoo.train_config import Train
from mmzoo.training.loop import Loop

ROWS, WIDTH = 8, 3
RANDOM = np.random.RandomState(0)
X = RANDOM.normal(size=(4 * ROWS, WIDTH)).astype("float32")
Y = RANDOM.normal(size=(4 * ROWS, 1)).astype("float32")


def linear() -> list[keras.layers.Layer]:
    return [keras.layers.Dense(1, name="out")]


def noisy() -> list[keras.layers.Layer]:
    """A loop with all kinds of variables: batch norm statistics, dropout seeds."""
    return [
        keras.layers.Dense(4),
        keras.layers.BatchNormalization(),
        keras.layers.Dropout(0.5),
        keras.layers.Dense(1),
    ]


def rooted() -> list[keras.layers.Layer]:
    """The square root at 0, whose gradient is NaN."""
    root = keras.layers.Lambda(lambda x: keras.ops.sqrt(0.0 * x))
    return [keras.layers.Dense(4), root, keras.layers.Dense(1)]


def relu() -> list[keras.layers.Layer]:
    return [keras.layers.Dense(4, "relu", kernel_initializer="ones"), keras.layers.Dense(1)]


def make_loop(
    layers: Callable[[], list[keras.layers.Layer]] = linear,
    loss: str = "mean_squared_error",
    last_step: int | None = None,
    **settings: Any,
) -> Loop:
    train = Train(**{"optimizer": SGD(learning_rate=0.1, momentum=0.0), **settings})
    devices = prepare_devices("cpu", train)
    keras.utils.set_random_seed(1)
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(devices.precision)
    model = keras.Sequential([keras.Input((WIDTH,)), *layers()])
    keras.config.set_dtype_policy(before)
    step = tf.Variable(0, dtype=tf.int64)
    optimizer = train.optimizer.build(train.optimizer.learning_rate, train.ema)
    model.compile(optimizer, loss=loss, metrics=["mean_absolute_error"], jit_compile=False)
    spec = (tf.TensorSpec((None, WIDTH)), tf.TensorSpec((None, 1)))
    return Loop(model, model, train, devices, step, spec, last_step)


def take(loop: Loop, *batches: tuple[np.ndarray, np.ndarray]) -> None:
    """Takes one step per batch."""
    spec = (tf.TensorSpec((None, WIDTH)), tf.TensorSpec((None, 1)))
    dataset = tf.data.Dataset.from_generator(lambda: iter(batches), output_signature=spec)
    loop.train(iter(dataset), len(batches))


def batch(number: int, bad_x: float | None = None, bad_y: float | None = None) -> Any:
    rows = slice(number * ROWS, (number + 1) * ROWS)
    x, y = X[rows].copy(), Y[rows].copy()
    if bad_x is not None:
        x[3, 1] = bad_x
    if bad_y is not None:
        y[3, 0] = bad_y
    return x, y


def values(loop: Loop) -> list[np.ndarray]:
    return [variable.numpy() for variable in loop.variables]


def weights(loop: Loop) -> list[np.ndarray]:
    return loop.model.get_weights()


def assert_equal(one: list[np.ndarray], two: list[np.ndarray]) -> None:
    for a, b in zip(one, two, strict=True):
        np.testing.assert_array_equal(a, b)


def hand_gradient(loop: Loop, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Gradient of the mean squared error of the linear model."""
    kernel, bias = weights(loop)
    error = 2 * (x @ kernel + bias - y) / len(x)
    return x.T @ error, error.sum(axis=0)
