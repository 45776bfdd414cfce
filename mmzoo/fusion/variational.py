"""Variational fusion: a sampled Gaussian code, for variational autoencoders."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar, Literal

from mmzoo import layers
from mmzoo.fusion.base_fusion import FeatureFusion
from mmzoo.heads import BaseHead, HasLikelihood, RebuildsInput
from mmzoo.lazy import keras, tf
from mmzoo.modalities.base_encoder import Features
from mmzoo.spec import NonNegativeFloat, NonNegativeInt, PositiveInt, Rate


class Variational(FeatureFusion):
    """Gaussian code with a prior: with `reconstruction` heads, a variational autoencoder (VAE).

    The features give the mean and variance of a Gaussian. While training, the code is a sample of
    it, otherwise its mean. Its Kullback-Leibler (KL) divergence from the prior N(0, I), in nats, is
    added to the loss. With `beta: 1.0`, and heads whose loss is a log-likelihood in nats
    (`bernoulli`, `gaussian`, `categorical`), the loss is the negative evidence lower bound (ELBO).

    `concat` computes the Gaussian from the concatenated features of all inputs. With
    `product_of_experts` each input gives its own Gaussian, and the code's is the product of those
    and of the prior; missing inputs are left out, so any subset of the inputs gives a code.

    The dense layers of `units` follow the code; the layers before it are the encoders'.

    Reference: Kingma and Welling, "Auto-encoding variational Bayes", 2014; Higgins et al.,
    "beta-VAE: learning basic visual concepts with a constrained variational framework", 2017; Wu
    and Goodman, "Multimodal generative models for scalable weakly-supervised learning", 2018.
    """

    passes_single_input: ClassVar[bool] = False
    code_layer: ClassVar[str] = "fusion_code"

    type: Literal["variational"] = "variational"
    dim: PositiveInt = 32
    """Width of the code."""
    beta: NonNegativeFloat = 1.0
    """Weight of the divergence; above 1 for a disentangled code (beta-VAE)."""
    warmup: Rate = 0.0
    """Share of the training steps over which beta grows linearly from 0. Validation always has the
    full beta."""
    combine: Literal["concat", "product_of_experts"] = "concat"
    """How the inputs are combined."""
    importance_samples: NonNegativeInt = 50
    """Codes to draw per example for the ELBO and the log-likelihood of an evaluation; 0 leaves the
    log-likelihood out."""

    @property
    def depends_on_duration(self) -> bool:
        return self.warmup > 0

    def head_notes(self, heads: Mapping[str, BaseHead]) -> Iterator[str]:
        for name, head in heads.items():
            in_nats = isinstance(head, HasLikelihood) and head.has_likelihood
            if isinstance(head, RebuildsInput) and self.beta and not in_nats:
                yield (
                    f"the loss of {name} is a mean over values, and the KL divergence a sum over "
                    f"the code: with beta {self.beta:g} the code may hold nothing. Choose "
                    "`loss: bernoulli` or another in nats, or a small beta"
                )

    def start_training(self, model: keras.Model, step: tf.Variable, steps: int) -> None:
        if self.warmup:
            model.get_layer(self.code_layer).warm_up(step, max(1, round(self.warmup * steps)))

    def changing_values(self, model: keras.Model) -> dict[str, float]:
        """Beta of the last step, if it has a warm-up."""
        if not self.warmup:
            return {}
        return {"beta": float(model.get_layer(self.code_layer).beta_at(earlier=1))}

    def combine_features(self, features: Mapping[str, Features]) -> Features:
        if self.combine == "concat":
            vectors = [feature.vector for feature in features.values()]
            x = vectors[0]
            if len(vectors) > 1:
                x = keras.layers.Concatenate(name="fusion_all_inputs")(vectors)
            mean, log_variance = self._gaussian(x, "fusion")
        else:
            # Those that an example may lack come first; the order does not matter for a product.
            order = sorted(features, key=lambda name: features[name].present is None)
            experts = [self._gaussian(features[name].vector, f"fusion_{name}") for name in order]
            means, log_variances = map(list, zip(*experts, strict=True))
            present = [one for name in order if (one := features[name].present) is not None]
            product = layers.ProductOfExperts(dtype="float32", name="fusion_product")
            mean, log_variance = product(means, log_variances, present)
        code = layers.GaussianCode(self.beta, dtype="float32", name=self.code_layer)
        return Features(code(mean, log_variance))

    def _gaussian(
        self, x: keras.KerasTensor, name: str
    ) -> tuple[keras.KerasTensor, keras.KerasTensor]:
        """Mean and log variance by a dense layer each, float32 `[batch, dim]`."""
        mean, log_variance = (
            keras.layers.Dense(self.dim, dtype="float32", name=f"{name}_{one}")(x)
            for one in ("mean", "log_variance")
        )
        return mean, log_variance
