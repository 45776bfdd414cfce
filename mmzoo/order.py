"""Training order: the rows of each training step, as a function of the seed and the step.

The order of epoch e is a permutation drawn from (seed, e). So the global step also determines the
position in the data, and training can resume at any step, on any number of devices.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

_ORDER = 0x5EED  # Separates these random numbers from other uses of the same seed.


def epoch_order(seed: int, epoch: int, rows: int) -> np.ndarray:
    """Shuffled rows of one epoch, int64 `[rows]`. RandomState's stream is frozen (NEP 19)."""
    return np.random.RandomState([seed, epoch, _ORDER]).permutation(rows)


@dataclass(frozen=True)
class TrainingOrder:
    """The rows of each training step.

    Attributes:
        seed: seed of the training.
        rows: number of rows of the training split.
        batch_size: number of rows per step, over all replicas.
        replicas: number of devices that share each batch equally. Rows of an epoch's last batch
            that cannot be shared equally are dropped.
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
        """Rows of one step, int64 `[rows]`."""
        epoch, index = divmod(step, self.steps_per_epoch)
        order = epoch_order(self.seed, epoch, self.rows)[: self.rows_per_epoch]
        return order[index * self.batch_size : (index + 1) * self.batch_size]

    def blocks(self, start: int, steps: int) -> Iterator[tuple[np.ndarray, int]]:
        """Yields (rows int64 `[batches, rows]`, epoch) from step `start` up to `steps`.

        A block has the remaining full batches of an epoch, or its smaller last batch: so this
        generator runs twice per epoch, not once per step. Each row of a block is one replica's
        batch, in the order of steps, then replicas.
        """
        while start < steps:
            epoch, index = divmod(start, self.steps_per_epoch)
            order = epoch_order(self.seed, epoch, self.rows)[: self.rows_per_epoch]
            whole = self.rows_per_epoch // self.batch_size
            end = min(self.steps_per_epoch, index + steps - start)
            if index < min(whole, end):
                block = order[index * self.batch_size : min(whole, end) * self.batch_size]
                yield block.reshape(-1, self.batch_size // self.replicas), epoch
            if end > whole:
                yield order[whole * self.batch_size :].reshape(self.replicas, -1), epoch
            start += end - index
