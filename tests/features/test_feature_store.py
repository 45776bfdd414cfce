"""Features are found by what they were made of, by any process, as often as one likes."""

from __future__ import annotations

import os
import time

import numpy as np
import pytest
from keeping import LAYOUTS, batches, features, keep, origin, same

from mmzoo.errors import DataError
from mmzoo.features import FeatureStore, Layout


def age(store: FeatureStore, name: str, seconds: float) -> None:
    """Makes features look as if they were last used so many seconds ago."""
    used = time.time() - seconds
    os.utime(store.folder / origin(name).key / "meta.json", (used, used))


def test_what_was_never_kept_is_not_found_and_makes_no_folder(store, said):
    assert store.find(origin()) is None
    assert not store.entries()
    assert not store.folder.exists()
    assert not said


def test_kept_features_are_found_again(store, said):
    kept = keep(store)
    found = FeatureStore(store.folder).find(origin())
    assert found is not None
    assert same(kept, features())
    assert same(found, features())
    assert not said


def test_other_parts_are_other_features(store):
    keep(store, "photos")
    assert store.find(origin("other")) is None


def test_nothing_but_the_entry_is_left_in_the_folder(store):
    keep(store)
    assert sorted(os.listdir(store.folder)) == [".lock", origin().key]
    files = sorted(os.listdir(store.folder / origin().key))
    assert files == ["meta.json", "tokens.npy", "vector.npy"]


def test_numpy_reads_the_files_too(store):
    keep(store)
    found = np.load(store.folder / origin().key / "vector.npy", allow_pickle=False)
    assert np.array_equal(found, features()["vector"])


def test_an_entry_says_what_it_is(store):
    keep(store)
    [entry] = store.entries()
    assert entry.key == origin().key
    assert entry.origin == origin()
    assert entry.layouts == LAYOUTS
    assert entry.size == sum(path.stat().st_size for path in entry.folder.iterdir())
    assert abs(entry.created - time.time()) < 60
    assert entry.used >= entry.created - 1


def test_what_was_used_last_comes_first(store):
    for name, seconds in {"a": 30, "b": 10, "c": 20}.items():
        keep(store, name)
        age(store, name, seconds)
    assert [entry.origin for entry in store.entries()] == [origin("b"), origin("c"), origin("a")]
    store.find(origin("a"))
    assert store.entries()[0].origin == origin("a")


def test_entries_are_chosen_by_the_beginning_of_their_keys_and_by_age(store):
    for name in "abc":
        keep(store, name)
    age(store, "b", 1_000)
    keys = [origin(name).key for name in "ab"]
    assert {entry.key for entry in store.entries([key[:9] for key in keys])} == set(keys)
    assert [entry.key for entry in store.entries(unused_for=999)] == [keys[1]]
    assert not store.entries([keys[0]], unused_for=999)


def test_a_beginning_that_no_key_has(store):
    keep(store)
    with pytest.raises(DataError) as caught:
        store.entries(["nothing"])
    assert str(caught.value) == (
        "no kept features have a key that begins with `nothing`. "
        "`mmzoo data cache` lists those there are."
    )


def test_removed_features_are_gone(store):
    for name in "abc":
        keep(store, name)
    assert store.remove(store.entries([origin("a").key])) == ()
    assert store.find(origin("a")) is None
    assert store.remove(store.entries()) == ()
    assert os.listdir(store.folder) == [".lock"]


def test_features_in_use_are_not_removed(store):
    kept = keep(store, "a")
    keep(store, "b")
    [left] = store.remove(store.entries())
    assert left.origin == origin("a")
    view = kept["tokens"][2:5]
    del kept
    assert [entry.origin for entry in store.remove(store.entries())] == [origin("a")]
    del view
    assert store.remove(store.entries()) == ()
    assert not store.entries()


def test_what_is_not_named_like_an_entry_is_left_alone(store):
    (store.folder / "notes").mkdir(parents=True)
    (store.folder / "notes" / "a.txt").write_text("mine")
    (store.folder / f"{origin().key}.txt").write_text("mine")
    (store.folder / origin().key[:-1]).mkdir()
    keep(store)
    [entry] = store.entries()
    store.remove([entry])
    assert sorted(os.listdir(store.folder)) == sorted(
        [".lock", "notes", f"{origin().key}.txt", origin().key[:-1]]
    )


def test_an_error_of_the_batches_leaves_nothing_and_stays_what_it_is(store):
    def failing():
        yield from batches(features(), 4)
        raise FileNotFoundError(2, "No such file or directory", "cat.jpg")

    with pytest.raises(FileNotFoundError):
        store.keep(origin(), LAYOUTS, failing())
    assert os.listdir(store.folder) == [".lock"]


def test_a_training_that_is_interrupted_leaves_nothing(store):
    def interrupted():
        yield next(batches(features(), 4))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store.keep(origin(), LAYOUTS, interrupted())
    assert os.listdir(store.folder) == [".lock"]


def test_a_folder_that_cannot_be_made_is_told_and_no_batch_is_made(tmp_path, said):
    (tmp_path / "file").write_text("in the way")
    store = FeatureStore(tmp_path / "file" / "features")
    assert store.find(origin()) is None
    assert store.keep(origin(), LAYOUTS, iter(lambda: pytest.fail("made a batch"), None)) is None
    assert said == [
        f"Features of net on photos are not kept on disk: {store.folder}: Not a directory. Free "
        "some space, or set MMZOO_CACHE_DIR to a folder on another disk, or "
        "`train.frozen_features.keep: memory`."
    ]


def test_large_rows_of_many_batches(store):
    layouts = {"vector": Layout((3_000, 257), "float16")}
    expected = features(layouts)
    assert same(store.keep(origin(), layouts, batches(expected, 64)), expected)
