"""SpecAugment masks bands and frames, in training only, drawn from a seed variable."""

from __future__ import annotations

import numpy as np
import pytest

from mmzoo.lazy import keras, tf

ONES = np.ones((400, 50, 40), "float32")


def hidden(seen: tf.Tensor) -> tuple[np.ndarray, np.ndarray]:
    """Which frames and which bins of each example are fully masked."""
    empty = np.asarray(seen) == 0
    return empty.all(2), empty.all(1)


def test_masks_in_training_only():
    from mmzoo.layers.spectrograms import SpecAugment

    layer = SpecAugment()
    assert layer(ONES) is not None
    np.testing.assert_array_equal(layer(ONES, training=False), ONES)


def test_masks_have_every_width_up_to_the_maximum():
    from mmzoo.layers.spectrograms import SpecAugment

    seen = SpecAugment(1, 0.25, 1, 0.2, seed=0)(ONES, training=True).numpy()
    frames, bins = hidden(seen)
    for masks, widest in ((frames, 10), (bins, 10)):
        widths = masks.sum(1)
        assert set(widths) == set(range(widest + 1))  # Uniform: 400 examples contain all.
        for mask in masks:
            places = np.flatnonzero(mask)
            assert len(places) == 0 or np.ptp(places) == len(places) - 1
        assert masks.any(0).all()  # Every position is masked in some example.
    # Unmasked values do not change.
    np.testing.assert_array_equal(seen == 0, frames[:, :, None] | bins[:, None, :])


@pytest.mark.parametrize(("width", "widest"), [(0.1, 4), (0.11, 4), (0.12, 5)])
def test_widths_are_uniform_for_fractional_maximum(width, widest):
    from mmzoo.layers.spectrograms import SpecAugment

    seen = SpecAugment(1, width, 0, 0.0, seed=0)(np.ones((6_000, 2, 40), "float32"), training=True)
    counts = np.bincount(hidden(seen)[1].sum(1))
    assert len(counts) == widest + 1
    np.testing.assert_allclose(counts, 6_000 / (widest + 1), rtol=0.12)


def test_more_masks_cover_more():
    from mmzoo.layers.spectrograms import SpecAugment

    frames, bins = hidden(SpecAugment(3, 0.25, 0, 0.2, seed=0)(ONES, training=True))
    assert not frames.any()
    assert bins.sum(1).max() > 10


def test_masks_may_cover_everything():
    from mmzoo.layers.spectrograms import SpecAugment

    frames, _ = hidden(SpecAugment(0, 0.0, 1, 1.0, seed=0)(ONES, training=True))
    assert {0, 50} <= set(frames.sum(1))


def test_masks_differ_by_example_and_call():
    from mmzoo.layers.spectrograms import SpecAugment

    layer = SpecAugment(seed=0)
    first, second = (layer(ONES, training=True).numpy() for _ in range(2))
    assert len(np.unique(first, axis=0)) > 300
    assert (first != second).any((1, 2)).mean() > 0.9


def test_seed_state_is_a_variable():
    """A checkpoint of all variables therefore resumes with the same masks."""
    from mmzoo.layers.spectrograms import SpecAugment

    x = keras.Input((50, 40))
    model = keras.Model(x, SpecAugment(seed=0)(x))
    [variable] = model.variables
    model(ONES, training=True)
    kept = variable.numpy()
    expected = model(ONES, training=True).numpy()
    assert (variable.numpy() != kept).any()
    variable.assign(kept)
    np.testing.assert_array_equal(model(ONES, training=True), expected)


@pytest.mark.parametrize("precision", ["float16", "bfloat16"])
def test_mixed_precision(precision):
    from mmzoo.layers.spectrograms import SpecAugment

    outputs = SpecAugment(dtype=f"mixed_{precision}")(ONES, training=True)
    assert outputs.dtype == precision
    assert set(np.unique(tf.cast(outputs, "float32"))) == {0.0, 1.0}


def test_config_round_trip():
    from mmzoo.layers.spectrograms import SpecAugment

    settings = {
        "frequency_masks": 2,
        "frequency_width": 0.1,
        "time_masks": 3,
        "time_width": 0.4,
        "seed": 5,
    }
    described = SpecAugment(**settings).get_config()
    assert {key: described[key] for key in settings} == settings
