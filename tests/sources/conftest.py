"""Keeps these tests off the network and out of the user's cache."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The cache folder of this test, empty. Nothing is downloaded and MMZOO_DATA_DIR is unset."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("MMZOO_OFFLINE", "1")
    for name in ("no_proxy", "NO_PROXY"):  # The servers of these tests are local ones.
        monkeypatch.setenv(name, "*")
    monkeypatch.delenv("MMZOO_DATA_DIR", raising=False)

    import platformdirs

    return platformdirs.user_cache_path("mmzoo")
