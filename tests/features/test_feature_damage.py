"""Whatever becomes of the files of an entry, nobody is given other features than were kept."""

from __future__ import annotations

import json
import os
import shutil

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keeping import LAYOUTS, batches, features, keep, origin, same

from mmzoo.features import FeatureStore

FILES = ("meta.json", "tokens.npy", "vector.npy")


@pytest.fixture
def entry(store):
    """The folder of kept features that no process reads."""
    keep(store)
    return store.folder / origin().key


def refused(store, said, why):
    """Checks that the features are not found, that why is told, and that they are kept anew."""
    assert store.find(origin()) is None
    assert said == [f"Kept features of net on photos are damaged, so they are removed: {why}."]
    assert os.listdir(store.folder) == [".lock"]
    assert same(keep(store), features())
    return True


@pytest.mark.parametrize("name", ["tokens.npy", "vector.npy"])
@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.99])
def test_a_truncated_array(entry, store, said, name, share):
    path = entry / name
    os.truncate(path, int(share * path.stat().st_size))
    assert refused(store, said, f"{name} has another checksum than it was written with")


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.99])
def test_a_truncated_meta(entry, store, said, share):
    path = entry / "meta.json"
    os.truncate(path, int(share * path.stat().st_size))
    assert refused(store, said, "meta.json is not as it was written")


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file(entry, store, said, name):
    (entry / name).unlink()
    assert refused(store, said, f"{name} cannot be read (No such file or directory)")


@pytest.mark.parametrize("name", ["tokens.npy", "vector.npy"])
def test_bytes_too_many(entry, store, said, name):
    with (entry / name).open("ab") as file:
        file.write(b"\0")
    assert refused(store, said, f"{name} has another checksum than it was written with")


def test_arrays_of_another_entry(entry, store, said):
    store.keep(origin("other"), LAYOUTS, batches(features(seed=1)))
    shutil.copy(store.folder / origin("other").key / "vector.npy", entry)
    assert store.find(origin()) is None
    assert "vector.npy has another checksum" in said[0]


def test_an_entry_under_the_name_of_another(entry, store, said):
    entry.rename(store.folder / origin("other").key)
    assert store.find(origin("other")) is None
    assert said == [
        "Kept features of net on other are damaged, so they are removed: it was written under "
        "another name or in another format."
    ]
    assert os.listdir(store.folder) == [".lock"]


def test_a_meta_of_another_shape_is_noticed(entry, store, said):
    path = entry / "meta.json"
    meta = json.loads(path.read_text())
    meta["arrays"]["vector"]["shape"] = [6, 10]
    path.write_text(json.dumps(meta))
    assert refused(store, said, "meta.json was changed")


@pytest.mark.parametrize("text", ["", "null", "[]", "{}", '"sha256"', "\xff", "1" * 9_999])
def test_a_meta_that_is_something_else(entry, store, said, text):
    (entry / "meta.json").write_bytes(text.encode("latin-1"))
    assert refused(store, said, "meta.json is not as it was written")


def test_a_link_in_the_place_of_an_array(entry, store, said, tmp_path):
    (entry / "vector.npy").rename(tmp_path / "vector.npy")
    (entry / "vector.npy").symlink_to(tmp_path / "vector.npy")
    assert refused(store, said, "vector.npy cannot be read (Too many levels of symbolic links)")
    assert (tmp_path / "vector.npy").exists()


@pytest.mark.parametrize("kind", ["file", "link", "empty folder"])
def test_something_else_in_the_place_of_an_entry(entry, store, said, kind, tmp_path):
    elsewhere = entry.rename(tmp_path / "elsewhere")
    match kind:
        case "file":
            entry.write_text("")
        case "link":
            entry.symlink_to(elsewhere / "meta.json")
        case _:
            entry.mkdir()
    assert store.find(origin()) is None
    assert len(said) == 1
    assert sorted(os.listdir(elsewhere)) == sorted(FILES)
    assert same(keep(store), features())


@given(data=st.data())
@settings(max_examples=40)
def test_any_byte_may_change_in_any_file(tmp_path_factory, data):
    """The features are then found as they were kept, or not at all."""
    store = FeatureStore(tmp_path_factory.mktemp("store"))
    keep(store)
    path = store.folder / origin().key / data.draw(st.sampled_from(FILES))
    content = bytearray(path.read_bytes())
    place = int(data.draw(st.floats(0, 1, exclude_max=True)) * len(content))
    content[place] ^= data.draw(st.integers(1, 255))
    path.write_bytes(content)
    found = store.find(origin())
    assert found is None or same(found, features())
    assert path.suffix == ".json" or found is None


def test_an_entry_that_may_not_be_read_stays(entry, store, said, monkeypatch):
    """Root may read everything, so the refusal is made."""
    import mmzoo.features.entry as module

    def refuse(path, *flags):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(module.os, "open", refuse)
    assert store.find(origin()) is None
    assert said == [f"Kept features of net on photos: {entry}/vector.npy may not be read."]
    monkeypatch.undo()
    assert same(store.find(origin()), features())


def test_a_store_that_may_not_be_written_still_serves(entry, store, monkeypatch):
    """Others may have filled it. Root may write everywhere, so the refusal is made."""
    import mmzoo.features.entry as module

    def refuse(*arguments):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(module.os, "utime", refuse)
    assert same(store.find(origin()), features())


def test_damaged_entries_are_not_listed_and_go_when_room_is_made(entry, store):
    (entry / "meta.json").unlink()
    assert not store.entries()
    keep(store, "other")
    assert sorted(os.listdir(store.folder)) == sorted([".lock", origin("other").key])
