"""Fusion of decisions: late fusion."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Literal

from mmzoo import layers
from mmzoo.fusion.base import BaseFusion, by_itself
from mmzoo.heads import Head
from mmzoo.lazy import keras
from mmzoo.modalities.base_encoder import Features
from mmzoo.spec import NonNegativeFloat, Problem


class Decision(BaseFusion):
    """Every input decides by itself with each head, and the decisions are combined.

    `weighted` learns a weight for each input, whose sum is one, for each head. `product` and `max`
    are of probabilities, divided by their sum over the classes; a label, or a yes, is one of two
    classes then. `vote` gives the share of inputs that decide for a class; the sum of their
    probabilities decides ties. Numbers can only be averaged, or weighted. One input alone simply
    decides.

    Each input learns to decide by itself, too. Without losses of their own (`auxiliary_loss: 0`)
    they learn by what is combined alone, where one that learns fast leaves little to the others. A
    vote, which has no gradient, is trained by these losses alone.

    Reference: Kittler et al., "On combining classifiers", 1998.
    """

    type: Literal["decision"] = "decision"
    combine: Literal["average", "weighted", "product", "max", "vote"] = "average"
    """How several decisions become one."""
    auxiliary_loss: NonNegativeFloat = 1.0
    """Weight of the losses of what each input decides by itself, beside that of what is combined.
    One input alone has none."""

    def rules(self) -> Iterator[Problem]:
        if self.combine == "vote" and not self.auxiliary_loss:
            yield Problem(
                ("auxiliary_loss",),
                "expected more than 0 beside `combine: vote`: a vote has no gradient, so nothing "
                "else would train the inputs",
            )

    def head_rules(self, heads: Mapping[str, Head]) -> Iterator[Problem]:
        if self.combine in ("average", "weighted"):
            return
        for name, head in heads.items():
            if head.decides == "numbers":
                why = "are not voted on" if self.combine == "vote" else "have no likelier one"
                yield Problem(
                    ("combine",),
                    f"expected average or weighted: heads.{name} predicts numbers, which {why}",
                )

    def build(
        self, features: Mapping[str, Features], heads: Mapping[str, Head]
    ) -> dict[str, keras.KerasTensor]:
        """Lets every head decide by every input, and combines what they say."""
        predictions = self.predictions(features, heads)
        return {name: predictions[name] for name in heads}

    def predictions(
        self, features: Mapping[str, Features], heads: Mapping[str, Head]
    ) -> dict[str, keras.KerasTensor]:
        if len(features) == 1:
            [feature] = features.values()
            return {name: head.output(feature.vector, name) for name, head in heads.items()}

        alone = self.alone(features, heads)
        together = {
            name: layers.CombinedDecisions(
                self.combine,
                head.decides,
                getattr(head, "threshold", 0.5),
                dtype="float32",
                name=name,
            )([alone[by_itself(name, one)] for one in features])
            for name, head in heads.items()
        }
        return {**together, **alone} if self.auxiliary_loss else together

    def learned_weights(
        self, model: keras.Model, inputs: Collection[str]
    ) -> dict[str, float] | None:
        if self.combine != "weighted":
            return None
        heads = [layer.name for layer in model.layers if getattr(layer, "combine", None)]
        by_head = self.head_weights(model, inputs, heads)
        return next(iter(by_head.values())) if len(by_head) == 1 else None

    def head_weights(
        self, model: keras.Model, inputs: Collection[str], heads: Collection[str]
    ) -> dict[str, dict[str, float]]:
        if self.combine != "weighted" or len(inputs) == 1:
            return {}
        return {
            name: dict(zip(inputs, model.get_layer(name).weights_of_inputs(), strict=True))
            for name in heads
        }
