"""Which rows each step of a training takes, as a function of the seed and the step.

The order of epoch e is a permutation drawn from (seed, e). So the one integer that says how far a
training has come, its global step, is also its place in the data: any step can be started at
directly, on any number of devices.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

_ORDER = 0x5EED  # Keeps the stream of orders apart from other uses of the same seed.


def epoch_order(seed: int, epoch: int, rows: int) -> np.ndarray:
    """The order of one epoch: int64 `[rows]`. RandomState's stream is frozen (NEP 19)."""
    return np.random.RandomState([seed, epoch, _ORDER]).permutation(rows)


@dataclass(frozen=True)
class TrainingOrder:
    """Which rows each step of a training takes.

    Attributes:
        seed: the training's seed.
        rows: rows of the training split.
        batch_size: rows of each step, over all replicas together.
        replicas: how many devices share each batch. More than one take equal parts, and leave out
            the few rows of an epoch's last batch that cannot be shared equally.
    """

    seed: int
    rows: int
    batch_size: int
    replicas: int = 1

    @property
    def rows_per_epoch(self) -> int:
        last = self.rows % self.batch_size
        return self.rows - last % self.replicas

    @property
    def steps_per_epoch(self) -> int:
        return -(-self.rows_per_epoch // self.batch_size)

    def step_rows(self, step: int) -> np.ndarray:
        """The rows of one step: int64 `[rows]`."""
        epoch, place = divmod(step, self.steps_per_epoch)
        order = epoch_order(self.seed, epoch, self.rows)[: self.rows_per_epoch]
        return order[place * self.batch_size : (place + 1) * self.batch_size]

    def blocks(self, start: int, steps: int) -> Iterator[tuple[np.ndarray, int]]:
        """Yields (rows int64 `[batches, rows]`, epoch) from step `start` up to `steps`.

        A block is what is left of an epoch's whole batches, or its smaller last batch: so Python
        is asked twice an epoch, not once a step. Each row of a block is one replica's batch; the
        replicas of a step follow one another.
        """
        while start < steps:
            epoch, place = divmod(start, self.steps_per_epoch)
            order = epoch_order(self.seed, epoch, self.rows)[: self.rows_per_epoch]
            whole = self.rows_per_epoch // self.batch_size
            end = min(self.steps_per_epoch, place + steps - start)
            if place < min(whole, end):
                block = order[place * self.batch_size : min(whole, end) * self.batch_size]
                yield block.reshape(-1, self.batch_size // self.replicas), epoch
            if end > whole:
                yield order[whole * self.batch_size :].reshape(self.replicas, -1), epoch
            start += end - place
