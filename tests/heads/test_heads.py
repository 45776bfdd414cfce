"""Contract of all heads; the tests iterate over the union of specs."""

from __future__ import annotations

import json
from typing import get_args

import numpy as np
import pytest
from pydantic import ValidationError

from mmzoo.catalogue import family_members
from mmzoo.heads import Binary, LabelledHead, Multilabel
from mmzoo.lazy import keras, tf

HEADS = {
    name: spec for name, spec in family_members("heads").items() if issubclass(spec, LabelledHead)
}
ROWS = 60
MAIN_METRIC = {
    "classification": ("accuracy", 1),
    "binary": ("accuracy", 1),
    "multilabel": ("subset_accuracy", 1),
    "regression": ("mean_absolute_error", -1),
}
"""Head -> its main metric, and whether higher or lower is better."""


def with_each_loss():
    for name, spec in HEADS.items():
        for loss in get_args(spec.model_fields["loss"].annotation):
            yield pytest.param(spec(loss=loss), id=f"{name}-{loss}")


def test_there_are_heads_and_losses():
    assert len(HEADS) >= 4
    assert len(list(with_each_loss())) >= 15


@pytest.fixture(params=with_each_loss())
def head(request) -> LabelledHead:
    """A head with one of its losses, fitted to synthetic labels."""
    return request.param.fit(labels(request.param), None, "here")


def labels(head: LabelledHead) -> np.ndarray:
    return head.synthetic(np.random.RandomState(0), ROWS)


def true_targets(head: LabelledHead) -> np.ndarray:
    """Perfect outputs: targets in their soft form."""
    return head.target(tf.constant(labels(head)), soft=True).numpy().astype("float32")


def guesses(head: LabelledHead) -> np.ndarray:
    """Distinct outputs between right and wrong, none of them certain."""
    random = np.random.RandomState(1)
    right = true_targets(head)
    return (0.45 * right + 0.25 + 0.2 * random.uniform(size=right.shape)).astype("float32")


def loss(head: LabelledHead, predicted: np.ndarray, soft: bool = False) -> float:
    target = head.target(tf.constant(labels(head)), soft)
    return float(head.keras_loss(soft)(target, tf.constant(predicted)))


def test_a_fitted_head_is_complete(head):
    assert head.is_fitted
    assert head.fit(labels(head), None, "here") == head


def test_synthetic_labels_fit_the_head(head):
    for rows in (1, 7, 200):
        made = head.synthetic(np.random.RandomState(rows), rows)
        assert len(made) == rows
        head.check(made, "here")


def test_the_output_is_float32_in_mixed_precision_too(head):
    features = keras.Input((5,))
    for policy in ("float32", "mixed_bfloat16"):
        keras.config.set_dtype_policy(policy)
        try:
            output = head.output(features, "label")
        finally:
            keras.config.set_dtype_policy("float32")
        assert output.dtype == "float32"
        assert output.shape == (None, true_targets(head).shape[1])
        layer = output._keras_history.operation
        assert layer.name == "label"
        assert layer.dtype_policy.name == "float32"


@pytest.mark.parametrize("soft", [False, True])
def test_the_loss_decreases_towards_the_true_labels(head, soft):
    right = true_targets(head)
    wrong = np.roll(right, 1, axis=0)
    losses = [loss(head, wrong + share * (right - wrong), soft) for share in np.linspace(0, 1, 6)]
    assert np.isfinite(losses).all()
    assert (np.diff(losses) < 0).all()


def test_the_loss_of_perfect_predictions_is_near_zero(head):
    if head.loss == "hinge" and head.type != "classification":
        assert (
            0 < loss(head, true_targets(head)) <= 1
        )  # A probability of 0 is as far down as it goes.
    else:
        assert loss(head, true_targets(head)) == pytest.approx(0, abs=1e-5)


def test_targets_that_can_be_mixed_give_the_same_loss(head):
    predicted = guesses(head)
    assert loss(head, predicted, soft=True) == pytest.approx(loss(head, predicted), rel=1e-5)


def test_the_loss_of_a_batch_is_the_mean_over_its_examples(head):
    predicted, target = guesses(head), head.target(tf.constant(labels(head)), soft=False)
    keras_loss = head.keras_loss(soft=False)
    each = [float(keras_loss(target[i : i + 1], predicted[i : i + 1])) for i in range(ROWS)]
    assert float(keras_loss(target, predicted)) == pytest.approx(np.mean(each), rel=1e-5)


def test_mixed_targets_give_the_mixed_loss(head):
    """Mixup's targets lie between two true labels, which every loss must support."""
    target = true_targets(head)
    mixed = tf.constant(0.5 * target + 0.5 * np.roll(target, 1, axis=0))
    value = float(head.keras_loss(soft=True)(mixed, guesses(head)))
    assert np.isfinite(value)
    assert value > 0


@pytest.mark.parametrize("soft", [False, True])
def test_metrics_have_names_and_distinguish_good_from_bad(head, soft):
    right, target = true_targets(head), head.target(tf.constant(labels(head)), soft)
    metrics = head.keras_metrics(soft)
    names = [name for name in head.metric_names if name not in head.split_metric_names]
    assert [metric.name for metric in metrics] == names
    for metric in metrics:
        values = []
        for predicted in (right, np.roll(right, 1, axis=0)):
            metric.reset_state()
            metric.update_state(target, predicted)
            values.append(float(metric.result()))
        best, worse = values
        if metric.name.endswith("error"):
            assert best == pytest.approx(0, abs=1e-6)
            assert worse > best
        else:
            assert best == pytest.approx(1, abs=1e-6)
            assert worse < best


def test_monitored_metrics_have_a_direction(head):
    """`mmzoo.early_stopping` decides by name: losses and errors are minimized."""
    small = ("loss", "error")
    for metric in head.keras_metrics(soft=False):
        assert isinstance(metric, keras.metrics.Metric)
        assert metric.name.endswith(small) == (head.type == "regression")


def test_an_evaluation_is_json(head):
    metrics = head.evaluate(labels(head), head.predictions(guesses(head)))
    assert json.loads(json.dumps(metrics, allow_nan=False)) == metrics
    assert len(metrics) > 3


def test_an_evaluation_agrees_with_the_metrics_of_training(head):
    target, outputs = head.target(tf.constant(labels(head)), soft=False), guesses(head)
    metrics = head.evaluate(labels(head), head.predictions(outputs))
    same = [metric for metric in head.keras_metrics(soft=False) if metric.name in metrics]
    for metric in same:
        metric.update_state(target, outputs)
        assert metrics[metric.name] == pytest.approx(float(metric.result()), abs=1e-5)
    assert same or head.type == "multilabel"
    assert set(head.split_metric_names) <= metrics.keys()


@pytest.mark.parametrize("threshold", [0.0, 0.3, 0.5, 1.0])
def test_a_probability_equal_to_the_threshold_is_positive_in_training_too(threshold):
    outputs = np.full((4, 1), threshold, "float32")
    binary = Binary(threshold=threshold, class_names=("no", "yes"))
    [accuracy] = binary.keras_metrics(soft=False)
    accuracy.update_state([[1.0], [1.0], [1.0], [0.0]], outputs)
    expected = binary.evaluate(np.array([1, 1, 1, 0]), outputs)["accuracy"]
    assert float(accuracy.result()) == expected == 0.75
    multilabel = Multilabel(threshold=threshold, classes=1, class_names=("a",))
    f1, label_accuracy = multilabel.keras_metrics(soft=False)
    for metric in (f1, label_accuracy):
        metric.update_state([[1.0], [1.0], [1.0], [0.0]], outputs)
    assert float(label_accuracy.result()) == 0.75


def test_example_scores_average_to_the_main_metric(head):
    random = np.random.RandomState(2)
    spread = true_targets(head) + random.normal(scale=0.5, size=true_targets(head).shape)
    predicted = head.predictions(spread.astype("float32"))

    scores = head.example_scores(labels(head), predicted)

    assert scores.shape == (ROWS,)
    assert scores.dtype == np.float64
    metrics = head.evaluate(labels(head), predicted)
    main, sign = MAIN_METRIC[head.type]
    assert 0 < abs(scores.mean()) < 1
    assert scores.mean() == pytest.approx(sign * metrics[main])


def test_example_scores_are_higher_for_better_predictions(head):
    predicted = true_targets(head)
    predicted[: ROWS // 2] = true_targets(head)[: ROWS // 2, ::-1] + 2  # Another class, or far off.
    if predicted.shape[1] == 1 and head.type != "regression":
        predicted[: ROWS // 2] = 1 - true_targets(head)[: ROWS // 2]

    scores = head.example_scores(labels(head), head.predictions(predicted))

    assert scores[: ROWS // 2].mean() < scores[ROWS // 2 :].min()


def test_predictions_are_written_as_columns_of_one_length(head):
    for top in (0, 1, 2, 99):
        columns = head.decode(head.predictions(guesses(head)), "label", top)
        assert columns
        assert all(name == "label" or name.startswith("label_") for name in columns)
        assert {len(values) for values in columns.values()} == {ROWS}
        assert {type(v) for values in columns.values() for v in values} <= {str, float, int}
    assert len(head.decode_labels(labels(head))) == ROWS


def test_perfect_predictions_are_written_as_their_labels(head):
    perfect = head.predictions(true_targets(head))
    assert perfect.dtype == ("float64" if head.type == "regression" else "float32")
    np.testing.assert_allclose(perfect, head.perfect_output(labels(head)), rtol=1e-6)
    decoded, true = head.decode(perfect, "label")["label"], head.decode_labels(labels(head))
    if head.type == "regression":
        np.testing.assert_allclose(decoded, true, 1e-6)
    else:
        assert decoded == true


def test_a_head_without_names_of_classes_fits_labels_without_names(head):
    assert head.without_names().fit(labels(head), None, "here").is_fitted


def test_example_weights_are_float32_or_none(head):
    assert head.example_weight(tf.constant(labels(head))) is None
    if "class_weights" in type(head).model_fields:
        weighted = head.replace(class_weights="auto").fit(labels(head), None, "here")
        weights = weighted.example_weight(tf.constant(labels(head)))
        assert weights.dtype == tf.float32
        assert weights.shape == (ROWS,)
        # Each class counts the same, and an example counts 1 on average.
        assert float(tf.reduce_mean(weights)) == pytest.approx(1)


SMOOTHED = [
    pytest.param(spec(loss=loss, label_smoothing=0.2), id=f"{name}-{loss}")
    for name, spec in HEADS.items()
    if "label_smoothing" in spec.model_fields
    for loss in ("cross_entropy", "focal")
]


@pytest.mark.parametrize("spec", SMOOTHED)
def test_label_smoothing_penalizes_certainty(spec):
    head = spec.fit(labels(spec), None, "here")
    right = true_targets(head)
    doubtful = 0.8 * right + 0.2 / max(2, right.shape[1])
    assert loss(head, right) > loss(head, doubtful)
    assert loss(head, right, soft=True) == pytest.approx(loss(head, right), rel=1e-5)
    plain = head.replace(label_smoothing=0.0)
    assert loss(plain, right) < loss(plain, doubtful)


@pytest.mark.parametrize("name", ["classification", "binary", "multilabel"])
@pytest.mark.parametrize("loss", ["hinge", "mean_squared_error"])
def test_losses_that_cannot_smooth_labels_refuse_to(name, loss):
    with pytest.raises(ValidationError) as caught:
        HEADS[name](loss=loss, label_smoothing=0.1)
    [problem] = caught.value.errors()
    assert problem["msg"] == (
        f"expected 0 with loss '{loss}': only cross_entropy and focal smooth labels"
    )
