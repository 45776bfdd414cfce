"""Running a model over a split, and the metrics of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from mmzoo.data import evaluation_batches, naming_files
from mmzoo.lazy import tf
from mmzoo.probing import Probes, side_by_side, with_features

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
        predictions, probed, loss = _run(model, config, columns, probes)
    labels = {name: columns[config.columns[name]] for name in config.heads}
    metrics = {
        name: head_metrics(head, labels[name], predictions[name])
        for name, head in config.heads.items()
    }
    probe_metrics = {
        name: {kind: probes[name][kind].evaluate(labels[name], said) for kind, said in of.items()}
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
) -> tuple[dict[str, np.ndarray], dict[str, dict[str, np.ndarray]], float]:
    """What the heads say, what their probes say, and the loss."""
    batches = evaluation_batches(config, columns)
    whole = with_features(model, list(probes)) if probes else None

    @tf.function(input_signature=[batches.element_spec], autograph=False)
    def score(batch: tuple[Any, ...]) -> tuple[Any, Any, Any]:
        inputs, targets, *weights = batch
        if whole is None:
            outputs, read = model(inputs, training=False), {}
        else:
            outputs, read = whole(inputs, training=False)
        loss = model.compute_loss(inputs, targets, outputs, *weights, training=False)
        return outputs, read, loss

    score = score.get_concrete_function()  # One for batches of all sizes.
    outputs: dict[str, list[np.ndarray]] = {name: [] for name in config.heads}
    probed: dict[str, dict[str, list[np.ndarray]]] = {
        name: {kind: [] for kind in of} for name, of in probes.items()
    }
    total, rows = 0.0, 0
    for batch in batches:
        batch_outputs, read, loss = score(batch)
        for name in config.heads:
            outputs[name].append(batch_outputs[name].numpy())
        for name, of in probes.items():
            features = side_by_side(read[name])
            for kind, probe in of.items():
                probed[name][kind].append(probe.predict(features))
        size = len(outputs[name][-1])
        total, rows = total + float(loss) * size, rows + size
    return (
        {name: np.concatenate(parts) for name, parts in outputs.items()},
        {
            name: {kind: np.concatenate(parts) for kind, parts in of.items()}
            for name, of in probed.items()
        },
        total / rows,
    )
