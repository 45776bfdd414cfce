"""The worst mistakes, in order, with the images that the model got."""

from __future__ import annotations

import numpy as np

from mmzoo.evaluation.mistakes import (
    error_captions,
    largest_errors,
    mistake_captions,
    most_confident_mistakes,
)


def test_worst_mistakes_are_the_most_confident_wrong_ones():
    true = np.array([0, 0, 1, 1, 2])
    said = np.array([0, 1, 0, 2, 1])
    confidence = np.array([0.9, 0.6, 0.8, 0.6, 0.5])
    found = most_confident_mistakes(true, said, confidence)
    assert found.tolist() == [2, 1, 3, 4]
    assert found.dtype == np.int64
    assert most_confident_mistakes(true, said, confidence, most=2).tolist() == [2, 1]


def test_no_mistakes_give_no_indices():
    assert most_confident_mistakes(np.array([1]), np.array([1]), np.array([0.8])).tolist() == []


def test_captions_show_true_and_predicted_class():
    names = ["4", "9", "long " * 20]
    captions = mistake_captions(np.array([2, 0]), np.array([1, 2]), np.array([0.985, 1.0]), names)
    assert captions == [
        "true long long long long lon…, predicted 9 (98 %)",
        "true 4, predicted long long long long lon… (100 %)",
    ]


def test_the_predicted_class_need_not_be_the_most_probable():
    """With a threshold of 0.3, a probability of 35 % is a wrong "yes", though "no" is likelier."""
    captions = mistake_captions(np.array([0]), np.array([1]), np.array([0.35]), ["no", "yes"])
    assert captions == ["true no, predicted yes (35 %)"]


def test_the_largest_errors_come_first():
    true = np.array([[10.0], [250_000.0], [3.0], [4.0]])
    predicted = np.array([[12.0], [8300.0], [3.0], [2.5]], np.float32)
    rows = largest_errors(true, predicted)
    assert rows.tolist() == [1, 0, 3]
    assert error_captions(true[rows], predicted[rows]) == [
        "true 250,000, predicted 8,300 (-241,700)",
        "true 10, predicted 12 (+2)",
        "true 4, predicted 2.5 (-1.5)",
    ]
    assert largest_errors(true, predicted, most=1).tolist() == [1]
    assert error_captions(np.array([[1.0, 2.0]]), np.array([[2.0, 5.0]])) == [
        "mean absolute error 2"
    ]


def test_the_digits_of_a_caption_are_those_of_its_error():
    true = np.array([[1_700_000_123_456.0], [20_000_001.5], [5.0], [3.0e-7]])
    errors = np.array([[-86_412_345.0], [0.25], [np.nan], [1.0e-7]])
    assert error_captions(true, true + errors) == [
        "true 1,700,000,120,000, predicted 1,699,913,710,000 (-86,410,000)",
        "true 20,000,001.5, predicted 20,000,001.75 (+0.25)",
        "true 5, predicted not finite (not finite)",
        "true 3e-07, predicted 4e-07 (+1e-07)",
    ]
