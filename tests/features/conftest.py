"""A store of its own for each test."""

from __future__ import annotations

import pytest

from mmzoo.features import FeatureStore


@pytest.fixture
def said(messages) -> list[str]:
    """What the store logged."""
    return messages


@pytest.fixture
def store(tmp_path, said) -> FeatureStore:
    return FeatureStore(tmp_path / "cache" / "features")
