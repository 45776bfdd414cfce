"""Measures and scales: intervals of pairs, units, and no difference where there is none."""

from __future__ import annotations

import numpy as np
import pytest

from mmzoo.evaluation.measure import Measured, interval_words
from mmzoo.evaluation.scale import Scale, scale_of
from mmzoo.metrics import PairedDifference, paired_bootstrap

ACCURACY = Scale("accuracy", 0.1)
ERROR = Scale("mean_absolute_error", 5.0)


def test_measures_and_gains_are_those_of_the_bootstrap():
    scores = (np.random.default_rng(0).random((300, 3)) < [0.9, 0.5, 0.9]).astype(float)
    measured = Measured(scores, ACCURACY)
    assert [one.value for one in measured.measures] == pytest.approx(scores.mean(axis=0))
    for one in measured.measures:
        assert one.low < one.value < one.high
    assert measured.gain(0, 1) == pytest.approx(paired_bootstrap(scores[:, 0], scores[:, 1]))


def test_errors_are_above_zero_and_their_gains_where_they_are_less():
    errors = np.random.default_rng(0).uniform([1, 2], [3, 4], (200, 2))
    measured = Measured(-errors, ERROR)
    first, second = measured.measures
    assert 1 < first.low < first.value < first.high < second.low
    assert measured.gain(0, 1).low > 0
    assert measured.gain(1, 0).high < 0


def test_no_difference_is_exactly_none():
    thirds = np.full((50, 2), 1 / 3) * 1e6
    thirds[:, 1] = thirds[:, 0] + 1e-9  # As from another order of the same sum.
    assert Measured(thirds, ACCURACY).gain(1, 0) == (0, 0, 0)


@pytest.mark.parametrize(
    ("scale", "value", "words"),
    [
        (ACCURACY, 0.0412, "4.1 points"),
        (ACCURACY, -0.2, "-20.0 points"),
        (ACCURACY, -1e-9, "0.0 points"),
        (ACCURACY, 0.0003, "0.03 points"),
        (ERROR, 0.41234, "0.412"),
        (ERROR, 1234.0, "1234"),
    ],
)
def test_differences_have_units(scale, value, words):
    assert scale.difference_text(value) == words


def test_intervals_are_in_the_unit_of_the_difference():
    words = interval_words(PairedDifference(0.041, 0.032, 0.05), ACCURACY)
    assert words == "95 % CI 3.2 to 5.0"


def test_scales_are_read_off_metrics():
    metrics = {"accuracy": 0.9, "accuracy_ci95": [0.8, 0.95], "majority": 0.4, "macro_f1": 0.9}
    assert scale_of(metrics) == Scale("accuracy", 0.4)
    scale = scale_of({"mean_absolute_error": 2.0, "baseline_mean_absolute_error": 9.0})
    assert not scale.is_share
    assert (scale.metric_of(-2.0), scale.bounds_of(-3.0, -1.0)) == (2.0, [1.0, 3.0])
    assert scale.label == "mean absolute error"
