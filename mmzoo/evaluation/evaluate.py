"""Running a model over a split, and the metrics of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mmzoo.data import evaluation_batches, naming_files
from mmzoo.lazy import tf

if TYPE_CHECKING:
    import keras

    from mmzoo.config import Config
    from mmzoo.data import Columns
    from mmzoo.heads import Head
    from mmzoo.sources import Data


@dataclass(frozen=True)
class Evaluation:
    """What came of running a model over a split.

    Attributes:
        split: the split's name.
        data: the name of the data that was really used.
        loss: what the objective minimises, as a mean over the examples.
        labels: each head's labels, as the source has them.
        predictions: each head's predictions, float32 `[rows, width]`.
        metrics: each head's metrics, as plain numbers, lists and None; with `labelled`, how many
            rows they are of, where some have no label.
    """

    split: str
    data: str
    loss: float
    labels: dict[str, np.ndarray]
    predictions: dict[str, np.ndarray]
    metrics: dict[str, dict[str, Any]]

    @property
    def examples(self) -> int:
        return len(next(iter(self.labels.values())))

    def as_metrics(self) -> dict[str, Any]:
        """The split's entry in metrics.json."""
        loss = self.loss if np.isfinite(self.loss) else None
        return {"data": self.data, "examples": self.examples, "loss": loss, **self.metrics}


def evaluate_model(model: keras.Model, config: Config, data: Data, split: str) -> Evaluation:
    """Runs a compiled model over one split; a DataError names files that cannot be decoded."""
    columns = data.splits[split]
    with naming_files(config, data, split):
        predictions, loss = _run(model, config, columns)
    labels = {name: columns[config.columns[name]] for name in config.heads}
    metrics = {
        name: _measured(head, labels[name], predictions[name])
        for name, head in config.heads.items()
    }
    return Evaluation(split, data.name, loss, labels, predictions, metrics)


def _measured(head: Head, labels: np.ndarray, predicted: np.ndarray) -> dict[str, Any]:
    """A head's metrics of the rows that have a label, and how many they are if not all have."""
    there = head.labelled(labels)
    if there.all():
        return head.evaluate(labels, predicted)
    metrics = head.evaluate(labels[there], predicted[there]) if there.any() else {}
    return {**metrics, "labelled": int(there.sum())}


def _run(
    model: keras.Model, config: Config, columns: Columns
) -> tuple[dict[str, np.ndarray], float]:
    batches = evaluation_batches(config, columns)

    @tf.function(input_signature=batches.element_spec, autograph=False)
    def score(inputs: Any, targets: Any, *weights: Any) -> tuple[Any, Any]:
        outputs = model(inputs, training=False)
        loss = model.compute_loss(inputs, targets, outputs, *weights, training=False)
        return outputs, loss

    score = score.get_concrete_function()  # One for batches of all sizes.
    outputs: dict[str, list[np.ndarray]] = {name: [] for name in config.heads}
    total, rows = 0.0, 0
    for batch in batches:
        batch_outputs, loss = score(*batch)
        for name, values in batch_outputs.items():
            outputs[name].append(values.numpy())
        size = len(outputs[name][-1])
        total, rows = total + float(loss) * size, rows + size
    return {name: np.concatenate(parts) for name, parts in outputs.items()}, total / rows
