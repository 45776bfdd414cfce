"""Logging to stderr and, while a run is being trained, to its train.log.

Modules log with `logging.getLogger(__name__)`. Results go to stdout. Messages, such as notes on the
data or "Decoded 1,000 of 5,000 files", go to stderr. INFO messages go to both stderr and train.log,
DEBUG messages only to train.log.
"""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_ROOT = logging.getLogger("mmzoo")


class _Console(logging.Handler):
    """A handler that prints messages to stderr, or above the progress bar if there is one."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.show: Callable[[str], None] = _to_stderr

    def emit(self, record: logging.LogRecord) -> None:
        self.show(record.getMessage())


class _TrainLog(logging.Handler):
    """A handler that appends timestamped messages to a file. A full disk raises an OSError."""

    def __init__(self, path: Path) -> None:
        super().__init__(logging.DEBUG)
        self._path = path

    def emit(self, record: logging.LogRecord) -> None:
        stamp = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(record.created))
        with self._path.open("a", encoding="utf-8") as file:
            file.write(f"{stamp}  {record.getMessage()}\n")


def _to_stderr(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


_CONSOLE = _Console()


def configure_logging() -> None:
    """Prints mmzoo's log messages to stderr. Calling it again has no effect.

    `logging.getLogger("mmzoo").setLevel("WARNING")` silences all but warnings, in train.log too.
    """
    if _CONSOLE not in _ROOT.handlers:
        _ROOT.addHandler(_CONSOLE)
        _ROOT.propagate = False
        if _ROOT.level == logging.NOTSET:
            _ROOT.setLevel(logging.DEBUG)


@contextmanager
def run_log(path: Path) -> Iterator[None]:
    """Writes messages within the block, and the error that ends it, to a run's train.log."""
    handler = _TrainLog(path)
    _ROOT.addHandler(handler)
    try:
        yield
    except BaseException as error:
        with suppress(OSError):  # The error may be that the disk is full.
            _ROOT.debug(f"{type(error).__name__}: {error}")
        raise
    finally:
        _ROOT.removeHandler(handler)


@contextmanager
def shown_by(show: Callable[[str], None]) -> Iterator[None]:
    """Passes messages within the block to `show` instead of stderr.

    Used to print above a progress bar, and to capture messages in tests.
    """
    before, _CONSOLE.show = _CONSOLE.show, show
    try:
        yield
    finally:
        _CONSOLE.show = before


@contextmanager
def drop_repeated_messages() -> Iterator[None]:
    """Prints equal messages within the block once, as when several models read the same rows."""
    seen: set[str] = set()

    def is_new(record: logging.LogRecord) -> bool:
        text = record.getMessage()
        if text in seen:
            return False
        seen.add(text)
        return True

    _CONSOLE.addFilter(is_new)
    try:
        yield
    finally:
        _CONSOLE.removeFilter(is_new)
