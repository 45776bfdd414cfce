"""Fréchet distance against its formula with SciPy's matrix square root."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.linalg

from mmzoo.metrics import frechet_distance


def by_formula(one: np.ndarray, other: np.ndarray) -> float:
    covariances = np.cov(one.T), np.cov(other.T)
    root = scipy.linalg.sqrtm(covariances[0] @ covariances[1]).real
    difference = one.mean(axis=0) - other.mean(axis=0)
    return float(difference @ difference + np.trace(covariances[0] + covariances[1] - 2 * root))


def test_it_is_that_of_the_formula():
    random = np.random.RandomState(0)
    one = random.normal(size=(80, 6)) @ random.normal(size=(6, 6)) + 1.0
    other = random.normal(size=(50, 6)) @ random.normal(size=(6, 6))
    assert frechet_distance(one, other) == pytest.approx(by_formula(one, other), rel=1e-9)
    assert frechet_distance(other, one) == pytest.approx(by_formula(one, other), rel=1e-9)


def test_it_is_zero_for_the_same_vectors_and_grows_with_the_square_of_a_shift():
    one = np.random.RandomState(0).normal(size=(30, 4))
    assert frechet_distance(one, one) == pytest.approx(0.0, abs=1e-9)
    assert frechet_distance(one, one + 3.0) == pytest.approx(4 * 9.0)


def test_constant_features_and_fewer_rows_than_features_do_no_harm():
    random = np.random.RandomState(0)
    one, other = random.normal(size=(5, 8)), random.normal(size=(4, 8))
    one[:, 3] = other[:, 3] = 2.0
    kept = [0, 1, 2, 4, 5, 6, 7]
    expected = frechet_distance(one[:, kept], other[:, kept])
    assert frechet_distance(one, other) == pytest.approx(expected, rel=1e-6)


def test_one_number_per_example_is_compared_by_mean_and_std():
    one, other = np.array([[0.0], [2.0]]), np.array([[5.0], [11.0]])
    stds = one.std(ddof=1), other.std(ddof=1)
    assert frechet_distance(one, other) == pytest.approx(49.0 + (stds[0] - stds[1]) ** 2)


def test_a_single_vector_has_no_covariance():
    with pytest.raises(ValueError, match="two rows"):
        frechet_distance(np.zeros((1, 2)), np.zeros((3, 2)))
