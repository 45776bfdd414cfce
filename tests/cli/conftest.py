"""Fixtures shared by the tests of commands."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from mmzoo.cli import main


@dataclass(frozen=True)
class Result:
    """What a command left: its exit code and what it wrote."""

    code: object
    out: str
    err: str

    @property
    def document(self) -> Any:
        """Stdout, where it is one JSON document."""
        return json.loads(self.out)


Command = Callable[..., Result]


@pytest.fixture
def mmzoo(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Command:
    """Runs `mmzoo` with these arguments, in this process and in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: object) -> Result:
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main([str(argument) for argument in arguments])
        return Result(ended.value.code, *capsys.readouterr())

    return run
