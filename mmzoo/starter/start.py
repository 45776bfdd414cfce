"""Starts: from a path and targets to a config file's text, which is valid."""

from __future__ import annotations

import os
from pathlib import Path

from mmzoo.config import Config
from mmzoo.errors import DataError
from mmzoo.files import write_text
from mmzoo.spec.load_spec import validate
from mmzoo.spec.wording import printable
from mmzoo.spec.yaml_reader import read_document
from mmzoo.starter.folder import plan_for_folder
from mmzoo.starter.plan import Plan
from mmzoo.starter.rows import read_rows
from mmzoo.starter.table import plan_for_table
from mmzoo.starter.writing import written


def start(data: Path, target: str | None, output: Path | None) -> tuple[Plan, str]:
    """A config to begin with for a table or a folder of files.

    Args:
        data: the table's or folder's path.
        target: names of the columns to predict, with commas between them.
        output: where the config will be, for the commands that its head names.

    Returns:
        What was found and chosen, and the config file's text.

    Raises:
        DataError: the data cannot be read, a target is not there, or nothing can be learnt.
    """
    if data == Path():  # What an empty text makes, as a shell variable that is not set leaves.
        raise DataError("expected the path of a table or folder, got the current folder or nothing")
    if os.path.isdir(data):
        if target is not None:
            raise DataError(
                f"--target: of a folder, the names of its class folders are what is predicted. "
                f"Leave it out, or give a table in {printable(str(data))} in the folder's place"
            )
        plan = plan_for_folder(data)
    else:
        rows = read_rows(str(data))
        plan = plan_for_table(data, rows, _names(target, rows.frame.columns))
    text = written(plan, str(output) if output else f"{plan.name}.yaml")
    validate(Config, read_document(text, "the starter config"))
    return plan, text


def check_output(path: Path, force: bool) -> None:
    """Raises a DataError where the config cannot be written, before any work is done."""
    shown = printable(str(path))
    if path.suffix not in (".yaml", ".yml"):
        raise DataError(f"--output {shown}: expected a name that ends in .yaml")
    if os.path.isdir(path):
        raise DataError(f"--output {shown}: there is a folder of this name")
    if os.path.lexists(path) and not force:
        raise DataError(
            f"--output {shown}: there is such a file already. Write --force to replace it, or "
            "another name."
        )


def write_config(path: Path, text: str) -> None:
    """Writes the config file, whole or not at all."""
    write_text(path, text)


def _names(target: str | None, columns: list[str]) -> list[str]:
    if target is None:
        return []
    if target in columns:  # A name may have commas in it.
        return [target]
    return [name.strip() for name in target.split(",")]
