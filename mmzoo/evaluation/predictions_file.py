"""predictions.csv: every example of an evaluation, what is true of it and what is said."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from mmzoo.config import Config
from mmzoo.evaluation.evaluate import Evaluation
from mmzoo.probing import Probes
from mmzoo.tables import write_table

if TYPE_CHECKING:
    from mmzoo.sources import Data


def write_predictions(
    path: Path, config: Config, data: Data, evaluation: Evaluation, probes: Probes
) -> None:
    """A row for each example: what it is called, what is true, what is said, how probably."""
    table = rows_named(data, evaluation)
    for name, head in config.heads.items():
        table[f"{name}_true"] = head.truths(evaluation.labels[name])
        table |= head.written(evaluation.predictions[name], name)
        for kind, said in evaluation.probed.get(name, {}).items():
            table |= probes[name][kind].written(said, name)
    write_table(path, table)


def rows_named(data: Data, evaluation: Evaluation) -> dict[str, Any]:
    """The columns that say which example a row is: its number, and the name of its file."""
    names = data.row_names.get(evaluation.split)
    if names is not None and names.dtype.kind != "U":
        return {"row": names.tolist()}
    numbered = {"row": list(range(evaluation.examples))}
    return numbered if names is None else {**numbered, "file": names.tolist()}
