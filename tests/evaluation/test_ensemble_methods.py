"""Ensemble methods: averages, votes and stacking."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from mmzoo.evaluation.ensemble_methods import Combination, best_weights, fit_combination
from mmzoo.heads import Binary, Classification, Multilabel, Regression

ROWS = 200
HEADS = {
    "classification": Classification(classes=3, class_names=("a", "b", "c")),
    "binary": Binary(class_names=("no", "yes"), threshold=0.4),
    "multilabel": Multilabel(classes=3, class_names=("a", "b", "c")),
    "regression": Regression(dim=2),
}


def synthetic_predictions(kind: str, members: int = 3):
    """Labels, and predictions of members of different quality."""
    random = np.random.RandomState(0)
    shape = {"classification": (ROWS, 3), "binary": (ROWS, 1), "multilabel": (ROWS, 3)}
    if kind == "regression":
        labels = random.normal(size=(ROWS, 2)) * [1, 100]
        noise = [random.normal(size=(ROWS, 2)) * [1, 100] for _ in range(members)]
        return labels, [labels + (n + 1) / 2 * noise[n] for n in range(members)]
    if kind == "classification":
        labels = random.randint(0, 3, ROWS)
        true_targets = np.eye(3)[labels]
    else:
        labels = random.randint(0, 2, shape[kind] if kind == "multilabel" else ROWS)
        true_targets = labels.reshape(shape[kind])
    predictions = []
    for number in range(members):
        logits = 2 * true_targets - 1 + (number + 1) / 2 * random.normal(size=shape[kind])
        probabilities = 1 / (1 + np.exp(-logits))
        total = probabilities.sum(axis=1, keepdims=True) if kind == "classification" else 1
        predictions.append((probabilities / total).astype("float32"))
    return labels, predictions


@pytest.mark.parametrize("kind", HEADS)
@pytest.mark.parametrize("method", ["average", "weighted", "vote", "stacking"])
def test_combinations_are_valid_predictions(method, kind):
    if (method, kind) == ("vote", "regression"):
        pytest.skip("numbers are not voted on")
    head = HEADS[kind]
    labels, predictions = synthetic_predictions(kind)
    combination = fit_combination(method, head, predictions, labels)
    together = combination.combine(predictions)
    assert together.dtype == predictions[0].dtype
    assert together.shape == predictions[0].shape
    if kind != "regression":
        assert together.min() >= 0
        assert together.max() <= 1
    if kind == "classification":
        np.testing.assert_allclose(together.sum(axis=1), 1, atol=1e-5)
    scores = [head.example_scores(labels, one).mean() for one in predictions]
    assert combination.decision_head.example_scores(labels, together).mean() > np.mean(scores)


@pytest.mark.parametrize("kind", HEADS)
def test_equal_members_combine_to_themselves(kind):
    labels, [one, *_] = synthetic_predictions(kind)
    for method in ("average", "weighted"):
        together = fit_combination(method, HEADS[kind], [one, one], labels).combine([one, one])
        np.testing.assert_allclose(together, one, rtol=1e-5)


@pytest.mark.parametrize("kind", HEADS)
def test_learned_weights_are_optimal(kind):
    head = HEADS[kind]
    labels, predictions = synthetic_predictions(kind)
    true_targets = (
        np.eye(3)[labels] if kind == "classification" else labels.reshape(predictions[0].shape)
    )
    weights = fit_combination("weighted", head, predictions, labels).weights
    assert sum(weights) == pytest.approx(1)
    assert min(weights) >= 0

    def loss(values):
        mean = np.tensordot(values, np.stack(predictions).astype("float64"), 1)
        if kind == "regression":
            return (((mean - true_targets) / true_targets.std(axis=0)) ** 2).mean()
        likely = (
            true_targets * mean
            if kind == "classification"
            else true_targets * mean + (1 - true_targets) * (1 - mean)
        )
        return -np.log(likely.sum(axis=1) if kind == "classification" else likely).mean()

    found = minimize(
        loss,
        np.full(3, 1 / 3),
        method="SLSQP",
        bounds=3 * [(0, 1)],
        constraints={"type": "eq", "fun": lambda values: values.sum() - 1},
        options={"ftol": 1e-12, "maxiter": 500},
    )
    assert loss(np.array(weights)) == pytest.approx(found.fun, abs=1e-7)


def test_a_harmful_member_has_zero_weight():
    labels, [good, *_] = synthetic_predictions("classification")
    bad = np.roll(good, 1, axis=1)
    weights = best_weights("classes", [good, bad], np.eye(3)[labels])
    assert weights[1] < 1e-3
    numbers, [near, *_] = synthetic_predictions("regression")
    weights = best_weights("numbers", [near, near + 500], numbers)
    assert weights[1] < 1e-2


def test_most_votes_win_regardless_of_confidence():
    predictions = [
        np.array([[0.4, 0.35, 0.25]], "float32"),
        np.array([[0.4, 0.35, 0.25]], "float32"),
        np.array([[0.0, 1.0, 0.0]], "float32"),
    ]
    together = Combination(HEADS["classification"], "vote").combine(predictions)
    assert together.argmax() == 0
    assert np.argmax(np.mean(predictions, axis=0)) == 1


def test_ties_are_broken_by_summed_probability():
    predictions = [np.array([[0.5, 0.2, 0.3]], "float32"), np.array([[0.1, 0.8, 0.1]], "float32")]
    assert Combination(HEADS["classification"], "vote").combine(predictions).argmax() == 1
    assert Combination(HEADS["classification"], "vote").combine(predictions[::-1]).argmax() == 1


def test_binary_votes_use_the_threshold_and_half_of_them_decide():
    vote = Combination(HEADS["binary"], "vote")
    columns = [[0.45, 0.45, 0.9, 0.3], [0.45, 0.1, 0.39, 0.3], [0.1, 0.1, 0.1, 0.3]]
    predictions = [np.array(column, "float32")[:, None] for column in columns]
    assert vote.decision_head.threshold == 0.5
    assert vote.decision_head.predicted_classes(vote.combine(predictions)).tolist() == [1, 0, 0, 0]


@pytest.mark.parametrize("kind", ["classification", "binary"])
def test_stacking_is_a_logistic_regression_on_predictions(kind):
    head = HEADS[kind]
    labels, predictions = synthetic_predictions(kind)
    stacked = fit_combination("stacking", head, predictions[:2], labels)
    features = np.concatenate(predictions[:2], axis=1).astype("float64")
    scaler = StandardScaler().fit(features)
    theirs = LogisticRegression(max_iter=1000).fit(scaler.transform(features), labels)
    new = [one[::-1] for one in predictions[:2]]
    expected = theirs.predict_proba(scaler.transform(features[::-1]))
    together = stacked.combine(new)
    np.testing.assert_allclose(together, expected[:, -together.shape[1] :], atol=1e-5)


def test_stacking_learns_a_members_confusions():
    labels, [good, *_] = synthetic_predictions("classification")
    turned = np.roll(good, 1, axis=1)
    stacked = fit_combination("stacking", HEADS["classification"], [turned, turned], labels)
    together = stacked.combine([turned, turned])
    assert np.mean(together.argmax(axis=1) == labels) > 0.6 > np.mean(turned.argmax(1) == labels)


def test_a_label_that_never_varies_is_averaged():
    labels, predictions = synthetic_predictions("multilabel")
    labels[:, 1] = 0
    stacked = fit_combination("stacking", HEADS["multilabel"], predictions, labels)
    assert set(stacked.stackers) == {"0", "2"}
    together = stacked.combine(predictions)
    np.testing.assert_allclose(together[:, 1], np.mean(predictions, axis=0)[:, 1], rtol=1e-6)
    assert not np.allclose(together[:, 0], np.mean(predictions, axis=0)[:, 0])
