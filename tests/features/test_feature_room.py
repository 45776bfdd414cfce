"""The store never takes more than its limit, and gives up what was unused for longest."""

from __future__ import annotations

import os
import random
import resource
import shutil
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager

import pytest
from keeping import batches, features, keep, origin

from mmzoo.errors import DataError
from mmzoo.features import FeatureStore, Layout
from mmzoo.features.writing import MENDS

KB = {"vector": Layout((10, 25))}
"""A thousand bytes of features."""
MB = {"vector": Layout((1_000, 250))}


def sized(size):
    return {"vector": Layout((size // 4, 1))}


def age(store, name, seconds):
    used = time.time() - seconds
    os.utime(store.folder / origin(name).key / "meta.json", (used, used))


def names(store):
    return {entry.origin.parts["examples"] for entry in store.entries()}


def on_disk(store):
    return sum(path.stat().st_size for path in store.folder.rglob("*") if path.is_file())


def test_those_unused_for_longest_make_room(store, said):
    store = FeatureStore(store.folder, limit=3_400_000)
    for name in "abc":
        keep(store, name, MB)
    for name, seconds in {"a": 10, "b": 30, "c": 20}.items():
        age(store, name, seconds)
    store.find(origin("b"))
    keep(store, "d", {"vector": Layout((1_500, 250))})
    assert names(store) == {"b", "d"}
    assert said == [
        "Kept features of net on c are removed to make room.",
        "Kept features of net on a are removed to make room.",
    ]


def test_features_in_use_stay_and_the_new_are_not_kept(store, said):
    store = FeatureStore(store.folder, limit=2_500_000)
    first, second = keep(store, "a", MB), keep(store, "b", MB)
    keep(store, "idle", KB)
    assert keep(store, "c", MB) is None
    assert names(store) == {"a", "b", "idle"}
    assert said == [
        "Features of net on c are not kept on disk: they take 1.0 MB, and features in use take "
        "2.0 MB of the 2.5 MB of `train.frozen_features.limit`."
    ]
    del first
    assert keep(store, "c", MB) is not None
    assert names(store) == {"b", "c", "idle"}
    del second


def test_what_is_larger_than_the_limit_removes_nothing(store, said):
    store = FeatureStore(store.folder, limit=1_500_000)
    keep(store, "a", MB)
    larger = {"vector": Layout((2_000, 250))}
    never = iter(lambda: pytest.fail("made a batch"), None)
    assert store.keep(origin("b"), larger, never) is None
    assert names(store) == {"a"}
    assert said == [
        "Features of net on b are not kept on disk: they take 2.0 MB, and "
        "`train.frozen_features.limit` is 1.5 MB."
    ]


def test_the_limit_holds_whatever_comes_and_in_whatever_order(store):
    draw = random.Random(0)
    store = FeatureStore(store.folder, limit=50_000)
    fitted = 0
    for index in range(40):
        size = 4 * draw.randint(1, 14_000)
        kept = keep(store, str(index), sized(size))
        assert (kept is not None) == (size <= store.limit)
        del kept  # Else it would be in use.
        assert on_disk(store) <= store.limit + 1_000  # What is known of the last beside its bytes.
        fitted = max(fitted, len(store.entries()))
    assert fitted > 2


def test_a_smaller_limit_is_kept_to_at_the_next_features(store):
    for name in "abc":
        keep(store, name, MB)
    smaller = FeatureStore(store.folder, limit=1_200_000)
    keep(smaller, "d", KB)
    assert on_disk(smaller) <= smaller.limit


def test_a_disk_that_is_too_small_is_told_and_no_batch_is_made(store, said):
    store.folder.mkdir(parents=True)
    free = shutil.disk_usage(store.folder).free
    store = FeatureStore(store.folder, limit=10 * free)
    layouts = {"vector": Layout((free // 2_000, 1_000))}
    never = iter(lambda: pytest.fail("made a batch"), None)
    assert store.keep(origin(), layouts, never) is None
    [text] = said
    assert text.startswith("Features of net on photos are not kept on disk: they take ")
    assert f", and {store.folder} has room for " in text
    assert text.endswith(f" GB. {MENDS}")
    assert not names(store)


@contextmanager
def files_end_at(size):
    """The kernel refuses to make any file of this process longer, as a full disk would."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_disk_that_does_not_set_the_bytes_aside_is_told_before_the_first_batch(store, said):
    never = iter(lambda: pytest.fail("made a batch"), None)
    with files_end_at(500_000):
        assert store.keep(origin(), MB, never) is None
    assert said == [
        f"Features of net on photos are not kept on disk: {store.folder}: File too large. {MENDS}"
    ]
    assert os.listdir(store.folder) == [".lock"]


def test_a_disk_that_refuses_bytes_half_way_leaves_nothing(store):
    """As network disks and quotas may, which promise no room."""

    def rows():
        for batch in batches(features(MB), 100):
            yield batch
            stack.enter_context(files_end_at(500_000))

    with ExitStack() as stack, pytest.raises(DataError) as caught:
        store.keep(origin(), MB, rows())
    assert str(caught.value) == (
        f"features of net on photos cannot be kept: {store.folder}: File too large. They take "
        f"1.0 MB. Nothing of them was left there. {MENDS}"
    )
    assert os.listdir(store.folder) == [".lock"]
    assert keep(store, layouts=MB) is not None


MEMORY = """
import resource
import numpy as np
from pathlib import Path
from mmzoo.features import FeatureStore, Layout, Origin

rows, width = 50_000, 1_000
batch = {"vector": np.ones((100, width), "float32")}
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
store = FeatureStore(Path("features"))
kept = store.keep(Origin("", {}), {"vector": Layout((rows, width))}, (batch for _ in range(500)))
assert kept["vector"].nbytes == 200_000_000
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def test_two_hundred_megabytes_take_the_memory_of_one_batch(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", MEMORY], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert int(done.stdout) < 20_000  # Kilobytes; also while they are read back and checked.
    shutil.rmtree(tmp_path / "features")  # pytest would keep them for some runs to come.
