"""Headlines, confusions and warnings of a head in the report."""

from __future__ import annotations

import numpy as np

from mmzoo import metrics
from mmzoo.evaluation.head_report import (
    confused_pairs,
    error_rows,
    head_warnings,
    headline,
    other_metrics,
)


def classification(accuracy, interval, majority):
    return {"accuracy": accuracy, "accuracy_ci95": list(interval), "majority": majority}


def test_headline_has_interval_and_baseline():
    confusion = np.array([[900, 80], [10, 1125]])
    found = headline(classification(0.991, (0.98895, 0.99267), 0.11354), confusion, ["0", "1"])
    assert found.label == "accuracy"
    assert str(found) == "99.1 % (95 % CI 98.9 to 99.3); majority-class baseline ('1'): 11.4 %"


def test_headline_never_rounds_to_all_or_nothing():
    found = headline(classification(0.9997, (0.99912, 0.9999), 0.00012))
    assert str(found) == ("99.97 % (95 % CI 99.91 to 99.99); majority-class baseline: 0.01 %")


def test_headline_of_a_regression_and_of_labels():
    regression = metrics.regression_metrics(np.array([1.0, 3.0]), np.array([2.0, 3.0]))
    assert str(headline(regression)) == "0.5 (95 % CI 0 to 1.48); mean baseline: 1"
    one = metrics.regression_metrics(np.array([1.0]), np.array([2.0]))
    assert str(headline(one)) == "1; mean baseline: 0"
    labels = metrics.multilabel_metrics(np.eye(2), np.eye(2))
    assert headline(labels).label == "subset accuracy"
    assert headline(labels).baseline == "most-frequent-set baseline: 50.0 %"


def test_metrics_of_other_kinds_have_no_headline_and_no_warnings():
    assert headline({"perplexity": 3.25}) is None
    assert head_warnings({"perplexity": 3.25}) == []
    assert other_metrics({"perplexity": 3.25}) == {"perplexity": "3.25"}


def test_other_metrics_have_their_common_names():
    found = other_metrics(metrics.binary_metrics(np.array([1, 1]), np.array([0.25, 0.75])))
    assert found == {
        "macro F1": "0.3333",
        "balanced accuracy": "50.0 %",
        "expected calibration error": "0.25",
        "cross entropy": "0.837",
        "precision": "1",
        "recall": "0.5",
        "F1": "0.6667",
        "area under ROC": "not defined",
        "average precision": "1",
    }


def test_confused_pairs_in_words_by_frequency():
    confusion = np.array([[5, 2, 0], [0, 1000, 3], [1, 2, 0]])
    assert confused_pairs(confusion, ["a", "b", "c"]) == [
        "'b' predicted as 'c': 3 of 1,003 (0.3 %)",
        "'a' predicted as 'b': 2 of 7 (28.6 %)",
        "'c' predicted as 'b': 2 of 3 (66.7 %)",
        "'c' predicted as 'a': 1 of 3 (33.3 %)",
    ]
    assert len(confused_pairs(confusion, ["a", "b", "c"], most=2)) == 2
    assert confused_pairs(np.diag([3, 4]), ["a", "b"]) == []


def test_a_good_model_has_no_warnings():
    confusion = np.array([[90, 10], [5, 95]])
    assert head_warnings(classification(0.925, (0.88, 0.95), 0.5), confusion, ["a", "b"]) == []


def test_predicting_one_class_only_is_a_warning():
    confusion = np.array([[0, 30, 0], [0, 70, 0], [0, 0, 0]])
    found = head_warnings(classification(0.7, (0.6, 0.78), 0.7), confusion, ["a", "b", "c"])
    assert found == [
        "The model is no better than a constant prediction: accuracy 70.0 % "
        "(95 % CI 60.0 to 78.0); majority-class baseline ('b'): 70.0 %.",
        "100.0 % of the predictions are 'b', but only 70.0 % of the examples.",
        "Never predicted, though there are examples: 'a'.",
        "No examples, so not evaluated: 'c'.",
    ]


def test_an_interval_that_contains_the_baseline_is_a_warning():
    assert head_warnings(classification(0.75, (0.65, 0.83), 0.7)) == [
        "The model may be no better than a constant prediction: accuracy 75.0 % "
        "(95 % CI 65.0 to 83.0); majority-class baseline: 70.0 %."
    ]


def test_a_regression_worse_than_the_mean_is_a_warning():
    poor = metrics.regression_metrics(np.array([1.0, 3.0]), np.array([5.0, 9.0]))
    assert head_warnings(poor) == [
        "The model is no better than a constant prediction: mean absolute error 5 "
        "(95 % CI 3.04 to 6.96); mean baseline: 1."
    ]


def test_long_lists_of_classes_are_truncated():
    confusion = np.zeros((10, 10), np.int64)
    confusion[0, 0] = 5
    names = [str(number) for number in range(10)]
    [absent] = head_warnings(classification(1.0, (0.9, 1.0), 0.5), confusion, names)
    assert absent == ("No examples, so not evaluated: '1', '2', '3', '4', '5', '6' and 3 more.")


def ranges(true: list[float]) -> list[str]:
    values = np.array(true)
    return [row[0] for row in error_rows(metrics.errors_by_size(values, values + 1))[1]]


def test_errors_by_size_show_the_digits_in_which_the_true_values_differ():
    day = 86_400_000.0
    assert ranges([1.7e12 + n * day for n in range(10)]) == [
        "1,700,000,000,000 to 1,700,086,400,000",
        "1,700,172,800,000 to 1,700,259,200,000",
        "1,700,345,600,000 to 1,700,432,000,000",
        "1,700,518,400,000 to 1,700,604,800,000",
        "1,700,691,200,000 to 1,700,777,600,000",
    ]
    assert ranges([20_001.0, 20_002.0, 20_003.0]) == ["20,001", "20,002", "20,003"]
    assert ranges([550.12, 560.34]) == ["550.1", "560.3"]
    assert ranges([0.0] * 9 + [14_999.0, 119_612.0]) == ["0", "15,000 to 119,600"]
    assert ranges([1.7e12, 1.7e12]) == ["1,700,000,000,000"]
