"""Batches are a function of seed and step, on any number of devices."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import pytest

import mmzoo.order
from mmzoo.batches import evaluation_batches, training_batches
from mmzoo.config import Config, load_config
from mmzoo.lazy import tf
from mmzoo.order import TrainingOrder, epoch_order

ROWS = 23
AUGMENT = [
    {"type": "rotation", "degrees": 30},
    {"type": "crop", "pixels": 1},
    {"type": "brightness"},
    {"type": "erasing"},
]


def config(augment=(), mixing=None, heads=None, seed=0, **train) -> Config:
    """Row numbers are the targets, so that a batch shows its rows."""
    return load_config(
        {
            "name": "order",
            "source": {"type": "synthetic"},
            "inputs": {
                "image": {
                    "type": "image",
                    "shape": [6, 6, 1],
                    "augment": list(augment),
                    "encoder": {"type": "cnn", "filters": [2], "padding": "same"},
                }
            },
            "heads": heads or {"number": {"type": "regression", "dim": 1}},
            "train": {"seed": seed, "mixing": mixing, **train},
        }
    ).with_columns()


def columns(rows=ROWS) -> dict[str, np.ndarray]:
    random = np.random.RandomState(0)
    return {
        "image": random.randint(0, 256, (rows, 6, 6, 1)).astype("uint8"),
        "number": np.arange(rows),
        "kind": np.arange(rows) % 3,
    }


def elements(dataset: tf.data.Dataset) -> list[list[np.ndarray]]:
    """Each element as a flat list of arrays."""
    return [[np.asarray(part) for part in tf.nest.flatten(element)] for element in dataset]


def training(spec: Config, order: TrainingOrder, start: int, steps: int) -> list[list[np.ndarray]]:
    return elements(training_batches(spec, columns(order.rows), order, start, steps))


def rows_of(elements: list[list[np.ndarray]]) -> list[list[int]]:
    return [[int(row) for row in element[1][:, 0]] for element in elements]


def assert_equal(left: list[list[np.ndarray]], right: list[list[np.ndarray]]) -> None:
    assert len(left) == len(right)
    for ours, theirs in zip(left, right, strict=True):
        for one, other in zip(ours, theirs, strict=True):
            assert one.dtype == other.dtype
            np.testing.assert_array_equal(one, other)


# The order.


@pytest.mark.parametrize(
    ("seed", "epoch", "expected"),
    [
        (0, 0, [8, 9, 1, 4, 7, 5, 3, 2, 0, 6]),
        (0, 1, [1, 9, 6, 3, 2, 0, 4, 8, 5, 7]),
        (1, 0, [6, 4, 9, 7, 1, 2, 5, 3, 0, 8]),
        (2**32 - 1, 299, [7, 9, 2, 3, 0, 5, 4, 1, 6, 8]),
    ],
)
def test_the_order_of_an_epoch_never_changes_between_versions(seed, epoch, expected):
    """A training started with one version can be resumed with another."""
    order = epoch_order(seed, epoch, 10)
    assert order.tolist() == expected
    assert order.dtype == np.int64


def test_the_order_of_a_large_epoch_never_changes_either():
    digest = hashlib.sha256(epoch_order(7, 3, 60_000).tobytes()).hexdigest()
    assert digest == "fe2c03f9bb5b867246fe1ee8a3297876a0d3f7c04a98fec1be5bfd3c392f2340"


def test_orders_differ_by_seed_and_epoch():
    orders = {tuple(epoch_order(seed, epoch, 30)) for seed in range(40) for epoch in range(40)}
    assert len(orders) == 1600


@pytest.mark.parametrize("batch_size", [1, 4, 5, 23, 64])
def test_every_row_occurs_once_an_epoch(batch_size):
    order = TrainingOrder(seed=3, rows=ROWS, batch_size=batch_size)
    for epoch in range(3):
        first = epoch * order.steps_per_epoch
        steps = [order.step_rows(first + place) for place in range(order.steps_per_epoch)]
        assert sorted(np.concatenate(steps)) == list(range(ROWS))
        assert {len(rows) for rows in steps[:-1]} <= {batch_size}


@pytest.mark.parametrize(
    ("rows", "batch_size", "replicas", "steps", "rows_used"),
    [
        (23, 6, 1, 4, 23),
        (24, 6, 1, 4, 24),
        (23, 6, 2, 4, 22),  # 5 are left for the last batch, of which 4 can be shared.
        (23, 6, 3, 4, 21),
        (19, 6, 2, 3, 18),  # The one row that is left cannot be shared: no batch of it.
        (24, 6, 3, 4, 24),
        (5, 6, 3, 1, 3),
    ],
)
def test_steps_of_an_epoch(rows, batch_size, replicas, steps, rows_used):
    order = TrainingOrder(0, rows, batch_size, replicas)
    assert order.steps_per_epoch == steps
    assert order.rows_per_epoch == rows_used
    assert sum(len(order.step_rows(step)) for step in range(steps)) == rows_used


@pytest.mark.parametrize("replicas", [1, 2, 3])
@pytest.mark.parametrize("rows", [18, 19, 23, 24, 5])
def test_blocks_hold_the_rows_of_each_step(rows, replicas):
    order = TrainingOrder(1, rows, 6, replicas)
    last = 3 * order.steps_per_epoch
    for start in range(last + 1):
        parts = [
            (list(part), epoch) for block, epoch in order.blocks(start, last) for part in block
        ]
        expected = [
            (list(part), step // order.steps_per_epoch)
            for step in range(start, last)
            for part in np.split(order.step_rows(step), replicas)
        ]
        assert parts == expected


def test_blocks_can_end_within_an_epoch():
    order = TrainingOrder(1, ROWS, 6)
    for steps in range(1, 8):
        given = [row for block, _ in order.blocks(0, steps) for row in block.ravel()]
        assert given == [row for step in range(steps) for row in order.step_rows(step)]


def test_starting_late_in_ten_million_rows_draws_one_order(monkeypatch):
    """Neither the epochs nor the steps before the start are computed."""
    requested = []

    def noted(seed, epoch, rows):
        requested.append(epoch)
        return np.arange(rows)

    monkeypatch.setattr(mmzoo.order, "epoch_order", noted)
    order = TrainingOrder(0, rows=10_000_000, batch_size=64)
    per_epoch = order.steps_per_epoch
    start = 9 * per_epoch + per_epoch * 9 // 10
    block, epoch = next(order.blocks(start, 10 * per_epoch))
    assert requested == [9]
    assert epoch == 9
    assert block[0, 0] == (per_epoch * 9 // 10) * 64
    assert block.shape == (per_epoch - per_epoch * 9 // 10, 64)


def test_python_is_called_twice_an_epoch_and_not_every_step(monkeypatch):
    requested = []
    monkeypatch.setattr(
        mmzoo.order,
        "epoch_order",
        lambda seed, epoch, rows: requested.append(epoch) or np.arange(rows),
    )
    order = TrainingOrder(0, rows=1_001, batch_size=10)
    assert len(list(order.blocks(0, 3 * order.steps_per_epoch))) == 6
    assert requested == [0, 1, 2]


# Batches for training.


@pytest.mark.parametrize(
    "mixing",
    [None, pytest.param({"type": "mixup"}, marks=pytest.mark.slow), {"type": "cutmix"}],
    ids=str,
)
def test_batches_from_any_step_are_the_tail_of_the_full_stream(mixing):
    """Bit for bit, with augmentation, smaller last batches and several epochs."""
    spec, order = config(AUGMENT, mixing), TrainingOrder(0, ROWS, 6)
    steps = 3 * order.steps_per_epoch
    complete = training(spec, order, 0, steps)
    assert len(complete) == 12
    assert [len(element[0]) for element in complete] == 3 * [6, 6, 6, 5]
    for start in (1, 3, 4, 10) if mixing is None else (3, 10):
        assert_equal(training(spec, order, start, steps), complete[start:])


def test_batches_hold_the_rows_of_their_steps():
    order = TrainingOrder(5, ROWS, 6)
    given = rows_of(training(config(seed=5), order, 2, 9))
    assert given == [order.step_rows(step).tolist() for step in range(2, 9)]


def test_batches_hold_the_images_of_their_rows():
    given = training(config(), TrainingOrder(0, ROWS, 6), 0, 4)
    for element, rows in zip(given, rows_of(given), strict=True):
        np.testing.assert_array_equal(element[0], columns()["image"][rows])
        assert element[0].dtype == np.uint8


@pytest.mark.slow
def test_order_and_augmentation_differ_by_seed():
    given = [
        training(config(AUGMENT, seed=seed), TrainingOrder(seed, ROWS, ROWS), 0, 1)
        for seed in (0, 1)
    ]
    (first,), (second,) = given
    assert rows_of([first]) != rows_of([second])
    in_order = [element[0][np.argsort(element[1][:, 0])] for element in (first, second)]
    assert (in_order[0] != in_order[1]).any(axis=(1, 2, 3)).mean() > 0.9


def test_augmentation_differs_by_epoch():
    first, second = training(config(AUGMENT), TrainingOrder(0, ROWS, ROWS), 0, 2)
    in_order = [element[0][np.argsort(element[1][:, 0])] for element in (first, second)]
    assert (in_order[0] != in_order[1]).any(axis=(1, 2, 3)).mean() > 0.9


@pytest.mark.slow
def test_augmentation_does_not_depend_on_the_batch():
    image_files = []
    for batch_size in (5, 6, 23):
        order = TrainingOrder(0, ROWS, batch_size)
        given = training(config(AUGMENT), order, 0, order.steps_per_epoch)
        images = np.concatenate([element[0] for element in given])
        image_files.append(images[np.argsort(np.concatenate(rows_of(given)))])
    np.testing.assert_array_equal(image_files[0], image_files[1])
    np.testing.assert_array_equal(image_files[0], image_files[2])


@pytest.mark.parametrize("replicas", [2, 3])
def test_replicas_share_each_batch(replicas):
    """Each gets an equal part of the batch that one device would get."""
    spec, order = config(AUGMENT), TrainingOrder(0, ROWS, 6, replicas)
    steps = 2 * order.steps_per_epoch
    given = training(spec, order, 0, steps)
    assert len(given) == replicas * steps
    single = training(spec, TrainingOrder(0, ROWS, 6), 0, steps)
    for step in range(steps):
        parts = given[step * replicas : (step + 1) * replicas]
        assert len({len(part[0]) for part in parts}) == 1
        together = [np.concatenate(arrays) for arrays in zip(*parts, strict=True)]
        assert_equal([together], [[array[: len(together[0])] for array in single[step]]])


@pytest.mark.slow
def test_replicas_can_start_at_any_step():
    spec, order = config(AUGMENT), TrainingOrder(0, ROWS, 6, replicas=2)
    complete = training(spec, order, 0, 8)
    for start in (1, 3, 4, 6):
        assert_equal(training(spec, order, start, 8), complete[2 * start :])


def test_mixing_blends_inputs_and_targets_of_a_batch():
    spec = config(mixing={"type": "mixup", "alpha": 1.0})
    plain = training(config(), TrainingOrder(0, ROWS, 6), 0, 4)
    mixed = training(spec, TrainingOrder(0, ROWS, 6), 0, 4)
    shares = []
    for (_, rows), (image, target) in zip(plain, mixed, strict=True):
        partner = np.roll(rows, 1, axis=0)
        share = float((target - partner)[0, 0] / (rows - partner)[0, 0])
        np.testing.assert_allclose(target, share * rows + (1 - share) * partner, atol=1e-4)
        image_files = columns()["image"].astype("float64")
        blend = share * image_files[rows[:, 0].astype(int)]
        blend += (1 - share) * image_files[partner[:, 0].astype(int)]
        np.testing.assert_allclose(image, blend, atol=0.51)
        shares.append(share)
    assert len(set(shares)) == 4


def test_mixing_gives_a_classification_soft_targets():
    heads = {"kind": {"type": "classification", "classes": 3}}
    [(_, plain)] = training(config(heads=heads), TrainingOrder(0, ROWS, ROWS), 0, 1)
    spec = config(heads=heads, mixing={"type": "mixup", "alpha": 1.0})
    [(_, soft)] = training(spec, TrainingOrder(0, ROWS, ROWS), 0, 1)
    assert plain.shape == (ROWS,)
    assert plain.dtype == np.int64
    assert soft.shape == (ROWS, 3)
    np.testing.assert_allclose(soft.sum(axis=1), 1, atol=1e-6)
    assert 0 < soft.max(axis=1).min() < 1


def test_class_weights_are_in_the_batch_and_other_heads_have_weight_one():
    weights = {"a": 0.5, "b": 3.0}  # "c" is not named and counts 1.
    heads = {
        "kind": {
            "type": "classification",
            "class_names": ["a", "b", "c"],
            "classes": 3,
            "class_weights": weights,
        },
        "number": {"type": "regression", "dim": 1},
    }
    batches = training_batches(config(heads=heads), columns(), TrainingOrder(0, ROWS, 6), 0, 4)
    for inputs, targets, given in batches:
        assert set(inputs) == {"image"}
        assert set(targets) == set(given) == {"kind", "number"}
        kinds = targets["kind"].numpy()
        np.testing.assert_array_equal(given["kind"], np.array([0.5, 3.0, 1.0], "float32")[kinds])
        np.testing.assert_array_equal(given["number"], np.ones(len(kinds), "float32"))
        assert given["kind"].dtype == given["number"].dtype == tf.float32


def test_without_class_weights_there_are_no_weights():
    [batch] = training_batches(config(), columns(), TrainingOrder(0, ROWS, ROWS), 0, 1)
    assert len(batch) == 2


# Batches for evaluation.


@pytest.mark.parametrize("size", [1, 4, 23, 100])
def test_evaluation_has_every_row_once_in_order_unaugmented(size):
    spec = config(AUGMENT, evaluation_batch_size=size)
    given = elements(evaluation_batches(spec, columns()))
    assert [row for rows in rows_of(given) for row in rows] == list(range(ROWS))
    assert [len(element[0]) for element in given[:-1]] == [size] * (len(given) - 1)
    np.testing.assert_array_equal(
        np.concatenate([element[0] for element in given]), columns()["image"]
    )


@pytest.mark.parametrize("replicas", [2, 3, 4])
@pytest.mark.parametrize("rows", [5, 8, 22, 23])
@pytest.mark.parametrize("size", [1, 2, 6, 100])
def test_evaluation_on_replicas_has_every_row_once_and_no_empty_replica(size, rows, replicas):
    spec = config(evaluation_batch_size=size)
    given = elements(evaluation_batches(spec, columns(rows), replicas))
    assert len(given) % replicas == 0
    assert [row for part in rows_of(given) for row in part] == list(range(rows))
    lengths = [len(element[0]) for element in given]
    assert min(lengths) >= 1
    assert max(lengths) - min(lengths) <= 1


def test_evaluation_in_another_order_has_batches_of_similar_size():
    """The row of a last batch of one could not be shuffled."""
    spec = config(evaluation_batch_size=8)
    order = np.random.RandomState(0).permutation(17)
    found = elements(evaluation_batches(spec, columns(17), order=order))
    assert [len(element[0]) for element in found] == [5, 6, 6]
    assert [row for rows in rows_of(found) for row in rows] == order.tolist()
    np.testing.assert_array_equal(
        np.concatenate([element[0] for element in found]), columns(17)["image"][order]
    )


def test_evaluation_neither_mixes_nor_weighs():
    heads = {"number": {"type": "regression", "dim": 1}}
    spec = config(mixing={"type": "mixup", "alpha": 1.0}, heads=heads)
    given = elements(evaluation_batches(spec, columns()))
    assert {len(element) for element in given} == {2}
    np.testing.assert_array_equal(np.concatenate([e[1][:, 0] for e in given]), np.arange(ROWS))


def test_evaluation_without_labels_has_inputs_only():
    unlabelled = {"image": columns()["image"]}
    given: list[Any] = list(evaluation_batches(config(), unlabelled, labelled=False))
    assert all(len(element) == 1 and set(element[0]) == {"image"} for element in given)
    np.testing.assert_array_equal(
        np.concatenate([element[0]["image"] for element in given]), unlabelled["image"]
    )


def test_evaluation_batches_are_four_training_batches_large():
    assert config(batch_size=8).evaluation_batch_size == 32
    assert config(batch_size=8, evaluation_batch_size=5).evaluation_batch_size == 5
