"""Plan: a starter config with the reasons for its choices, and its text."""

from __future__ import annotations

import re
import shlex
import textwrap
import unicodedata
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from mmzoo.modalities.suggestion import Section
from mmzoo.spec.wording import escape, shorten
from mmzoo.spec.yaml_writer import dump_line

SHARES = {"validation": 0.1, "test": 0.2}
TRAIN_SHARE = 0.7
_WIDTH = 100
_NAMED = 3
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

    def skipping(self, reason: str) -> Plan:
        """The plan with `on_bad_row: skip`, for a reason that is a clause."""
        source = Section(
            {**self.source.fields, "on_bad_row": "skip"},
            {**self.source.reasons, "on_bad_row": reason},
        )
        warning = f"{reason}: `on_bad_row: skip` skips such rows"
        return replace(self, source=source, warnings=(*self.warnings, warning))


def as_name(text: str, taken: Collection[str], otherwise: str) -> str:
    """A name for an input, a head or an experiment, of letters, digits and underscores.

    Args:
        text: The name of the column or file that it is derived from.
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


def rare_classes(name: str, counts: Mapping[str, int], unit: str) -> Iterator[str]:
    """A warning if classes have fewer rows or files than there are splits.

    Args:
        name: The column or folder with the classes.
        counts: Class -> its number of rows or files.
        unit: The counted unit, "row" or "file".
    """
    rare = sorted(
        (one for one in counts if 0 < counts[one] < 3), key=lambda one: (counts[one], one)
    )
    if not rare:
        return
    shown = ", ".join(
        f"'{shorten(one)}' ({counts[one]} {unit}{'s' * (counts[one] > 1)})" for one in rare[:_NAMED]
    )
    more = f" and {len(rare) - _NAMED:,} more" if len(rare) > _NAMED else ""
    have = "has" if len(rare) == 1 else "have"
    yield (
        f"{name}: {len(rare):,} of its {len(counts):,} classes {have} too few {unit}s for three "
        f"splits: {shown}{more}. A class with one {unit} is trained, but not validated or tested"
    )


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


def to_yaml(plan: Plan, file: str) -> str:
    """The config file's text.

    Args:
        plan: Its content.
        file: Its path, for the commands in its header.
    """
    return "\n".join(_lines(plan, shlex.quote(file))) + "\n"


def _lines(plan: Plan, file: str) -> Iterator[str]:
    yield _comment(plan.title)
    yield _comment(f"  mmzoo check {file} --data")
    yield _comment(f"  mmzoo train {file}")
    yield f"name: {dump_line(plan.name)}"
    yield from ("", "source:")
    yield from _section(plan.source, "  ")
    if plan.left_out:
        yield "  # Columns left out; to use one, make it the column of an input:"
        for name, why in plan.left_out.items():
            yield from _wrapped(f"  {dump_line(name)}: {why}", "  ")
    yield from _sections("inputs", plan.inputs)
    if plan.fusion is not None:
        yield from ("", "fusion:")
        yield from _section(plan.fusion, "  ")
    yield from _sections("heads", plan.heads)
    yield from ("", "train:")
    yield from _section(plan.train, "  ")


def _sections(family: str, sections: Mapping[str, Section]) -> Iterator[str]:
    yield from ("", f"{family}:")
    for name, section in sections.items():
        yield f"  {dump_line(name)}:"
        yield from _section(section, "    ")


def _section(section: Section, indent: str) -> Iterator[str]:
    for name, value in section.fields.items():
        why = section.reasons.get(name)
        line = f"{indent}{dump_line(name)}: {dump_line(value)}"
        is_long = isinstance(value, dict) and (len(line) > _WIDTH or _is_column_types(value))
        if is_long:
            line = f"{indent}{dump_line(name)}:"
        if why and len(line) + len(why) + 4 > _WIDTH:
            yield from _wrapped(why, indent)
            why = None
        yield f"{line}  {_comment(why)}" if why else line
        if is_long:
            for key, item in value.items():
                yield f"{indent}  {dump_line(key)}: {dump_line(item)}"


def _is_column_types(value: Mapping[str, Any]) -> bool:
    """Whether a mapping has the types of several columns, one to a line."""
    return bool(value) and all(isinstance(item, str) for item in value.values()) and len(value) > 3


def _comment(text: str) -> str:
    return f"# {escape(text)}".rstrip()


def _wrapped(text: str, indent: str) -> Iterator[str]:
    """Wrapped comment lines."""
    start = f"{indent}# "
    hang = " " * (len(text) - len(text.lstrip()))
    yield from textwrap.wrap(
        escape(text),
        _WIDTH,
        initial_indent=start,
        subsequent_indent=f"{start}{hang}",
        break_long_words=False,
    )
