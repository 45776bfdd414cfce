"""Timing of a training: where its time goes, and how many steps to take at once."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

STEPS = "steps"
WAITING = "waiting for data"
SLOW_DATA = 0.2
"""Share of the steps' time from which on waiting for data is the first thing to improve."""
_LEAST_LISTED = 0.02
"""Smaller shares of the time are not listed."""
_LEAST_WAITING = 0.1
"""Share of the whole time below which waiting for data is not worth a message."""
_SECONDS_PER_CALL = 0.1
"""A signal, a checkpoint or the progress display waits about this long at most."""
_MEMORY_SECONDS = 5.0
_MOST_STEPS = 1000


@dataclass
class Timer:
    """Seconds spent on each activity, in the order in which they first came up."""

    seconds: dict[str, float] = field(default_factory=dict)
    started: float = field(default_factory=time.monotonic)
    _nested: float = 0.0

    def add(self, activity: str, seconds: float) -> None:
        self.seconds[activity] = self.seconds.get(activity, 0.0) + seconds

    @contextmanager
    def measure(self, activity: str) -> Iterator[None]:
        """Adds the time of the block, without that of another `measure` inside it."""
        start, outer = time.monotonic(), self._nested
        self._nested = 0.0
        try:
            yield
        finally:
            seconds = time.monotonic() - start
            self.add(activity, seconds - self._nested)
            self._nested = outer + seconds

    @property
    def limited_by_data(self) -> bool:
        """Whether steps waited for data so long that the input pipeline should be improved."""
        waited, total = self.seconds.get(WAITING, 0.0), time.monotonic() - self.started
        steps = waited + self.seconds.get(STEPS, 0.0)
        return waited > SLOW_DATA * steps and waited > _LEAST_WAITING * total

    def __str__(self) -> str:
        """ "Time: 41 s: steps 28 s (68 %), waiting for data 6 s (15 %), ..." """
        total = time.monotonic() - self.started
        rest = total - sum(self.seconds.values())
        parts = [
            f"{activity} {_duration(seconds)} ({100 * seconds / total:.0f} %)"
            for activity, seconds in {**self.seconds, "the rest": rest}.items()
            if seconds > _LEAST_LISTED * total
        ]
        return f"Time: {_duration(total)}: {', '.join(parts)}"


class StepScheduler:
    """Decides how many steps to take between two looks at the clock, by their recent speed.

    The number changes nothing in the results: the operations and their order stay the same.
    """

    def __init__(self) -> None:
        self._steps = 0.0
        self._seconds = 0.0
        self._waited = 0.0
        self._compiled = False

    def record(self, steps: int, seconds: float, waited: float) -> None:
        """Adds a call: `steps` took `seconds`, of which `waited` were spent waiting for data."""
        if not self._compiled:  # The first call traces the step, so it says nothing of the speed.
            self._compiled = True
            return
        memory = math.exp(-seconds / _MEMORY_SECONDS)
        self._steps = self._steps * memory + steps
        self._seconds = self._seconds * memory + seconds
        self._waited = self._waited * memory + waited

    @property
    def steps(self) -> int:
        """Steps to take in the next call."""
        return max(1, min(_MOST_STEPS, int(self.steps_per_second * _SECONDS_PER_CALL)))

    @property
    def steps_per_second(self) -> float:
        return self._steps / self._seconds if self._seconds else 0.0

    @property
    def waiting(self) -> float:
        """Share of the time spent waiting for data, 0 to 1."""
        return min(1.0, self._waited / self._seconds) if self._seconds else 0.0


def _duration(seconds: float) -> str:
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes / 60:.1f} h"
