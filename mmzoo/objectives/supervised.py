"""The sum of the losses of all heads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from mmzoo import layers
from mmzoo.heads import BaseHead
from mmzoo.lazy import keras
from mmzoo.objectives.base_objective import BaseObjective
from mmzoo.spec import Problem, Spec

UNCERTAINTY = "loss.weights"
"""The name of the layer of learned weights; no name in a config can equal it."""

_FACTORS = {"mean_squared_error": 0.5}
"""By loss, the learned weight at a scale of 1; else 1."""
_PENALTIES = {"mean_absolute_error": 1.0}
"""By loss, the factor of the learned logarithm in the penalty: 1 where it is the logarithm of the
scale; else 0.5, as it is that of the squared scale."""


class Supervised(BaseObjective):
    """The weighted sum of the losses of all heads.

    With `weights: uncertainty` the weights are learned, so that a head with large errors counts
    less; the loss may then be negative. Each head has a scale s; log s is added to its loss, which
    is divided as in the negative log-likelihood of labels with errors of this scale:
    `mean_squared_error` by 2 s^2 (normal), `mean_absolute_error` by s (Laplace), `cross_entropy` by
    s^2, the paper's approximation of a softmax of temperature s^2. `huber`, half a square near
    zero, `focal`, `hinge` and the losses of heads without labels are divided by s^2 too.

    Reference: Kendall et al., "Multi-task learning using uncertainty to weigh losses", 2018,
    equations 7 and 10.
    """

    type: Literal["supervised"] = "supervised"
    weights: Literal["given", "uncertainty"] = "given"
    """Whether the losses are weighted by each head's `weight` or by learned weights."""

    def experiment_rules(self, experiment: Any) -> Iterator[Problem]:
        heads = experiment.heads
        if self.weights == "given":
            return
        if len(heads) == 1:
            yield Problem(
                ("objective", "weights"),
                "expected given: with one head there is nothing to be weighted",
            )
        for name, head in heads.items():
            if head.weight != 1:
                yield Problem(
                    ("objective", "weights"),
                    f"expected given, as heads.{name}.weight is set: leave that out to have it "
                    "learned",
                )

    def build(
        self,
        inputs: Mapping[str, keras.KerasTensor],
        outputs: Mapping[str, keras.KerasTensor],
        name: str,
        heads: Mapping[str, BaseHead],
        auxiliary: Mapping[str, tuple[str, ...]] | None = None,
        auxiliary_weight: float = 0.0,
        specs: Mapping[str, Spec] | None = None,
    ) -> keras.Model:
        learned = self.weights == "uncertainty"
        if not learned and not auxiliary:
            return keras.Model(dict(inputs), dict(outputs), name=name)
        from mmzoo.weighted_loss_model import WeightedLossModel

        outputs = dict(outputs)
        if learned and UNCERTAINTY not in outputs:
            losses = [getattr(head, "loss", "") for head in heads.values()]
            layer = layers.UncertaintyWeights(
                [_FACTORS.get(loss, 1.0) for loss in losses],
                [_PENALTIES.get(loss, 0.5) for loss in losses],
                dtype="float32",
                name=UNCERTAINTY,
            )
            outputs[UNCERTAINTY] = layer(outputs[next(iter(heads))])
        return WeightedLossModel(
            inputs,
            outputs,
            name=name,
            auxiliary={head: (auxiliary or {}).get(head, ()) for head in heads},
            auxiliary_weight=auxiliary_weight,
            uncertainty=UNCERTAINTY if learned else None,
        )

    def learned_weights(
        self, model: keras.Model, heads: Mapping[str, BaseHead]
    ) -> dict[str, float]:
        if self.weights == "given":
            return {}
        weights = model.get_layer(UNCERTAINTY).loss_weights().numpy()
        return dict(zip(heads, map(float, weights), strict=True))
