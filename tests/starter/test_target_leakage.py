"""Target leakage: columns that determine the target, and those that only help to predict it."""

from __future__ import annotations

import numpy as np
import polars
import pytest

from mmzoo.starter.target_leakage import find_leak

ROWS = 500
RANDOM = np.random.RandomState(0)
CLASSES = RANDOM.randint(0, 3, ROWS)
NUMBERS = RANDOM.normal(size=ROWS)


def leakage_reason(values, target, is_media=False):
    column, target = polars.Series("column", values), polars.Series("target", target)
    return find_leak(column, target, is_media)


LEAKS = {
    "it is equal to target": (CLASSES, CLASSES),
    "it is one-to-one with target": ([f"class {n}" for n in CLASSES], CLASSES),
    "each of its values has only one target": (
        CLASSES * 4 + RANDOM.randint(0, 4, ROWS),
        CLASSES,
    ),
    "each target has only one of its values": (CLASSES // 2, CLASSES),
    "thresholds on it determine target": (CLASSES * 10 + RANDOM.uniform(size=ROWS), CLASSES),
    "target always rises with it": (np.exp(NUMBERS), NUMBERS),
    "target always falls with it": (-(NUMBERS**3), NUMBERS),
}


@pytest.mark.parametrize("words", LEAKS)
def test_leakage_is_found(words):
    assert leakage_reason(*LEAKS[words]) == words


@pytest.mark.parametrize("words", LEAKS)
def test_one_counterexample_clears_a_column(words):
    values, target = (list(part) for part in LEAKS[words])
    if words == "each target has only one of its values":
        values[:2] = [5, 6]
        target[:2] = [target[0]] * 2
    else:
        # Two rows that agree in the column, and are at the two ends of the target.
        values[:2] = [values[2]] * 2
        target[:2] = [min(target), max(target)]
    assert leakage_reason(values, target) is None


def test_empty_cells_do_not_clear_a_column():
    values = [f"class {n}" if row % 3 else None for row, n in enumerate(CLASSES)]
    assert leakage_reason(values, CLASSES) == "it is one-to-one with target"


@pytest.mark.parametrize(
    ("values", "target"),
    [
        (RANDOM.randint(0, 5, ROWS), CLASSES),
        (CLASSES + RANDOM.normal(size=ROWS), CLASSES),
        (NUMBERS + RANDOM.normal(size=ROWS) / 10, NUMBERS),
        # Of values that never come back nothing is known, in either direction.
        ([f"{n:05d}x" for n in range(ROWS)], CLASSES),
        (NUMBERS, CLASSES),
        (RANDOM.permutation(ROWS), RANDOM.permutation(ROWS) / 7),
        # Twelve rows agree by chance.
        (list("aabbccddeeff"), list("xxyyxxyyxxyy")),
    ],
)
def test_informative_columns_are_not_leakage(values, target):
    assert leakage_reason(values, target) is None


def test_repeated_texts_of_one_class_are_not_leakage():
    texts = [f"text {n // 2}" for n in range(400)]
    labels = [n // 2 % 2 for n in range(400)]
    assert leakage_reason(texts, labels, is_media=True) is None
    assert leakage_reason(["no" if label else "yes" for label in labels], labels, is_media=True)
