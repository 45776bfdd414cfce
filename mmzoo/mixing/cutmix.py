"""CutMix: a box of another example pasted into each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from mmzoo.inputs import Input
from mmzoo.lazy import tf
from mmzoo.mixing.partners import Batch, blended_targets, partners_of
from mmzoo.randomness import Randomness
from mmzoo.spec import PositiveFloat, Spec


class CutMix(Spec):
    """Pastes a box of another picture of the batch into each; the targets go by the area.

    The box is one draw per batch, as in the paper: its area is 1 - Beta(alpha, alpha), its centre
    anywhere, and what of it lies outside the picture is lost.

    Reference: Yun et al., "CutMix: regularization strategy to train strong classifiers with
    localizable features", 2019.
    """

    type: Literal["cutmix"] = "cutmix"
    alpha: PositiveFloat = 1.0
    """The spread of the areas: 1 makes all alike, below 1 favours very small and very large."""

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
        box = self._box(randomness.first())
        pasted = {
            name: input_specs[name].paste(values, partners_of(values), box)
            for name, values in inputs.items()
        }
        # Pictures of different sizes round the box to their own pixels; the targets take the mean.
        share = tf.add_n([remaining for _, remaining in pasted.values()]) * (1.0 / len(pasted))
        return {name: values for name, (values, _) in pasted.items()}, blended_targets(
            targets, share
        )

    def _box(self, randomness: Randomness) -> tf.Tensor:
        """Top, left, bottom and right as fractions of height and width, float32 `[4]`."""
        side = tf.sqrt(1.0 - randomness.fold("area").beta(self.alpha)[0])
        centre = randomness.fold("centre").uniform(2)[0]
        return tf.clip_by_value(tf.concat([centre - side / 2, centre + side / 2], axis=0), 0.0, 1.0)
