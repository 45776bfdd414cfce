"""Random numbers are uniform, independent, pure functions of their counters, and pinned."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from mmzoo.lazy import tf
from mmzoo.randomness import Randomness


def stream(seed=0, epoch=0, examples=range(1000)) -> Randomness:
    return Randomness(
        seed, tf.constant(epoch, tf.int64), tf.constant(np.asarray(examples), tf.int64)
    )


def test_uniform_numbers_are_pinned():
    # Never change these: a run resumed by another version would see other images.
    drawn = stream(seed=7, epoch=3, examples=[0, 1, 59_999]).uniform(3).numpy()
    expected = [
        [7577023, 8666688, 8554628],
        [9054354, 9278791, 10922863],
        [16318457, 187949, 11104839],
    ]
    np.testing.assert_array_equal(drawn * 2**24, expected)


def test_folded_streams_and_bytes_are_pinned():
    randomness = stream(seed=7, epoch=3, examples=[5])
    folded = [randomness.fold(0), randomness.fold(1), randomness.fold("photo")]
    assert [one.seed for one in folded] == [
        12288505522303645209,
        6801174921074823891,
        15966614464647461691,
    ]
    assert randomness.fold("photo").bytes(10).numpy().tolist() == [
        [1, 122, 227, 178, 103, 155, 116, 169, 47, 169]
    ]


def test_normal_and_beta_numbers_are_pinned():
    # To six digits: TensorFlow's logarithm may differ in the last bit from one CPU to another.
    randomness = stream(seed=7, epoch=3, examples=[0, 1])
    np.testing.assert_allclose(
        randomness.normal(2), [[-1.0940547, 1.1652365], [-0.72549552, 0.69607419]], rtol=1e-6
    )
    np.testing.assert_allclose(
        randomness.beta(0.2, 2), [[0.012601702, 0.99289566], [0.0148636, 0.98556024]], rtol=1e-6
    )


def test_uniform_numbers_are_uniform():
    drawn = stream(examples=range(100_000)).uniform(2).numpy()
    assert drawn.dtype == np.float32
    assert drawn.shape == (100_000, 2)
    assert 0 <= drawn.min() < 1e-4 < 1 - 1e-4 < drawn.max() < 1
    counts = np.histogram(drawn, bins=256, range=(0, 1))[0]
    assert 0.001 < stats.chisquare(counts).pvalue < 0.999


def test_every_bit_is_random():
    bits = np.unpackbits(stream(examples=range(50_000)).bytes(16).numpy(), axis=1)
    heads = bits.mean(axis=0)
    assert np.abs(heads - 0.5).max() < 5 * 0.5 / np.sqrt(50_000)


def test_bytes_are_uniform_for_any_count():
    assert stream().bytes(0).shape == (1000, 0)
    drawn = stream().bytes(785).numpy()
    assert drawn.shape == (1000, 785)
    assert 0.001 < stats.chisquare(np.bincount(drawn.ravel(), minlength=256)).pvalue < 0.999


@pytest.mark.parametrize(
    "neighbour",
    [
        lambda: stream(seed=1),
        lambda: stream(epoch=1),
        lambda: stream(examples=range(1000, 2000)),
        lambda: stream().fold(0),
        lambda: stream().fold(0).fold(0),
        lambda: stream(seed=2**32),
        lambda: stream(epoch=2**32),
        lambda: stream(examples=np.arange(1000) + 2**32),
    ],
    ids=["seed", "epoch", "example", "fold", "fold twice", "far seed", "far epoch", "far example"],
)
def test_neighboring_streams_are_independent(neighbour):
    one, other = stream().uniform(50).numpy().ravel(), neighbour().uniform(50).numpy().ravel()
    assert abs(np.corrcoef(one, other)[0, 1]) < 4 / np.sqrt(one.size)
    assert len(np.intersect1d(one, other)) < 300  # 2^24 values: 149 are met by chance.


def test_neighboring_examples_are_uncorrelated():
    drawn = stream(examples=range(50_000)).uniform().numpy()[:, 0]
    assert abs(np.corrcoef(drawn[1:], drawn[:-1])[0, 1]) < 4 / np.sqrt(50_000)


def test_neighboring_draws_are_independent():
    drawn = stream(examples=range(50_000)).uniform(4).numpy()
    correlations = np.corrcoef(drawn, rowvar=False)[np.triu_indices(4, 1)]
    assert np.abs(correlations).max() < 4 / np.sqrt(50_000)


def test_swapping_seed_and_epoch_gives_another_stream():
    one, other = stream(seed=1, epoch=2).uniform(), stream(seed=2, epoch=1).uniform()
    assert np.mean(one.numpy() == other.numpy()) < 0.01


def test_negative_and_huge_seeds():
    drawn = [stream(seed).uniform(3).numpy() for seed in (-1, 0, 1, 2**63, 2**64 + 1)]
    assert not np.array_equal(drawn[0], drawn[1])
    assert not np.array_equal(drawn[2], drawn[3])
    assert np.array_equal(drawn[2], drawn[4])  # A seed counts modulo 2^64.


def test_fewer_draws_are_a_prefix():
    np.testing.assert_array_equal(stream().uniform(2), stream().uniform(5)[:, :2])


def test_range_of_uniform():
    drawn = stream(examples=range(10_000)).uniform(1, -3.0, 5.0).numpy()
    assert -3 <= drawn.min() < -2.99
    assert 4.99 < drawn.max() <= 5


def test_normal_numbers_are_normal():
    drawn = stream(examples=range(20_000)).normal(2).numpy()
    assert drawn.shape == (20_000, 2)
    assert stats.kstest(drawn.ravel(), "norm").pvalue > 0.001
    assert abs(np.corrcoef(drawn, rowvar=False)[0, 1]) < 4 / np.sqrt(20_000)


@pytest.mark.parametrize("alpha", [0.01, 0.2, 0.5, 1.0, 2.0, 50.0])
def test_beta_numbers_are_beta(alpha):
    drawn = stream(examples=range(20_000)).beta(alpha, 2).numpy()
    assert drawn.shape == (20_000, 2)
    assert drawn.min() >= 0
    assert drawn.max() <= 1
    # In float32 many draws of a small alpha are exactly 0 or 1; the middle is compared.
    edges = np.linspace(0.05, 0.95, 19)
    share_below = [(drawn < edge).mean() for edge in edges]
    np.testing.assert_allclose(share_below, stats.beta(alpha, alpha).cdf(edges), atol=0.01)


@pytest.mark.parametrize("draw", ["uniform", "normal", "beta", "bytes"])
def test_example_has_the_same_bits_in_every_batch(draw):
    def drawn(examples):
        argument = 0.2 if draw == "beta" else 5
        return getattr(stream(seed=3, epoch=4, examples=examples), draw)(argument).numpy()

    together = drawn(range(300))
    separate = np.concatenate([drawn([example]) for example in range(300)])
    np.testing.assert_array_equal(together, separate)
    np.testing.assert_array_equal(drawn(range(299, -1, -1)), together[::-1])


@pytest.mark.parametrize("parallel", [None, 4])
def test_same_bits_eagerly_and_in_a_pipeline(parallel):
    def draws(epoch, examples):
        randomness = Randomness(11, epoch, examples).fold("photo")
        return randomness.uniform(3, -1.0, 2.0), randomness.normal(3), randomness.beta(0.4)

    examples = tf.data.Dataset.range(320).batch(32)
    batches = examples.map(lambda rows: draws(tf.constant(5, tf.int64), rows), parallel)
    for start, batch in zip(range(0, 320, 32), batches, strict=True):
        bare = draws(tf.constant(5, tf.int64), tf.range(start, start + 32, dtype=tf.int64))
        for in_pipeline, expected in zip(batch, bare, strict=True):
            np.testing.assert_array_equal(in_pipeline, expected)


def test_first_is_the_stream_of_the_first_example():
    randomness = stream(examples=[8, 9, 10])
    np.testing.assert_array_equal(randomness.first().uniform(4), randomness.uniform(4)[:1])
