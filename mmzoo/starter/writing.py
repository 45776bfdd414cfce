"""A plan as YAML with comments."""

from __future__ import annotations

import shlex
import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

from mmzoo.spec.wording import printable
from mmzoo.spec.yaml_writer import dump_line
from mmzoo.starter.plan import Part, Plan

_WIDTH = 100


def written(plan: Plan, file: str) -> str:
    """The config file's text.

    Args:
        plan: what is in it.
        file: what the file will be called, for the commands in its head.
    """
    return "\n".join(_lines(plan, shlex.quote(file))) + "\n"


def _lines(plan: Plan, file: str) -> Iterator[str]:
    yield _comment(plan.head)
    yield _comment(f"  mmzoo check {file} --data")
    yield _comment(f"  mmzoo train {file}")
    yield f"name: {dump_line(plan.name)}"
    yield from ("", "source:")
    yield from _part(plan.source, "  ")
    if plan.left_out:
        yield "  # Left out; to use one all the same, make it an input's column:"
        for name, why in plan.left_out.items():
            yield from _wrapped(f"  {dump_line(name)}: {why}", "  ")
    yield from _parts("inputs", plan.inputs)
    if plan.fusion is not None:
        yield from ("", "fusion:")
        yield from _part(plan.fusion, "  ")
    yield from _parts("heads", plan.heads)
    yield from ("", "train:")
    yield from _part(plan.train, "  ")


def _parts(family: str, parts: Mapping[str, Part]) -> Iterator[str]:
    yield from ("", f"{family}:")
    for name, part in parts.items():
        yield f"  {dump_line(name)}:"
        yield from _part(part, "    ")


def _part(part: Part, indent: str) -> Iterator[str]:
    for name, value in part.fields.items():
        why = part.why.get(name)
        line = f"{indent}{dump_line(name)}: {dump_line(value)}"
        is_long = isinstance(value, dict) and (len(line) > _WIDTH or _says_of_each(value))
        if is_long:
            line = f"{indent}{dump_line(name)}:"
        if why and len(line) + len(why) + 4 > _WIDTH:
            yield from _wrapped(why, indent)
            why = None
        yield f"{line}  {_comment(why)}" if why else line
        if is_long:
            for key, item in value.items():
                yield f"{indent}  {dump_line(key)}: {dump_line(item)}"


def _says_of_each(value: Mapping[str, Any]) -> bool:
    """Whether a mapping says what each of several columns is."""
    return bool(value) and all(isinstance(item, str) for item in value.values()) and len(value) > 3


def _comment(text: str) -> str:
    return f"# {printable(text)}".rstrip()


def _wrapped(text: str, indent: str) -> Iterator[str]:
    """Comment lines no longer than they should be."""
    start = f"{indent}# "
    hang = " " * (len(text) - len(text.lstrip()))
    yield from textwrap.wrap(
        printable(text),
        _WIDTH,
        initial_indent=start,
        subsequent_indent=f"{start}{hang}",
        break_long_words=False,
    )
