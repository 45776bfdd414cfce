"""Fitted probes of a run: fitting after the training, storage and predictions."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mmzoo.batches import Columns, evaluation_batches
from mmzoo.config import Config
from mmzoo.errors import RunError
from mmzoo.files import read_arrays, write_arrays, write_text
from mmzoo.heads import BaseHead, ChoosesClass, LabelledHead, has_predictions
from mmzoo.lazy import keras, tf
from mmzoo.model_graph import head_inputs
from mmzoo.probes import Arrays, Probe, probes_of
from mmzoo.runs import Run

if TYPE_CHECKING:
    from numpy.typing import NDArray

logger = logging.getLogger(__name__)

_MOST_NUMBERS = 50_000_000
"""Most numbers in the features of a fit: 200 MB, which take 400 MB in scikit-learn."""
_NEED_PROBABILITIES = ("cross_entropy", "expected_calibration_error")
"""Metrics that need probabilities."""


@dataclass(frozen=True)
class FittedProbe:
    """A fitted probe of one head."""

    head: LabelledHead
    spec: Probe
    arrays: Arrays

    def predict(self, features: NDArray[np.float32]) -> np.ndarray:
        """Predictions, float `[rows, width]`, in the format of the head's predictions."""
        predicted = self.spec.predict(self.arrays, features)
        if isinstance(self.head, ChoosesClass):
            # Classes without training examples get probability 0.
            full = np.zeros((len(predicted), len(self.head.class_names or ())))
            full[:, self.arrays["classes"]] = predicted
            predicted = full if self.head.output_kind == "classes" else full[:, 1:]
            return predicted.astype(np.float32)
        return predicted  # Numbers of any size, which float32 might round.

    def evaluate(self, labels: np.ndarray, predicted: np.ndarray) -> dict[str, Any]:
        """The head's metrics of the probe's predictions, over labelled rows.

        Metrics that need probabilities are omitted if the probe has none. If some labels are
        missing, `labelled` is the number of labelled rows.
        """
        labelled = self.head.labelled(labels)
        metrics: dict[str, Any] = {}
        if labelled.any():
            metrics = self._scoring_head.evaluate(labels[labelled], predicted[labelled])
        if not (self.spec.has_probabilities or self.head.output_kind == "numbers"):
            metrics = {name: of for name, of in metrics.items() if name not in _NEED_PROBABILITIES}
        return metrics if labelled.all() else {**metrics, "labelled": int(labelled.sum())}

    def decode(self, predicted: np.ndarray, name: str) -> dict[str, list[Any]]:
        """Decodes predictions to columns of a table, named after the head and the probe."""
        columns = self._scoring_head.decode(predicted, f"{name}_{self.spec.type}")
        return {
            key: list(values)
            for key, values in columns.items()
            if self.spec.has_probabilities or not key.endswith("_probability")
        }

    @property
    def _scoring_head(self) -> LabelledHead:
        """The head that evaluates and decodes, with a threshold for the probe's outputs."""
        if self.spec.has_probabilities or self.head.output_kind != "probabilities":
            return self.head
        return self.head.replace(threshold=0.5)


Probes = Mapping[str, Mapping[str, FittedProbe]]
"""Head -> type of probe -> the fitted probe."""


def requested_probes(config: Config) -> Iterator[tuple[str, Probe]]:
    """Yields each head with each of the config's probes that can learn its labels."""
    for name, head in config.labelled_heads.items():
        for probe in probes_of(config.probes):
            if head.role in probe.predicts:
                yield name, probe


def with_features(model: keras.Model, heads: Iterator[str] | list[str]) -> keras.Model:
    """A model of the same layers that also outputs the heads' inputs, as features for probes.

    Returns:
        A model with the same inputs and two outputs: predictions by head; and, for each of `heads`,
        a list of tensors.
    """
    features = {name: head_inputs(model, [name]) for name in heads}
    for name, tensor in model.input.items():
        tensor.name = name  # Keras renames the inputs of cached features in its copy.
    return keras.Model(model.input, (model.output, features))


def concat_features(tensors: list[tf.Tensor]) -> NDArray[np.float32]:
    """Concatenates the inputs of a head to features for a probe, `[rows, width]`."""
    parts = [np.asarray(tensor).astype(np.float32) for tensor in tensors]
    return np.concatenate([part.reshape(len(part), -1) for part in parts], axis=1)


class CollectedPredictions:
    """Predictions of heads and their probes, collected over batches.

    Args:
        heads: heads by name. Only outputs that are evaluated or written are collected.
        probes: the fitted probes of the run.
    """

    def __init__(self, heads: Mapping[str, BaseHead], probes: Probes) -> None:
        self._heads, self._probes = heads, probes
        self._predictions: dict[str, list[np.ndarray]] = {
            name: [] for name, head in heads.items() if has_predictions(head)
        }
        self._probed: dict[str, dict[str, list[np.ndarray]]] = {
            name: {kind: [] for kind in of} for name, of in probes.items()
        }

    def of_batch(
        self, outputs: Mapping[str, tf.Tensor], inputs: Mapping[str, tf.Tensor]
    ) -> dict[str, tf.Tensor]:
        """The collected part of a batch of outputs and model inputs; part of a compiled graph."""
        return {
            name: self._heads[name].collected(outputs[name], inputs) for name in self._predictions
        }

    def add(
        self, outputs: Mapping[str, tf.Tensor], features: Mapping[str, list[tf.Tensor]]
    ) -> None:
        """Adds a batch: its `of_batch`, and the features that a model `with_features` outputs."""
        for name, parts in self._predictions.items():
            parts.append(self._heads[name].predictions(outputs[name].numpy()))
        for name, of in self._probes.items():
            head_features = concat_features(features[name])
            for kind, probe in of.items():
                self._probed[name][kind].append(probe.predict(head_features))

    @property
    def predictions(self) -> dict[str, np.ndarray]:
        """Head -> predictions, float `[rows, ...]`."""
        return {name: np.concatenate(parts) for name, parts in self._predictions.items()}

    @property
    def probed(self) -> dict[str, dict[str, np.ndarray]]:
        """Head -> type of probe -> predictions, float `[rows, width]`."""
        return {
            name: {kind: np.concatenate(parts) for kind, parts in of.items()}
            for name, of in self._probed.items()
        }


def fit_probes(model: keras.Model, config: Config, columns: Columns, run: Run) -> Probes:
    """Fits the requested probes to the training split, and stores them in the run.

    Args:
        model: the model with the run's best weights.
        config: the fitted config.
        columns: the transformed training split.
        run: the run.
    """
    requested = list(requested_probes(config))
    if not requested:
        return {}
    whole = with_features(model, list(dict.fromkeys(name for name, _ in requested)))
    rows = _sample_rows(whole, config, columns, [probe for _, probe in requested])
    features = _features(whole, config, {name: values[rows] for name, values in columns.items()})
    fitted: dict[str, dict[str, FittedProbe]] = {}
    for name, spec in requested:
        head, labels = config.labelled_heads[name], columns[config.columns[name]][rows]
        title = f"The probe {spec.type} of {name}"
        chosen = np.flatnonzero(head.labelled(labels))[: spec.examples]
        targets = _probe_targets(head, labels[chosen])
        if reason := _reason_to_skip(targets):
            logger.info(f"{title} is skipped: {reason}.")
            continue
        arrays, notes = spec.fit(features[name][chosen], targets, config.train.seed)
        examples = int(head.labelled(columns[config.columns[name]]).sum())
        if len(chosen) < examples:
            counted = f"{len(chosen):,} of {examples:,} training examples"
            logger.info(f"{title} is fitted to a random sample of {counted}.")
        for note in notes:
            logger.info(f"{title} {note}.")
        write_arrays(run.probe(name, spec.type), arrays)
        record = {
            "head": name,
            **spec.model_dump(mode="json"),
            "fitted_to": len(chosen),
            "features": features[name].shape[1],
        }
        write_text(run.probe_record(name, spec.type), json.dumps(record, indent=2) + "\n")
        fitted.setdefault(name, {})[spec.type] = FittedProbe(head, spec, spec.prepare(arrays))
    return fitted


def usable_probes(run: Run, config: Config, model: keras.Model, checkpoint: str | Path) -> Probes:
    """The run's fitted probes, if they were fitted to the features of these weights.

    Raises:
        RunError: a file is damaged, or belongs to another model.
    """
    if not config.probes:
        return {}
    if checkpoint != "best":
        logger.info("Note: the probes are skipped: they were fitted to the best weights.")
        return {}
    probes = load_probes(run, config, model)
    if not probes and "test" in run.metrics():
        logger.info(
            "Note: the run is finished and has no probes; see its train.log for the reason."
        )
    elif not probes:
        logger.info("Note: no probes are fitted yet; `mmzoo train --resume` finishes the training.")
    return probes


def load_probes(run: Run, config: Config, model: keras.Model) -> Probes:
    """The fitted probes of a run.

    Raises:
        RunError: a file is damaged, or belongs to another model.
    """
    fitted: dict[str, dict[str, FittedProbe]] = {}
    for name, spec in requested_probes(config):
        path = run.probe(name, spec.type)
        if not path.is_file():
            continue
        arrays = read_arrays(path)
        width = sum(int(np.prod(tensor.shape[1:])) for tensor in head_inputs(model, [name]))
        try:
            probe = FittedProbe(config.labelled_heads[name], spec, spec.prepare(arrays))
            probe.predict(np.zeros((1, width), np.float32))
        except (KeyError, IndexError, ValueError) as error:
            raise RunError(
                f"{path}: fitted to another model; this one has {width} features for {name}. Train "
                "again."
            ) from error
        fitted.setdefault(name, {})[spec.type] = probe
    return fitted


def _sample_rows(
    whole: keras.Model, config: Config, columns: Columns, probes: list[Probe]
) -> NDArray[np.int64]:
    """A seeded random sample of rows, as large as the probes and the memory limit allow."""
    rows = len(next(iter(columns.values())))
    _, features = whole.output
    widest = max(sum(int(np.prod(t.shape[1:])) for t in tensors) for tensors in features.values())
    most = min(max(probe.examples for probe in probes), max(1, _MOST_NUMBERS // widest))
    return np.random.RandomState(config.train.seed).permutation(rows)[:most]


def _features(
    whole: keras.Model, config: Config, columns: Columns
) -> dict[str, NDArray[np.float32]]:
    batches = evaluation_batches(config, columns, labelled=False)

    @tf.function(input_signature=batches.element_spec, autograph=False)
    def compute(inputs: Mapping[str, tf.Tensor]) -> Mapping[str, list[tf.Tensor]]:
        return whole(inputs, training=False)[1]

    compute = compute.get_concrete_function()  # One graph for batches of all sizes.
    parts: dict[str, list[NDArray[np.float32]]] = {}
    for (inputs,) in batches:
        for name, tensors in compute(inputs).items():
            parts.setdefault(name, []).append(concat_features(tensors))
    return {name: np.concatenate(of) for name, of in parts.items()}


def _reason_to_skip(targets: np.ndarray) -> str:
    """The reason why no probe can be fitted to these targets, or ""."""
    if len(targets) == 0:
        return "no example has a label"
    if targets.dtype.kind in "iu" and len(np.unique(targets)) < 2:
        return "all examples have the same class"
    return ""


def _probe_targets(head: LabelledHead, labels: np.ndarray) -> np.ndarray:
    """The labels as targets of a probe: class indices or floats."""
    if isinstance(head, ChoosesClass):
        return head.class_labels(labels)
    return head.perfect_output(labels)
