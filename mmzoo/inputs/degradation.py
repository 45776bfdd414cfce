"""Degradation: one way in which an input gets worse, step by step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mmzoo.lazy import tf

if TYPE_CHECKING:
    from mmzoo.randomness import Randomness


@dataclass(frozen=True)
class Degradation:
    """What is done to preprocessed values, to see how a model bears it."""

    name: str
    """In a word or two: "noise"."""
    unit: str
    """What a step is measured in: "grey levels"."""
    steps: tuple[float, ...]
    """How far it goes, from the mildest to the worst."""
    apply: Callable[[tf.Tensor, tf.Tensor, Randomness], tf.Tensor]
    """From a preprocessed batch, a step as a float32 scalar, and the examples' random numbers, to a
    batch of the same shape and dtype."""
