"""Hue: pictures whose colours are turned along the rainbow."""

from __future__ import annotations

from typing import Annotated, Literal

from annotated_types import Ge, Le

from mmzoo.lazy import tf
from mmzoo.randomness import Randomness
from mmzoo.spec import Spec


class Hue(Spec):
    """Turns all hues of a picture by one angle on the circle from red over green and blue to red.

    Greys have no hue, so grey pictures stay as they are.
    """

    type: Literal["hue"] = "hue"
    degrees: Annotated[float, Ge(0), Le(180)] = 10.0
    """The largest angle either way: 120 would turn red into green or blue."""

    def apply(self, images: tf.Tensor, randomness: Randomness) -> tf.Tensor:
        """Uint8 `[batch, height, width, channels]`, as it came."""
        if images.shape[-1] == 1:
            return images
        turns = randomness.uniform(1, -self.degrees / 360.0, self.degrees / 360.0)[:, :, None]
        # The values may reach to 255: hue and saturation do not depend on their scale.
        hue, saturation, value = tf.unstack(
            tf.image.rgb_to_hsv(tf.cast(images, tf.float32)), axis=-1
        )
        hue += turns
        turned = tf.image.hsv_to_rgb(tf.stack([hue - tf.floor(hue), saturation, value], axis=-1))
        return tf.saturate_cast(tf.round(turned), tf.uint8)
