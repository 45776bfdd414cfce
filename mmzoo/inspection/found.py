"""What an inspection finds, as plain values: for the screen, and for one JSON document."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Lengths:
    """How long the values of an input are in a split."""

    unit: str
    limit: float
    """What is beyond is cut."""
    percentiles: Mapping[str, float]
    """"50", "95", "100": so many percent of the values are no longer."""
    cut: int
    """How many values are longer than the limit."""


@dataclass(frozen=True)
class Repeats:
    """Rows of a split that are in the training split too."""

    rows: int
    """How many."""
    share: float
    """Of the split's rows."""
    pairs: tuple[tuple[str, str], ...]
    """The first few: the name of the row, and of one of the training split."""


@dataclass(frozen=True)
class Walk:
    """A step of the network: what goes through it, and what it has."""

    name: str
    kind: str
    output: str
    parameters: int


@dataclass(frozen=True)
class Cost:
    """What a training would take here, by a few steps that were really taken.

    Attributes:
        steps: how many were timed.
        device: where they ran.
        step_seconds: of one step on a batch.
        steps_per_epoch: how many an epoch has.
        epoch_seconds: of all steps of an epoch and its validation.
        epochs: how many there are at most.
        memory: bytes: the most that this process has held, with the data and the steps.
        frozen: inputs whose frozen encoder would run once and not in every epoch.
    """

    steps: int
    device: str
    step_seconds: float
    steps_per_epoch: int
    epoch_seconds: float
    epochs: int
    memory: int
    frozen: tuple[str, ...] = ()


@dataclass
class Found:
    """All of it.

    Attributes:
        data: the data's name.
        examples: split -> rows.
        notes: what the source says.
        missing: column -> split -> cells that are empty, of columns that have such. Of paths of
            files none is counted.
        absent: input -> split -> examples that lack it, of inputs that any example lacks.
        classes: head -> split -> class -> rows.
        lengths: input -> split -> how long its values are.
        repeats: input, or "all inputs" -> split -> rows that are in the training split too.
        network: the walk through the network.
        parameters: how many numbers the model has.
        trainable: how many of them training changes.
        cost: of a training; None if the network could not be had.
        errors: what stops a training.
        warnings: what will hurt.
    """

    data: str = ""
    examples: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    missing: dict[str, dict[str, int]] = field(default_factory=dict)
    absent: dict[str, dict[str, int]] = field(default_factory=dict)
    classes: dict[str, dict[str, dict[str, int]]] = field(default_factory=dict)
    lengths: dict[str, dict[str, Lengths]] = field(default_factory=dict)
    repeats: dict[str, dict[str, Repeats]] = field(default_factory=dict)
    network: list[Walk] = field(default_factory=list)
    parameters: int = 0
    trainable: int = 0
    cost: Cost | None = None
    errors: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)
