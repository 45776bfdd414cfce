"""Log messages: to stderr, and while a run is open also to its train.log.

Modules log with `logging.getLogger(__name__)`. Results go to stdout; messages on the way, such as
notes on the data or "Decoded 1,000 of 5,000 files", go to stderr through the handler below. INFO
messages are shown and written to train.log; DEBUG messages are only written to train.log.
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
    """Prints messages to stderr, or above a progress bar while one is shown."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.show: Callable[[str], None] = _to_stderr

    def emit(self, record: logging.LogRecord) -> None:
        self.show(record.getMessage())


class _TrainLog(logging.Handler):
    """Appends messages with their time to a file, and lets a full disk raise its OSError."""

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
    """Sends the messages of mmzoo to stderr. Repeated calls change nothing.

    `logging.getLogger("mmzoo").setLevel("WARNING")` silences them.
    """
    if _CONSOLE not in _ROOT.handlers:
        _ROOT.addHandler(_CONSOLE)
        _ROOT.setLevel(logging.DEBUG)
        _ROOT.propagate = False


@contextmanager
def run_log(path: Path) -> Iterator[None]:
    """Also writes all messages, and the error that ends the block, to a run's train.log."""
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
    """Shows messages through `show` instead of stderr, such as above a progress bar."""
    before, _CONSOLE.show = _CONSOLE.show, show
    try:
        yield
    finally:
        _CONSOLE.show = before


@contextmanager
def repeats_dropped() -> Iterator[None]:
    """Shows equal messages of the block once, as of several models that read the same rows."""
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
