"""Fixtures that tests of several parts share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real data sets that MMZOO_DATA_DIR names; skips the test where it does not."""
    given = os.environ.get("MMZOO_DATA_DIR")
    if not given:
        pytest.skip("needs real data: MMZOO_DATA_DIR is not set")
    return Path(given).resolve()
