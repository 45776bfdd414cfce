"""Starter configs: from a path and targets to the text of a valid config with comments."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from mmzoo.config import Config
from mmzoo.errors import DataError
from mmzoo.spec.load_spec import validate
from mmzoo.spec.wording import escape
from mmzoo.spec.yaml_reader import read_document
from mmzoo.starter.detect_format import detect_format
from mmzoo.starter.folder_plan import plan_for_folder
from mmzoo.starter.plan import Plan, to_yaml
from mmzoo.starter.table_plan import plan_for_table


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
        rows = detect_format(str(data))
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
