"""Fixtures that tests of what models see share."""

from __future__ import annotations

import pytest
from squares import Finder, train_finder


@pytest.fixture(scope="session")
def finder() -> Finder:
    """A net that tells pictures with a square from those without."""
    return train_finder()
