"""The supervised objective: the sum of the losses of all heads."""

from __future__ import annotations

import numpy as np
import pytest

from mmzoo.heads import Binary, Classification
from mmzoo.lazy import keras, tf
from mmzoo.objectives import Supervised

HEADS = {
    "kind": Classification(classes=3, class_names=("a", "b", "c"), weight=2.0),
    "good": Binary(class_names=("no", "yes"), weight=0.5),
}


@pytest.fixture
def objective():
    """The objective with all its defaults."""
    return Supervised()


def compiled(objective, heads=HEADS, soft=False) -> keras.Model:
    inputs = {"x": keras.Input((4,), name="x")}
    outputs = {name: head.output(inputs["x"], name) for name, head in heads.items()}
    model = objective.build(inputs, outputs, "net", heads)
    model.compile("sgd", **objective.compile_arguments(heads, soft))
    return model


def batch(heads=HEADS, soft=False):
    labels = {"kind": tf.constant([0, 1, 2, 1]), "good": tf.constant([0, 1, 1, 0])}
    values = np.random.RandomState(0).normal(size=(4, 4)).astype("float32")
    return {"x": values}, {name: head.target(labels[name], soft) for name, head in heads.items()}


def test_the_model_maps_dictionaries_to_dictionaries(objective):
    model = compiled(objective)
    inputs, _ = batch()
    outputs = model(inputs)
    assert model.name == "net"
    assert {name: output.shape for name, output in outputs.items()} == {
        "kind": (4, 3),
        "good": (4, 1),
    }


@pytest.mark.parametrize("soft", [False, True])
def test_a_step_trains(objective, soft):
    model = compiled(objective, soft=soft)
    inputs, targets = batch(soft=soft)
    before = [weights.numpy() for weights in model.trainable_variables]
    for _ in range(3):
        model.train_step((inputs, targets))
    assert all(
        (weights.numpy() != was).any()
        for weights, was in zip(model.trainable_variables, before, strict=True)
    )
    assert np.isfinite(float(model.get_metrics_result()["loss"]))


def test_the_loss_is_the_weighted_sum_over_the_heads(objective):
    model = compiled(objective)
    inputs, targets = batch()
    outputs = model(inputs)
    expected = sum(
        head.weight * float(head.keras_loss(False)(targets[name], outputs[name]))
        for name, head in HEADS.items()
    )
    loss = model.compute_loss(x=inputs, y=targets, y_pred=outputs, training=False)
    assert float(loss) == pytest.approx(expected, rel=1e-6)


def test_example_weights_apply_to_their_head(objective):
    model = compiled(objective)
    inputs, targets = batch()
    outputs = model(inputs)
    weights = {"kind": tf.constant([0.0, 3.0, 1.0, 0.0]), "good": tf.ones(4)}
    each = [
        float(
            HEADS["kind"].keras_loss(False)(targets["kind"][i : i + 1], outputs["kind"][i : i + 1])
        )
        for i in range(4)
    ]
    expected = 2.0 * (3 * each[1] + each[2]) / 4
    expected += 0.5 * float(HEADS["good"].keras_loss(False)(targets["good"], outputs["good"]))
    loss = model.compute_loss(
        x=inputs, y=targets, y_pred=outputs, sample_weight=weights, training=False
    )
    assert float(loss) == pytest.approx(expected, rel=1e-5)


def test_metric_names_are_prefixed_with_the_head(objective):
    model = compiled(objective)
    model.train_step(batch())
    assert set(model.get_metrics_result()) == {
        *("loss", "kind_loss", "good_loss", "kind_accuracy", "good_accuracy")
    }
