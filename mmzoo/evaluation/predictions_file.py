"""predictions.csv: the true labels and the predictions of every example of an evaluation."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from mmzoo.config import Config
from mmzoo.evaluation.evaluate import Evaluation
from mmzoo.fitted_probes import Probes
from mmzoo.heads import LabelledHead, WritesPredictions
from mmzoo.tables import write_table

if TYPE_CHECKING:
    from mmzoo.data.frame import Frame
    from mmzoo.preprocessing import Arrays


def write_predictions(
    path: Path, config: Config, data: Arrays, evaluation: Evaluation, probes: Probes
) -> None:
    """A row for each example: its name, the true labels, and the predictions of heads and probes.

    Writes nothing if no head has labels or predictions that can be written.
    """
    names = rows_named(data, evaluation)
    table = dict(names)
    for name, head in config.heads.items():
        if isinstance(head, LabelledHead):
            table[f"{name}_true"] = head.true_labels(evaluation.labels[name])
        if isinstance(head, WritesPredictions):
            table |= head.decode(evaluation.predictions[name], name)
        for kind, predicted in evaluation.probed.get(name, {}).items():
            table |= probes[name][kind].decode(predicted, name)
    if len(table) > len(names):
        write_table(path, table, trusted=table.keys() - names)


def rows_named(data: Arrays | Frame, evaluation: Evaluation) -> dict[str, Any]:
    """The columns that identify an example: its row number, and the name of its file."""
    names = data.row_names.get(evaluation.split)
    if names is not None and names.dtype.kind != "U":
        return {"row": names.tolist()}
    numbered = {"row": list(range(evaluation.examples))}
    return numbered if names is None else {**numbered, "file": names.tolist()}
