"""What a training says: on the screen, and in the run's train.log."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self


def to_stderr(text: str) -> None:
    """Results go to stdout; all that is said on the way goes here."""
    print(text, file=sys.stderr, flush=True)


class Journal:
    """Says sentences on the screen and writes them, with the time, to a file.

    Used in a `with`, it also writes down the error that ends the block.

    Attributes:
        show: what puts a sentence on the screen; a progress display takes its place while it runs.
    """

    def __init__(self, path: Path, show: Callable[[str], None] = to_stderr) -> None:
        self.show = show
        self._path = path

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if kind is not None:
            with suppress(OSError):  # A full disk may be the very reason.
                self.note(f"{kind.__name__}: {error}")

    def say(self, text: str) -> None:
        self.show(text)
        self.note(text)

    def note(self, text: str) -> None:
        """Writes to the file only."""
        with self._path.open("a", encoding="utf-8") as file:
            file.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')}  {text}\n")
