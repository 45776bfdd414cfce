"""Mixup and CutMix mix inputs and targets with the papers' distribution of weights."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError
from scipy import stats

from mmzoo.lazy import tf
from mmzoo.mixing import CutMix, Mixing, Mixup
from mmzoo.modalities.abilities import Mixable
from mmzoo.modalities.image import Image
from mmzoo.modalities.image.encoders import LeNet
from mmzoo.randomness import Randomness

SPECS = {"photo": Image(shape=(28, 20, 1), encoder=LeNet())}
CLASSES = 6


def stream(first=0, count=CLASSES, seed=0) -> Randomness:
    examples = tf.range(first, first + count, dtype=tf.int64)
    return Randomness(seed, tf.constant(3, tf.int64), examples)


def batch():
    """Image k has the constant value 40 k; its target is one-hot k."""
    grey = tf.cast(40 * tf.range(CLASSES), tf.uint8)[:, None, None, None]
    return {"photo": tf.tile(grey, [1, 28, 20, 1])}, {"digit": tf.eye(CLASSES)}


def mixed(mixing, randomness):
    inputs, targets = batch()
    inputs, targets = mixing.apply(inputs, SPECS, targets, randomness)
    return inputs["photo"].numpy()[..., 0].astype(int), targets["digit"].numpy()


def test_mixing_is_selected_by_type():
    union = TypeAdapter(Mixing)
    assert union.validate_python({"type": "mixup"}) == Mixup(alpha=0.2)
    assert union.validate_python({"type": "cutmix"}) == CutMix(alpha=1.0)
    with pytest.raises(ValidationError, match="'mixup', 'cutmix'"):
        union.validate_python({"type": "mixdown"})


def test_image_inputs_support_mixing():
    assert issubclass(Image, Mixable)


@pytest.mark.parametrize("mixing", [Mixup(alpha=1.0), CutMix()])
def test_targets_are_mixed_with_the_partner(mixing):
    for first in range(0, 60, CLASSES):
        _, targets = mixed(mixing, stream(first))
        share = targets[0, 0]
        expected = share * np.eye(CLASSES) + (1 - share) * np.roll(np.eye(CLASSES), 1, axis=0)
        np.testing.assert_allclose(targets, expected, atol=1e-6)
        np.testing.assert_allclose(targets.sum(axis=1), 1, atol=1e-6)


def test_mixup_blends_images_like_targets():
    for first in range(0, 60, CLASSES):
        images, targets = mixed(Mixup(alpha=1.0), stream(first))
        expected = targets @ (40.0 * np.arange(CLASSES))
        assert (images == images[:, :1, :1]).all()
        np.testing.assert_allclose(images[:, 0, 0], expected, atol=0.501)


@pytest.mark.slow
@pytest.mark.parametrize("alpha", [0.2, 1.0])
def test_mixup_share_is_beta_distributed(alpha):
    shares = [mixed(Mixup(alpha=alpha), stream(first))[1][0, 0] for first in range(400)]
    edges = np.linspace(0.1, 0.9, 9)
    below = [(np.array(shares) < edge).mean() for edge in edges]
    np.testing.assert_allclose(below, stats.beta(alpha, alpha).cdf(edges), atol=0.08)


def test_cutmix_pastes_a_box_and_mixes_targets_by_area():
    corners = []
    for first in range(150):
        images, targets = mixed(CutMix(), stream(first))
        kept = images == 40 * np.arange(CLASSES)[:, None, None]
        partners = 40 * np.roll(np.arange(CLASSES), 1)[:, None, None]
        assert (kept | (images == partners)).all()
        assert (kept == kept[:1]).all()
        pasted = ~kept[0]
        assert pasted.sum() == pasted.any(axis=0).sum() * pasted.any(axis=1).sum()
        assert targets[0, 0] == pytest.approx(kept.mean(), abs=1e-6)
        corners.append([pasted[0, 0], pasted[0, -1], pasted[-1, 0], pasted[-1, -1]])
    # Every corner is covered sometimes, and none more often than others.
    often = np.mean(corners, axis=0)
    assert often.min() > 0.05
    assert np.ptp(often) < 0.2


@pytest.mark.slow
def test_cutmix_box_area_distribution():
    mixing = CutMix(alpha=1.0)
    boxes = np.array([mixing._box(stream(first, 1)) for first in range(200)])
    shares = stream(0, 200).fold("area").beta(1.0).numpy()[:, 0]
    complete = (boxes > 0).all(axis=1) & (boxes < 1).all(axis=1)  # Boxes that are not clipped.
    assert complete.sum() > 20
    sides = np.sqrt(1 - shares[complete])
    np.testing.assert_allclose(boxes[complete, 2] - boxes[complete, 0], sides, atol=1e-6)
    np.testing.assert_allclose(boxes[complete, 3] - boxes[complete, 1], sides, atol=1e-6)


def test_images_of_two_sizes_share_the_relative_box():
    specs = {"one": Image(shape=(28, 28, 1), encoder=LeNet()), "two": SPECS["photo"]}
    ramp = tf.cast(tf.range(4), tf.uint8)[:, None, None, None]
    inputs = {"one": tf.tile(ramp, [1, 28, 28, 1]), "two": tf.tile(ramp, [1, 28, 20, 1])}
    pasted, targets = CutMix().apply(inputs, specs, {"digit": tf.eye(4)}, stream(4, 4))
    kept = {name: (pasted[name][0].numpy() == 0) for name in specs}
    share = (kept["one"].mean() + kept["two"].mean()) / 2
    assert 0 < share < 1
    assert float(targets["digit"][0, 0]) == pytest.approx(share, abs=1e-6)
    np.testing.assert_array_equal(kept["one"].all(axis=(1, 2)), kept["two"].all(axis=(1, 2)))


@pytest.mark.parametrize("mixing", [Mixup(), CutMix()])
def test_all_targets_of_an_example_share_one_mixing_weight(mixing):
    inputs, targets = batch()
    targets["value"] = tf.range(CLASSES, dtype=tf.float32)[:, None]
    _, targets = mixing.apply(inputs, SPECS, targets, stream(12))
    share = float(targets["digit"][0, 0])
    assert float(targets["value"][3, 0]) == pytest.approx(share * 3 + (1 - share) * 2, abs=1e-5)


@pytest.mark.parametrize("mixing", [Mixup(alpha=0.4), CutMix()])
def test_same_bits_eagerly_and_in_a_parallel_pipeline(mixing):
    images = tf.constant(np.random.RandomState(0).randint(0, 256, (48, 28, 20, 1)), tf.uint8)
    targets = tf.one_hot(tf.range(48) % CLASSES, CLASSES)

    def mix(rows):
        randomness = Randomness(0, tf.constant(0, tf.int64), rows)
        inputs = {"photo": tf.gather(images, rows)}
        return mixing.apply(inputs, SPECS, {"digit": tf.gather(targets, rows)}, randomness)

    batches = tf.data.Dataset.range(48).batch(8).map(mix, num_parallel_calls=4)
    for start, (inputs, mixed_targets) in zip(range(0, 48, 8), batches, strict=True):
        expected_inputs, expected_targets = mix(tf.range(start, start + 8, dtype=tf.int64))
        np.testing.assert_array_equal(inputs["photo"], expected_inputs["photo"])
        np.testing.assert_array_equal(mixed_targets["digit"], expected_targets["digit"])


@pytest.mark.parametrize("mixing", [Mixup(), CutMix()])
def test_batch_of_one_is_unchanged(mixing):
    inputs, targets = batch()
    inputs, targets = {"photo": inputs["photo"][5:]}, {"digit": targets["digit"][5:]}
    mixed_inputs, mixed_targets = mixing.apply(inputs, SPECS, targets, stream(5, 1))
    np.testing.assert_array_equal(mixed_inputs["photo"], inputs["photo"])
    np.testing.assert_allclose(mixed_targets["digit"], targets["digit"], atol=1e-6)
