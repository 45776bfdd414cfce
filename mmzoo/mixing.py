"""Mixup and CutMix: each example is mixed with another of its batch, inputs and targets alike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from mmzoo.lazy import tf
from mmzoo.modalities.abilities import Mixable
from mmzoo.randomness import Randomness
from mmzoo.spec import PositiveFloat, Spec

Batch = dict[str, "tf.Tensor"]


def partners(values: tf.Tensor) -> tf.Tensor:
    """Mixing partner of each example: the previous example of the batch.

    The batch is part of a random permutation of the epoch, so neighbors are random already. Unlike
    a second shuffle, this never pairs an example with itself.
    """
    return tf.roll(values, 1, axis=0)


def mix_targets(targets: Batch, share: tf.Tensor) -> Batch:
    """Targets mixed with those of the partners: `share * target + (1 - share) * partner's target`.

    Args:
        targets: float32 `[batch, ...]` by head.
        share: share of the example itself, float32 scalar.
    """
    return {
        name: share * values + (1.0 - share) * partners(values) for name, values in targets.items()
    }


class Mixup(Spec):
    """Mixup: blends each example with another one, inputs and targets by the same share.

    As in the paper, the share is drawn once per batch, from Beta(alpha, alpha).

    Reference: Zhang et al., "mixup: beyond empirical risk minimization", 2018.
    """

    type: Literal["mixup"] = "mixup"
    alpha: PositiveFloat = 0.2
    """Strength of the mixing: near 0 there is hardly any, 1 draws the share uniformly, above 1
    favors equal shares."""

    def apply(
        self,
        inputs: Batch,
        input_specs: Mapping[str, Mixable],
        targets: Batch,
        randomness: Randomness,
    ) -> tuple[Batch, Batch]:
        """Mixed inputs and targets.

        Args:
            inputs: tensor of each input, `[batch, ...]`.
            input_specs: specs of the inputs by the same names; all must support mixing.
            targets: float32 `[batch, ...]` by head, such as one-hot classes.
            randomness: random stream of the examples.
        """
        share = randomness.first().beta(self.alpha)[0, 0]
        blended = {
            name: input_specs[name].blend(values, partners(values), share)
            for name, values in inputs.items()
        }
        return blended, mix_targets(targets, share)


class CutMix(Spec):
    """CutMix: pastes a box of another image into each image; targets are mixed by area.

    As in the paper, the box is drawn once per batch: its area is 1 - Beta(alpha, alpha), its center
    is uniform, and it is clipped at the border of the image.

    Reference: Yun et al., "CutMix: regularization strategy to train strong classifiers with
    localizable features", 2019.
    """

    type: Literal["cutmix"] = "cutmix"
    alpha: PositiveFloat = 1.0
    """Spread of the box areas: 1 is uniform, below 1 favors very small and very large boxes."""

    def apply(
        self,
        inputs: Batch,
        input_specs: Mapping[str, Mixable],
        targets: Batch,
        randomness: Randomness,
    ) -> tuple[Batch, Batch]:
        """Mixed inputs and targets.

        Args:
            inputs: tensor of each input, `[batch, ...]`.
            input_specs: specs of the inputs by the same names; all must support mixing.
            targets: float32 `[batch, ...]` by head, such as one-hot classes.
            randomness: random stream of the examples.
        """
        box = self._box(randomness.first())
        pasted = {
            name: input_specs[name].paste(values, partners(values), box)
            for name, values in inputs.items()
        }
        # Images of different sizes round the box to whole pixels; targets use the mean share.
        share = tf.add_n([remaining for _, remaining in pasted.values()]) * (1.0 / len(pasted))
        return {name: values for name, (values, _) in pasted.items()}, mix_targets(targets, share)

    def _box(self, randomness: Randomness) -> tf.Tensor:
        """Top, left, bottom and right of the box, as fractions of the size, float32 `[4]`."""
        side = tf.sqrt(1.0 - randomness.fold("area").beta(self.alpha)[0])
        centre = randomness.fold("centre").uniform(2)[0]
        return tf.clip_by_value(tf.concat([centre - side / 2, centre + side / 2], axis=0), 0.0, 1.0)


Mixing = Annotated[Mixup | CutMix, Field(discriminator="type")]
