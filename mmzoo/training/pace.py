"""How fast steps go, and so how many to take before looking up again."""

from __future__ import annotations

import math

_SECONDS_PER_CALL = 0.1
"""A signal, a checkpoint or the progress display waits about this long at most."""
_MEMORY_SECONDS = 5.0
_MOST_STEPS = 1000


class Pace:
    """A moving average of the speed.

    The number of steps between two looks at the clock changes nothing in what is computed: they
    are the same operations in the same order.
    """

    def __init__(self) -> None:
        self._steps = 0.0
        self._seconds = 0.0
        self._waited = 0.0
        self._compiled = False

    def took(self, steps: int, seconds: float, waited: float) -> None:
        """Notes that `steps` took `seconds`, of which `waited` were spent waiting for data."""
        if not self._compiled:  # The first call traces the step, which says nothing of its speed.
            self._compiled = True
            return
        memory = math.exp(-seconds / _MEMORY_SECONDS)
        self._steps = self._steps * memory + steps
        self._seconds = self._seconds * memory + seconds
        self._waited = self._waited * memory + waited

    @property
    def steps(self) -> int:
        """Steps to take at once."""
        return max(1, min(_MOST_STEPS, int(self.steps_per_second * _SECONDS_PER_CALL)))

    @property
    def steps_per_second(self) -> float:
        return self._steps / self._seconds if self._seconds else 0.0

    @property
    def waiting(self) -> float:
        """Share of the time spent waiting for data, 0 to 1."""
        return min(1.0, self._waited / self._seconds) if self._seconds else 0.0
