"""The default objective: predictions near their labels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from mmzoo import layers
from mmzoo.heads import Head
from mmzoo.lazy import keras
from mmzoo.spec import Problem, Spec

UNCERTAINTY = "loss.weights"
"""The layer of learned weights, whose name nothing in a config can have."""

_FACTORS = {"mean_squared_error": 0.5}
"""By loss, what its learned weight is at a scale of 1; else 1."""
_PENALTIES = {"mean_absolute_error": 1.0}
"""By loss, what the learned logarithm is multiplied by: 1 where it is that of the scale; else 0.5,
as it is that of the scale's square."""


class Supervised(Spec):
    """The heads' losses, weighted and summed.

    With `uncertainty` the weights are learned, so that a head that is often far off counts less;
    the loss may then be negative. Each head has a scale s. Its logarithm is added, and the loss
    divided as it is in the negative log-likelihood of labels that are s off: `mean_squared_error`
    by 2 s^2, of normal errors; `mean_absolute_error` by s, of Laplace's; `cross_entropy` by s^2,
    the paper's approximation of a softmax at the temperature s^2. `huber`, which near zero is half
    a square, `focal` and `hinge` are divided by s^2 too.

    Reference: Kendall et al., "Multi-task learning using uncertainty to weigh losses", 2018,
    equations 7 and 10.
    """

    type: Literal["supervised"] = "supervised"
    weights: Literal["given", "uncertainty"] = "given"
    """Whether the losses have the heads' `weight`, or weights that are learned."""

    def head_rules(self, heads: Mapping[str, Head]) -> Iterator[Problem]:
        """Yields a Problem for each field that does not go with these heads."""
        if self.weights == "given":
            return
        if len(heads) == 1:
            yield Problem(
                ("weights",), "expected given: with one head there is nothing to be weighed"
            )
        for name, head in heads.items():
            if head.weight != 1:
                yield Problem(
                    ("weights",),
                    f"expected given, since heads.{name}.weight is: leave that out to have it "
                    "learned",
                )

    def build(
        self,
        inputs: Mapping[str, keras.KerasTensor],
        outputs: Mapping[str, keras.KerasTensor],
        name: str,
        heads: Mapping[str, Head],
        auxiliary: Mapping[str, tuple[str, ...]] | None = None,
        auxiliary_weight: float = 0.0,
    ) -> keras.Model:
        """The model of these inputs and outputs, both named dictionaries.

        Args:
            inputs: what goes in.
            outputs: every head's predictions, and any others. May be those of a model that this
                made, whose layers the new one then has.
            name: the model's.
            heads: by name.
            auxiliary: of each head that has them, the names of other outputs that are to be near
                its labels, in training.
            auxiliary_weight: the weight of the loss of each of those, beside the head's own.
        """
        learned = self.weights == "uncertainty"
        if not learned and not auxiliary:
            return keras.Model(dict(inputs), dict(outputs), name=name)
        from mmzoo.objectives.weighed_model import WeighedModel

        outputs = dict(outputs)
        if learned and UNCERTAINTY not in outputs:
            layer = layers.LogVariances(
                [_FACTORS.get(head.loss, 1.0) for head in heads.values()],
                [_PENALTIES.get(head.loss, 0.5) for head in heads.values()],
                dtype="float32",
                name=UNCERTAINTY,
            )
            outputs[UNCERTAINTY] = layer(outputs[next(iter(heads))])
        return WeighedModel(
            inputs,
            outputs,
            name=name,
            auxiliary={head: (auxiliary or {}).get(head, ()) for head in heads},
            auxiliary_weight=auxiliary_weight,
            uncertainty=UNCERTAINTY if learned else None,
        )

    def learned_weights(self, model: keras.Model, heads: Mapping[str, Head]) -> dict[str, float]:
        """The weight of each head's loss at present, where those are learned; else nothing."""
        if self.weights == "given":
            return {}
        weights = model.get_layer(UNCERTAINTY).weights_of_losses().numpy()
        return dict(zip(heads, map(float, weights), strict=True))

    def compile_arguments(self, heads: Mapping[str, Head], soft: bool) -> dict[str, Any]:
        """What `keras.Model.compile` needs to know of the objective; `soft` as in `Head.target`."""
        return {
            "loss": {name: head.labelled_loss(soft) for name, head in heads.items()},
            "loss_weights": {name: head.weight for name, head in heads.items()},
            "metrics": {name: head.labelled_metrics(soft) for name, head in heads.items()},
        }
