"""Fuzzing: every input gives a spec or a ConfigError."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from spec_tree import VALID, Experiment

from mmzoo.errors import ConfigError
from mmzoo.spec import load_spec

_PIECES = (
    *(
        "\t",
        "\n",
        " ",
        "  ",
        ":",
        ": ",
        "-",
        "- ",
        ",",
        "[",
        "]",
        "{",
        "}",
        "'",
        '"',
        "#",
        "|",
        ">",
    ),
    *("*a", "&a ", "!t ", "!!int ", "<<: ", "? ", "%", "@", "---\n", "...\n", "~", "null", "true"),
    *(
        "010",
        "1e400",
        ".nan",
        "-1",
        "0",
        "9" * 5000,
        "x" * 100,
        "type",
        "lenet",
        "\u2028",
        "é",
        "😀",
    ),
    *(
        "\x00",
        "\x07",
        "\ufeff",
        "\\",
        '"\\ud800"',
        "[" * 50,
        "{a: " * 50,
        "{type: lenet}",
        "[1, x]",
    ),
)
_LOCATED = re.compile(r"x\.yaml(:\d+:\d+)?: .")
SEEDS = range(400)


def _replace_value(text: str, draw: random.Random) -> str:
    start, end = draw.choice([match.span() for match in re.finditer(r"[\w.]+", text)])
    return text[:start] + draw.choice(_PIECES) + text[end:]


def _insert(text: str, draw: random.Random) -> str:
    position = draw.randrange(len(text))
    return text[:position] + draw.choice(_PIECES) + text[position:]


def _delete(text: str, draw: random.Random) -> str:
    start = draw.randrange(len(text))
    return text[:start] + text[start + draw.randint(1, 12) :]


def _move_line(text: str, draw: random.Random) -> str:
    lines = text.splitlines(keepends=True)
    line = lines.pop(draw.randrange(len(lines)))
    lines.insert(draw.randrange(len(lines)), draw.choice(["", "  "]) + line)
    return "".join(lines)


_MUTATIONS: tuple[Callable[[str, random.Random], str], ...] = (
    _replace_value,
    _insert,
    _delete,
    _move_line,
)


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return Path("x.yaml")


def error_messages(path: Path, *overrides: str) -> list[str]:
    """The lines of the error, none where the config is valid; any other exception goes through."""
    try:
        load_spec(Experiment, path, overrides)
    except ConfigError as error:
        return str(error).split("\n")
    return []


def test_mutated_files_give_a_spec_or_located_errors(path: Path) -> None:
    errors = 0
    for seed in SEEDS:
        draw = random.Random(seed)
        text = VALID
        for _ in range(draw.randint(1, 3)):
            text = draw.choice(_MUTATIONS)(text, draw)
        path.write_text(text, encoding="utf-8")
        lines = error_messages(path)
        assert all(_LOCATED.match(line) and line.isprintable() for line in lines), (seed, lines)
        errors += bool(lines)
    assert len(SEEDS) / 2 < errors < len(SEEDS)  # Most are errors, some are not.


def test_mutated_bytes_give_a_spec_or_located_errors(path: Path) -> None:
    for seed in SEEDS:
        draw = random.Random(seed)
        content = bytearray(VALID.encode())
        for _ in range(draw.randint(1, 4)):
            content[draw.randrange(len(content))] = draw.randrange(256)
        path.write_bytes(content)
        lines = error_messages(path)
        assert all(_LOCATED.match(line) for line in lines), (seed, lines)


def test_mutated_overrides_give_a_spec_or_errors_that_name_them(path: Path) -> None:
    path.write_text(VALID)
    keys = ["name", "train.epochs", "inputs.image.shape", "inputs.image.augment.0.type", "heads"]
    for seed in SEEDS:
        draw = random.Random(seed)
        text = f"{draw.choice(keys)}={draw.choice(_PIECES)}"
        lines = error_messages(path, _insert(text, draw) if draw.random() < 0.5 else text)
        assert all(line.startswith("--set ") for line in lines), (seed, lines)
