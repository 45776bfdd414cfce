"""Fixtures shared by all tests."""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings
from pairs import PAIRS, pairs
from tiny import TINY

if TYPE_CHECKING:
    from mmzoo.runs import Run

# How long an example takes is the machine's affair, and what else it does just then.
settings.register_profile("mmzoo", deadline=None)
settings.load_profile("mmzoo")


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Names parameters of type bytes by position: archives contain the time of day.

    Tests that run in several processes must have the same names in all of them.
    """
    return argname if isinstance(val, bytes) else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Puts trainings first: with long files at the end, one process would wait for the other."""
    items.sort(key=lambda item: not item.nodeid.startswith(("tests/test_docs", "tests/training/")))


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Gives the tests a cache of their own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MMZOO_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
        yield


_REAL_DATA = os.environ.get("MMZOO_DATA_DIR")
"""Read before any test removes it from the environment."""


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real data sets that MMZOO_DATA_DIR names; skips the test where it does not."""
    if not _REAL_DATA:
        pytest.skip("needs real data: MMZOO_DATA_DIR is not set")
    return Path(_REAL_DATA).resolve()


@pytest.fixture(autouse=True)
def fresh_logging() -> None:
    """Log messages of every test go to stderr, whatever an earlier test has done to logging."""
    from mmzoo import run_log

    logger = logging.getLogger("mmzoo")
    logging.disable(logging.NOTSET)
    logger.setLevel(logging.DEBUG)
    logger.disabled = False
    run_log.configure_logging()
    run_log._CONSOLE.show = run_log._to_stderr
    run_log._CONSOLE.filters.clear()
    run_log._CONSOLE.setLevel(logging.INFO)


@pytest.fixture
def messages() -> Iterator[list[str]]:
    """The log messages of a test, instead of printing them to stderr."""
    from mmzoo.run_log import shown_by

    seen: list[str] = []
    with shown_by(seen.append):
        yield seen


@pytest.fixture
def tiny() -> dict[str, Any]:
    """The config that `trained_run` is of, as values to change and load."""
    return deepcopy(TINY)


@pytest.fixture(scope="session")
def trained_run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A finished run of TINY. Tests that write into a run take `own_run`."""
    from mmzoo.training.train import train

    return train(TINY, run=tmp_path_factory.mktemp("runs") / "tiny" / "001")


@pytest.fixture
def own_run(trained_run: Run, tmp_path: Path) -> Run:
    """A copy of `trained_run` that a test may change."""
    from mmzoo.runs import Run

    return Run(Path(shutil.copytree(trained_run.directory, tmp_path / "runs" / "tiny" / "001")))


@pytest.fixture(scope="session")
def pairs_run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A finished run of PAIRS, a variational autoencoder; tests must not change it."""
    from mmzoo.training.train import train

    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("pairs")
        patch.chdir(folder)  # The table in memory is written there.
        return train(PAIRS, pairs(), run=folder / "001", device="cpu")


@pytest.fixture(scope="session")
def run_of_all_heads(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A finished run with a head of each type, on random data."""
    from mmzoo.training.train import train

    encoder = {"type": "cnn", "filters": [4], "padding": "same"}
    config = {
        "name": "heads",
        "source": {"type": "synthetic", "rows": 256},
        "inputs": {"image": {"type": "image", "shape": [8, 8, 3], "encoder": encoder}},
        "heads": {
            "which": {"type": "classification", "classes": 24},
            # A name that would colour a terminal, and one that a spreadsheet would run.
            "is": {"type": "binary", "class_names": ["no\x1b[31m", "yes"], "threshold": 0.3},
            "many": {"type": "multilabel", "class_names": ["cat", "dog", "=cow"]},
            "much": {"type": "regression", "dim": 2},
        },
        "train": {"epochs": 1},
    }
    return train(config, run=tmp_path_factory.mktemp("runs") / "heads")
