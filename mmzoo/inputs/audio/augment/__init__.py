"""Augmentations of sounds, one a file: random changes that leave their meaning alone.

To add one: a spec with `apply`, named in `AudioAugmentation`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from mmzoo.inputs.audio.augment.noise import Noise as Noise
from mmzoo.inputs.audio.augment.time_shift import TimeShift as TimeShift
from mmzoo.randomness import Randomness

if TYPE_CHECKING:
    import tensorflow as tf

AudioAugmentation = Annotated[Noise | TimeShift, Field(discriminator="type")]


def augment(
    waveforms: tf.Tensor, augmentations: Sequence[Noise | TimeShift], randomness: Randomness
) -> tf.Tensor:
    """The sounds after all augmentations, in that order.

    Args:
        waveforms: float32 `[batch, samples]`, the samples static; so returned.
        augmentations: What to do.
        randomness: The examples' stream; each augmentation has its own stream of it by its place.
    """
    for place, one in enumerate(augmentations):
        waveforms = one.apply(waveforms, randomness.fold(place))
    return waveforms
