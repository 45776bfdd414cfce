"""Dropout of categories: some are hidden in training, so that it is learnt to do without them."""

from __future__ import annotations

from mmzoo.lazy import tf
from mmzoo.modalities.tabular.encoders import MISSING, UNSEEN, Layout
from mmzoo.randomness import Randomness


def hide_categories(
    rows: tf.Tensor, layout: Layout, share: float, randomness: Randomness
) -> tf.Tensor:
    """Rows float32 `[batch, width]` of which some categories are as if missing or never seen.

    Args:
        rows: As the layout says.
        layout: What stands where in a row.
        share: Of the categories that are hidden, half of them in either way.
        randomness: What is drawn for each row.
    """
    if not layout.categories or not share:
        return rows
    numbers, categories = rows[:, : layout.numbers], rows[:, layout.numbers :]
    drawn = randomness.uniform(len(layout.categories))
    hidden = tf.where(drawn < share / 2, float(MISSING), float(UNSEEN))
    categories = tf.where(drawn < share, hidden, categories)
    return tf.concat([numbers, categories], axis=1)
