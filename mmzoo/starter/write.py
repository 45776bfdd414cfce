"""Writes starter configs: from a path and targets to the text of a valid config with comments."""

from __future__ import annotations

import os
import shlex
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from mmzoo.config import Config
from mmzoo.errors import DataError
from mmzoo.files import write_text
from mmzoo.modalities.suggestion import Section
from mmzoo.spec.load_spec import validate
from mmzoo.spec.wording import escape
from mmzoo.spec.yaml_reader import read_document
from mmzoo.spec.yaml_writer import dump_line
from mmzoo.starter.folder_plan import plan_for_folder
from mmzoo.starter.plan import Plan
from mmzoo.starter.read_table import read_table
from mmzoo.starter.table_plan import plan_for_table

_WIDTH = 100


def starter_config(data: Path, target: str | None, output: Path | None) -> tuple[Plan, str]:
    """A starter config for a table or a folder of files.

    Args:
        data: The table's or folder's path.
        target: The columns to predict, separated by commas.
        output: The config's path, which the commands in its header name.

    Returns:
        The plan, and the config file's text.

    Raises:
        DataError: The data cannot be read, a target does not exist or cannot be learned.
    """
    if data == Path():  # As of an empty string, which an unset shell variable leaves.
        raise DataError("expected the path of a table or folder, got the current folder or nothing")
    if os.path.isdir(data):
        if target is not None:
            raise DataError(
                "--target: for a folder, the target is the names of its class folders. Omit the "
                f"option, or give a table in {escape(str(data))} instead of the folder"
            )
        plan = plan_for_folder(data)
    else:
        rows = read_table(str(data))
        plan = plan_for_table(data, rows, _target_names(target, rows.frame.columns))
    text = to_yaml(plan, str(output) if output else f"{plan.name}.yaml")
    validate(Config, read_document(text, "the starter config"))
    return plan, text


def _target_names(target: str | None, columns: Sequence[str]) -> list[str]:
    if target is None:
        return []
    if target in columns:  # A name may have commas in it.
        return [target]
    return [name.strip() for name in target.split(",")]


def check_output(path: Path, force: bool) -> None:
    """Raises a DataError if the config cannot be written to this path."""
    shown = escape(str(path))
    if path.suffix not in (".yaml", ".yml"):
        raise DataError(f"--output {shown}: expected a name that ends in .yaml")
    if os.path.isdir(path):
        raise DataError(f"--output {shown}: this is a folder")
    if os.path.lexists(path) and not force:
        raise DataError(
            f"--output {shown}: the file exists. Use --force to replace it, or another name."
        )


def write_config(path: Path, text: str) -> None:
    """Writes the config file atomically."""
    write_text(path, text)


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
