"""How rows of a table get worse: cells that are missing, and numbers that are off."""

from __future__ import annotations

from collections.abc import Mapping

from mmzoo.inputs.degradation import Degradation
from mmzoo.inputs.tabular.cells import Kind
from mmzoo.inputs.tabular.numbers import Normalize
from mmzoo.inputs.tabular.rows import places_of
from mmzoo.lazy import tf
from mmzoo.modalities.tabular.encoders import MISSING, Layout
from mmzoo.randomness import Randomness

_SHARES = (0.1, 0.2, 0.4, 0.6, 0.8)
_DEVIATIONS = (0.1, 0.25, 0.5, 1.0, 2.0)


def degradations_of(
    layout: Layout, kinds: Mapping[str, Kind], normalize: Normalize
) -> tuple[Degradation, ...]:
    """Of prepared rows.

    Args:
        layout: what stands where in a row.
        kinds: what each column holds.
        normalize: how numbers became small; noise is for those in deviations of the training rows.
    """
    by_place = [
        (number, kinds[column] == "number" and normalize == "standard")
        for number, (column, place) in enumerate(places_of(kinds).items())
        for _ in range(place.start, place.stop)
    ]
    columns, measured = zip(*by_place, strict=True)

    def missing(rows: tf.Tensor, share: tf.Tensor, randomness: Randomness) -> tf.Tensor:
        hidden = tf.gather(randomness.uniform(1 + max(columns)) < share, columns, axis=1)
        nothing = [float("nan")] * layout.numbers + [float(MISSING)] * len(layout.categories)
        return tf.where(hidden, tf.constant(nothing), rows)

    def off(rows: tf.Tensor, deviations: tf.Tensor, randomness: Randomness) -> tf.Tensor:
        noise = randomness.normal(len(measured)) * tf.cast(measured, tf.float32)
        return rows + deviations * noise

    found = [Degradation("missing cells", "share", _SHARES, missing)]
    if any(measured):
        found.append(Degradation("noise", "deviations", _DEVIATIONS, off))
    return tuple(found)


def has_any_cell(rows: tf.Tensor, layout: Layout) -> tf.Tensor:
    """Which prepared rows, float32 `[batch, columns]`, have a cell that is not missing."""
    numbers, categories = rows[:, : layout.numbers], rows[:, layout.numbers :]
    has_number = tf.reduce_any(~tf.math.is_nan(numbers), axis=1)
    return has_number | tf.reduce_any(categories != MISSING, axis=1)
