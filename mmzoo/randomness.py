"""Randomness: random numbers for a whole batch as a pure function of seed, epoch and example.

There is no state to advance, so any batch of any epoch can be had directly, and what happens to an
example depends neither on the other examples of its batch nor on what was drawn before. A resumed
training relies on that across versions: the numbers are pinned by tests and may not change.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass, replace

from mmzoo.lazy import tf

_GOLDEN_GAMMA = 0x9E3779B97F4A7C15
_WORD = 2**64


@dataclass(frozen=True, eq=False)
class Randomness:
    """One stream of random numbers per example.

    TensorFlow's own stateless generators take one seed per call, so a seed per example costs a call
    per example. This one hashes (seed, epoch, example, draw) with the finaliser of SplitMix64, in
    a few integer operations on the whole batch.

    Reference: Steele et al., "Fast splittable pseudorandom number generators", 2014; Salmon et al.,
    "Parallel random numbers: as easy as 1, 2, 3", 2011, for counters in place of a state.
    """

    seed: int
    epoch: tf.Tensor
    """int64 scalar."""
    examples: tf.Tensor
    """int64 `[batch]`: the index of each example in its split."""

    def fold(self, salt: int | str) -> Randomness:
        """An independent stream, for instance for an input's name or for the n-th augmentation."""
        digest = hashlib.sha256(f"{self.seed}/{salt}".encode()).digest()
        return replace(self, seed=int.from_bytes(digest[:8], "little"))

    def first(self) -> Randomness:
        """The stream of the first example: for what is drawn once for the whole batch."""
        return replace(self, examples=self.examples[:1])

    def uniform(self, draws: int = 1, low: float = 0.0, high: float = 1.0) -> tf.Tensor:
        """Float32 `[batch, draws]`, even over `[low, high)` up to rounding."""
        # 24 bits are all that a float32 below 1 can hold without rounding up to 1.
        unit = tf.cast(_shifted(self._words(draws), 40), tf.float32) * 2.0**-24
        return low + (high - low) * unit

    def normal(self, draws: int = 1) -> tf.Tensor:
        """Float32 `[batch, draws]` with mean 0 and variance 1.

        Reference: Box and Muller, "A note on the generation of random normal deviates", 1958.
        """
        radius, angle = tf.split(self._doubles(2 * draws), 2, axis=1)
        normal = tf.sqrt(-2.0 * tf.math.log(1.0 - radius)) * tf.cos(2.0 * math.pi * angle)
        return tf.cast(normal, tf.float32)

    def beta(self, alpha: float, draws: int = 1) -> tf.Tensor:
        """Float32 `[batch, draws]` from Beta(alpha, alpha), exactly and without rejection.

        Reference: Devroye, "Random variate generation in one line of code", 1996 (symmetric beta).
        """
        radius, angle = tf.split(self._doubles(2 * draws), 2, axis=1)
        power = (1.0 - radius) ** (1.0 / alpha)
        cosine = tf.cos(2.0 * math.pi * angle)
        share = 0.5 + 0.5 * cosine / tf.sqrt(power / (1.0 - power) + cosine**2)
        return tf.cast(tf.clip_by_value(share, 0.0, 1.0), tf.float32)  # Rounding may overstep.

    def bytes(self, count: int) -> tf.Tensor:
        """Uint8 `[batch, count]`, eight for the price of one draw."""
        octets = tf.bitcast(self._words(-(-count // 8)), tf.uint8)
        return tf.reshape(octets, [tf.shape(octets)[0], -(-count // 8) * 8])[:, :count]

    def _words(self, draws: int) -> tf.Tensor:
        """Uint64 `[batch, draws]`, every bit of them random."""
        seed = _mixed(tf.constant(self.seed % _WORD, tf.uint64))
        per_example = _absorbed(_absorbed(seed, self.epoch), self.examples)
        return _absorbed(per_example[:, None], tf.range(draws))

    def _doubles(self, draws: int) -> tf.Tensor:
        """Float64 `[batch, draws]`, even over [0, 1).

        TensorFlow computes cos, log and the like for the last few elements of a tensor by other
        code than for the rest, so their last bit depends on the place in the batch. In float64,
        rounded to float32 afterwards, that bit is lost.
        """
        return tf.cast(_shifted(self._words(draws), 11), tf.float64) * 2.0**-53


def _absorbed(state: tf.Tensor, counter: tf.Tensor) -> tf.Tensor:
    """The output number `counter` of the SplitMix64 generator that starts at `state`."""
    steps = tf.cast(counter, tf.uint64) + tf.constant(1, tf.uint64)
    return _mixed(state + tf.constant(_GOLDEN_GAMMA, tf.uint64) * steps)


def _mixed(words: tf.Tensor) -> tf.Tensor:
    """SplitMix64's finaliser: every bit of a word comes to depend on all of them."""
    words = _xorshifted(words, 30) * tf.constant(0xBF58476D1CE4E5B9, tf.uint64)
    words = _xorshifted(words, 27) * tf.constant(0x94D049BB133111EB, tf.uint64)
    return _xorshifted(words, 31)


def _xorshifted(words: tf.Tensor, bits: int) -> tf.Tensor:
    return tf.bitwise.bitwise_xor(words, _shifted(words, bits))


def _shifted(words: tf.Tensor, bits: int) -> tf.Tensor:
    return tf.bitwise.right_shift(words, tf.constant(bits, tf.uint64))
