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
    """One metric of one config: a row of results.csv.

    Values that were not recorded are empty.

    Attributes:
        config: name of the config.
        variant: what `--set` changed, or "<input> alone"; empty for the config as it is.
        inputs: types of the inputs in the config's order: "text + image".
        data: name of the data.
        metric: metric on the test split; with several heads `<head>_<metric>`.
        seeds: seeds of the trainings.
        folds: number of folds for each seed, if any.
        values: one value per seed, or per fold of each seed.
        mean: mean of the values.
        std: sample standard deviation (n - 1); None for a single value.
        parameters: parameters of the model; the largest number where vocabularies differ.
        seconds: training time of one seed, all folds included.
        commit: the commit that was checked out, with "+" if files were changed; for older results
            the commit that added them.
        machine: processor and device.
        date: date of the last training.
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
    std: float | None
    parameters: int | None
    seconds: float | None
    commit: str
    machine: str
    date: str

    @property
    def key(self) -> tuple[str, str, str]:
        """Unique in the table."""
        return self.config, self.variant, self.metric


def read_results(path: Path = TABLE) -> list[Result]:
    """The rows of results.csv; none if it does not exist."""
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
        std=float(row["std"]) if row["std"] else None,
        parameters=int(row["parameters"]) if row["parameters"] else None,
        seconds=float(row["seconds"]) if row["seconds"] else None,
        commit=row["commit"],
        machine=row["machine"],
        date=row["date"],
    )
