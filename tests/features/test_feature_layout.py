"""Features become arrays of their layout, or an error says which row they fail at."""

from __future__ import annotations

import numpy as np
import pytest
from keeping import LAYOUTS, batches, features, keep, origin, same

from mmzoo.errors import DataError
from mmzoo.features import Layout, filled


@pytest.fixture(params=["disk", "memory"])
def kept(request, store):
    """Keeps batches on disk or in memory."""
    if request.param == "disk":
        return lambda layouts, rows: store.keep(origin(), layouts, rows)
    return lambda layouts, rows: filled(origin().what, layouts, rows)


@pytest.mark.parametrize("size", [1, 3, 4, 10])
def test_arrays_are_the_batches_in_order(kept, size):
    assert same(kept(LAYOUTS, batches(features(), size)), features())


def test_copies_are_one_more_axis(kept):
    layouts = {"vector": Layout((5, 3, 2), "float16")}
    assert same(kept(layouts, batches(features(layouts))), features(layouts))


def test_there_may_be_no_rows(kept):
    layouts = {"vector": Layout((0, 3))}
    assert kept(layouts, [])["vector"].shape == (0, 3)


def test_batches_need_not_be_contiguous(kept):
    values = np.arange(24, dtype="float32").reshape(6, 4)
    found = kept({"vector": Layout((4, 6))}, [{"vector": values.T}])
    assert np.array_equal(found["vector"], values.T)


def test_float16_keeps_three_digits(kept):
    values = np.linspace(-60_000, 60_000, 999, dtype="float32")[:, None]
    found = kept({"vector": Layout((999, 1), "float16")}, [{"vector": values}])
    assert np.allclose(found["vector"].astype("float32"), values, rtol=1e-3)


def test_a_number_beyond_float16_is_refused_with_the_way_out(kept):
    values = features()
    values["vector"] = values["vector"].astype("float32")
    values["vector"][7, 2] = -70_000.0
    with pytest.raises(DataError) as caught:
        kept(LAYOUTS, batches(values))
    assert str(caught.value) == (
        "net on photos: a feature of row 7 is -70000, and float16 ends at 65504. "
        "Set `train.frozen_features.dtype: float32`."
    )


@pytest.mark.parametrize(("value", "word"), [(np.nan, "nan"), (np.inf, "inf")])
def test_a_feature_that_is_not_finite_is_refused(kept, value, word):
    values = features()
    values["tokens"][9, 0, 1] = value
    with pytest.raises(DataError) as caught:
        kept(LAYOUTS, batches(values))
    assert str(caught.value) == (
        f"net on photos: a feature of row 9 is {word}, so no training can use them. "
        "Look at the encoder's weights and at what that row holds."
    )


@pytest.mark.parametrize(
    "wrong",
    [
        [{"vector": np.zeros((10, 6))}],
        [{"vector": np.zeros((10, 5)), "tokens": np.zeros((10, 3, 4))}],
        [{"vector": np.zeros((9, 6)), "tokens": np.zeros((9, 3, 4))}],
        [{"vector": np.zeros((11, 6)), "tokens": np.zeros((11, 3, 4))}],
        [{"vector": np.zeros((10, 6)), "tokens": np.zeros((9, 3, 4))}],
        [],
    ],
)
def test_batches_of_another_layout_are_a_mistake_of_the_caller(kept, store, wrong):
    with pytest.raises(ValueError, match="batch"):
        kept(LAYOUTS, wrong)
    assert store.find(origin()) is None
    assert not store.entries()


def test_the_size_of_a_layout():
    assert Layout((100, 8), "float16").size == 1_600
    assert Layout((100, 8)).size == 3_200


def test_kept_features_cannot_be_written_to(store):
    with pytest.raises(ValueError, match="read-only"):
        keep(store)["vector"][0, 0] = 1
