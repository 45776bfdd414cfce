"""A store of its own for each test."""

from __future__ import annotations

import pytest

from mmzoo.features import FeatureStore


@pytest.fixture
def said() -> list[str]:
    """What the store told."""
    return []


@pytest.fixture
def store(tmp_path, said) -> FeatureStore:
    return FeatureStore(tmp_path / "cache" / "features", tell=said.append)
