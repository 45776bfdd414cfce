"""No network, an empty cache, and an unprivileged user."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

NOBODY = 65534


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The cache folder of this test, empty. Nothing is downloaded and MMZOO_DATA_DIR is unset."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("MMZOO_OFFLINE", "1")
    for name in ("no_proxy", "NO_PROXY"):  # The servers of these tests are local ones.
        monkeypatch.setenv(name, "*")
    monkeypatch.delenv("MMZOO_DATA_DIR", raising=False)
    monkeypatch.delenv("MMZOO_CACHE_DIR", raising=False)

    import platformdirs

    return platformdirs.user_cache_path("mmzoo")


@pytest.fixture
def unprivileged() -> Iterator[Path]:
    """A folder of an unprivileged user, as whom this process continues."""
    with tempfile.TemporaryDirectory() as folder:
        is_root = os.geteuid() == 0
        if is_root:  # To whom no permission is denied.
            os.chown(folder, NOBODY, NOBODY)
            os.seteuid(NOBODY)
        try:
            yield Path(folder).resolve()
        finally:
            if is_root:
                os.seteuid(0)
