"""Free memory of the machine or of the container, whichever is less."""

from __future__ import annotations

from pathlib import Path

import pytest

import mmzoo.decoded_files
from mmzoo.decoded_files import free_memory


@pytest.fixture
def system(tmp_path, monkeypatch) -> Path:
    """A machine with 8 GiB free, in no container."""
    (tmp_path / "meminfo").write_text("MemTotal: 16777216 kB\nMemAvailable:    8388608 kB\n")
    monkeypatch.setattr(mmzoo.decoded_files, "_MEMINFO", tmp_path / "meminfo")
    monkeypatch.setattr(mmzoo.decoded_files, "_CGROUP", tmp_path)
    return tmp_path


def contain(system: Path, limit: str, used: int, copies: int) -> None:
    (system / "memory.max").write_text(f"{limit}\n")
    (system / "memory.current").write_text(f"{used}\n")
    (system / "memory.stat").write_text(f"anon 1\ninactive_file {copies}\n")


def test_free_memory_of_the_machine(system):
    assert free_memory() == 8 * 2**30
    contain(system, "max", 10**9, 0)
    assert free_memory() == 8 * 2**30


def test_free_memory_of_a_container(system):
    contain(system, "1000000", used=900_000, copies=50_000)
    assert free_memory() == 150_000
    contain(system, "1000000", used=1_100_000, copies=0)
    assert free_memory() == 0
    contain(system, str(2**60), used=0, copies=0)
    assert free_memory() == 8 * 2**30


def test_free_memory_is_unknown_on_other_systems(system):
    (system / "meminfo").unlink()
    assert free_memory() > 2**20
