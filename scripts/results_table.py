"""The rows of docs/results.csv; used by scripts/reproduce."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

from mmzoo.files import write_text

TABLE = Path(__file__).resolve().parent.parent / "docs" / "results.csv"


@dataclass(frozen=True)
class Result:
    """One figure of one config, measured with some seeds: a row of results.csv.

    What is not known, of figures from before it was written down, is empty.

    Attributes:
        config: its name.
        variant: what was changed by `--set`, or "<input> alone"; empty for the config as it is.
        inputs: the types of its inputs, in the config's order: "text + image".
        data: the name of the data.
        metric: of the test split; with several heads as `<head>_<metric>`.
        seeds: those it was trained with.
        folds: how many folds each seed was trained on, if it was.
        values: of each seed, or of each fold of each seed.
        mean: of the values.
        deviation: their standard deviation, with n - 1; None of one value.
        parameters: numbers in the model; of different ones, as vocabularies differ, the most.
        seconds: what one seed took, with all of its folds.
        commit: what was checked out, with "+" where files were changed; or of a figure from before
            that was written down, the commit that brought it.
        machine: its processor, and what trained.
        date: of the last training.
    """

    config: str
    variant: str
    inputs: str
    data: str
    metric: str
    seeds: tuple[int, ...]
    folds: int | None
    values: tuple[float, ...]
    mean: float
    deviation: float | None
    parameters: int | None
    seconds: float | None
    commit: str
    machine: str
    date: str

    @property
    def key(self) -> tuple[str, str, str]:
        """What is once in the table."""
        return self.config, self.variant, self.metric


def read_results(path: Path = TABLE) -> list[Result]:
    """The rows of results.csv; none where it is not there yet."""
    if not path.is_file():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return [_parsed(row) for row in csv.DictReader(file)]


def write_results(results: Sequence[Result], path: Path = TABLE) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([field.name for field in fields(Result)])
    for result in sorted(results, key=lambda one: one.key):
        writer.writerow([_written(getattr(result, field.name)) for field in fields(Result)])
    write_text(path, text.getvalue())


def _written(value: object) -> str:
    match value:
        case None:
            return ""
        case float():
            return f"{value:.6g}"
        case tuple():
            return " ".join(map(_written, value))
    return str(value)


def _parsed(row: dict[str, str]) -> Result:
    return Result(
        config=row["config"],
        variant=row["variant"],
        inputs=row["inputs"],
        data=row["data"],
        metric=row["metric"],
        seeds=tuple(map(int, row["seeds"].split())),
        folds=int(row["folds"]) if row["folds"] else None,
        values=tuple(map(float, row["values"].split())),
        mean=float(row["mean"]),
        deviation=float(row["deviation"]) if row["deviation"] else None,
        parameters=int(row["parameters"]) if row["parameters"] else None,
        seconds=float(row["seconds"]) if row["seconds"] else None,
        commit=row["commit"],
        machine=row["machine"],
        date=row["date"],
    )
