"""The evidence lower bound (ELBO) of a variational autoencoder, and its log-likelihood."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from mmzoo import layers
from mmzoo.batches import evaluation_batches
from mmzoo.decoded_files import reraise_with_file_names
from mmzoo.evaluation.code_model import code_model, rebuilding_heads
from mmzoo.fusion import HasPrior
from mmzoo.heads import HasLikelihood
from mmzoo.lazy import keras, tf
from mmzoo.metrics.intervals import mean_interval
from mmzoo.randomness import Randomness

if TYPE_CHECKING:
    from mmzoo.config import Config
    from mmzoo.preprocessing import Arrays


def evidence(model: keras.Model, config: Config, data: Arrays, split: str) -> dict[str, Any]:
    """The evidence of a split in nats per example; empty for a model without prior or decoder.

    The ELBO is the mean of log p(x|z) over codes z, drawn from the Gaussian q(z|x) of the example,
    minus the KL divergence of q(z|x) from the prior. The log-likelihood is estimated by importance
    sampling: the logarithm of the mean of p(x|z) p(z) / q(z|x) over the same codes, which is a
    tighter lower bound the more codes there are. x are all inputs that are rebuilt, and q(z|x) is
    computed from all inputs that the example has. The codes depend on `train.seed` and the row.

    Reference: Burda et al., "Importance weighted autoencoders", 2016.

    Returns:
        `elbo` with `elbo_ci95`, `reconstruction_log_likelihood`, `kl`, `log_likelihood` and
        `importance_samples`; `kl` alone unless all heads that rebuild have a likelihood.
    """
    fusion = config.fusion
    if not isinstance(fusion, HasPrior) or not rebuilding_heads(config):
        return {}
    sampler = _Sampler(model, config)
    samples = max(1, fusion.importance_samples) if sampler.is_complete else 0
    columns, first = data.splits[split], 0
    divergences, likelihoods, evidences = [], [], []
    with reraise_with_file_names(config, data, split):
        for (inputs,) in evaluation_batches(config, columns, labelled=False):
            mean, log_variance, divergence, targets = sampler.encode(inputs)
            rows = tf.range(first, first + len(mean), dtype=tf.int64)
            first += len(mean)
            likelihood, total = np.zeros(len(mean)), np.full(len(mean), -np.inf)
            for index in range(samples):
                number = tf.constant(index, tf.int64)
                given, ratio = sampler.sample(mean, log_variance, targets, rows, number)
                likelihood += given.numpy()
                total = np.logaddexp(total, given.numpy().astype(np.float64) + ratio.numpy())
            divergences.append(divergence.numpy().astype(np.float64))
            likelihoods.append(likelihood / max(1, samples))
            evidences.append(total - math.log(max(1, samples)))
    kl, likelihood = np.concatenate(divergences), np.concatenate(likelihoods)
    found: dict[str, Any] = {"kl": float(kl.mean())}
    if samples:
        interval = mean_interval(likelihood - kl)
        found = {
            "elbo": float((likelihood - kl).mean()),
            **({"elbo_ci95": list(interval)} if interval else {}),
            "reconstruction_log_likelihood": float(likelihood.mean()),
            **found,
        }
    if samples and fusion.importance_samples:
        found["log_likelihood"] = float(np.concatenate(evidences).mean())
        found["importance_samples"] = samples
    return {name: one if np.all(np.isfinite(one)) else None for name, one in found.items()}


class _Sampler:
    """Draws codes of examples and computes the terms of the evidence, in compiled functions.

    Attributes:
        is_complete: whether all heads that rebuild an input have a likelihood.
    """

    def __init__(self, model: keras.Model, config: Config) -> None:
        self._network, self._seed = code_model(model, config), config.train.seed
        self._heads = {
            name: (config.heads[name], head)
            for name, head in self._network.heads.items()
            if isinstance(head, HasLikelihood) and head.has_likelihood
        }
        self.is_complete = len(self._heads) == len(self._network.heads)
        self.encode = tf.function(self._encode, autograph=False, reduce_retracing=True)
        self.sample = tf.function(self._sample, autograph=False, reduce_retracing=True)

    def _encode(self, inputs: dict[str, tf.Tensor]) -> tuple[Any, ...]:
        """Mean and log variance of the code, its KL divergence, and the heads' targets."""
        mean, log_variance = self._network.encode(inputs)
        targets = {name: head.target_from_inputs(inputs) for name, (head, _) in self._heads.items()}
        return mean, log_variance, layers.kl_divergence(mean, log_variance), targets

    def _sample(
        self,
        mean: tf.Tensor,
        log_variance: tf.Tensor,
        targets: dict[str, tf.Tensor],
        rows: tf.Tensor,
        number: tf.Tensor,
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """log p(x|z) and log(p(z) / q(z|x)) for one code z of each example, float32 `[batch]`."""
        random = Randomness(self._seed, number, rows).fold("importance samples")
        noise = random.normal(self._network.width)
        code = mean + tf.exp(0.5 * log_variance) * noise
        outputs = self._network.decode(code)
        likelihoods = [
            head.log_likelihood(targets[name], outputs[name])
            for name, (_, head) in self._heads.items()
        ]
        ratio = tf.square(noise) + log_variance - tf.square(code)
        return tf.add_n(likelihoods), 0.5 * tf.reduce_sum(ratio, axis=1)
