"""Modality dropout is a function of seed, epoch and example."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mmzoo.batches import Columns, apply_modality_dropout, evaluation_batches, training_batches
from mmzoo.config import Config, load_config
from mmzoo.lazy import tf
from mmzoo.order import TrainingOrder
from mmzoo.randomness import Randomness

ROWS = 23


def config(rates: dict[str, float], missing: str = "learned", **train: Any) -> Config:
    """Three inputs, the first augmented; row numbers are the targets."""
    fields: dict[str, dict[str, Any]] = {
        "photo": {
            "type": "image",
            "shape": [4, 4, 1],
            "augment": [{"type": "flip"}, {"type": "brightness"}],
            "encoder": {"type": "cnn", "filters": [2], "padding": "same"},
        },
        "sound": {
            "type": "audio",
            "rate": 8_000,
            "seconds": 0.1,
            "encoder": {"type": "cnn", "filters": [2]},
        },
        "words": {"type": "text", "length": 4, "encoder": {"type": "embedding", "dim": 2}},
    }
    for name, rate in rates.items():
        fields[name] |= {"missing": missing, "modality_dropout": rate}
    return load_config(
        {
            "name": "dropout",
            "source": {"type": "synthetic"},
            "inputs": fields,
            "heads": {"number": {"type": "regression", "dim": 1}},
            "train": train,
        }
    ).with_columns()


def columns(spec: Config, rows: int = ROWS) -> dict[str, np.ndarray]:
    """The data have no photo in every third row."""
    random = np.random.RandomState(0)
    values = {
        "photo": random.randint(0, 256, (rows, 4, 4, 1)).astype("uint8"),
        "sound": random.uniform(-1, 1, (rows, 800)).astype("float32"),
        "words": random.randint(2, 9, (rows, 4)).astype("uint8"),
        "number": np.arange(rows),
    }
    there = {column: np.ones(rows, bool) for column in spec.presence.values()}
    if "photo" in spec.presence:
        there[spec.presence["photo"]] = np.arange(rows) % 3 > 0
    return {**values, **there}


def presence_of(examples: int, rates: dict[str, float], epoch: int = 0) -> dict[str, np.ndarray]:
    spec = config(rates)
    randomness = Randomness(0, tf.constant(epoch, tf.int64), tf.range(examples, dtype=tf.int64))
    there = {name: tf.ones(examples, tf.bool) for name in rates}
    left = apply_modality_dropout(spec.inputs, there, randomness)
    return {name: one.numpy() for name, one in left.items()}


def batches(
    spec: Config, order: TrainingOrder, start: int, end: int, data: Columns | None = None
) -> list[dict[str, np.ndarray]]:
    """The inputs of each step, with the rows' numbers."""
    given = training_batches(spec, data or columns(spec), order, start, end)
    return [
        {**inputs, "rows": targets["number"][:, 0].astype(int)}
        for inputs, targets, *_ in given.as_numpy_iterator()
    ]


def test_inputs_are_dropped_at_the_configured_rates():
    left = presence_of(20_000, {"photo": 0.1, "sound": 0.4, "words": 0.0})
    # Of 20,000 draws the share deviates by 0.0035 at most, one time in three.
    assert 1 - left["photo"].mean() == pytest.approx(0.1, abs=0.012)
    assert 1 - left["sound"].mean() == pytest.approx(0.4, abs=0.014)
    assert left["words"].all()
    both = (~left["photo"] & ~left["sound"]).mean()
    assert both == pytest.approx(0.04, abs=0.006)


def test_no_example_loses_all_inputs():
    left = presence_of(6_000, {"photo": 0.95, "sound": 0.95, "words": 0.95})
    kept = np.sum([one.astype(int) for one in left.values()], axis=0)
    assert kept.min() == 1
    for one in left.values():
        single = (kept == 1) & one
        assert single.sum() / (kept == 1).sum() == pytest.approx(1 / 3, abs=0.03)


def test_dropout_of_missing_inputs_leaves_one_present():
    spec = config({"photo": 0.9, "sound": 0.9, "words": 0.9})
    there = {
        "photo": tf.constant([True, False, False, True]),
        "sound": tf.constant([False, True, False, True]),
        "words": tf.constant([False, False, True, False]),
    }
    for epoch in range(20):
        randomness = Randomness(0, tf.constant(epoch, tf.int64), tf.range(4, dtype=tf.int64))
        left = apply_modality_dropout(spec.inputs, there, randomness)
        taken = {name: one.numpy().tolist() for name, one in left.items()}
        assert taken["photo"][:3] == [True, False, False]
        assert taken["sound"][:3] == [False, True, False]
        assert taken["words"] == [False, False, True, False]
        assert taken["photo"][3] or taken["sound"][3]


def test_draws_never_change_between_versions():
    """A training started with one version can be resumed with another."""
    left = presence_of(8, {"photo": 0.5, "sound": 0.5, "words": 0.5}, epoch=3)
    assert {name: one.astype(int).tolist() for name, one in left.items()} == {
        "photo": [1, 1, 1, 1, 1, 1, 1, 1],
        "sound": [0, 0, 1, 0, 0, 1, 0, 1],
        "words": [1, 0, 0, 1, 0, 1, 0, 0],
    }


def test_batches_have_presence_masks():
    spec = config({"photo": 0.3, "words": 0.0})
    order = TrainingOrder(0, ROWS, 6)
    for batch in batches(spec, order, 0, 2 * order.steps_per_epoch):
        assert batch["photo_present"].dtype == np.float32
        assert batch["photo_present"].shape == batch["rows"].shape
        assert not batch["photo_present"][batch["rows"] % 3 == 0].any()
        assert batch["words_present"].all()
        assert "sound_present" not in batch


def test_evaluation_drops_nothing():
    spec = config({"photo": 0.9, "sound": 0.9})
    complete = [x for (x,) in evaluation_batches(spec, columns(spec), labelled=False)]
    there = {
        name: np.concatenate([batch[name].numpy() for batch in complete])
        for name in ("photo_present", "sound_present")
    }
    assert there["sound_present"].all()
    np.testing.assert_array_equal(there["photo_present"], np.arange(ROWS) % 3 > 0)


def test_masks_are_reproducible_from_any_step():
    spec = config({"photo": 0.4, "sound": 0.4})
    order = TrainingOrder(0, ROWS, 6)
    end = 2 * order.steps_per_epoch
    complete = batches(spec, order, 0, end)
    for start in (1, 3, order.steps_per_epoch + 2):
        for ours, theirs in zip(batches(spec, order, start, end), complete[start:], strict=True):
            assert ours.keys() == theirs.keys()
            for name in ours:
                np.testing.assert_array_equal(ours[name], theirs[name])


@pytest.mark.slow
def test_masks_differ_by_epoch_and_not_by_batch_size():
    spec = config({"sound": 0.5})

    def by_row(batch_size: int, epoch: int) -> np.ndarray:
        order = TrainingOrder(0, ROWS, batch_size)
        first = epoch * order.steps_per_epoch
        found = np.zeros(ROWS)
        for batch in batches(spec, order, first, first + order.steps_per_epoch):
            found[batch["rows"]] = batch["sound_present"]
        return found

    np.testing.assert_array_equal(by_row(6, 1), by_row(23, 1))
    assert (by_row(6, 0) != by_row(6, 1)).any()


def test_modality_dropout_changes_nothing_else():
    with_it, without = config({"photo": 0.5, "sound": 0.5}), config({})
    order = TrainingOrder(0, ROWS, 6)
    data = columns(with_it)
    for ours, theirs in zip(
        batches(with_it, order, 0, 4, data), batches(without, order, 0, 4, data), strict=True
    ):
        assert set(ours) - set(theirs) == {"photo_present", "sound_present"}
        for name in theirs:
            np.testing.assert_array_equal(ours[name], theirs[name])
