"""Starter configs: from a path and targets to the text of a valid config with comments."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from mmzoo.config import Config
from mmzoo.data.bad_rows import apply_on_bad_row
from mmzoo.data.frame import Frame
from mmzoo.errors import DataError
from mmzoo.missing_values import require_present
from mmzoo.modalities.file_input import FileInput
from mmzoo.preprocessing import fit_config, scan
from mmzoo.run_log import shown_by
from mmzoo.spec.config_file import describe_missing_path
from mmzoo.spec.load_spec import validate
from mmzoo.spec.wording import escape
from mmzoo.spec.yaml_reader import read_document
from mmzoo.starter.detect_format import detect_format
from mmzoo.starter.folder_plan import plan_for_folder
from mmzoo.starter.plan import Plan, to_yaml
from mmzoo.starter.table_plan import plan_for_table

_MAX_OPENED = 2_000
"""Files that are opened to try a config; of more, only a sample is."""
_NAMED_TABLES = 5
_TABLE_SUFFIXES = (".csv", ".tsv", ".jsonl", ".parquet")
_SPREADSHEETS = {
    ".xlsx": "an Excel file",
    ".xls": "an Excel file",
    ".ods": "a spreadsheet",
    ".numbers": "a spreadsheet",
}


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
    where = escape(str(data))
    if data == Path():  # As of an empty string, which an unset shell variable leaves.
        raise DataError("expected the path of a table or folder, got the current folder or nothing")
    tables = _tables_in(data)
    if os.path.isdir(data):
        if target is not None:
            hint = f"one of its tables, {_listed(tables)}" if tables else f"a table in {where}"
            raise DataError(
                "--target: for a folder, the target is the names of its class folders. Omit the "
                f"option, or give {hint}, instead of the folder"
            )
    else:
        _require_table(data, where)
    file = str(output) if output else None
    try:
        if os.path.isdir(data):
            return _checked_plan(plan_for_folder(data), where, file)
    except DataError as error:
        if not tables:
            raise
        raise DataError(
            f"{where}: it is not a folder of class folders, but holds "
            f"{'a table' if len(tables) == 1 else f'{len(tables):,} tables'}: {_listed(tables)}. "
            f"Give one: `mmzoo init {shlex.quote(str(data / tables[0]))} --target COLUMN`"
        ) from error
    try:
        rows = detect_format(str(data), _target_names(target, []))
    except DataError as error:  # The command has only one table, so its field need not be named.
        raise DataError(str(error).removeprefix("TABLE: ")) from None
    names = _target_names(target, rows.frame.columns)
    return _checked_plan(plan_for_table(data, rows, names), where, file)


def _checked_plan(plan: Plan, where: str, file: str | None) -> tuple[Plan, str]:
    """The plan and its text, after reading the data as a training would.

    Raises:
        DataError: A training would stop.
    """
    file = file or f"{plan.name}.yaml"
    config = validate(Config, read_document(to_yaml(plan, file), "the starter config"))
    try:
        with shown_by(lambda message: None):
            frame, is_complete = _try_to_read(config.with_columns())
    except DataError as error:
        raise DataError(f"{where}: a training on it would stop. {error}") from None
    plan = replace(plan, warnings=(*plan.warnings, *frame.warnings))
    if config.source.on_bad_row == "error":
        if rows := frame.skipped:
            which = "1 row cannot" if len(rows) == 1 else f"{len(rows):,} rows cannot"
            plan = plan.skipping(f"{which} be used, such as {rows[0].file}: {rows[0].reason}")
        elif not is_complete:
            total = sum(map(frame.examples, frame.splits))
            plan = plan.skipping(
                f"only some files of {total:,} rows were opened; others may be bad"
            )
    return plan, to_yaml(plan, file)


def _try_to_read(config: Config) -> tuple[Frame, bool]:
    """Reads, splits and fits the data as a training would.

    Returns:
        The rows that it would use; and whether their files were opened, which is not done if there
        are very many.

    Raises:
        DataError: A training would stop.
    """
    frame = config.source.read(config.required_columns(), config.train.effective_split_seed)
    opens_files = any(isinstance(spec, FileInput) for spec in config.inputs.values())
    if opens_files and frame.table.height > _MAX_OPENED:
        return apply_on_bad_row(frame, "skip"), False
    frame = apply_on_bad_row(scan(config, frame), "skip")
    require_present(frame, config.presence)
    fit_config(config, frame)
    return frame, True


def _tables_in(folder: Path) -> list[str]:
    names = os.listdir(folder) if folder.is_dir() else []
    return sorted(name for name in names if name.lower().endswith(_TABLE_SUFFIXES))


def _listed(tables: Sequence[str]) -> str:
    more = f" and {len(tables) - _NAMED_TABLES:,} more" * (len(tables) > _NAMED_TABLES)
    return ", ".join(map(escape, tables[:_NAMED_TABLES])) + more


def _require_table(data: Path, where: str) -> None:
    """Raises a DataError if there is no file, or it is a spreadsheet by its suffix."""
    if not os.path.lexists(data.expanduser()):
        raise DataError(f"{where}: {describe_missing_path(data)}")
    if data.suffix.lower() in (".yaml", ".yml"):
        config = shlex.quote(str(data))
        raise DataError(f"{where}: a config, not a table; to train it: `mmzoo train {config}`")
    if what := _SPREADSHEETS.get(data.suffix.lower()):
        raise DataError(
            f"{where}: it is {what}, which mmzoo does not read: save the sheet as CSV "
            f"(File, Save as), then `mmzoo init {shlex.quote(str(data.with_suffix('.csv')))}`"
        )


def _target_names(target: str | None, columns: Sequence[str]) -> list[str]:
    if target is None:
        return []
    if target in columns:  # A name may have commas in it.
        return [target]
    return [name.strip() for name in target.split(",")]
