"""Plan: a starter config before it is text."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

_MOST_LETTERS = 60
_STEPS = 3_000
"""Steps that a first training should have, in so many epochs as that takes."""
_FEWEST_EPOCHS, _MOST_EPOCHS = 5, 60


@dataclass(frozen=True)
class Part:
    """A mapping of the config whose fields may have comments.

    Attributes:
        fields: by name, in order.
        why: a comment for some of them.
    """

    fields: Mapping[str, Any]
    why: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Plan:
    """A starter config.

    Attributes:
        name: of the experiment.
        head: a sentence for the top of the file.
        source: what its `source` is.
        left_out: columns that are not used, and why.
        inputs, heads: by name.
        fusion: what its `fusion` is, if there are several inputs.
        train: what its `train` is.
        seen: columns, what each is taken as, and why: what is said on the screen.
        warnings: sentences on what will hurt.
    """

    name: str
    head: str
    source: Part
    inputs: Mapping[str, Part]
    heads: Mapping[str, Part]
    train: Part
    fusion: Part | None = None
    left_out: Mapping[str, str] = field(default_factory=dict)
    seen: tuple[tuple[str, str, str], ...] = ()
    warnings: tuple[str, ...] = ()


def as_name(text: str, taken: Collection[str], otherwise: str) -> str:
    """A name for an input, a head or an experiment, made of letters, digits and underscores.

    Args:
        text: what it should be like: the name of a column or file.
        taken: names that it must not be.
        otherwise: what it is where the text has no letters that will do.
    """
    plain = unicodedata.normalize("NFKD", text.replace("ß", "ss"))
    plain = plain.encode("ascii", "ignore").decode()
    name = re.sub(r"\W+", "_", plain).strip("_")[:_MOST_LETTERS]
    if not name:
        name = otherwise
    if not name[0].isalpha():
        name = f"{otherwise}_{name}"
    number, free = 2, name
    while free in taken:
        free, number = f"{name}_{number}", number + 1
    return free


def training(rows: int, is_frozen: bool) -> Part:
    """The `train` part for so many rows to train on."""
    batch_size = 32 if rows < 10_000 else 64 if rows < 200_000 else 256
    steps = max(1, -(-rows // batch_size))
    epochs = min(_MOST_EPOCHS, max(_FEWEST_EPOCHS, round(_STEPS / steps)))
    if is_frozen:
        epochs = min(epochs, 20)
    fields = {
        "epochs": epochs,
        "batch_size": batch_size,
        "early_stopping": {"patience": max(3, epochs // 6)},
    }
    return Part(fields, {"epochs": "at most: early_stopping ends it when it gets no better"})
