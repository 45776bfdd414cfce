"""A modality that only this test knows: number series of one length in a cell, "1;2;3;4".

Added to the family in one line, before the config's schema is built, every command works on it.
"""

from __future__ import annotations

import contextlib
import io
import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self, get_args

import numpy as np
import polars as pl
import pytest
import yaml
from pydantic import Field

from mmzoo import modalities
from mmzoo.column_spec import Role
from mmzoo.data.column_profile import ColumnProfile
from mmzoo.lazy import keras, tf
from mmzoo.modalities.base_encoder import Encoder, Features
from mmzoo.modalities.base_input import BaseInput
from mmzoo.modalities.scan import Files, Scan
from mmzoo.modalities.suggestion import Suggestion
from mmzoo.spec import PositiveInt, Rate

if TYPE_CHECKING:
    from mmzoo.data.frame import Frame

ROWS = 80
SERIES = r"^\d+(;\d+)+$"


class SeriesEncoder(Encoder):
    """One dense layer."""

    type: Literal["series_dense"] = "series_dense"
    units: PositiveInt = 8
    """Number of features."""

    def build(self, x: keras.KerasTensor) -> Features:
        return Features(keras.layers.Dense(self.units, activation="relu", name="dense")(x))


class Series(BaseInput):
    """Number series, divided by the largest number of the training split."""

    role: ClassVar[Role] = "text"

    type: Literal["series"] = "series"
    column: str | None = None
    """The column of the series; by default, the one with the input's name."""
    length: PositiveInt
    """Numbers per series."""
    missing: Literal["error"] = "error"
    """A row without a series cannot be used."""
    modality_dropout: Rate = 0.0
    """Share of the training examples whose series are dropped."""
    encoder: SeriesEncoder = SeriesEncoder()
    """The network."""

    @classmethod
    def suggest(cls, column: ColumnProfile) -> Suggestion | None:
        if not column.cells.drop_nulls().cast(pl.String).str.contains(SERIES).all():
            return None
        length = column.example.count(";") + 1
        fields = {"type": "series", "length": length, "encoder": {"type": "series_dense"}}
        return Suggestion(fields, {"type": f"series of {length} numbers"}, specific=True)

    def scan(self, frame: Frame, where: str) -> Scan:
        series = frame.table[self.column].str.split(";")
        series = series.list.eval(pl.element().cast(pl.Float64, strict=False))
        right = (series.list.len() == self.length) & ~series.list.contains(None)
        wrong = (~right.fill_null(False)).arg_true().to_list()
        return Scan(series, dict.fromkeys(wrong, f"it has no {self.length} numbers"))

    def fit(self, values: pl.Series, where: str) -> tuple[Self, Files]:
        return self, {"scale.json": json.dumps(values.explode().abs().max())}

    def transform(self, values: pl.Series, files: Files, where: str) -> np.ndarray:
        return np.array(values.to_list(), np.float32) / json.loads(files["scale.json"])

    def load(self, values: tf.Tensor) -> tf.Tensor:
        return values

    def placeholder(self, name: str) -> keras.KerasTensor:
        return keras.Input((self.length,), dtype="float32", name=name)

    def synthetic(self, random: np.random.RandomState, rows: int) -> np.ndarray:
        numbers = random.randint(0, 100, (rows, self.length)).tolist()
        return np.array([";".join(map(str, row)) for row in numbers], object)


def run_commands(commands: list[list[str]]) -> list[dict[str, Any]]:
    """Exit code, stdout and stderr of each command, with `Series` in the family."""
    modalities.Input = Annotated[
        Series | get_args(modalities.Input)[0], Field(discriminator="type")
    ]
    from mmzoo.cli import main

    results = []
    for command in commands:
        out, err, code = io.StringIO(), io.StringIO(), None
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                main(command)
            except SystemExit as ended:
                code = ended.code
        results.append({"code": code, "out": out.getvalue(), "err": err.getvalue()})
    return results


def write_table(path: Path, bad_cell: str = "") -> None:
    random = np.random.RandomState(0)
    numbers = random.randint(0, 100, (ROWS, 4))
    cells = [";".join(map(str, row)) for row in numbers.tolist()]
    cells[3] = bad_cell or cells[3]
    pl.DataFrame(
        {
            "number": range(ROWS),
            "series": cells,
            "size": random.normal(size=ROWS),
            "kind": ["high" if row[0] > 50 else "low" for row in numbers],
        }
    ).write_csv(path)


COMMANDS = {
    "init": "init rows.csv --target kind --output toy.yaml",
    "list": "list inputs",
    "show": "show series",
    "check": "check toy.yaml --data",
    "check of a bad row": "check toy.yaml --data --set source.path=bad.csv",
    "train": "train toy.yaml --set train.epochs=1 --run run --json",
    "eval": "eval run --json",
    "eval of a table": "eval run --data rows.csv --json",
    "predict": "predict run --data rows.csv --json",
    "predict of a bad row": "predict run --data bad.csv",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("toy")
    write_table(path / "rows.csv")
    write_table(path / "bad.csv", "1;2;three;4")
    return path


@pytest.fixture(scope="module")
def results(folder: Path) -> dict[str, dict[str, Any]]:
    """The commands run in a process of their own: its config's schema has one more member."""
    commands = json.dumps([command.split() for command in COMMANDS.values()])
    done = subprocess.run(
        [sys.executable, __file__, commands], cwd=folder, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return dict(zip(COMMANDS, json.loads(done.stdout), strict=True))


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_works(command: str, results: dict[str, dict[str, Any]]) -> None:
    result = results[command]
    assert result["code"] == (1 if command.endswith("bad row") else 0), result["err"]
    if command.endswith("bad row"):
        assert "row 4: it has no 4 numbers" in result["out"] + result["err"]


def test_init_suggests_the_modality(folder: Path, results: dict[str, dict[str, Any]]) -> None:
    config = yaml.safe_load((folder / "toy.yaml").read_text())
    assert config["inputs"]["series"]["type"] == "series"
    assert config["inputs"]["table"]["type"] == "tabular"
    assert "series of 4 numbers" in results["init"]["err"]
    assert "Number series" in results["list"]["out"]
    assert "Numbers per series." in results["show"]["out"]


def test_train_eval_and_predict_agree(folder: Path, results: dict[str, dict[str, Any]]) -> None:
    assert (folder / "run" / "preprocessing" / "series" / "scale.json").is_file()
    [of_table] = json.loads(results["eval of a table"]["out"]).values()
    assert of_table["examples"] == ROWS
    test = json.loads((folder / "run" / "metrics.json").read_text())["test"]
    assert json.loads(results["eval"]["out"])["test"]["kind"] == test["kind"]
    predicted = json.loads(results["predict"]["out"])
    assert [row["number"] for row in predicted] == [str(number) for number in range(ROWS)]
    assert {row["kind"] for row in predicted} <= {"high", "low"}


if __name__ == "__main__":
    print(json.dumps(run_commands(json.loads(sys.argv[1]))))
