"""Fixtures shared by the visualization tests."""

from __future__ import annotations

import pytest
from squares import Finder, train_finder


@pytest.fixture(scope="session")
def finder() -> Finder:
    """A network that classifies images with and without a square."""
    return train_finder()
