"""Metrics match scikit-learn and hand calculations, and handle edge cases."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
import warnings

import numpy as np
import pytest
import sklearn.metrics as reference
from hypothesis import given
from hypothesis import strategies as st

from mmzoo import metrics
from mmzoo.errors import DataError


def predictions(seed: int, n: int, classes: int, ties: bool = False):
    """True classes and float32 probabilities; with ties, few distinct values."""
    random = np.random.default_rng(seed)
    scores = random.integers(1, 4, (n, classes)) if ties else random.random((n, classes)) + 0.01
    probabilities = (scores / scores.sum(axis=1, keepdims=True)).astype(np.float32)
    return random.integers(0, classes, n), probabilities


CASES = {
    "ten classes": predictions(0, 500, 10),
    "ties": predictions(1, 200, 7, ties=True),
    "two classes": predictions(2, 50, 2),
    "absent classes": predictions(3, 4, 30),
    "one class only is true": (np.full(40, 2), predictions(4, 40, 6)[1]),
    "a single class": (np.zeros(3, np.int64), np.ones((3, 1), np.float32)),
    "one example": predictions(5, 1, 6),
}


@pytest.mark.parametrize("case", CASES)
def test_classification_metrics_match_scikit_learn(case):
    true, probabilities = CASES[case]
    classes = probabilities.shape[1]
    predicted = probabilities.argmax(axis=1)
    found = metrics.classification_metrics(true, probabilities)

    assert found["accuracy"] == reference.accuracy_score(true, predicted)
    assert found["majority"] == np.mean(true == np.bincount(true).argmax())
    assert found["macro_f1"] == pytest.approx(
        reference.f1_score(true, predicted, average="macro", zero_division=0)
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # It warns of classes that are predicted but never true.
        balanced = reference.balanced_accuracy_score(true, predicted)
    assert found["balanced_accuracy"] == pytest.approx(balanced)
    if classes > 1:
        exact = probabilities / probabilities.sum(axis=1, keepdims=True, dtype=np.float64)
        assert found["cross_entropy"] == pytest.approx(
            reference.log_loss(true, exact, labels=range(classes)), rel=1e-5
        )
    if classes > 5:
        # Of ties scikit-learn takes the last class, argmax and mmzoo the first: so turn them round.
        assert found["top5_accuracy"] == reference.top_k_accuracy_score(
            classes - 1 - true, probabilities[:, ::-1], k=5, labels=range(classes)
        )


@pytest.mark.parametrize("case", CASES)
def test_confusion_and_per_class_match_scikit_learn(case):
    true, probabilities = CASES[case]
    classes = probabilities.shape[1]
    predicted = probabilities.argmax(axis=1)

    confusion = metrics.confusion_matrix(true, predicted, classes)

    assert confusion.dtype == np.int64
    if classes > 1:  # scikit-learn warns of a single one.
        np.testing.assert_array_equal(
            confusion, reference.confusion_matrix(true, predicted, labels=range(classes))
        )
    expected = reference.precision_recall_fscore_support(
        true, predicted, labels=range(classes), zero_division=0
    )
    for name, array, required in zip(
        metrics.PerClass._fields, metrics.per_class(confusion), expected, strict=True
    ):
        np.testing.assert_allclose(array, required, err_msg=name)


def test_confusion_has_true_classes_in_rows():
    confusion = metrics.confusion_matrix(np.array([0, 0, 1]), np.array([2, 0, 1]), classes=3)
    assert confusion.tolist() == [[1, 0, 1], [0, 1, 0], [0, 0, 0]]


@pytest.mark.parametrize(
    ("true", "predicted", "message"),
    [
        ([0, 3], [0, 1], "true classes go from 0 to 3, but must be in 0 to 2"),
        ([0, 1], [-1, 1], "predicted classes go from -1 to 1, but must be in 0 to 2"),
    ],
)
def test_confusion_refuses_a_class_out_of_range(true, predicted, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        metrics.confusion_matrix(np.array(true), np.array(predicted), classes=3)


@pytest.mark.parametrize(
    ("correct", "n", "low", "high"),
    [(9910, 10_000, 0.98895, 0.99267), (5, 10, 0.23659, 0.76341), (0, 10, 0.0, 0.27753)],
)
def test_wilson_interval_of_known_cases(correct, n, low, high):
    assert metrics.wilson_interval(correct, n) == pytest.approx((low, high), abs=1e-5)


def test_wilson_interval_of_no_examples_is_0_to_1():
    assert metrics.wilson_interval(0, 0) == (0.0, 1.0)


def test_wilson_interval_refuses_more_correct_than_total():
    with pytest.raises(ValueError, match=r"^11 correct of 10 examples$"):
        metrics.wilson_interval(11, 10)


@given(st.integers(1, 100_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_interval_contains_the_share_and_is_symmetric(counts):
    correct, n = counts
    low, high = metrics.wilson_interval(correct, n)
    assert 0 <= low <= correct / n <= high <= 1
    assert metrics.wilson_interval(n - correct, n) == pytest.approx((1 - high, 1 - low))
    wider = metrics.wilson_interval(correct, n, confidence=0.99)
    assert wider[0] <= low
    assert high <= wider[1]
    assert wider != (low, high)


def test_calibration_error_matches_a_manual_computation():
    confidence = np.array([0.95, 0.95, 0.95, 0.95, 0.55, 0.55])
    correct = np.array([1, 1, 1, 0, 0, 0])
    # (4/6) |0.75 - 0.95| + (2/6) |0 - 0.55|
    error = metrics.expected_calibration_error(confidence, correct, bins=10)
    assert error == pytest.approx(4 / 6 * 0.2 + 2 / 6 * 0.55)


def test_reliability_bins_are_open_below_and_closed_above():
    curve = metrics.reliability(np.array([0.0, 0.5, 0.75, 1.0]), np.array([0, 1, 1, 1]), bins=2)
    assert curve.examples.tolist() == [2, 2]
    assert curve.confidence.tolist() == [0.25, 0.875]
    assert curve.accuracy.tolist() == [0.5, 1.0]


def test_calibration_error_of_calibrated_predictions_is_zero():
    assert metrics.expected_calibration_error(np.full(8, 0.75), np.arange(8) % 4 > 0) == 0
    assert metrics.expected_calibration_error(np.ones(5), np.ones(5)) == 0


def test_top_1_is_the_accuracy_even_with_ties():
    true, probabilities = CASES["ties"]
    accuracy = np.mean(probabilities.argmax(axis=1) == true)
    assert metrics.top_k_accuracy(true, probabilities, k=1) == accuracy


def test_top_5_is_left_out_for_few_classes():
    assert "top5_accuracy" not in metrics.classification_metrics(*predictions(0, 9, 5))
    assert "top5_accuracy" in metrics.classification_metrics(*predictions(0, 9, 6))


def test_cross_entropy_of_an_impossible_class_is_finite():
    assert metrics.cross_entropy(np.array([1]), np.array([[1.0, 0.0]])) == pytest.approx(
        -np.log(1e-7)
    )


@pytest.mark.parametrize("ties", [False, True])
def test_binary_metrics_match_scikit_learn(ties):
    random = np.random.default_rng(7)
    true = random.integers(0, 2, 300)
    probability = np.clip(random.normal(0.35 + 0.25 * true, 0.2), 0, 1).astype(np.float32)
    if ties:
        probability = np.round(probability, 1)
    said = probability >= 0.4
    found = metrics.binary_metrics(true, probability, threshold=0.4)

    assert found["accuracy"] == reference.accuracy_score(true, said)
    assert found["precision"] == pytest.approx(reference.precision_score(true, said))
    assert found["recall"] == pytest.approx(reference.recall_score(true, said))
    assert found["f1"] == pytest.approx(reference.f1_score(true, said))
    assert found["auc"] == pytest.approx(reference.roc_auc_score(true, probability))
    assert found["average_precision"] == pytest.approx(
        reference.average_precision_score(true, probability)
    )
    assert found["balanced_accuracy"] == pytest.approx(
        reference.balanced_accuracy_score(true, said)
    )


def test_binary_metrics_at_one_half_are_those_of_two_classes():
    true, probabilities = CASES["two classes"]
    of_two = metrics.classification_metrics(true, probabilities)
    binary = metrics.binary_metrics(true, probabilities[:, 1])
    assert len(of_two) == 7
    for key, value in of_two.items():
        assert binary[key] == pytest.approx(value, rel=1e-5), key


@pytest.mark.parametrize(("only", "auc", "precision"), [(0, None, None), (1, None, 1.0)])
def test_metrics_undefined_for_one_class_are_none(only, auc, precision):
    found = metrics.binary_metrics(np.full(4, only), np.array([0.1, 0.4, 0.6, 0.9]))
    assert found["auc"] is auc
    assert found["average_precision"] == precision


def multilabel_case():
    random = np.random.default_rng(11)
    true = random.integers(0, 2, (120, 5))
    probabilities = np.clip(random.normal(0.3 + 0.4 * true, 0.3), 0, 1)
    return true, probabilities


def test_multilabel_metrics_match_scikit_learn():
    true, probabilities = multilabel_case()
    said = probabilities >= 0.5
    found = metrics.multilabel_metrics(true, probabilities)

    assert found["subset_accuracy"] == reference.accuracy_score(true, said)
    assert found["micro_f1"] == pytest.approx(reference.f1_score(true, said, average="micro"))
    assert found["macro_f1"] == pytest.approx(reference.f1_score(true, said, average="macro"))
    assert found["hamming_loss"] == pytest.approx(reference.hamming_loss(true, said))
    assert found["mean_average_precision"] == pytest.approx(
        reference.average_precision_score(true, probabilities, average="macro")
    )
    expected = reference.precision_recall_fscore_support(true, said)
    for array, required in zip(metrics.per_label(true, probabilities), expected, strict=True):
        np.testing.assert_allclose(array, required)


def test_multilabel_majority_is_the_most_frequent_set():
    true = np.array([[1, 0, 1], [1, 0, 1], [0, 0, 0], [1, 1, 1]])
    found = metrics.multilabel_metrics(true, np.tile([0.9, 0.1, 0.9], (4, 1)))
    assert found["majority"] == found["subset_accuracy"] == 0.5


def test_multilabel_macro_f1_leaves_out_labels_that_do_not_occur():
    found = metrics.multilabel_metrics(np.array([[1, 0], [1, 0]]), np.array([[0.9, 0.1]] * 2))
    assert found["macro_f1"] == 1.0
    assert found["mean_average_precision"] == 1.0


def test_multilabel_without_positive_labels():
    found = metrics.multilabel_metrics(np.zeros((2, 3)), np.zeros((2, 3)))
    assert found["subset_accuracy"] == 1.0
    assert found["macro_f1"] == found["micro_f1"] == 0.0
    assert found["mean_average_precision"] is None


def test_regression_metrics_match_scikit_learn():
    random = np.random.default_rng(13)
    true = random.normal(20, 5, (200, 3)).astype(np.float32)
    predicted = (true + random.normal(0, 1, true.shape)).astype(np.float32)
    found = metrics.regression_metrics(true, predicted)

    assert found["mean_absolute_error"] == pytest.approx(
        reference.mean_absolute_error(true, predicted)
    )
    assert found["root_mean_squared_error"] == pytest.approx(
        np.sqrt(reference.mean_squared_error(true, predicted))
    )
    assert found["r2"] == pytest.approx(reference.r2_score(true, predicted), rel=1e-5)
    mean = np.broadcast_to(true.mean(axis=0), true.shape)
    assert found["baseline_mean_absolute_error"] == pytest.approx(
        reference.mean_absolute_error(true, mean)
    )


def test_regression_interval_approximates_a_bootstrap():
    random = np.random.default_rng(17)
    errors = random.exponential(2.0, 1000)
    low, high = metrics.regression_metrics(np.zeros(1000), errors)["mean_absolute_error_ci95"]
    means = random.choice(errors, (2000, 1000)).mean(axis=1)
    assert (low, high) == pytest.approx(np.quantile(means, [0.025, 0.975]), abs=0.02)


def test_regression_of_one_example_has_no_interval_and_no_r2():
    found = metrics.regression_metrics(np.array([[3.0]]), np.array([[4.0]]))
    assert found["mean_absolute_error"] == 1.0
    assert found["mean_absolute_error_ci95"] is None
    assert found["r2"] is None


def test_regression_interval_is_not_below_zero():
    found = metrics.regression_metrics(np.zeros(3), np.array([0.0, 0.0, 9.0]))
    assert found["mean_absolute_error_ci95"][0] == 0.0


def test_regression_r2_ignores_constant_targets():
    true = np.array([[1.0, 5.0], [2.0, 5.0], [3.0, 5.0]])
    predicted = np.array([[1.0, 4.0], [2.0, 5.0], [3.0, 6.0]])
    assert metrics.regression_metrics(true, predicted)["r2"] == 1.0


def test_regression_refuses_broadcasting():
    with pytest.raises(ValueError, match=r"^true values \(3,\), but predictions \(3, 1\)$"):
        metrics.regression_metrics(np.zeros(3), np.zeros((3, 1)))


@pytest.mark.parametrize(
    "found",
    [
        metrics.classification_metrics(*CASES["ten classes"]),
        metrics.binary_metrics(np.array([0, 1]), np.array([0.2, 0.7], np.float32)),
        metrics.multilabel_metrics(*multilabel_case()),
        metrics.regression_metrics(np.zeros((2, 2), np.float32), np.ones((2, 2), np.float32)),
    ],
    ids=["classification", "binary", "multilabel", "regression"],
)
def test_metrics_round_trip_through_json(found):
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert {type(value) for value in found.values()} <= {float, list, type(None)}


@pytest.mark.parametrize(
    "measure",
    [
        metrics.classification_metrics,
        metrics.multilabel_metrics,
        metrics.regression_metrics,
        lambda true, predicted: metrics.binary_metrics(true[:, 0], predicted[:, 0]),
    ],
)
def test_metrics_refuse_empty_and_non_finite_input(measure):
    with pytest.raises(DataError, match=r"^there are no examples, so nothing can be measured$"):
        measure(np.zeros((0, 2)), np.zeros((0, 2)))
    broken = np.full((3, 2), 0.5)
    broken[1:, 0] = [np.nan, np.inf]
    with pytest.raises(DataError) as error:
        measure(np.zeros((3, 2)), broken)
    assert str(error.value) == (
        "the predictions for 2 of 3 examples are not finite numbers, first for example 1 (counted "
        "from 0): look for values that are missing, infinite or very large in the inputs of these "
        "examples"
    )


def test_metrics_refuse_arrays_of_different_lengths():
    with pytest.raises(ValueError, match=r"^3 true values, but 2 predictions$"):
        metrics.classification_metrics(np.zeros(3, np.int64), np.full((2, 2), 0.5))


def right_or_wrong(seed: int, rows: int, share: float):
    """1 with a probability of `share`, else 0: float [rows]."""
    return (np.random.RandomState(seed).uniform(size=rows) < share).astype(np.float64)


def test_a_paired_bootstrap_agrees_with_the_std_of_the_differences():
    a, b = right_or_wrong(0, 2_000, 0.9), right_or_wrong(1, 2_000, 0.8)

    found = metrics.paired_bootstrap(a, b, draws=4_000)

    assert found.difference == pytest.approx(a.mean() - b.mean())
    low, high = metrics.mean_interval(a - b) or (0, 0)
    assert found.low == pytest.approx(low, abs=0.002)
    assert found.high == pytest.approx(high, abs=0.002)


def test_a_paired_bootstrap_resamples_examples_in_pairs():
    hard = np.random.RandomState(0).normal(scale=10.0, size=500)  # Much harder for both, or easier.
    found = metrics.paired_bootstrap(hard + 0.1, hard)
    assert found == pytest.approx((0.1, 0.1, 0.1))


def test_a_paired_bootstrap_is_symmetric_and_seeded():
    a, b = right_or_wrong(0, 300, 0.6), right_or_wrong(1, 300, 0.5)
    difference, low, high = metrics.paired_bootstrap(a, b)
    assert low < difference < high
    assert metrics.paired_bootstrap(b, a) == pytest.approx((-difference, -high, -low))
    assert metrics.paired_bootstrap(a, b) == (difference, low, high)
    assert metrics.paired_bootstrap(a, b, seed=1)[1:] != (low, high)
    assert metrics.paired_bootstrap(a, a) == (0, 0, 0)
    wide = metrics.paired_bootstrap(a, b, confidence=0.99)
    assert wide.low < low
    assert wide.high > high


def test_a_paired_bootstrap_does_not_depend_on_the_block_size(monkeypatch):
    a, b = right_or_wrong(0, 100, 0.6), right_or_wrong(1, 100, 0.5)
    complete = metrics.paired_bootstrap(a, b, draws=50)
    for at_once in (1, 100, 700):
        monkeypatch.setattr("mmzoo.metrics.intervals._CHUNK", at_once)
        assert metrics.paired_bootstrap(a, b, draws=50) == complete


def test_columns_of_a_bootstrap_are_resampled_together():
    """So their differences equal those of the paired bootstrap."""
    scores = np.random.default_rng(0).random((200, 3))
    means = metrics.bootstrap_means(scores, draws=300, seed=4)
    assert means.shape == (300, 3)
    for one, other in ((0, 1), (2, 1)):
        low, high = metrics.percentile_interval(means[:, one] - means[:, other])
        found = metrics.paired_bootstrap(scores[:, one], scores[:, other], draws=300, seed=4)
        assert found[1:] == pytest.approx((low, high))
    assert metrics.bootstrap_means(np.full((5, 1), 0.25), draws=3).tolist() == [[0.25]] * 3


def test_paired_bootstrap_intervals_have_nominal_coverage():
    held = 0
    for seed in range(100):
        a, b = right_or_wrong(2 * seed, 400, 0.8), right_or_wrong(2 * seed + 1, 400, 0.7)
        _, low, high = metrics.paired_bootstrap(a, b, draws=200)
        held += low <= 0.1 <= high
    assert 88 <= held <= 99


def test_a_paired_bootstrap_refuses_unpaired_scores():
    with pytest.raises(ValueError, match=r"from both, got shapes \(3,\) and \(2,\)$"):
        metrics.paired_bootstrap(np.zeros(3), np.zeros(2))
    with pytest.raises(ValueError, match=r"got shapes \(3, 2\) and \(3, 2\)$"):
        metrics.paired_bootstrap(np.zeros((3, 2)), np.zeros((3, 2)))
    with pytest.raises(DataError, match="there are no examples"):
        metrics.paired_bootstrap(np.zeros(0), np.zeros(0))
    for broken in ((np.array([0, np.nan]), np.zeros(2)), (np.zeros(2), np.array([0, np.inf]))):
        with pytest.raises(DataError, match="1 of 2 examples are not finite"):
            metrics.paired_bootstrap(*broken)


ACCURACY = metrics.metric_info("accuracy")
ERROR = metrics.metric_info("mean_absolute_error")


def test_bootstrap_metrics_match_the_paired_bootstrap():
    scores = (np.random.default_rng(0).random((300, 3)) < [0.9, 0.5, 0.9]).astype(float)
    found = metrics.BootstrapMetrics(scores)
    assert [one.value for one in found.estimates] == pytest.approx(scores.mean(axis=0))
    for one in found.estimates:
        assert one.low < one.value < one.high
    expected = metrics.paired_bootstrap(scores[:, 0], scores[:, 1])
    assert found.difference(0, 1) == pytest.approx(expected)


def test_errors_are_scores_with_the_sign_flipped():
    errors = np.random.default_rng(0).uniform([1, 2], [3, 4], (200, 2))
    found = metrics.BootstrapMetrics(-errors)
    first, second = (ERROR.of_scores(one) for one in found.estimates)
    assert 1 < first.low < first.value < first.high < second.low
    assert found.difference(0, 1).low > 0
    difference = ERROR.of_score_difference(found.difference(0, 1))
    assert difference.difference == pytest.approx(first.value - second.value)
    assert ACCURACY.of_scores(first) == first


def test_no_difference_is_exactly_zero():
    thirds = np.full((50, 2), 1 / 3) * 1e6
    thirds[:, 1] = thirds[:, 0] + 1e-9  # As from another order of the same sum.
    assert metrics.BootstrapMetrics(thirds).difference(1, 0) == (0, 0, 0)
    assert str(metrics.negate(metrics.PairedDifference(0.0, 0.0, 0.0)).low) == "0.0"


@pytest.mark.parametrize(
    ("info", "difference", "text"),
    [
        (ACCURACY, 0.0412, "4.1 points"),
        (ACCURACY, -0.2, "-20.0 points"),
        (ACCURACY, -1e-9, "0.0 points"),
        (ACCURACY, 0.0003, "0.03 points"),
        (ERROR, 0.41234, "0.412"),
        (ERROR, 1234.0, "1,234"),
    ],
)
def test_differences_have_units(info, difference, text):
    assert info.difference_text(difference) == text


def test_the_main_metric_of_a_head_is_the_one_with_a_baseline():
    found = {"accuracy": 0.9, "accuracy_ci95": [0.8, 0.95], "majority": 0.4, "macro_f1": 0.9}
    assert metrics.main_metric(found) == ACCURACY
    assert ACCURACY.interval_text(0.032, 0.05) == "3.2 to 5.0"
    assert (ERROR.label, ERROR.text(0.41234)) == ("mean absolute error", "0.4123")
    assert metrics.main_metric({"perplexity": 3.25}) is None


@pytest.mark.parametrize(
    ("share", "text"),
    [(0.0, "0.0 %"), (1.0, "100.0 %"), (0.5, "50.0 %"), (0.99996, "99.996 %"), (1e-9, "0.0 %")],
)
def test_fractions_are_in_percent(share, text):
    assert ACCURACY.text(share) == text


def test_importing_metrics_loads_nothing_heavy():
    code = (
        "import sys, mmzoo.metrics; "
        "sys.exit(bool({'sklearn', 'matplotlib', 'tensorflow', 'scipy'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("ties", [False, True])
def test_curves_match_scikit_learn(ties):
    true, probabilities = predictions(7, 300, 2, ties)
    score = probabilities[:, 1]
    false_rate, true_rate, _ = reference.roc_curve(true, score, drop_intermediate=False)
    found = metrics.roc_curve(true, score)
    np.testing.assert_allclose(found, [false_rate, true_rate])
    precision, recall, _ = reference.precision_recall_curve(true, score)
    found_recall, found_precision = metrics.precision_recall_curve(true, score)
    # Scikit-learn begins with the lowest threshold and adds a point at recall 0.
    np.testing.assert_allclose(found_recall, recall[-2::-1])
    np.testing.assert_allclose(found_precision, precision[-2::-1])
    assert metrics.roc_curve(np.ones(3, int), score[:3]) is None
    assert metrics.precision_recall_curve(np.zeros(3, int), score[:3]) is None


def test_errors_by_size_split_the_true_values_into_ranges():
    true = np.arange(10.0)
    predicted = true + np.repeat([1.0, -1.0, 2.0, 0.0, -3.0], 2)
    assert metrics.errors_by_size(true, predicted) == [
        (0, 1, 2, 1, 1),
        (2, 3, 2, 1, -1),
        (4, 5, 2, 2, 2),
        (6, 7, 2, 0, 0),
        (8, 9, 2, 3, -3),
    ]


@given(st.lists(st.integers(-3, 3), min_size=1, max_size=60), st.integers(0, 10))
def test_errors_by_size_contain_every_example_once(values, seed):
    true = np.array(values, float)
    errors = np.random.RandomState(seed).normal(size=len(true))
    bins = metrics.errors_by_size(true, true + errors)
    assert sum(one.examples for one in bins) == len(true)
    assert len(bins) <= 5
    assert all(before.high < after.low for before, after in itertools.pairwise(bins))
    for one in bins:
        inside = errors[(true >= one.low) & (true <= one.high)]
        assert len(inside) == one.examples
        assert one.mean_absolute_error == pytest.approx(np.abs(inside).mean())
        assert one.bias == pytest.approx(inside.mean(), abs=1e-12)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (241_700.0, "241,700"),
        (241_683.2, "241,700"),
        (45.3412, "45.34"),
        (1.0, "1"),
        (0.0, "0"),
        (-0.0, "0"),
        (-0.00004, "-4e-05"),
        (0.03125, "0.03125"),
        (999.96, "1,000"),
        (1234.0, "1,234"),
        (-1_234_567.0, "-1,235,000"),
        (3e18, "3e+18"),
        (float("nan"), "not finite"),
        (float("inf"), "not finite"),
    ],
)
def test_readable_numbers(value, text):
    assert metrics.number_text(value) == text
    if value == value and abs(value) != float("inf"):
        assert float(text.replace(",", "")) == float(f"{value:.4g}")


def test_large_regression_figures_have_no_powers_of_ten():
    info = metrics.metric_info("mean_absolute_error")
    assert info.text(241_700.3) == "241,700"
    assert info.interval_text(238_000.0, 245_100.4) == "238,000 to 245,100"
    assert info.difference_text(-12_345.6) == "-12,350"
