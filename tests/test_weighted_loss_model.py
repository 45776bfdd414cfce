"""Auxiliary losses of single inputs, and learned weights of losses."""

from __future__ import annotations

import numpy as np
import pytest

from mmzoo.config import load_config
from mmzoo.errors import ConfigError
from mmzoo.heads import Classification, Regression
from mmzoo.lazy import keras, tf
from mmzoo.model import build_model, build_network
from mmzoo.objectives import Supervised
from mmzoo.training.loop import named_by_head

HEADS = {
    "kind": Classification(classes=3, class_names=("a", "b", "c")),
    "price": Regression(dim=1, normalize=False),
}
UNCERTAIN = {"objective": {"type": "supervised", "weights": "uncertainty"}}
AUXILIARY = {"fusion": {"type": "concat", "auxiliary_loss": 0.5}}
VOTE = {"fusion": {"type": "decision", "combine": "vote"}}
ROWS = 6


def image(**fields):
    encoder = {"type": "cnn", "filters": [2], "pool": [2]}
    return {"type": "image", "shape": [4, 4, 1], "encoder": encoder, **fields}


def config(heads=HEADS, **fields):
    return load_config(
        {
            "name": "two",
            "source": {"type": "synthetic"},
            "inputs": {"left": image(), "right": image()},
            "heads": {name: head.model_dump() for name, head in heads.items()},
            **fields,
        }
    )


def compiled(config) -> keras.Model:
    model = build_model(config)
    arguments = config.objective.compile_arguments(config.heads, soft=False)
    model.compile("sgd", **arguments)
    return model


def batch(heads=HEADS):
    random = np.random.RandomState(0)
    inputs = {
        name: tf.constant(random.randint(0, 256, (ROWS, 4, 4, 1)).astype("uint8"))
        for name in ("left", "right")
    }
    labels = {"kind": tf.constant([0, 1, 2, 1, 0, 2]), "price": tf.range(ROWS)}
    return inputs, {name: head.target(labels[name], False) for name, head in heads.items()}


def losses(outputs, targets) -> dict[str, float]:
    return {
        name: float(head.keras_loss(False)(targets[name], outputs[name]))
        for name, head in HEADS.items()
    }


@pytest.fixture(scope="module")
def auxiliary() -> keras.Model:
    return compiled(config(**AUXILIARY))


@pytest.fixture(scope="module")
def uncertain() -> keras.Model:
    return compiled(config(**UNCERTAIN))


def test_inference_returns_head_outputs_only(auxiliary, uncertain):
    inputs, _ = batch()
    for model in (auxiliary, uncertain):
        assert set(model(inputs)) == set(HEADS)
        assert set(model.predict(inputs, verbose=0)) == set(HEADS)


def test_training_has_unimodal_outputs(auxiliary):
    inputs, targets = batch()
    outputs = auxiliary(inputs, training=True)
    assert set(outputs) == {
        *HEADS,
        *(f"fusion_{head}.{name}" for head in HEADS for name in inputs),
    }
    single = sum(
        float(HEADS[head].keras_loss(False)(targets[head], outputs[f"fusion_{head}.{name}"]))
        for head in HEADS
        for name in inputs
    )
    expected = sum(losses(outputs, targets).values()) + 0.5 * single
    trained = auxiliary.compute_loss(y=targets, y_pred=outputs, training=True)
    assert float(trained) == pytest.approx(expected, rel=1e-6)


def test_auxiliary_losses_count_in_training_only(auxiliary):
    inputs, targets = batch()
    outputs = auxiliary(inputs)
    evaluated = auxiliary.compute_loss(y=targets, y_pred=outputs, training=False)
    assert float(evaluated) == pytest.approx(sum(losses(outputs, targets).values()), rel=1e-6)


def test_auxiliary_heads_depend_on_their_own_input_only(auxiliary):
    inputs, _ = batch()
    before = auxiliary(inputs, training=True)
    changed = auxiliary({**inputs, "left": 255 - inputs["left"]}, training=True)
    np.testing.assert_array_equal(before["fusion_kind.right"], changed["fusion_kind.right"])
    assert (before["fusion_kind.left"] != changed["fusion_kind.left"]).numpy().any()


@pytest.mark.parametrize("fields", [AUXILIARY, UNCERTAIN, VOTE], ids=str)
def test_a_step_trains_every_weight_with_the_usual_metric_names(fields):
    heads = HEADS if fields is not VOTE else {"kind": HEADS["kind"]}
    model = compiled(config(heads, **fields))
    before = [weight.numpy() for weight in model.trainable_variables]
    for _ in range(3):
        model.train_step(batch(heads))
    after = model.trainable_variables
    assert all((new.numpy() != old).any() for new, old in zip(after, before, strict=True))
    expected = {"loss", "kind_accuracy"}
    if heads is HEADS:
        expected |= {"kind_loss", "price_loss"}
        expected |= {"price_mean_absolute_error", "price_root_mean_squared_error"}
    results = named_by_head(model.get_metrics_result(), list(heads))
    assert set(results) == expected
    assert all(np.isfinite(float(value)) for value in results.values())
    model.reset_metrics()
    model.test_step(batch(heads))
    assert set(named_by_head(model.get_metrics_result(), list(heads))) == expected


@pytest.mark.parametrize("training", [True, False])
def test_learned_weights_are_inverse_variances(uncertain, training):
    """A classification loss is divided by the variance, a regression loss by twice that."""
    inputs, targets = batch()
    layer = uncertain.get_layer("loss.weights")
    before = layer.log_variances.numpy()
    layer.log_variances.assign([np.log(4.0), np.log(0.25)])
    outputs = uncertain(inputs, training=training)
    each = losses(outputs, targets)
    expected = each["kind"] / 4 + each["price"] / (2 * 0.25) + np.log(2.0) + np.log(0.5)
    loss = uncertain.compute_loss(y=targets, y_pred=outputs, training=training)
    assert float(loss) == pytest.approx(expected, rel=1e-5)
    weights = config(**UNCERTAIN).objective.learned_weights(uncertain, HEADS)
    assert weights == pytest.approx({"kind": 0.25, "price": 2.0})
    layer.log_variances.assign(before)


def test_the_gradient_of_a_log_variance_is_zero_at_the_optimum(uncertain):
    """At the minimum, the variance equals twice the classification loss."""
    inputs, targets = batch()
    layer = uncertain.get_layer("loss.weights")
    before = layer.log_variances.numpy()
    each = losses(uncertain(inputs), targets)
    layer.log_variances.assign([np.log(2 * each["kind"]), np.log(each["price"])])
    with tf.GradientTape() as tape:
        outputs = uncertain(inputs, training=True)
        loss = uncertain.compute_loss(y=targets, y_pred=outputs, training=True)
    gradient = tape.gradient(loss, layer.log_variances.value)
    np.testing.assert_allclose(gradient, 0, atol=1e-5)
    layer.log_variances.assign(before)


@pytest.mark.parametrize(
    ("loss", "scale"),
    [
        ("mean_squared_error", lambda errors: np.sqrt((errors**2).mean())),
        ("mean_absolute_error", lambda errors: abs(errors).mean()),
        ("huber", lambda errors: np.sqrt((errors**2).mean())),
    ],
)
def test_optimal_loss_weights_match_the_likelihood(loss, scale):
    """Normal errors: 1 / (2 variance); Laplace errors: 1 / scale."""
    price = HEADS["price"].replace(loss=loss)
    objective = Supervised(weights="uncertainty")
    said = keras.Input((1,), name="said")
    heads = {"price": price, "weight": price}
    outputs = {name: keras.layers.Identity(name=name)(said) for name in heads}
    model = objective.build({"said": said}, outputs, "net", heads)
    model.compile(keras.optimizers.SGD(0.3), **objective.compile_arguments(heads, soft=False))
    at_first = {"mean_squared_error": 0.5, "mean_absolute_error": 1.0, "huber": 1.0}
    assert objective.learned_weights(model, heads) == dict.fromkeys(heads, at_first[loss])
    errors = np.array([[0.1], [-0.4], [0.7], [0.8]], "float32")  # All where Huber's is a square.
    step = tf.function(model.train_step, autograph=False)
    for _ in range(100):
        step(({"said": errors}, dict.fromkeys(outputs, np.zeros_like(errors))))
    spread = scale(errors)
    likelihood = {
        "mean_squared_error": 1 / (2 * spread**2),
        "mean_absolute_error": 1 / spread,
        "huber": 1 / spread**2,
    }
    weights = objective.learned_weights(model, heads)
    assert weights == pytest.approx(dict.fromkeys(heads, likelihood[loss]), rel=1e-3)


def test_half_precision_has_float32_outputs_and_a_scaled_loss():
    model = build_model(config(**AUXILIARY, **UNCERTAIN), "mixed_float16")
    scaled = keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.0), initial_scale=2.0**8)
    arguments = config().objective.compile_arguments(HEADS, soft=False)
    model.compile(scaled, **arguments)
    inputs, targets = batch()
    outputs = model(inputs, training=True)
    assert {tensor.dtype for tensor in outputs.values()} == {tf.float32}
    loss = model.compute_loss(y=targets, y_pred=outputs, training=True)
    assert loss.dtype == tf.float32
    seen = []
    apply = scaled.apply_gradients
    scaled.apply_gradients = lambda pairs: seen.extend(pairs := list(pairs)) or apply(pairs)
    model.train_step((inputs, targets))
    with tf.GradientTape() as tape:
        outputs = model(inputs, training=True)
        loss = model.compute_loss(y=targets, y_pred=outputs, training=True)
    layer = model.get_layer("loss.weights")
    expected = tape.gradient(loss, layer.log_variances.value)
    [given] = [gradient for gradient, weight in seen if weight is layer.log_variances]
    np.testing.assert_allclose(given, 2.0**8 * expected, rtol=1e-3)


def test_the_model_after_the_encoders_shares_weights():
    complete = config(**AUXILIARY, **UNCERTAIN)
    network = build_network(complete)
    part = network.after_encoders(complete, ["left"])
    assert part.get_layer("loss.weights") is network.model.get_layer("loss.weights")
    assert {id(v) for v in part.variables} <= {id(v) for v in network.model.variables}
    inputs, _ = batch()
    vector = network.model.get_layer("left_encoder")(inputs["left"])[0]
    for training in (True, False):
        expected = network.model(inputs, training=training)
        given = part({**inputs, "left": vector}, training=training)
        assert given.keys() == expected.keys()
        for name, values in expected.items():
            np.testing.assert_allclose(given[name], values, rtol=1e-5)


def test_learned_weights_exclude_given_weights():
    heavy = {**HEADS, "price": HEADS["price"].replace(weight=0.1)}
    with pytest.raises(ConfigError, match=r"objective.weights: expected given, as heads.price"):
        config(heavy, **UNCERTAIN)
    with pytest.raises(ConfigError, match="with one head there is nothing to be weighted"):
        config({"kind": HEADS["kind"]}, **UNCERTAIN)
