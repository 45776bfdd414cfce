"""Contract of all probes; the tests iterate over the union of specs."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.linear_model import Ridge as ScikitRidge
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from mmzoo.catalogue import family_members
from mmzoo.probes import KNN, SVM, Logistic, Ridge

PROBES = family_members("probes")
WIDTH = 6


def cases():
    """Every probe with every kind of labels that it can learn."""
    for name, spec in PROBES.items():
        for role in spec.predicts:
            for width in (2, 3) if role == "class" else (1, 2):
                yield pytest.param(spec(), role, width, id=f"{name}-{role}-{width}")


CASES = list(cases())


def synthetic_data(role: str, width: int, rows: int = 90):
    """Features, and noisy targets of them: classes, or numbers `[rows, width]`."""
    random = np.random.RandomState(0)
    features = (random.normal(size=(rows, WIDTH)) * 3 + 5).astype("float32")
    values = features[:, :width] + random.normal(size=(rows, width))
    return features, values.argmax(axis=1) if role == "class" else values


@pytest.mark.parametrize(("probe", "role", "width"), CASES)
def test_a_probe_learns_separable_data(probe, role, width):
    features, targets = synthetic_data(role, width)
    arrays, notes = probe.fit(features, targets, 0)
    predicted = probe.predict(arrays, features)
    assert not notes
    assert predicted.shape == (len(features), width)
    if role == "class":
        np.testing.assert_allclose(predicted.sum(axis=1), 1)
        assert predicted.min() >= 0
        assert np.mean(predicted.argmax(axis=1) == targets) > 0.7
    else:
        assert np.abs(predicted - targets).mean() < 0.5 * np.abs(targets - targets.mean()).mean()


@pytest.mark.parametrize(("probe", "role", "width"), CASES)
def test_fitted_probes_are_arrays_and_deterministic(probe, role, width):
    features, targets = synthetic_data(role, width)
    first, again = (probe.fit(features, targets, 3)[0] for _ in range(2))
    assert first.keys() == again.keys()
    for name, values in first.items():
        assert values.dtype.kind in "fiu"
        assert np.array_equal(values, again[name])
    assert probe.predict(first, features[:0]).shape == (0, width)


@pytest.mark.parametrize(("probe", "role", "width"), CASES)
def test_constant_features_are_ignored(probe, role, width):
    features, targets = synthetic_data(role, width)
    constant = np.full((len(features), 1), 0.1, "float32")
    arrays, _ = probe.fit(np.concatenate([features, constant], axis=1), targets, 0)
    predicted = probe.predict(arrays, np.concatenate([features, constant], axis=1))
    without = probe.predict(probe.fit(features, targets, 0)[0], features)
    np.testing.assert_allclose(predicted, without, atol=1e-3)


def test_absent_classes_have_no_column():
    features, targets = synthetic_data("class", 2)
    for spec in (SVM, KNN, Logistic):
        arrays, _ = spec().fit(features, 4 * targets + 1, 0)
        assert arrays["classes"].tolist() == [1, 5]
        assert spec().predict(arrays, features).shape == (len(features), 2)


@pytest.mark.parametrize("classes", [2, 4])
def test_logistic_regression_matches_scikit_learn(classes):
    features, targets = synthetic_data("class", classes)
    scaler = StandardScaler().fit(features.astype("float64"))
    theirs = LogisticRegression(C=1 / 0.3, max_iter=1000)
    theirs.fit(scaler.transform(features.astype("float64")), targets)
    probe = Logistic(regularization=0.3)
    arrays, _ = probe.fit(features, targets, 0)
    expected = theirs.predict_proba(scaler.transform(features.astype("float64")))
    np.testing.assert_allclose(probe.predict(arrays, features), expected, atol=1e-6)


@pytest.mark.parametrize("classes", [2, 4])
def test_the_support_vector_machine_matches_scikit_learn(classes):
    features, targets = synthetic_data("class", classes)
    scaler = StandardScaler().fit(features.astype("float64"))
    theirs = LinearSVC(C=1 / 0.3, random_state=7, max_iter=2000)
    theirs.fit(scaler.transform(features.astype("float64")), targets)
    probe = SVM(regularization=0.3)
    arrays, _ = probe.fit(features, targets, 7)
    decisions = theirs.decision_function(scaler.transform(features.astype("float64")))
    if classes == 2:
        decisions = np.stack([np.zeros_like(decisions), decisions], axis=1)
    powers = np.exp(decisions)
    predicted = probe.predict(arrays, features)
    np.testing.assert_allclose(predicted, powers / powers.sum(axis=1, keepdims=True), atol=1e-6)
    assert np.array_equal(
        predicted.argmax(axis=1), theirs.predict(scaler.transform(features.astype("float64")))
    )


@pytest.mark.parametrize("weights", ["uniform", "distance"])
@pytest.mark.parametrize("role", ["class", "number"])
def test_nearest_neighbours_match_scikit_learn(role, weights):
    features, targets = synthetic_data(role, 3)
    new = synthetic_data(role, 3, rows=130)[0][80:]  # Ten of them are known.
    probe = KNN(neighbours=4, weights=weights)
    arrays, _ = probe.fit(features, targets, 0)
    scaler = StandardScaler().fit(features.astype("float64"))
    known, scaled_queries = (scaler.transform(rows).astype("float32") for rows in (features, new))
    kind = KNeighborsClassifier if role == "class" else KNeighborsRegressor
    theirs = kind(4, weights=weights, algorithm="brute").fit(known, targets)
    expected = (
        theirs.predict_proba(scaled_queries) if role == "class" else theirs.predict(scaled_queries)
    )
    np.testing.assert_allclose(probe.predict(arrays, new), expected, atol=1e-6)


def test_neighbour_norms_are_computed_once():
    features, targets = synthetic_data("class", 3)
    arrays, _ = KNN().fit(features, targets, 0)
    assert arrays["features"].dtype == np.float32, "as a run keeps them"
    opened = KNN().prepare(arrays)
    assert np.array_equal(KNN().predict(opened, features), KNN().predict(arrays, features))
    assert opened["features"].dtype == np.float64
    # Were the squares computed anew, these would be of no consequence.
    farther = {**opened, "squares": opened["squares"] + 1e6 * (targets == 0)}
    assert KNN().predict(farther, features)[:, 0].max() == 0


def test_fewer_examples_than_neighbours_are_all_used():
    features, targets = synthetic_data("number", 2, rows=3)
    arrays, _ = KNN(neighbours=9).fit(features, targets, 0)
    np.testing.assert_allclose(
        KNN(neighbours=9).predict(arrays, features), np.tile(targets.mean(axis=0), (3, 1))
    )


def test_many_examples_are_predicted_in_blocks(monkeypatch):
    features, targets = synthetic_data("class", 3)
    arrays, _ = KNN().fit(features, targets, 0)
    at_once = KNN().predict(arrays, features)
    monkeypatch.setattr("mmzoo.probes._NEIGHBOUR_NUMBERS", 7 * len(features))
    assert np.array_equal(KNN().predict(arrays, features), at_once)


@pytest.mark.parametrize("numbers", [1, 3])
def test_ridge_regression_matches_scikit_learn(numbers):
    features, targets = synthetic_data("number", numbers)
    scaler = StandardScaler().fit(features.astype("float64"))
    theirs = ScikitRidge(alpha=2.5).fit(scaler.transform(features.astype("float64")), targets)
    arrays, _ = Ridge(regularization=2.5).fit(features, targets, 0)
    expected = theirs.predict(scaler.transform(features.astype("float64"))).reshape(-1, numbers)
    np.testing.assert_allclose(
        Ridge(regularization=2.5).predict(arrays, features), expected, atol=1e-6
    )


def test_non_convergence_is_a_warning():
    random = np.random.RandomState(0)
    features = np.tile(random.normal(size=(40, 60)).astype("float32"), (2, 1))[:50]
    # Ten rows come twice, some with both labels: the less is forbidden, the longer it takes.
    _, notes = SVM(regularization=1e-6).fit(features, random.randint(0, 2, 50), 0)
    assert notes == ("did not converge in 2,000 iterations; more `regularization` would help",)
