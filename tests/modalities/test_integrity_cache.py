"""Integrity cache: intact files are decoded only once; a damaged cache counts as empty."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

import mmzoo.modalities.integrity_cache
from mmzoo.modalities.integrity_cache import IntegrityCache


@pytest.fixture
def record(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("MMZOO_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache" / "intact_files" / "image"


def decoded_files(*contents: str, bad: tuple[str, ...] = (), kind: str = "image") -> list[str]:
    """The files that are decoded; those that are good are added to the cache."""
    hashes = {one: hashlib.sha256(one.encode()).hexdigest() for one in contents}
    cache = IntegrityCache(kind)
    seen = [one for one in contents if hashes[one] not in cache]
    cache.add([hashes[one] for one in contents if one not in bad])
    return seen


def test_valid_files_are_decoded_once_and_damaged_ones_again(record):
    assert decoded_files("a", "b", "c", bad=("b",)) == ["a", "b", "c"]
    assert decoded_files("c", "b", "a", bad=("b",)) == ["b"]
    assert decoded_files("d", "a", "b", "e", bad=("b", "e")) == ["d", "b", "e"]
    assert decoded_files("a", "c", "d") == []


def test_each_modality_has_its_own_cache(record):
    decoded_files("a")
    assert decoded_files("a", kind="audio") == ["a"]


@pytest.mark.parametrize("length", [0, 10, 60, 90, 130])
def test_a_torn_record_is_ignored(record, length):
    decoded_files("a", "b")
    complete = record.read_bytes()
    assert length < len(complete)
    record.write_bytes(complete[:length])
    assert decoded_files("a", "b") == ["a", "b"]
    assert record.read_bytes() == complete


def test_a_damaged_record_is_ignored(record):
    decoded_files("a", "b")
    content = bytearray(record.read_bytes())
    for place in (0, 40, len(content) // 2, len(content) - 1):
        changed = content.copy()
        changed[place] ^= 1
        record.write_bytes(changed)
        assert decoded_files("a", "b") == ["a", "b"]


def test_another_decoder_version_starts_empty(record, monkeypatch):
    decoded_files("a")
    monkeypatch.setattr(mmzoo.modalities.integrity_cache, "version", lambda package: "99.0")
    assert decoded_files("a") == ["a"]


def test_the_newest_records_are_kept(record, monkeypatch):
    monkeypatch.setattr(mmzoo.modalities.integrity_cache, "_MAX_HASHES", 3)
    for name in "abc":
        decoded_files(name)
    decoded_files("d", "e")
    assert decoded_files("c", "d", "e") == []
    assert decoded_files("a") == ["a"]
    assert len(record.read_bytes().partition(b"\n")[2]) == 32 + 3 * 32


def test_an_unwritable_cache_only_costs_time(record):
    record.parent.parent.write_text("a file where the folder should be")
    assert decoded_files("a") == ["a"]
    assert decoded_files("a") == ["a"]


def test_no_temporary_files_are_left(record):
    decoded_files("a")
    decoded_files("b")
    assert [path.name for path in record.parent.iterdir()] == ["image"]
