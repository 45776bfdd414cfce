"""Contract of all optimizers; the tests iterate over the union of specs."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from mmzoo.catalogue import family_members
from mmzoo.lazy import keras, tf
from mmzoo.optimizers import SGD, AdamW

OPTIMIZERS = family_members("optimizers")
RATE = 0.01
SHARED: dict[str, dict[str, float]] = {
    "plain": {},
    "weight decay": {"weight_decay": 0.1},
    "no weight decay": {"weight_decay": 0.0},
    "clip norm": {"clip_norm": 0.5},
    "clip value": {"clip_value": 0.5},
    "ema": {},
}


OFTEN = ("sgd", "adamw")
"""Optimizers whose shared fields CI tests; they are the same code for all."""

EVERY_KIND = [
    pytest.param(
        optimizer, kind, marks=() if kind == "plain" or name in OFTEN else pytest.mark.slow
    )
    for name, optimizer in OPTIMIZERS.items()
    for kind in SHARED
]


@pytest.fixture(params=OPTIMIZERS.values(), ids=OPTIMIZERS)
def optimizer(request):
    """Spec of an optimizer."""
    return request.param


def test_there_are_optimizers():
    assert len(OPTIMIZERS) >= 6


def network() -> keras.Model:
    keras.utils.set_random_seed(0)
    inputs = keras.Input((4,))
    x = keras.layers.BatchNormalization(name="norm")(keras.layers.Dense(3, name="first")(inputs))
    return keras.Model(inputs, keras.layers.Dense(1, name="second")(x))


def compiled(optimizer, kind: str = "plain", **fields) -> keras.Model:
    model = network()
    spec = optimizer(**SHARED[kind], **fields)
    keras_optimizer = spec.build(RATE, ema=0.9 if kind == "ema" else None)
    model.compile(keras_optimizer, "mean_squared_error", jit_compile=False)
    model.optimizer.build(model.trainable_variables)
    return model


def batch():
    random = np.random.RandomState(0)
    return random.normal(size=(16, 4)).astype("float32"), random.normal(size=(16, 1))


def zero_gradients(model) -> list[tf.Tensor]:
    return [tf.zeros_like(variable.value) for variable in model.trainable_variables]


def values(model) -> dict[str, np.ndarray]:
    return {variable.path: variable.numpy() for variable in model.trainable_variables}


@pytest.mark.parametrize(("optimizer", "kind"), EVERY_KIND)
def test_step_changes_every_weight_and_reduces_the_loss(optimizer, kind):
    model = compiled(optimizer, kind)
    before, losses = values(model), []
    for _ in range(10):
        model.reset_metrics()
        losses.append(float(model.train_step(batch())["loss"]))
    after = values(model)
    for path, was in before.items():
        assert np.isfinite(after[path]).all(), path
        if path != "first/bias":  # Batch norm cancels it, so it has no gradient.
            assert (after[path] != was).any(), path
    assert losses[-1] < losses[0]


@pytest.mark.parametrize(("optimizer", "kind"), EVERY_KIND)
def test_variables_have_the_same_order_in_every_build(optimizer, kind):
    """Checkpoints store them by index."""
    first, second = (compiled(optimizer, kind).optimizer for _ in range(2))
    described = [
        [(v.path.split("/", 1)[-1], v.shape, v.dtype) for v in o.variables] for o in (first, second)
    ]
    assert described[0] == described[1]
    assert len(described[0]) >= 2


@pytest.mark.parametrize(("optimizer", "kind"), EVERY_KIND)
def test_step_creates_no_variables(optimizer, kind):
    model = compiled(optimizer, kind)
    before = len(model.optimizer.variables)
    model.train_step(batch())
    assert len(model.optimizer.variables) == before


def test_weight_decay_applies_to_kernels_only(optimizer):
    model = compiled(optimizer, "weight decay")
    for variable in model.trainable_variables:
        variable.assign(tf.ones_like(variable.value))
    model.optimizer.apply(zero_gradients(model), model.trainable_variables)
    for path, value in values(model).items():
        kept = 1 - RATE * 0.1 if path.endswith("kernel") else 1.0
        np.testing.assert_allclose(value, kept, rtol=1e-6, err_msg=path)


def test_weight_decay_excludes_learned_weights_of_inputs_and_losses():
    from mmzoo.layers.fusion_layers import CombinedDecisions, LearnedAverage
    from mmzoo.layers.losses import UncertaintyWeights

    two = [keras.Input((3,)), keras.Input((3,))]
    average = LearnedAverage()(two)
    decided = CombinedDecisions("weighted", "one")(two)
    model = keras.Model(
        two, [average, decided, UncertaintyWeights([1.0, 0.5], [0.5, 0.5])(average)]
    )
    spec = AdamW(weight_decay=0.1).build(RATE)
    spec.build(model.trainable_variables)
    for variable in model.trainable_variables:
        variable.assign(tf.ones_like(variable.value))
    spec.apply(zero_gradients(model))
    assert len(model.trainable_variables) == 3
    assert all((variable.numpy() == 1).all() for variable in model.trainable_variables)


def test_without_weight_decay_zero_gradients_change_nothing(optimizer):
    model = compiled(optimizer, "no weight decay")
    before = values(model)
    model.optimizer.apply(zero_gradients(model), model.trainable_variables)
    for path, value in values(model).items():
        np.testing.assert_array_equal(value, before[path])


def test_ema_follows_the_weights(optimizer):
    model = compiled(optimizer, "ema")
    before = values(model)
    model.train_step(batch())
    averages = model.optimizer._model_variables_moving_average
    for variable, average in zip(model.trainable_variables, averages, strict=True):
        # Keras initializes the average with the weights of the first step.
        assert average.shape == variable.shape
        assert (average.numpy() != before[variable.path]).any() or variable.path == "first/bias"


def test_learning_rate_may_be_a_schedule(optimizer):
    class Halves(keras.optimizers.schedules.LearningRateSchedule):
        def __call__(self, step):
            return RATE * 0.5 ** tf.cast(step, tf.float32)

    model = network()
    model.compile(optimizer().build(Halves()), "mean_squared_error", jit_compile=False)
    model.optimizer.build(model.trainable_variables)
    for expected in (RATE, RATE / 2, RATE / 4):
        assert float(model.optimizer.learning_rate) == pytest.approx(expected)
        model.train_step(batch())


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"clip_norm": 1.0}, [0.6, 0.8]),  # 3, 4 is 5 long.
        ({"clip_norm": 10.0}, [3.0, 4.0]),
        ({"clip_value": 3.5}, [3.0, 3.5]),
        ({}, [3.0, 4.0]),
    ],
)
def test_gradient_clipping(fields, expected):
    weights = keras.Variable([0.0, 0.0])
    optimizer = SGD(momentum=0.0, **fields).build(1.0)
    optimizer.build([weights])
    optimizer.apply([tf.constant([3.0, 4.0])], [weights])
    np.testing.assert_allclose(weights.numpy(), [-value for value in expected], rtol=1e-6)


def test_clip_norm_is_the_global_norm():
    weights = [keras.Variable([0.0]), keras.Variable([0.0])]
    optimizer = SGD(momentum=0.0, clip_norm=1.0).build(1.0)
    optimizer.build(weights)
    optimizer.apply([tf.constant([3.0]), tf.constant([4.0])], weights)
    np.testing.assert_allclose([w.numpy()[0] for w in weights], [-0.6, -0.8], rtol=1e-6)


def test_every_own_field_changes_the_steps(optimizer):
    shared = {"type", "learning_rate", "schedule", "weight_decay", "clip_norm", "clip_value"}
    own = [name for name in optimizer.model_fields if name not in shared]
    usual = optimizer()
    for name in own:
        changed = usual.replace(**{name: other(getattr(usual, name))})
        assert (walk(changed) != walk(usual)).any(), name


def walk(spec) -> np.ndarray:
    """Weights after ten steps with equal gradients."""
    weights = keras.Variable(np.zeros(50, "float32"))
    optimizer = spec.build(RATE)
    optimizer.build([weights])
    random = np.random.RandomState(0)
    for _ in range(10):
        optimizer.apply([tf.constant(random.normal(size=50), tf.float32)], [weights])
    return weights.numpy()


def other(value: float | bool) -> float | bool:
    return not value if isinstance(value, bool) else 0.5


def test_adamw_without_weight_decay():
    assert AdamW(weight_decay=0.0).build(RATE).weight_decay == 0


def test_both_kinds_of_clipping_are_an_error():
    with pytest.raises(ValidationError) as caught:
        SGD(clip_norm=1.0, clip_value=1.0)
    [error] = caught.value.errors()
    assert error["msg"] == "expected only one of `clip_norm` and `clip_value`, got both"
