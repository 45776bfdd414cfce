"""Where the evaluation of other data than the run's own goes: a folder for each table or folder."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import count
from pathlib import Path

from mmzoo.files import write_text
from mmzoo.runs import Run

_FILE = "data.json"
"""Says which data a folder's evaluation is of."""


def named_after(run: Run, data: Path) -> str:
    """What an evaluation of other data is called: `data_<name>`, as its folder in `eval/`.

    Evaluated again, the same path has the same name. Another that would have it gets a number
    after it, so that no report takes the place of one of other data.
    """
    return next(
        name
        for name in _names(data)
        if not run.evaluation(name).exists() or _data_of(run.evaluation(name)) == _written(data)
    )


def note_data(folder: Path, data: Path) -> None:
    """Writes down which data the evaluation in a folder is of."""
    write_text(folder / _FILE, json.dumps({"data": _written(data)}) + "\n")


def _names(data: Path) -> Iterator[str]:
    name = re.sub(r"[^A-Za-z0-9_-]+", "_", data.resolve().name.split(".")[0]) or "rows"
    yield f"data_{name}"
    yield from (f"data_{name}_{number}" for number in count(2))


def _data_of(folder: Path) -> str | None:
    try:
        return str(json.loads((folder / _FILE).read_text(encoding="utf-8"))["data"])
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _written(data: Path) -> str:
    # A name may have bytes that are no text.
    return str(data.resolve()).encode("utf-8", "backslashreplace").decode("utf-8")
