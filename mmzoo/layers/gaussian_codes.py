"""Layers of variational autoencoders: Gaussian codes, and their product of experts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mmzoo.lazy import keras, tf


@keras.saving.register_keras_serializable("mmzoo")
class ProductOfExperts(keras.layers.Layer):
    """Product of diagonal Gaussians and of the prior N(0, I), which is a Gaussian again.

    Its precision is 1 plus the sum of the precisions of all experts that are present; its mean is
    the mean of their means, weighted by precision. Without any expert it is the prior.

    Args of `call`:
        means: of each expert, float `[batch, dim]`.
        log_variances: of each expert, float `[batch, dim]`.
        present: for each of the first experts, float `[batch]`, 0 where it is left out; the others
            never are.

    Returns:
        The mean and the log variance, float32 `[batch, dim]`.

    Reference: Wu and Goodman, "Multimodal generative models for scalable weakly-supervised
    learning", 2018.
    """

    def call(
        self,
        means: Sequence[tf.Tensor],
        log_variances: Sequence[tf.Tensor],
        present: Sequence[tf.Tensor] = (),
    ) -> tuple[tf.Tensor, tf.Tensor]:
        precisions = tf.exp(-tf.stack(log_variances))
        if present:
            mask = tf.cast(tf.stack(present) > 0, precisions.dtype)
            always = len(means) - len(present)
            precisions *= tf.pad(mask, [[0, always], [0, 0]], constant_values=1)[:, :, None]
        precision = 1.0 + tf.reduce_sum(precisions, axis=0)
        mean = tf.reduce_sum(tf.stack(means) * precisions, axis=0) / precision
        return mean, -tf.math.log(precision)

    def compute_output_spec(
        self, means: Sequence[keras.KerasTensor], *others: Any
    ) -> tuple[keras.KerasTensor, keras.KerasTensor]:
        mean, log_variance = (keras.KerasTensor(means[0].shape, "float32") for _ in range(2))
        return mean, log_variance


@keras.saving.register_keras_serializable("mmzoo")
class GaussianCode(keras.layers.Layer):
    """Code of a variational autoencoder: a sample of a Gaussian while training, else its mean.

    The sample is reparameterized, `mean + std * noise`, so that gradients reach mean and standard
    deviation. `beta` times the mean Kullback-Leibler divergence from N(0, I) is added to the loss;
    the metric `kl` is its mean over the examples, in nats.

    Args of `call`:
        mean: float `[batch, dim]`.
        log_variance: float `[batch, dim]`.

    Returns:
        The code, float `[batch, dim]`.

    Reference: Kingma and Welling, "Auto-encoding variational Bayes", 2014, section 3 and appendix
    B; Higgins et al., "beta-VAE", 2017, for beta.

    Args:
        beta: weight of the divergence.
    """

    def __init__(self, beta: float = 1.0, **settings: Any) -> None:
        super().__init__(**settings)
        self.beta = beta
        self.seed_generator = keras.random.SeedGenerator()
        self.kl = keras.metrics.Mean(name="kl")
        self._warmup: tuple[tf.Variable, int] | None = None

    def warm_up(self, step: tf.Variable, steps: int) -> None:
        """Lets beta grow linearly from near 0 to its value over the first `steps` steps.

        Args:
            step: counts the steps that are done, int64.
            steps: at least 1.
        """
        self._warmup = step, steps

    def beta_at(self, earlier: int = 0) -> tf.Tensor:
        """Beta of the present step, or of an earlier one: float32 scalar."""
        if self._warmup is None:
            return tf.constant(self.beta)
        step, steps = self._warmup
        done = tf.cast(step - earlier, tf.float32)
        return self.beta * tf.clip_by_value((done + 1.0) / steps, 0.0, 1.0)

    def call(
        self, mean: tf.Tensor, log_variance: tf.Tensor, training: bool | None = None
    ) -> tf.Tensor:
        divergence = kl_divergence(mean, log_variance)
        self.kl.update_state(divergence)
        # Validation losses of all epochs are compared, so beta has no warm-up there.
        beta = self.beta_at() if training else self.beta
        self.add_loss(beta * tf.reduce_mean(divergence))
        if not training:
            return mean
        noise = keras.random.normal(tf.shape(mean), dtype=mean.dtype, seed=self.seed_generator)
        return mean + tf.exp(0.5 * log_variance) * noise

    def compute_output_spec(
        self, mean: keras.KerasTensor, *others: Any, **settings: Any
    ) -> keras.KerasTensor:
        return keras.KerasTensor(mean.shape, "float32")

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "beta": self.beta}


def kl_divergence(mean: tf.Tensor, log_variance: tf.Tensor) -> tf.Tensor:
    """The Kullback-Leibler divergence of diagonal Gaussians from N(0, I), in nats: `[batch]`.

    Args:
        mean: float `[batch, dim]`.
        log_variance: float `[batch, dim]`.
    """
    terms = tf.square(mean) + tf.exp(log_variance) - 1.0 - log_variance
    return 0.5 * tf.reduce_sum(terms, axis=1)
