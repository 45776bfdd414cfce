"""Evaluation of a model on a split."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from mmzoo.batches import evaluation_batches
from mmzoo.decoded_files import reraise_with_file_names
from mmzoo.evaluation.evidence import evidence
from mmzoo.fitted_probes import CollectedPredictions, Probes, with_features
from mmzoo.heads import BaseHead, ChoosesClass, EvaluatesOutputs, LabelledHead, ScoresExamples
from mmzoo.lazy import keras, tf

if TYPE_CHECKING:
    from mmzoo.batches import Columns
    from mmzoo.config import Config
    from mmzoo.preprocessing import Arrays


@dataclass(frozen=True)
class Evaluation:
    """The result of running a model on a split.

    Attributes:
        split: the split's name.
        data: the name of the data that was used.
        examples: the number of rows.
        loss: the objective's loss, the mean over the rows.
        labels: labelled head -> its labels, `[rows]` or `[rows, width]`.
        predictions: head -> its predictions, float `[rows, ...]`, if they are evaluated or
            written.
        metrics: head -> metrics, as JSON-compatible numbers, lists and None. If some labels are
            missing, `labelled` is the number of labelled rows.
        scored: head whose predictions are scored one by one -> the rows that have a label or
            target, bool `[rows]`.
        fusion: the metrics of the fusion, if its code has a prior: see `evidence`.
        probed: head -> type of probe -> predictions.
        probe_metrics: head -> type of probe -> metrics.
        generated: metrics of generated images, if they were judged.
    """

    split: str
    data: str
    examples: int
    loss: float
    labels: dict[str, np.ndarray]
    predictions: dict[str, np.ndarray]
    metrics: dict[str, dict[str, Any]]
    scored: dict[str, np.ndarray]
    fusion: dict[str, Any] = field(default_factory=dict)
    probed: dict[str, dict[str, np.ndarray]] = field(default_factory=dict)
    probe_metrics: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    generated: dict[str, Any] = field(default_factory=dict)

    @property
    def measured(self) -> list[str]:
        """The heads with a scored row, whose scores can be compared between models."""
        return [name for name, rows in self.scored.items() if rows.any()]

    def labels_of(self, name: str, rows: np.ndarray) -> np.ndarray | None:
        """The labels of some rows; None for a head without labels."""
        return self.labels[name][rows] if name in self.labels else None

    def as_metrics(self) -> dict[str, Any]:
        """The split's entry in metrics.json."""
        loss = self.loss if np.isfinite(self.loss) else None
        probes = {"probes": self.probe_metrics} if self.probe_metrics else {}
        entry = {"data": self.data, "examples": self.examples, "loss": loss}
        fusion = {"fusion": self.fusion} if self.fusion else {}
        generated = {"generated": self.generated} if self.generated else {}
        return {**entry, **self.metrics, **fusion, **generated, **probes}


def evaluate_model(
    model: keras.Model, config: Config, data: Arrays, split: str, probes: Probes | None = None
) -> Evaluation:
    """Evaluates a compiled model on one split.

    Raises:
        DataError: a file cannot be decoded.
    """
    columns, probes = data.splits[split], probes or {}
    with reraise_with_file_names(config, data, split):
        collected, loss, running = _run(model, config, columns, probes)
    predictions, probed = collected.predictions, collected.probed
    labels = {name: columns[config.columns[name]] for name in config.labelled_heads}
    metrics: dict[str, dict[str, Any]] = {}
    scored: dict[str, np.ndarray] = {}
    for name, head in config.heads.items():
        if isinstance(head, LabelledHead):
            metrics[name] = head_metrics(head, labels[name], predictions[name])
            scored[name] = head.labelled(labels[name])
            continue
        metrics[name] = running[name].results()
        if isinstance(head, EvaluatesOutputs):
            metrics[name] |= head.evaluate(_classes(head, config, labels), predictions[name])
        if isinstance(head, ScoresExamples):
            scored[name] = ~np.isnan(head.example_scores(None, predictions[name]))
    probe_metrics = {
        name: {kind: probes[name][kind].evaluate(labels[name], one) for kind, one in of.items()}
        for name, of in probed.items()
    }
    return Evaluation(
        split=split,
        data=data.name,
        examples=data.examples(split),
        loss=loss,
        labels=labels,
        predictions=predictions,
        metrics=metrics,
        scored=scored,
        fusion=evidence(model, config, data, split),
        probed=probed,
        probe_metrics=probe_metrics,
    )


def _classes(head: BaseHead, config: Config, labels: Mapping[str, np.ndarray]) -> np.ndarray | None:
    """The class ids of the rows for a head without labels, -1 where missing, if it uses any."""
    name = head.class_head(config.heads)
    if name is None:
        return None
    other = config.labelled_heads[name]
    assert isinstance(other, ChoosesClass)
    classes = other.class_labels(labels[name])
    return np.where(other.labelled(labels[name]), classes, -1)


def head_metrics(head: LabelledHead, labels: np.ndarray, predicted: np.ndarray) -> dict[str, Any]:
    """A head's metrics over labelled rows, with their number if some labels are missing."""
    labelled = head.labelled(labels)
    if labelled.all():
        return head.evaluate(labels, predicted)
    metrics = head.evaluate(labels[labelled], predicted[labelled]) if labelled.any() else {}
    return {**metrics, "labelled": int(labelled.sum())}


def _run(
    model: keras.Model, config: Config, columns: Columns, probes: Probes
) -> tuple[CollectedPredictions, float, dict[str, _RunningMetrics]]:
    """Predictions of heads and probes, the loss, and the metrics of heads without labels."""
    batches = evaluation_batches(config, columns)
    running = {
        name: _RunningMetrics(head, config.soft_targets)
        for name, head in config.heads.items()
        if not isinstance(head, LabelledHead)
    }
    with_probe_features = with_features(model, list(probes))
    collected, total, rows = CollectedPredictions(config.heads, probes), 0.0, 0

    @tf.function(input_signature=[batches.element_spec], autograph=False)
    def score(batch: tuple[Any, ...]) -> tuple[Any, Any, Any, Any]:
        inputs, targets, *weights = batch
        outputs, features = with_probe_features(inputs, training=False)
        loss = model.compute_loss(inputs, targets, outputs, *weights, training=False)
        return outputs, collected.of_batch(outputs, inputs), features, loss

    score = score.get_concrete_function()  # One graph for batches of all sizes.
    for batch in batches:
        outputs, predicted, features, loss = score(batch)
        collected.add(predicted, features)
        _, targets, *weights = batch
        for name, metrics in running.items():
            metrics.update(targets[name], outputs[name], weights[0][name] if weights else None)
        size = len(next(iter(outputs.values())))
        total, rows = total + float(loss) * size, rows + size
    return collected, total / rows, running


class _RunningMetrics:
    """The loss and metrics of a head without labels, updated per batch as outputs may be large."""

    def __init__(self, head: BaseHead, soft: bool) -> None:
        self._loss, self._metrics = head.compile_loss(soft), head.compile_metrics(soft)
        self._total, self._rows = 0.0, 0

    def update(self, targets: tf.Tensor, outputs: tf.Tensor, weights: tf.Tensor | None) -> None:
        """Adds a batch, with the weight of each example in the loss."""
        rows = len(outputs)
        self._total += float(self._loss(targets, outputs, weights)) * rows
        self._rows += rows
        for metric in self._metrics:
            metric.update_state(targets, outputs)

    def results(self) -> dict[str, float | None]:
        """The mean loss and the metrics by name; None for values that are not finite."""
        results = {metric.name: float(metric.result()) for metric in self._metrics}
        results = {"loss": self._total / self._rows, **results}
        return {name: value if np.isfinite(value) else None for name, value in results.items()}
