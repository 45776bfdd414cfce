"""Records: JSON files that mmzoo wrote, read again with care."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmzoo.errors import RunError


def read_json(path: Path) -> dict[str, Any]:
    """The object that a file holds.

    Raises:
        RunError: there is no such file, or it is damaged.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise RunError(f"{path}: there is no such file; the run was cut off early") from error
    except (OSError, ValueError) as error:
        raise RunError(f"{path}: cannot be read: {error}") from error
    if not isinstance(content, dict):
        raise RunError(f"{path}: expected a JSON object, got {type(content).__name__}")
    return content


def check_entries(path: Path, content: Mapping[str, Any], entries: Mapping[str, Any]) -> None:
    """Refuses a file that lacks one of the entries, dotted names, or has another type there."""
    for name, kind in entries.items():
        found: Any = content
        for key in name.split("."):
            found = found.get(key) if isinstance(found, dict) else None
        if not isinstance(found, kind):
            raise RunError(f"{path}: damaged: {name} is missing or not what it should be")
