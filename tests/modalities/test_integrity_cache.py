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


def looked_at(*contents: str, bad: tuple[str, ...] = (), kind: str = "image") -> list[str]:
    """The files that are decoded; those that are not bad are added to the cache."""
    hashes = {one: hashlib.sha256(one.encode()).hexdigest() for one in contents}
    cache = IntegrityCache(kind)
    seen = [one for one in contents if hashes[one] not in cache]
    cache.add([hashes[one] for one in contents if one not in bad])
    return seen


def test_what_is_whole_is_decoded_once_and_what_is_damaged_again(record):
    assert looked_at("a", "b", "c", bad=("b",)) == ["a", "b", "c"]
    assert looked_at("c", "b", "a", bad=("b",)) == ["b"]
    assert looked_at("d", "a", "b", "e", bad=("b", "e")) == ["d", "b", "e"]
    assert looked_at("a", "c", "d") == []


def test_each_kind_of_input_has_its_own(record):
    looked_at("a")
    assert looked_at("a", kind="audio") == ["a"]


@pytest.mark.parametrize("length", [0, 10, 60, 90, 130])
def test_a_torn_record_is_none(record, length):
    looked_at("a", "b")
    whole = record.read_bytes()
    assert length < len(whole)
    record.write_bytes(whole[:length])
    assert looked_at("a", "b") == ["a", "b"]
    assert record.read_bytes() == whole


def test_a_record_with_another_bit_is_none(record):
    looked_at("a", "b")
    content = bytearray(record.read_bytes())
    for place in (0, 40, len(content) // 2, len(content) - 1):
        changed = content.copy()
        changed[place] ^= 1
        record.write_bytes(changed)
        assert looked_at("a", "b") == ["a", "b"]


def test_other_decoders_have_found_nothing_yet(record, monkeypatch):
    looked_at("a")
    monkeypatch.setattr(mmzoo.modalities.integrity_cache, "version", lambda package: "99.0")
    assert looked_at("a") == ["a"]


def test_the_latest_stay(record, monkeypatch):
    monkeypatch.setattr(mmzoo.modalities.integrity_cache, "_MAX_HASHES", 3)
    for name in "abc":
        looked_at(name)
    looked_at("d", "e")
    assert looked_at("c", "d", "e") == []
    assert looked_at("a") == ["a"]
    assert len(record.read_bytes().partition(b"\n")[2]) == 32 + 3 * 32


def test_a_cache_that_cannot_be_written_costs_time_only(record):
    record.parent.parent.write_text("a file where the folder should be")
    assert looked_at("a") == ["a"]
    assert looked_at("a") == ["a"]


def test_nothing_is_left_beside_the_record(record):
    looked_at("a")
    looked_at("b")
    assert [path.name for path in record.parent.iterdir()] == ["image"]
