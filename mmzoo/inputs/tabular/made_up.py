"""Made-up columns of each kind, for `--smoke`."""

from __future__ import annotations

from mmzoo.inputs.tabular.cells import Kind
from mmzoo.lazy import np


def made_up(kind: Kind, random: np.random.RandomState, rows: int) -> np.ndarray:
    """Values of a column, `[rows]`: numbers too, where what it holds is yet to be found."""

    match kind:
        case "category":
            return random.choice(np.array(["a", "b", "c", "d"], dtype=object), rows)
        case "date":
            return np.datetime64("2020-01-01") + random.randint(0, 1_000, rows)
        case "datetime":
            return np.datetime64("2020-01-01T00:00:00") + random.randint(0, 10**8, rows)
        case _:
            return random.normal(size=rows)
