"""How features lie in arrays, and the one check that all of them pass on their way there."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from mmzoo.errors import DataError
from mmzoo.lazy import np

Arrays = dict[str, "np.ndarray"]


@dataclass(frozen=True)
class Layout:
    """The shape of one array, rows first, and the numbers it is made of."""

    shape: tuple[int, ...]
    dtype: Literal["float16", "float32"] = "float32"

    @property
    def size(self) -> int:
        """Bytes."""
        return math.prod(self.shape) * (2 if self.dtype == "float16" else 4)


def size_text(size: int) -> str:
    """Bytes as people read them: in MB below one GB."""
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.1f} MB"


def filled(
    what: str, layouts: Mapping[str, Layout], batches: Iterable[Mapping[str, np.ndarray]]
) -> Arrays:
    """Features in memory, for those that need not outlive the process.

    Takes and checks what `FeatureStore.keep` does.
    """

    arrays = {name: np.empty(layout.shape, layout.dtype) for name, layout in layouts.items()}
    done = 0
    for batch in in_layout(what, layouts, batches):
        rows = len(next(iter(batch.values())))
        for name, values in batch.items():
            arrays[name][done : done + rows] = values
        done += rows
    return arrays


def in_layout(
    what: str, layouts: Mapping[str, Layout], batches: Iterable[Mapping[str, np.ndarray]]
) -> Iterator[Arrays]:
    """Yields each batch in the numbers of its layout, C-contiguous.

    Args:
        what: whose features they are, for the error.
        layouts: of the arrays that the batches make up.
        batches: some rows of every array, in order; as many rows as the layouts have, in all.

    Raises:
        DataError: a feature is not finite, or is not in the numbers it is to be kept in.
        ValueError: the batches are not of these layouts.
    """
    [rows] = {layout.shape[0] for layout in layouts.values()}
    done = 0
    for batch in batches:
        end = done + len(next(iter(batch.values())))
        expected = {name: (end - done, *layout.shape[1:]) for name, layout in layouts.items()}
        found = {name: values.shape for name, values in batch.items()}
        if found != expected or end > rows:
            raise ValueError(f"the batch from row {done} of {rows}: {found}, expected {expected}")
        yield {name: _cast(what, batch[name], layouts[name].dtype, done) for name in layouts}
        done = end
    if done != rows:
        raise ValueError(f"the batches end at row {done} of {rows}")


def _cast(what: str, values: np.ndarray, dtype: str, first_row: int) -> np.ndarray:

    with np.errstate(over="ignore"):  # Becomes infinite, and is found below.
        cast = np.ascontiguousarray(values, dtype)
    finite = np.isfinite(cast)
    if finite.all():
        return cast
    place = tuple(int(index[0]) for index in np.nonzero(~finite))
    value = values[place]
    row = first_row + place[0]
    if np.isfinite(value):
        raise DataError(
            f"{what}: a feature of row {row} is {value:g}, and {dtype} ends at "
            f"{np.finfo(dtype).max:g}. Set `train.frozen_features.dtype: float32`."
        )
    raise DataError(
        f"{what}: a feature of row {row} is {value}, so no training can use them. "
        "Look at the encoder's weights and at what that row holds."
    )
