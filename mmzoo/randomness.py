"""Counter-based random numbers: a pure function of seed, epoch and example.

There is no state, so any batch of any epoch can be computed directly. The numbers of an example
depend neither on the other examples of its batch nor on earlier draws. Resumed runs rely on them
across versions: tests pin the numbers, and they must not change.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass, replace

from mmzoo.lazy import tf

_GOLDEN_GAMMA = 0x9E3779B97F4A7C15
_UINT64_RANGE = 2**64


@dataclass(frozen=True, eq=False)
class Randomness:
    """Independent streams of random numbers, one per example.

    TensorFlow's stateless generators take one seed per call, so a seed per example would need one
    call per example. This generator hashes (seed, epoch, example, draw) with the finalizer of
    SplitMix64, in a few integer operations on the whole batch.

    Reference: Steele et al., "Fast splittable pseudorandom number generators", 2014; Salmon et al.,
    "Parallel random numbers: as easy as 1, 2, 3", 2011, for counters instead of a state.

    Example:

    ```python
    epoch, examples = tf.constant(0, tf.int64), tf.range(8, dtype=tf.int64)
    randomness = Randomness(1, epoch, examples)
    angles = randomness.fold("rotation").uniform(1, -10.0, 10.0)  # [8, 1]
    ```
    """

    seed: int
    epoch: tf.Tensor
    """Int64 scalar."""
    examples: tf.Tensor
    """Int64 `[batch]`: index of each example in its split."""

    def fold(self, salt: int | str) -> Randomness:
        """Independent substream, for example for an input's name or the n-th augmentation."""
        digest = hashlib.sha256(f"{self.seed}/{salt}".encode()).digest()
        return replace(self, seed=int.from_bytes(digest[:8], "little"))

    def first(self) -> Randomness:
        """Stream of the first example, for numbers that are drawn once per batch."""
        return replace(self, examples=self.examples[:1])

    def uniform(self, draws: int = 1, low: float = 0.0, high: float = 1.0) -> tf.Tensor:
        """Uniform float32 `[batch, draws]` in `[low, high)`, up to rounding."""
        # More than 24 bits could round a float32 up to 1.
        unit = tf.cast(_right_shift(self._words(draws), 40), tf.float32) * 2.0**-24
        return low + (high - low) * unit

    def normal(self, draws: int = 1) -> tf.Tensor:
        """Standard normal float32 `[batch, draws]`.

        Reference: Box and Muller, "A note on the generation of random normal deviates", 1958.
        """
        radius, angle = tf.split(self._doubles(2 * draws), 2, axis=1)
        normal = tf.sqrt(-2.0 * tf.math.log(1.0 - radius)) * tf.cos(2.0 * math.pi * angle)
        return tf.cast(normal, tf.float32)

    def beta(self, alpha: float, draws: int = 1) -> tf.Tensor:
        """Beta(alpha, alpha) float32 `[batch, draws]`, exact and without rejection.

        Reference: Devroye, "Random variate generation in one line of code", 1996 (symmetric beta).
        """
        radius, angle = tf.split(self._doubles(2 * draws), 2, axis=1)
        power = (1.0 - radius) ** (1.0 / alpha)
        cosine = tf.cos(2.0 * math.pi * angle)
        share = 0.5 + 0.5 * cosine / tf.sqrt(power / (1.0 - power) + cosine**2)
        return tf.cast(
            tf.clip_by_value(share, 0.0, 1.0), tf.float32
        )  # Rounding may exceed the range.

    def bytes(self, count: int) -> tf.Tensor:
        """Uniform uint8 `[batch, count]`; eight bytes cost one draw."""
        octets = tf.bitcast(self._words(-(-count // 8)), tf.uint8)
        return tf.reshape(octets, [tf.shape(octets)[0], -(-count // 8) * 8])[:, :count]

    def _words(self, draws: int) -> tf.Tensor:
        """Uniform uint64 `[batch, draws]`."""
        seed = _splitmix64(tf.constant(self.seed % _UINT64_RANGE, tf.uint64))
        per_example = _hash_counter(_hash_counter(seed, self.epoch), self.examples)
        return _hash_counter(per_example[:, None], tf.range(draws))

    def _doubles(self, draws: int) -> tf.Tensor:
        """Uniform float64 `[batch, draws]` in [0, 1).

        TensorFlow computes functions such as cos and log with different code for the last few
        elements of a tensor, so their last bit depends on the position in the batch. Rounding
        float64 results to float32 removes that difference.
        """
        return tf.cast(_right_shift(self._words(draws), 11), tf.float64) * 2.0**-53


def _hash_counter(state: tf.Tensor, counter: tf.Tensor) -> tf.Tensor:
    """Output number `counter` of the SplitMix64 generator that starts at `state`."""
    steps = tf.cast(counter, tf.uint64) + tf.constant(1, tf.uint64)
    return _splitmix64(state + tf.constant(_GOLDEN_GAMMA, tf.uint64) * steps)


def _splitmix64(words: tf.Tensor) -> tf.Tensor:
    """SplitMix64 finalizer: each output bit depends on every input bit."""
    words = _xorshift(words, 30) * tf.constant(0xBF58476D1CE4E5B9, tf.uint64)
    words = _xorshift(words, 27) * tf.constant(0x94D049BB133111EB, tf.uint64)
    return _xorshift(words, 31)


def _xorshift(words: tf.Tensor, bits: int) -> tf.Tensor:
    return tf.bitwise.bitwise_xor(words, _right_shift(words, bits))


def _right_shift(words: tf.Tensor, bits: int) -> tf.Tensor:
    return tf.bitwise.right_shift(words, tf.constant(bits, tf.uint64))
