"""The data of an evaluation: a split of the run's data, or another table or folder."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator, Mapping
from itertools import count
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from mmzoo.column_spec import ColumnSpec
from mmzoo.config import Config
from mmzoo.data import InMemoryTable
from mmzoo.errors import RunError
from mmzoo.files import write_text
from mmzoo.preprocessing import load_frame, load_rows
from mmzoo.runs import Run
from mmzoo.spec import did_you_mean

if TYPE_CHECKING:
    from mmzoo.data.frame import Frame, OnBadRow

logger = logging.getLogger(__name__)

_FILE = "data.json"
"""The file in an evaluation's folder that records the path of its data."""
_IN_MEMORY = Path("in_memory")
"""Recorded as the path of a table in memory; each such evaluation replaces the previous one."""


def load_run_data(
    run: Run, config: Config, others: Mapping[str, ColumnSpec] = MappingProxyType({})
) -> Frame:
    """Reads the run's data again; raises a RunError if it has changed.

    Args:
        run: the run.
        config: its config.
        others: columns to read besides those of the inputs and heads.
    """
    data = load_frame(config, others)
    require_same_data(run, data)
    return data


def load_split(
    run: Run, config: Config, split: str, others: Mapping[str, ColumnSpec] = MappingProxyType({})
) -> Frame:
    """One split of the run's data; arguments as for `load_run_data`.

    Raises:
        RunError: there is no such split.
    """
    data = load_run_data(run, config, others)
    require_split(data, split)
    return data.split(split)  # Transforming the others would take time.


def load_other_data(
    run: Run, config: Config, data: Path | InMemoryTable, on_bad_row: OnBadRow
) -> Frame:
    """Reads another table or folder as a single split, named by `other_data_name`."""
    path = data if isinstance(data, Path) else _IN_MEMORY
    rows = load_rows(config, data, other_data_name(run, path), labelled=True, on_bad_row=on_bad_row)
    for message in rows.messages():
        logger.info(message)
    return rows


def require_split(data: Frame, split: str) -> None:
    """Raises a RunError if the data has no such split."""
    if split not in data.splits:
        meant = did_you_mean(split, data.splits) or "."
        raise RunError(f"unknown split '{split}'{meant} There are: {', '.join(data.splits)}")


def require_same_data(run: Run, data: Frame) -> None:
    """Raises a RunError if the data is not what the run was trained on."""
    trained_on = run.environment()["data"]
    if data.fingerprint != trained_on["fingerprint"]:
        raise RunError(
            f"{run.directory}: was trained on {trained_on['name']} (fingerprint "
            f"{trained_on['fingerprint'][:12]}), but the source now gives {data.name} "
            f"({data.fingerprint[:12]}). Make the same data available again: `mmzoo data where`."
        )


def other_data_name(run: Run, data: Path) -> str:
    """The split name of an evaluation of other data, and its folder in `eval/`: `data_<name>`.

    The same path always gets the same name. Another path of the same name gets a number, so that no
    report overwrites that of other data.
    """
    return next(
        name
        for name in _names(data)
        if not run.evaluation(name).exists() or _recorded(run.evaluation(name)) == _as_text(data)
    )


def record_data(folder: Path, data: Path | InMemoryTable) -> None:
    """Records the path of the data in an evaluation's folder."""
    path = data if isinstance(data, Path) else _IN_MEMORY
    write_text(folder / _FILE, json.dumps({"data": _as_text(path)}) + "\n")


def _names(data: Path) -> Iterator[str]:
    name = re.sub(r"[^A-Za-z0-9_-]+", "_", data.resolve().name.split(".")[0]) or "rows"
    yield f"data_{name}"
    yield from (f"data_{name}_{number}" for number in count(2))


def _recorded(folder: Path) -> str | None:
    try:
        return str(json.loads((folder / _FILE).read_text(encoding="utf-8"))["data"])
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _as_text(data: Path) -> str:
    # A file name may have bytes that are not UTF-8.
    return str(data.resolve()).encode("utf-8", "backslashreplace").decode("utf-8")
