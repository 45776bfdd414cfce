"""Fixtures of the tests of retrieval."""

from __future__ import annotations

import pytest
from catalogue_run import Catalogue, train_catalogue


@pytest.fixture(scope="session")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> Catalogue:
    return train_catalogue(tmp_path_factory.mktemp("catalogue"))
