"""What a training says: on the screen, and in the run's train.log."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path


def to_stderr(text: str) -> None:
    """Results go to stdout; all that is said on the way goes here."""
    print(text, file=sys.stderr, flush=True)


class Journal:
    """Says sentences on the screen and writes them, with the time, to a file.

    Attributes:
        show: what puts a sentence on the screen; a progress display takes its place while it runs.
    """

    def __init__(self, path: Path, show: Callable[[str], None] = to_stderr) -> None:
        self.show = show
        self._path = path

    def say(self, text: str) -> None:
        self.show(text)
        self.note(text)

    def note(self, text: str) -> None:
        """Writes to the file only."""
        with self._path.open("a", encoding="utf-8") as file:
            file.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')}  {text}\n")
