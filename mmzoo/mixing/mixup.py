"""Mixup: each example blended with another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from mmzoo.inputs import Input
from mmzoo.mixing.partners import Batch, blended_targets, partners_of
from mmzoo.randomness import Randomness
from mmzoo.spec import PositiveFloat, Spec


class Mixup(Spec):
    """Blends each example with another of its batch, inputs and targets by the same share.

    The share is one draw of Beta(alpha, alpha) per batch, as in the paper.

    Reference: Zhang et al., "mixup: beyond empirical risk minimization", 2018.
    """

    type: Literal["mixup"] = "mixup"
    alpha: PositiveFloat = 0.2
    """How much is mixed: near 0 hardly ever, 1 with an even share, above 1 towards halves."""

    def apply(
        self,
        inputs: Batch,
        input_specs: Mapping[str, Input],
        targets: Batch,
        randomness: Randomness,
    ) -> tuple[Batch, Batch]:
        """The batch, mixed.

        Args:
            inputs: The tensors of each input, `[batch, ...]`.
            input_specs: The inputs' specs, by the same names; all of them mixable.
            targets: float32 `[batch, ...]`, such as one-hot classes.
            randomness: The examples' stream.
        """
        share = randomness.first().beta(self.alpha)[0, 0]
        blended = {
            name: input_specs[name].blend(values, partners_of(values), share)
            for name, values in inputs.items()
        }
        return blended, blended_targets(targets, share)
