"""`mmzoo data cache`: listing and clearing cached features."""

from __future__ import annotations

import os
import re
import time

import numpy as np
import pytest

from mmzoo.directories import features_directory
from mmzoo.feature_cache import FeatureCache, FeatureKey

ROWS = np.ones((5_000, 100), "float16")
NAMES = ("net on photos/train", "net on photos/valid\x1b[31m")


def key(description):
    return FeatureKey(description, {"encoder": description, "copies": 0})


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """An empty cache for the test."""
    monkeypatch.setenv("MMZOO_CACHE_DIR", str(tmp_path / "my cache"))
    return FeatureCache(features_directory())


@pytest.fixture
def filled(cache):
    """Two entries; the first was last used some days ago."""
    for what in NAMES:
        cache.add(key(what), ROWS.shape, "float16", [ROWS])
    used = time.time() - 5 * 86_400
    os.utime(cache.folder / key(NAMES[0]).digest / "meta.json", (used, used))
    return cache


def test_an_empty_cache(mmzoo, cache):
    done = mmzoo("data", "cache")
    assert (done.code, done.err) == (0, "")
    assert done.out == f"No cached features in '{cache.folder}'.\n"
    assert mmzoo("data", "cache", "--json").document == {
        "folder": str(cache.folder),
        "limit": 10_000_000_000,
        "size": 0,
        "entries": [],
    }
    assert mmzoo("data", "cache", "--clear").out == f"No cached features in '{cache.folder}'.\n"
    assert not cache.folder.exists()


def test_entries_are_listed_by_last_use(mmzoo, filled):
    done = mmzoo("data", "cache")
    assert (done.code, done.err) == (0, "")
    title, second, first, total = done.out.splitlines()
    assert re.split(r" {2,}", title) == ["key", "features of", "arrays", "size", "last used"]
    arrays = "vector 5,000 x 100 float16"
    cells = re.split(r" {2,}", second)
    assert cells[:4] == [key(NAMES[1]).digest[:8], r"net on photos/valid\x1b[31m", arrays, "1.0 MB"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d", cells[4])
    assert re.split(r" {2,}", first)[:2] == [key(NAMES[0]).digest[:8], NAMES[0]]
    assert total == (
        f"2 entries, 2.0 MB, in '{filled.folder}'. Trainings fill the cache up to 10.0 GB, or to "
        "`train.frozen_features.limit`."
    )


def test_entries_as_json(mmzoo, filled):
    document = mmzoo("data", "cache", key(NAMES[0]).digest[:8], "--json").document
    [entry] = document["entries"]
    assert document["size"] == entry["size"]
    assert entry["key"] == key(NAMES[0]).digest
    assert entry["what"] == NAMES[0]
    assert entry["parts"] == {"encoder": NAMES[0], "copies": 0}
    assert entry["arrays"] == {"vector": {"shape": [5_000, 100], "dtype": "float16"}}
    assert entry["used"] < entry["created"]


def test_cache_is_cleared(mmzoo, filled):
    done = mmzoo("data", "cache", "--clear")
    assert (done.code, done.err) == (0, "")
    assert done.out == f"Removed 2 entries, 2.0 MB, from '{filled.folder}'.\n"
    assert not filled.entries()


def test_selected_entries_are_cleared(mmzoo, filled):
    done = mmzoo("data", "cache", "--clear", key(NAMES[1]).digest[:6])
    assert done.out == f"Removed 1 entry, 1.0 MB, from '{filled.folder}'.\n"
    [left] = filled.entries()
    assert left.key == key(NAMES[0])


def test_old_entries_are_cleared(mmzoo, filled):
    unused = ("data", "cache", "--unused-for", 4.5)
    assert len(mmzoo(*unused, "--json").document["entries"]) == 1
    document = mmzoo(*unused, "--clear", "--json").document
    assert [entry["what"] for entry in document["removed"]] == [NAMES[0]]
    nothing = f"No cached features unused for 4.5 days in '{filled.folder}'.\n"
    assert mmzoo(*unused).out == mmzoo(*unused, "--clear").out == nothing


def test_features_in_use_stay_readable_when_cleared(mmzoo, filled):
    features = filled.find(key(NAMES[0]))
    done = mmzoo("data", "cache", "--clear")
    assert (done.code, done.err) == (0, "")
    assert (features == ROWS).all()


def test_unknown_key(mmzoo, filled):
    for clear in ((), ("--clear",)):
        done = mmzoo("data", "cache", "xyz", *clear)
        assert (done.code, done.out) == (1, "")
        assert done.err == (
            "Error: no cached features have a key that begins with `xyz`. "
            "`mmzoo data cache` lists those there are.\n"
        )
    assert len(filled.entries()) == 2


def test_days_must_not_be_negative(mmzoo):
    assert mmzoo("data", "cache", "--unused-for", "-1").code == 2


def test_folders_follow_the_environment(mmzoo, cache, tmp_path, monkeypatch):
    monkeypatch.delenv("MMZOO_DATA_DIR", raising=False)
    assert mmzoo("data", "where", "--json").document == {
        "folders": [str(tmp_path / "my cache")],
        "downloads": str(tmp_path / "my cache"),
        "features": str(tmp_path / "my cache" / "features"),
    }
