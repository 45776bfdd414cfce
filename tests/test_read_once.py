"""A run reads every table once, opens every file once and tokenizes every text once."""

from __future__ import annotations

import builtins
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from PIL import Image

from mmzoo.cli import main
from mmzoo.config import Config, load_config
from mmzoo.modalities.text import text_input as text_module
from mmzoo.modalities.text.tokenizer import Tokenizer
from mmzoo.preprocessing import fit_config, load_frame, load_rows, transform
from mmzoo.spec import dump_yaml
from mmzoo.training.train import train

ROWS = 40


@pytest.fixture
def table(tmp_path: Path) -> Path:
    random = np.random.RandomState(0)
    for row in range(ROWS):
        pixels = random.randint(0, 256, (6, 6)).astype("uint8")
        Image.fromarray(pixels).save(tmp_path / f"{row}.png")
    path = tmp_path / "rows.csv"
    pl.DataFrame(
        {
            "id": range(ROWS),
            "photo": [f"{row}.png" for row in range(ROWS)],
            "title": [f"a title of {row}" for row in range(ROWS)],
            "age": [row / 3 for row in range(ROWS)],
            "kind": [row % 2 for row in range(ROWS)],
        }
    ).write_csv(path)
    return path


def config(table: Path, **inputs: Any) -> Config:
    every = {
        "photo": {"type": "image", "shape": [6, 6, 1], "encoder": {"type": "cnn", "filters": [2]}},
        "title": {"type": "text", "length": "auto", "encoder": {"type": "embedding", "dim": 2}},
        "facts": {"type": "tabular", "columns": {"age": "auto"}},
    }
    return load_config(
        {
            "name": "once",
            "source": {"type": "table", "path": str(table)},
            "inputs": {name: every[name] for name in inputs or every},
            "heads": {"kind": {"type": "binary"}},
            "train": {"epochs": 1, "batch_size": 16},
        }
    ).with_columns()


@pytest.fixture
def yaml(table: Path) -> Path:
    path = table.parent / "once.yaml"
    path.write_text(dump_yaml(config(table, title=True, facts=True)))
    return path


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """File name -> how often Python opens it."""
    counts: Counter[str] = Counter()
    real: Callable[..., Any] = builtins.open

    def counted(file: Any, *arguments: Any, **named: Any) -> Any:
        if isinstance(file, str | Path):
            counts[Path(file).name] += 1
        return real(file, *arguments, **named)

    monkeypatch.setattr(builtins, "open", counted)
    return counts


@pytest.fixture
def tokenized(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Number of texts in each tokenization pass."""
    passes: list[int] = []
    real = Tokenizer.tokens

    def counted(tokenizer: Tokenizer, texts: pl.Series) -> pl.Series:
        passes.append(len(texts))
        return real(tokenizer, texts)

    monkeypatch.setattr(text_module.Tokenizer, "tokens", counted)
    return passes


def test_from_a_source_to_arrays(table: Path, opened: Counter[str], tokenized: list[int]) -> None:
    spec = config(table)
    frame = load_frame(spec)
    fitted, preprocessing = fit_config(spec, frame)
    arrays = transform(fitted, frame, preprocessing)
    assert sum(map(arrays.examples, arrays.splits)) == ROWS
    assert opened["rows.csv"] == 1
    assert [opened[f"{row}.png"] for row in range(ROWS)] == [1] * ROWS
    assert tokenized == [ROWS]

    rows = load_rows(fitted, str(table), "data", labelled=True, others=True)
    assert rows.other_columns()["id"].to_list() == [str(row) for row in range(ROWS)]
    transform(fitted, rows, preprocessing)
    assert opened["rows.csv"] == 2
    assert tokenized == [ROWS, ROWS]


@pytest.mark.parametrize("command", ["check", "train"])
def test_a_command_reads_the_beginning_of_a_table_and_then_all_of_it(
    command: str, table: Path, opened: Counter[str], tokenized: list[int], yaml: Path
) -> None:
    """Misspelt columns are reported in a fraction of a second, before anything else is done."""
    arguments = {"check": ["--data"], "train": ["--run", str(table.parent / "run")]}
    run_command(command, str(yaml), *arguments[command])
    assert (opened["rows.csv"], tokenized) == (2, [ROWS])


def test_a_run_reads_another_table_once(
    table: Path, opened: Counter[str], tokenized: list[int]
) -> None:
    run = str(train(config(table, title=True, facts=True), run=table.parent / "run").directory)
    assert (opened["rows.csv"], tokenized) == (1, [ROWS])
    for reads, command in enumerate(["eval", "predict"], start=2):
        run_command(command, run, "--data", str(table))
        assert (opened["rows.csv"], tokenized) == (reads, [ROWS] * reads)


def run_command(*arguments: str) -> None:
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    assert ended.value.code == 0
