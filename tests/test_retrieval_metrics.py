"""Retrieval metrics against a direct computation, with ties, missing inputs and classes."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from mmzoo.metrics import metric_info, wilson_interval
from mmzoo.metrics.retrieval_metrics import find_ranks, retrieval_metrics

ROWS, DIM = 60, 8


def unit(seed: int, rows: int = ROWS) -> np.ndarray:
    values = np.random.RandomState(seed).normal(size=(rows, DIM)).astype("float32")
    return values / np.linalg.norm(values, axis=1, keepdims=True)


def near(values: np.ndarray, seed: int) -> np.ndarray:
    noisy = values + 0.8 * unit(seed, len(values))
    return noisy / np.linalg.norm(noisy, axis=1, keepdims=True)


def test_ranks_equal_those_of_a_sort_whatever_the_size_of_the_blocks() -> None:
    queries = unit(0)
    candidates = near(queries, 1)
    cosines = queries.astype(np.float64) @ candidates.T.astype(np.float64)
    expected = [int(np.flatnonzero((-row).argsort() == i)[0]) for i, row in enumerate(cosines)]
    assert len(set(expected)) > 5
    classes = np.arange(ROWS) % 4
    right = classes[cosines.argmax(axis=1)] == classes
    for most_numbers in (1, 7 * ROWS + 3, ROWS * ROWS):
        found = find_ranks(queries, candidates, classes, most_numbers=most_numbers)
        np.testing.assert_array_equal(found.above, expected)
        np.testing.assert_array_equal(found.tied, 1)
        np.testing.assert_array_equal(found.right_class, right)
        for k in (1, 5, 10):
            np.testing.assert_array_equal(found.recall_at(k), np.array(expected) < k)
        np.testing.assert_array_equal(found.expected(), np.array(expected) + 1)


def test_memory_does_not_grow_with_the_square_of_the_rows() -> None:
    rows, most = 2_000, 20_000
    queries = unit(0, rows)
    tracemalloc.start()
    try:
        find_ranks(queries, queries, np.zeros(rows, int), most_numbers=most)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 0.1 * 4 * rows**2


def test_equal_vectors_give_chance() -> None:
    same = np.broadcast_to(unit(0, 1), (ROWS, DIM))
    classes = np.array([0] * 45 + [1] * 15)
    found = retrieval_metrics({"a": same, "b": same}, classes)
    assert found["recall_at_1"] == pytest.approx(1 / ROWS)
    assert found["a_to_b_recall_at_10"] == pytest.approx(10 / ROWS)
    assert found["b_to_a_median_rank"] == (ROWS + 1) / 2
    assert found["class_at_1"] == pytest.approx(0.75**2 + 0.25**2)
    for name in ("recall_at_1", "class_at_1"):
        assert found[f"chance_{name}"] == pytest.approx(found[name])


def test_each_of_two_equal_rows_is_found_half_of_the_time() -> None:
    values = unit(0)
    values[1] = values[0]
    found = retrieval_metrics({"a": values, "b": values})
    assert found["recall_at_1"] == pytest.approx((ROWS - 1) / ROWS)
    assert found["a_to_b_recall_at_5"] == 1
    assert found["a_to_b_median_rank"] == 1
    assert "class_at_1" not in found


def test_every_direction_is_reported_over_the_rows_that_have_both_inputs() -> None:
    a, b, c = unit(0), near(unit(0), 1), near(unit(0), 2)
    a[:10] = np.nan
    b[5:20] = np.nan
    classes = np.where(np.arange(ROWS) % 7, np.arange(ROWS) % 3, -1)
    found = retrieval_metrics({"a": a, "b": b, "c": c}, classes)
    for one, two, there in (
        ("a", "b", np.arange(20, ROWS)),
        ("a", "c", np.arange(10, ROWS)),
        ("b", "c", np.r_[0:5, 20:ROWS]),
    ):
        of = {"a": a, "b": b, "c": c}
        for queries, candidates in ((one, two), (two, one)):
            cosines = of[queries][there] @ of[candidates][there].T
            ranks = (cosines > np.diag(cosines)[:, None]).sum(axis=1)
            name = f"{queries}_to_{candidates}"
            for k in (1, 5, 10):
                assert found[f"{name}_recall_at_{k}"] == pytest.approx((ranks < k).mean())
                interval = wilson_interval(int((ranks < k).sum()), len(there))
                assert found[f"{name}_recall_at_{k}_ci95"] == pytest.approx(list(interval))
            assert found[f"{name}_median_rank"] == np.median(ranks + 1)
            known = classes[there] >= 0
            cosines, own = cosines[known][:, known], classes[there][known]
            right = own[cosines.argmax(axis=1)] == own
            assert found[f"{name}_class_at_1"] == pytest.approx(right.mean())
    assert found["examples"] == ROWS - 5  # Rows 5 to 9 have only c.
    recalls = [value for key, value in found.items() if key.endswith("_to_c_recall_at_1")]
    assert len(recalls) == 2
    every = [v for key, v in found.items() if "_to_" in key and key.endswith("recall_at_1")]
    assert found["recall_at_1"] == pytest.approx(np.mean(every))
    low, high = found["recall_at_1_ci95"]
    assert low < found["recall_at_1"] < high


def test_one_input_is_compared_with_the_other_rows() -> None:
    values, classes = unit(0), np.arange(ROWS) % 3
    found = retrieval_metrics({"a": values}, classes)
    cosines = values @ values.T
    np.fill_diagonal(cosines, -np.inf)
    right = classes[cosines.argmax(axis=1)] == classes
    assert found["class_at_1"] == found["a_to_a_class_at_1"] == pytest.approx(right.mean())
    assert found["examples"] == ROWS
    assert "recall_at_1" not in found


def test_without_rows_nothing_is_measured() -> None:
    a, b = unit(0), unit(1)
    a[:30] = b[30:] = np.nan
    found = retrieval_metrics({"a": a, "b": b}, np.zeros(ROWS, int))
    assert found["examples"] == 0
    assert {found[name] for name in found if name != "examples"} == {None}


def test_shares_are_printed_in_percent() -> None:
    assert metric_info("image_to_text_recall_at_10").text(0.123) == "12.3 %"
    assert metric_info("chance_class_at_1").text(0.1) == "10.0 %"
    assert metric_info("image_to_text_median_rank").text(12.5) == "12.5"
