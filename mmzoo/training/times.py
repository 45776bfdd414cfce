"""Where the time of a training went, and what would help."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from mmzoo.training.progress import SLOW_DATA

_WORTH_SAYING = 0.02
"""Shares of the time below this are not listed."""
_WORTH_MENDING = 0.1
"""What share of the whole time the wait must be."""


@dataclass
class Times:
    """Seconds spent on each thing, in the order in which they first came up."""

    seconds: dict[str, float] = field(default_factory=dict)
    began: float = field(default_factory=time.monotonic)
    _inside: float = 0.0

    def add(self, what: str, seconds: float) -> None:
        self.seconds[what] = self.seconds.get(what, 0.0) + seconds

    @contextmanager
    def spent_on(self, what: str) -> Iterator[None]:
        """Counts the time within, without that of another `spent_on` inside it."""
        before, outside = time.monotonic(), self._inside
        self._inside = 0.0
        try:
            yield
        finally:
            seconds = time.monotonic() - before
            self.add(what, seconds - self._inside)
            self._inside = outside + seconds

    @property
    def limited_by_data(self) -> bool:
        """Whether steps waited for data for long enough that the pipeline is what to look at."""
        waited, total = self.seconds.get(WAITING, 0.0), time.monotonic() - self.began
        steps = waited + self.seconds.get(STEPS, 0.0)
        return waited > SLOW_DATA * steps and waited > _WORTH_MENDING * total

    def __str__(self) -> str:
        """ "Time: 41 s: steps 28 s (68 %), waiting for data 6 s (15 %), ..." """
        total = time.monotonic() - self.began
        rest = total - sum(self.seconds.values())
        listed = {**self.seconds, "the rest": rest}
        parts = [
            f"{what} {_short(seconds)} ({100 * seconds / total:.0f} %)"
            for what, seconds in listed.items()
            if seconds > _WORTH_SAYING * total
        ]
        return f"Time: {_short(total)}: {', '.join(parts)}"


STEPS = "steps"
WAITING = "waiting for data"


def _short(seconds: float) -> str:
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes / 60:.1f} h"
