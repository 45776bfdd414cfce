"""What the tests of the store share: made-up features and where they are said to come from."""

from __future__ import annotations

import numpy as np

from mmzoo.features import FeatureStore, Layout, Origin

ROWS = 10
LAYOUTS = {"vector": Layout((ROWS, 6), "float16"), "tokens": Layout((ROWS, 3, 4))}


def origin(name: str = "photos") -> Origin:
    return Origin(f"net on {name}", {"examples": name, "copies": 0})


def features(layouts=LAYOUTS, seed=0):
    """Arrays of these layouts, in numbers that every dtype holds."""
    draw = np.random.default_rng(seed)
    return {
        name: draw.integers(-9, 9, layout.shape).astype(layout.dtype)
        for name, layout in layouts.items()
    }


def batches(arrays, size=4):
    """The arrays' rows, some at a time, in float32 as encoders give them."""
    rows = len(next(iter(arrays.values())))
    for start in range(0, rows, size):
        yield {name: a[start : start + size].astype("float32") for name, a in arrays.items()}


def keep(store: FeatureStore, name: str = "photos", layouts=LAYOUTS):
    return store.keep(origin(name), layouts, batches(features(layouts)))


def same(found, expected) -> bool:
    return found.keys() == expected.keys() and all(
        found[name].dtype == expected[name].dtype and np.array_equal(found[name], expected[name])
        for name in expected
    )
