"""`mmzoo data cache`: what is kept, and clearing it."""

from __future__ import annotations

import os
import re
import time

import numpy as np
import pytest

from mmzoo.directories import features_directory
from mmzoo.features import FeatureStore, Layout, Origin

ROWS = np.ones((5_000, 100), "float32")
NAMES = ("net on photos/train", "net on photos/valid\x1b[31m")


def origin(what):
    return Origin(what, {"encoder": what, "copies": 0})


@pytest.fixture(autouse=True)
def store(tmp_path, monkeypatch):
    """An empty cache for the test."""
    monkeypatch.setenv("MMZOO_CACHE_DIR", str(tmp_path / "my cache"))
    return FeatureStore(features_directory())


@pytest.fixture
def kept(store):
    """Two entries; the first was last used some days ago."""
    for what in NAMES:
        store.keep(origin(what), {"vector": Layout(ROWS.shape, "float16")}, [{"vector": ROWS}])
    used = time.time() - 5 * 86_400
    os.utime(store.folder / origin(NAMES[0]).key / "meta.json", (used, used))
    return store


def test_an_empty_cache(mmzoo, store):
    done = mmzoo("data", "cache")
    assert (done.code, done.err) == (0, "")
    assert done.out == f"Nothing is kept in '{store.folder}'.\n"
    assert mmzoo("data", "cache", "--json").document == {
        "folder": str(store.folder),
        "limit": 10_000_000_000,
        "size": 0,
        "entries": [],
    }
    assert mmzoo("data", "cache", "--clear").out == f"Nothing is kept in '{store.folder}'.\n"
    assert not store.folder.exists()


def test_entries_are_a_table_with_that_which_was_used_last_first(mmzoo, kept):
    done = mmzoo("data", "cache")
    assert (done.code, done.err) == (0, "")
    title, second, first, total = done.out.splitlines()
    assert re.split(r" {2,}", title) == ["key", "features of", "arrays", "size", "last used"]
    arrays = "vector 5,000 x 100 float16"
    cells = re.split(r" {2,}", second)
    assert cells[:4] == [origin(NAMES[1]).key[:8], r"net on photos/valid\x1b[31m", arrays, "1.0 MB"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d", cells[4])
    assert re.split(r" {2,}", first)[:2] == [origin(NAMES[0]).key[:8], NAMES[0]]
    assert total == (
        f"2 entries, 2.0 MB, in '{kept.folder}'. Trainings let them grow to 10.0 GB, or to "
        "`train.frozen_features.limit`."
    )


def test_entries_as_json(mmzoo, kept):
    document = mmzoo("data", "cache", origin(NAMES[0]).key[:8], "--json").document
    [entry] = document["entries"]
    assert document["size"] == entry["size"]
    assert entry["key"] == origin(NAMES[0]).key
    assert entry["what"] == NAMES[0]
    assert entry["parts"] == {"encoder": NAMES[0], "copies": 0}
    assert entry["arrays"] == {"vector": {"shape": [5_000, 100], "dtype": "float16"}}
    assert entry["used"] < entry["created"]


def test_all_is_cleared(mmzoo, kept):
    done = mmzoo("data", "cache", "--clear")
    assert (done.code, done.err) == (0, "")
    assert done.out == f"Removed 2 entries, 2.0 MB, from '{kept.folder}'.\n"
    assert not kept.entries()


def test_some_are_cleared(mmzoo, kept):
    done = mmzoo("data", "cache", "--clear", origin(NAMES[1]).key[:6])
    assert done.out == f"Removed 1 entry, 1.0 MB, from '{kept.folder}'.\n"
    [left] = kept.entries()
    assert left.origin == origin(NAMES[0])


def test_those_long_unused_are_cleared(mmzoo, kept):
    unused = ("data", "cache", "--unused-for", 4.5)
    assert len(mmzoo(*unused, "--json").document["entries"]) == 1
    document = mmzoo(*unused, "--clear", "--json").document
    assert [entry["what"] for entry in document["removed"]] == [NAMES[0]]
    assert document["in_use"] == []
    nothing = f"Nothing that was unused for 4.5 days is kept in '{kept.folder}'.\n"
    assert mmzoo(*unused).out == mmzoo(*unused, "--clear").out == nothing


def test_what_a_training_uses_stays(mmzoo, kept):
    arrays = kept.find(origin(NAMES[0]))
    done = mmzoo("data", "cache", "--clear")
    assert done.code == 0
    assert done.err == f"{origin(NAMES[0]).key[:8]}, {NAMES[0]}, is in use and stays.\n"
    assert done.out == f"Removed 1 entry, 1.0 MB, from '{kept.folder}'.\n"
    del arrays


def test_a_key_that_is_not_there(mmzoo, kept):
    for clear in ((), ("--clear",)):
        done = mmzoo("data", "cache", "xyz", *clear)
        assert (done.code, done.out) == (1, "")
        assert done.err == (
            "Error: no kept features have a key that begins with `xyz`. "
            "`mmzoo data cache` lists those there are.\n"
        )
    assert len(kept.entries()) == 2


def test_days_are_a_number_that_is_not_negative(mmzoo):
    assert mmzoo("data", "cache", "--unused-for", "-1").code == 2


def test_the_folders_follow_the_environment(mmzoo, store, tmp_path, monkeypatch):
    monkeypatch.delenv("MMZOO_DATA_DIR", raising=False)
    assert mmzoo("data", "where", "--json").document == {
        "folders": [str(tmp_path / "my cache")],
        "downloads": str(tmp_path / "my cache"),
        "features": str(tmp_path / "my cache" / "features"),
    }
