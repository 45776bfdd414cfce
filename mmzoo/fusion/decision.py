"""Decision-level (late) fusion."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Literal

from mmzoo import layers
from mmzoo.fusion.base_fusion import BaseFusion, auxiliary_name, unimodal_outputs
from mmzoo.heads import BaseHead, HeadInputs, LabelledHead
from mmzoo.lazy import keras
from mmzoo.modalities.base_encoder import Features
from mmzoo.spec import NonNegativeFloat, Problem


class Decision(BaseFusion):
    """Every head predicts from each input alone, and the predictions are combined.

    `weighted` learns a weight for each input, by head; the weights sum to 1. `product` and `max`
    combine probabilities and normalize them over the classes; for a multilabel or binary head, each
    label is one of two classes. `vote` gives the share of inputs that choose a class; the mean
    probability breaks ties. Numbers can only be averaged or weighted. With one input, its
    prediction is the result.

    Each input also learns by its own loss. Without these (`auxiliary_loss: 0`) inputs learn only
    through the combined prediction, where one that learns fast leaves little to the others. A vote
    has no gradient, so only these losses train it.

    Reference: Kittler et al., "On combining classifiers", 1998.
    """

    type: Literal["decision"] = "decision"
    combine: Literal["average", "weighted", "product", "max", "vote"] = "average"
    """How the predictions are combined."""
    auxiliary_loss: NonNegativeFloat = 1.0
    """Weight of the losses of the predictions from each input alone, relative to that of the
    combined one. With one input there are none."""

    def rules(self) -> Iterator[Problem]:
        if self.combine == "vote" and not self.auxiliary_loss:
            yield Problem(
                ("auxiliary_loss",),
                "expected more than 0 beside `combine: vote`: a vote has no gradient, so nothing "
                "else would train the inputs",
            )

    def head_rules(self, heads: Mapping[str, BaseHead]) -> Iterator[Problem]:
        for name, head in heads.items():
            if not isinstance(head, LabelledHead):
                yield Problem(
                    ("type",),
                    f"expected a fusion of features, such as concat: heads.{name} has no "
                    "predictions from single inputs that could be combined",
                )
            elif head.output_kind == "numbers" and self.combine not in ("average", "weighted"):
                why = "cannot be voted on" if self.combine == "vote" else "have no probabilities"
                yield Problem(
                    ("combine",),
                    f"expected average or weighted: heads.{name} predicts numbers, which {why}",
                )

    def head_outputs(
        self, features: Mapping[str, Features], heads: Mapping[str, BaseHead]
    ) -> dict[str, keras.KerasTensor]:
        if len(features) == 1:
            [only] = features.values()
            given = HeadInputs(only, features)
            return {name: head.build(given, name) for name, head in heads.items()}

        unimodal = unimodal_outputs(features, heads)
        combined = {
            name: layers.CombinedDecisions(
                self.combine,
                head.output_kind,
                getattr(head, "threshold", 0.5),
                dtype="float32",
                name=name,
            )([unimodal[auxiliary_name(name, one)] for one in features])
            for name, head in heads.items()
            if isinstance(head, LabelledHead)
        }
        return {**combined, **unimodal} if self.auxiliary_loss else combined

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
