"""Plan: a starter config before it is written as text, with the reasons for its choices."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from mmzoo.modalities.suggestion import Section

_LONGEST_NAME = 60
_STEPS = 3_000
"""Training steps that a first training should have; the number of epochs follows from them."""
_MIN_EPOCHS, _MAX_EPOCHS, _MAX_FROZEN_EPOCHS = 5, 60, 20


@dataclass(frozen=True)
class Plan:
    """A starter config.

    Attributes:
        name: The experiment's name.
        title: A sentence for the top of the file.
        source: The `source` section.
        left_out: Column -> why it is not used.
        inputs, heads: Sections by name.
        fusion: The `fusion` section, if there are several inputs.
        train: The `train` section.
        columns: For the terminal: each column, its inferred type, and why.
        warnings: Sentences on what may harm a training.
    """

    name: str
    title: str
    source: Section
    inputs: Mapping[str, Section]
    heads: Mapping[str, Section]
    train: Section
    fusion: Section | None = None
    left_out: Mapping[str, str] = field(default_factory=dict)
    columns: tuple[tuple[str, str, str], ...] = ()
    warnings: tuple[str, ...] = ()


def as_name(text: str, taken: Collection[str], otherwise: str) -> str:
    """A name for an input, a head or an experiment, of letters, digits and underscores.

    Args:
        text: What it is derived from: the name of a column or file.
        taken: Names that are in use.
        otherwise: The name if the text has no usable letters.
    """
    plain = unicodedata.normalize("NFKD", text.replace("ß", "ss"))
    plain = plain.encode("ascii", "ignore").decode()
    name = re.sub(r"\W+", "_", plain).strip("_")[:_LONGEST_NAME]
    if not name:
        name = otherwise
    if not name[0].isalpha():
        name = f"{otherwise}_{name}"
    number, free = 2, name
    while free in taken:
        free, number = f"{name}_{number}", number + 1
    return free


def train_section(rows: int, is_frozen: bool) -> Section:
    """The `train` section for a number of training rows."""
    batch_size = 32 if rows < 10_000 else 64 if rows < 200_000 else 256
    steps = max(1, -(-rows // batch_size))
    epochs = min(_MAX_EPOCHS, max(_MIN_EPOCHS, round(_STEPS / steps)))
    if is_frozen:
        epochs = min(epochs, _MAX_FROZEN_EPOCHS)
    fields = {
        "epochs": epochs,
        "batch_size": batch_size,
        "early_stopping": {"patience": max(3, epochs // 6)},
    }
    return Section(fields, {"epochs": "the maximum: early_stopping may end training sooner"})
