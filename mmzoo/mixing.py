"""Mixup and CutMix: training examples mixed from two, inputs and targets alike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from mmzoo.inputs import Input
from mmzoo.lazy import tf
from mmzoo.randomness import Randomness
from mmzoo.spec import PositiveFloat, Spec

Batch = dict[str, "tf.Tensor"]


def partners_of(values: tf.Tensor) -> tf.Tensor:
    """Each example's partner: the one before it in the batch.

    The batch is a piece of the epoch's random order, so its neighbours are strangers already, and
    unlike a second shuffle this leaves nobody its own partner.
    """
    return tf.roll(values, 1, axis=0)


def blended_targets(targets: Batch, share: tf.Tensor) -> Batch:
    """Each float32 `[batch, ...]` target with `1 - share` of its partner's."""
    return {
        name: share * values + (1.0 - share) * partners_of(values)
        for name, values in targets.items()
    }


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


Mixing = Annotated[Mixup | CutMix, Field(discriminator="type")]
