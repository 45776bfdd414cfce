"""Running a model over a split, and the metrics of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from mmzoo.data import evaluation_batches, naming_files
from mmzoo.lazy import keras, tf
from mmzoo.probing import Probes, Said, with_features

if TYPE_CHECKING:
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
        probed: what the probes of a head say, by the head and their type.
        probe_metrics: the metrics of these, likewise.
    """

    split: str
    data: str
    loss: float
    labels: dict[str, np.ndarray]
    predictions: dict[str, np.ndarray]
    metrics: dict[str, dict[str, Any]]
    probed: dict[str, dict[str, np.ndarray]] = field(default_factory=dict)
    probe_metrics: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)

    @property
    def examples(self) -> int:
        return len(next(iter(self.labels.values())))

    @property
    def measured(self) -> list[str]:
        """The heads that some row has a label of; the others have no metrics."""
        return [name for name, found in self.metrics.items() if found.get("labelled") != 0]

    def as_metrics(self) -> dict[str, Any]:
        """The split's entry in metrics.json."""
        loss = self.loss if np.isfinite(self.loss) else None
        probes = {"probes": self.probe_metrics} if self.probe_metrics else {}
        entry = {"data": self.data, "examples": self.examples, "loss": loss}
        return {**entry, **self.metrics, **probes}


def evaluate_model(
    model: keras.Model, config: Config, data: Data, split: str, probes: Probes | None = None
) -> Evaluation:
    """Runs a compiled model over one split; a DataError names files that cannot be decoded."""
    columns, probes = data.splits[split], probes or {}
    with naming_files(config, data, split):
        said, loss = _run(model, config, columns, probes)
    predictions, probed = said.predictions, said.probed
    labels = {name: columns[config.columns[name]] for name in config.heads}
    metrics = {
        name: head_metrics(head, labels[name], predictions[name])
        for name, head in config.heads.items()
    }
    probe_metrics = {
        name: {kind: probes[name][kind].evaluate(labels[name], one) for kind, one in of.items()}
        for name, of in probed.items()
    }
    return Evaluation(split, data.name, loss, labels, predictions, metrics, probed, probe_metrics)


def head_metrics(head: Head, labels: np.ndarray, predicted: np.ndarray) -> dict[str, Any]:
    """A head's metrics of the rows that have a label, and how many they are if not all have."""
    there = head.labelled(labels)
    if there.all():
        return head.evaluate(labels, predicted)
    metrics = head.evaluate(labels[there], predicted[there]) if there.any() else {}
    return {**metrics, "labelled": int(there.sum())}


def _run(
    model: keras.Model, config: Config, columns: Columns, probes: Probes
) -> tuple[Said, float]:
    """What the heads and their probes say, and the loss."""
    batches = evaluation_batches(config, columns)
    whole = with_features(model, list(probes))

    @tf.function(input_signature=[batches.element_spec], autograph=False)
    def score(batch: tuple[Any, ...]) -> tuple[Any, Any, Any]:
        inputs, targets, *weights = batch
        outputs, read = whole(inputs, training=False)
        loss = model.compute_loss(inputs, targets, outputs, *weights, training=False)
        return outputs, read, loss

    score = score.get_concrete_function()  # One for batches of all sizes.
    said, total, rows = Said(config.heads, probes), 0.0, 0
    for batch in batches:
        outputs, read, loss = score(batch)
        said.add(outputs, read)
        size = len(next(iter(outputs.values())))
        total, rows = total + float(loss) * size, rows + size
    return said, total / rows
