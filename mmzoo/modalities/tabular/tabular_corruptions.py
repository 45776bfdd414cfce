"""Corruptions of table rows: missing cells and noisy numbers."""

from __future__ import annotations

from collections.abc import Mapping

from mmzoo.lazy import tf
from mmzoo.modalities.base_input import Corruption
from mmzoo.modalities.tabular.cell_parsing import Kind
from mmzoo.modalities.tabular.numeric_columns import Normalize
from mmzoo.modalities.tabular.tabular_columns import column_slices
from mmzoo.modalities.tabular.tabular_mlp import MISSING, Layout
from mmzoo.randomness import Randomness

_SHARES = (0.1, 0.2, 0.4, 0.6, 0.8)
_STDS = (0.1, 0.25, 0.5, 1.0, 2.0)


def tabular_corruptions(
    layout: Layout, kinds: Mapping[str, Kind], normalize: Normalize
) -> tuple[Corruption, ...]:
    """Corruptions of transformed rows.

    Args:
        layout: column layout of the rows.
        kinds: column -> type.
        normalize: normalization of numbers; noise, in standard deviations of the training rows,
            requires `standard`.
    """
    by_position = [
        (index, kinds[column] == "number" and normalize == "standard")
        for index, (column, part) in enumerate(column_slices(kinds).items())
        for _ in range(part.start, part.stop)
    ]
    columns, is_scaled = zip(*by_position, strict=True)

    def drop_cells(rows: tf.Tensor, share: tf.Tensor, randomness: Randomness) -> tf.Tensor:
        hidden = tf.gather(randomness.uniform(1 + max(columns)) < share, columns, axis=1)
        empty = [float("nan")] * layout.numbers + [float(MISSING)] * len(layout.categories)
        return tf.where(hidden, tf.constant(empty), rows)

    def add_noise(rows: tf.Tensor, std: tf.Tensor, randomness: Randomness) -> tf.Tensor:
        noise = randomness.normal(len(is_scaled)) * tf.cast(is_scaled, tf.float32)
        return rows + std * noise

    corruptions = [Corruption("missing cells", "share", _SHARES, drop_cells)]
    if any(is_scaled):
        corruptions.append(Corruption("noise", "deviations", _STDS, add_noise))
    return tuple(corruptions)


def has_any_cell(rows: tf.Tensor, layout: Layout) -> tf.Tensor:
    """Which rows, float32 `[batch, columns]`, have a cell that is not missing: bool `[batch]`."""
    numbers, categories = rows[:, : layout.numbers], rows[:, layout.numbers :]
    has_number = tf.reduce_any(~tf.math.is_nan(numbers), axis=1)
    return has_number | tf.reduce_any(categories != MISSING, axis=1)
