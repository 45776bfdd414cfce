"""Losses of generative adversarial networks, the gradient penalty, and spectral normalization."""

from __future__ import annotations

from collections.abc import Callable

from mmzoo.lazy import tf

_SMALLEST_NORM = 1e-12


def discriminator_loss(real: tf.Tensor, generated: tf.Tensor, loss: str) -> tf.Tensor:
    """The loss of scores that should be high for real and low for generated examples, a scalar.

    Args:
        real: float `[batch, 1]`, for `non_saturating` the logits of being real.
        generated: likewise.
        loss: `non_saturating`, the cross-entropy of Goodfellow et al., "Generative adversarial
            nets", 2014; or `wasserstein`, the difference of the means of Arjovsky et al.,
            "Wasserstein generative adversarial networks", 2017.
    """
    if loss == "wasserstein":
        return tf.reduce_mean(generated) - tf.reduce_mean(real)
    return tf.reduce_mean(tf.nn.softplus(-real)) + tf.reduce_mean(tf.nn.softplus(generated))


def generator_loss(generated: tf.Tensor, loss: str) -> tf.Tensor:
    """The loss of scores of generated examples that should be high, a scalar.

    Arguments are those of `discriminator_loss`. The non-saturating one is the cross-entropy of the
    label "real", whose gradient does not vanish where the discriminator is sure.
    """
    if loss == "wasserstein":
        return -tf.reduce_mean(generated)
    return tf.reduce_mean(tf.nn.softplus(-generated))


def gradient_penalty(
    score: Callable[[tf.Tensor], tf.Tensor],
    real: tf.Tensor,
    generated: tf.Tensor,
    share: tf.Tensor,
) -> tf.Tensor:
    """The mean of `(norm - 1)^2` of the score's gradients between real and generated examples.

    Reference: Gulrajani et al., "Improved training of Wasserstein GANs", 2017.

    Args:
        score: maps examples to scores, float `[batch, 1]`, each from its own example alone.
        real: float `[batch, ...]`.
        generated: float `[batch, ...]`.
        share: of the real one in each mixture of the two, float `[batch]` from 0 to 1.
    """
    share = tf.reshape(share, [-1, *[1] * (real.shape.rank - 1)])
    between = share * real + (1.0 - share) * generated
    with tf.GradientTape() as tape:
        tape.watch(between)
        scores = score(between)
    gradients = tape.gradient(scores, between)
    squares = tf.reduce_sum(tf.square(gradients), axis=list(range(1, real.shape.rank)))
    # The square root has no gradient at zero.
    norms = tf.sqrt(tf.maximum(squares, _SMALLEST_NORM))
    return tf.reduce_mean(tf.square(norms - 1.0))


def spectrally_normalized(kernel: tf.Tensor, vector: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """A kernel divided by its largest singular value, which one power iteration estimates.

    Convolutions count as matrices with a column per filter.

    Reference: Miyato et al., "Spectral normalization for generative adversarial networks", 2018.

    Args:
        kernel: float `[..., outputs]`.
        vector: the estimated right singular vector, float `[outputs]`, of any length but zero.

    Returns:
        The kernel, and the vector for the next call.
    """
    matrix = tf.reshape(kernel, [-1, kernel.shape[-1]])
    left = _unit(tf.linalg.matvec(matrix, vector))
    product = tf.linalg.matvec(matrix, left, transpose_a=True)
    largest = tf.norm(product)
    # A kernel of zeros stays as it is.
    scale = tf.where(largest > _SMALLEST_NORM, largest, 1.0)
    return kernel / scale, tf.where(largest > _SMALLEST_NORM, product / scale, vector)


def _unit(vector: tf.Tensor) -> tf.Tensor:
    return vector / tf.maximum(tf.norm(vector), _SMALLEST_NORM)
