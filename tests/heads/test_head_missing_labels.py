"""Rows without a label: no loss, no metric, an empty cell for the true value."""

from __future__ import annotations

import numpy as np
import pytest

from mmzoo.heads import Binary, Classification, Multilabel, Regression
from mmzoo.lazy import tf

NAMES = ("a", "b", "c")
LETTERS = np.array([0, 2, -1, 1, -1, 2])
SETS = np.array([[1, 0], [-1, -1], [1, 1], [0, 0], [-1, -1], [0, 1]], np.int8)
NUMBERS = np.array([1.5, np.nan, -1.0, 4.0, np.nan, 0.0], np.float32)
HEADS = {
    "sparse": (Classification(classes=3, class_names=NAMES), LETTERS),
    "one_hot": (Classification(classes=3, class_names=NAMES, one_hot=True), LETTERS),
    "binary": (Binary(class_names=("no", "yes")), np.array([0, 1, -1, 1, 0, -1])),
    "sets": (Multilabel(classes=2, class_names=NAMES[:2]), SETS),
    "one_label": (Multilabel(classes=3, class_names=NAMES), LETTERS),
    "number": (Regression(dim=1, mean=(1.0,), std=(2.0,)), NUMBERS),
    "numbers": (Regression(dim=2, normalize=False), np.stack([NUMBERS, NUMBERS], axis=1)),
}


@pytest.fixture(params=HEADS)
def head_and_labels(request):
    head, labels = HEADS[request.param]
    return head.replace(missing="ignore"), labels


def predicted(head) -> np.ndarray:
    random = np.random.RandomState(0)
    width = {"numbers": head.output_kind == "numbers" and head.dim, "classes": 3}.get(
        head.output_kind
    )
    width = width or getattr(head, "classes", 1)
    values = random.uniform(0.1, 0.9, size=(6, width)).astype("float32")
    return values / values.sum(axis=1, keepdims=True) if head.output_kind == "classes" else values


def test_rows_without_a_label_have_no_loss(head_and_labels):
    head, labels = head_and_labels
    there = head.labelled(labels)
    assert 0 < there.sum() < 6
    target = head.labelled_target(tf.constant(labels), soft=False)
    loss = head.compile_loss(soft=False)
    each = [float(loss(target[i : i + 1], predicted(head)[i : i + 1])) for i in range(6)]
    plain = head.keras_loss(soft=False)
    known = head.target(tf.constant(labels[there]), soft=False)
    expected = np.zeros(6)
    expected[there] = [
        float(plain(known[i : i + 1], predicted(head)[there][i : i + 1])) for i in range(len(known))
    ]
    np.testing.assert_allclose(each, expected, rtol=1e-5)
    assert float(loss(target, predicted(head))) == pytest.approx(expected.mean(), rel=1e-5)


def test_the_gradient_of_a_row_without_a_label_is_zero(head_and_labels):
    head, labels = head_and_labels
    outputs = tf.Variable(predicted(head))
    target = head.labelled_target(tf.constant(labels), soft=False)
    with tf.GradientTape() as tape:
        loss = head.compile_loss(soft=False)(target, outputs)
    gradient = tape.gradient(loss, outputs).numpy()
    assert np.isfinite(gradient).all()
    assert not gradient[~head.labelled(labels)].any()
    assert gradient[head.labelled(labels)].any()


def test_metrics_count_labelled_rows_only(head_and_labels):
    head, labels = head_and_labels
    there = head.labelled(labels)
    target = head.labelled_target(tf.constant(labels), soft=False)
    known = head.target(tf.constant(labels[there]), soft=False)
    pairs = zip(head.compile_metrics(False), head.keras_metrics(False), strict=True)
    for metric, plain in pairs:
        assert metric.name == plain.name
        metric.update_state(target, predicted(head))
        plain.update_state(known, predicted(head)[there])
        np.testing.assert_allclose(metric.result(), plain.result(), rtol=1e-6)
        assert {id(variable) for variable in metric.metric.variables} == {
            id(variable) for variable in metric.variables
        }
        metric.reset_state()
        assert not any(np.any(variable.numpy()) for variable in metric.variables)


def test_a_missing_true_label_is_an_empty_cell(head_and_labels):
    head, labels = head_and_labels
    truths = head.true_labels(labels)
    assert [true_targets is not None for true_targets in truths] == head.labelled(labels).tolist()
    assert [one for one in truths if one is not None] == head.decode_labels(
        labels[head.labelled(labels)]
    )


def test_negative_integers_are_labels():
    head, labels = Regression(dim=1, missing="ignore"), np.array([-3, 0, -1])
    assert head.labelled(labels).all()
    target = head.labelled_target(tf.constant(labels), soft=False)
    np.testing.assert_array_equal(target, [[-3.0], [0.0], [-1.0]])


def test_class_weights_support_missing_labels():
    head, labels = HEADS["sparse"]
    weighed = head.replace(missing="ignore", class_weights={"c": 3.0})
    weights = weighed.example_weight(tf.constant(labels)).numpy()
    np.testing.assert_array_equal(weights[labels >= 0], [1, 3, 1, 3])


def test_by_default_labels_are_required():
    for head, labels in HEADS.values():
        assert head.labelled(labels).all()
        assert type(head.compile_loss(False)) is type(head.keras_loss(False))
        assert not head.replace(column="x").required_columns()["x"].optional
        assert head.replace(column="x", missing="ignore").required_columns()["x"].optional
