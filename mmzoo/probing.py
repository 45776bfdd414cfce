"""Probing: a run's probes, fitted once its network is trained, and what they say of examples."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mmzoo.anatomy import read_by
from mmzoo.arrays import read_arrays, write_arrays
from mmzoo.config import Config
from mmzoo.data import Columns, evaluation_batches
from mmzoo.errors import RunError
from mmzoo.files import write_text
from mmzoo.heads import Binary, Classification, Head, Regression
from mmzoo.lazy import keras, tf
from mmzoo.probes import Arrays, Probe, probes_of
from mmzoo.runs import Run

if TYPE_CHECKING:
    from numpy.typing import NDArray

logger = logging.getLogger(__name__)

_MOST_NUMBERS = 50_000_000
"""In the features that probes are fitted to: 200 MB, of which scikit-learn makes 400 MB."""
_NOT_OF_DECISIONS = ("cross_entropy", "expected_calibration_error")
"""Metrics that mean something of probabilities only."""


@dataclass(frozen=True)
class FittedProbe:
    """A probe of one head, with what it has learnt."""

    head: Head
    spec: Probe
    arrays: Arrays

    def predict(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """What it says, float32 `[rows, width]`, in the form of the head's own predictions."""
        said = self.spec.predict(self.arrays, features)
        if isinstance(self.head, Classification | Binary):
            whole = np.zeros((len(said), len(self.head.class_names or ())))
            whole[:, self.arrays["classes"]] = said
            said = whole[:, 1:] if isinstance(self.head, Binary) else whole
        return said.astype(np.float32)

    def evaluate(self, labels: np.ndarray, predicted: np.ndarray) -> dict[str, Any]:
        """The head's metrics of it, as far as they mean something, of rows that have a label.

        With `labelled`, how many rows those are, where some have no label.
        """
        there = self.head.labelled(labels)
        metrics = self._judge.evaluate(labels[there], predicted[there]) if there.any() else {}
        if not (self.spec.probable or isinstance(self.head, Regression)):
            metrics = {name: of for name, of in metrics.items() if name not in _NOT_OF_DECISIONS}
        return metrics if there.all() else {**metrics, "labelled": int(there.sum())}

    def written(self, predicted: np.ndarray, name: str) -> dict[str, list[Any]]:
        """Predictions as columns of a table, which are called after the head of this name."""
        columns = self._judge.written(predicted, f"{name}_{self.spec.type}")
        return {
            key: list(values)
            for key, values in columns.items()
            if self.spec.probable or not key.endswith("_probability")
        }

    @property
    def _judge(self) -> Head:
        """The head, with a threshold that fits what the probe says."""
        if self.spec.probable or not isinstance(self.head, Binary):
            return self.head
        return self.head.replace(threshold=0.5)


Probes = Mapping[str, Mapping[str, FittedProbe]]
"""Head -> type -> the fitted probe."""


def probes_asked(config: Config) -> Iterator[tuple[str, Probe]]:
    """Each head with each probe that can learn its labels."""
    for name, head in config.heads.items():
        for probe in probes_of(config.probes):
            if head.role in probe.predicts:
                yield name, probe


def with_features(model: keras.Model, heads: Iterator[str] | list[str]) -> keras.Model:
    """The same layers, which give two dictionaries: what heads predict, and what they read.

    Returns:
        A model of the same inputs; by the name of each of these heads, what it reads is a list of
        tensors.
    """
    read = {name: read_by(model, [name]) for name in heads}
    for name, tensor in model.input.items():
        tensor.name = name  # Where features were kept, Keras has given its copy another one.
    return keras.Model(model.input, (model.output, read))


def side_by_side(read: list[tf.Tensor]) -> NDArray[np.float32]:
    """What a head reads as features of a probe, `[rows, width]`."""
    parts = [np.asarray(tensor).astype(np.float32) for tensor in read]
    return np.concatenate([part.reshape(len(part), -1) for part in parts], axis=1)


class Said:
    """What a model's heads, and the probes of these, say of the rows of all batches so far.

    Args:
        heads: the names of the heads.
        probes: of the run.
    """

    def __init__(self, heads: Iterable[str], probes: Probes) -> None:
        self._probes = probes
        self._predictions: dict[str, list[np.ndarray]] = {name: [] for name in heads}
        self._probed: dict[str, dict[str, list[np.ndarray]]] = {
            name: {kind: [] for kind in of} for name, of in probes.items()
        }

    def add(self, outputs: Mapping[str, tf.Tensor], read: Mapping[str, list[tf.Tensor]]) -> None:
        """Takes in one batch, as a model `with_features` gives it."""
        for name, parts in self._predictions.items():
            parts.append(outputs[name].numpy())
        for name, of in self._probes.items():
            features = side_by_side(read[name])
            for kind, probe in of.items():
                self._probed[name][kind].append(probe.predict(features))

    @property
    def predictions(self) -> dict[str, np.ndarray]:
        """Of each head, float32 `[rows, width]`."""
        return {name: np.concatenate(parts) for name, parts in self._predictions.items()}

    @property
    def probed(self) -> dict[str, dict[str, np.ndarray]]:
        """Of each head and each of its probes, likewise."""
        return {
            name: {kind: np.concatenate(parts) for kind, parts in of.items()}
            for name, of in self._probed.items()
        }


def fit_probes(model: keras.Model, config: Config, columns: Columns, run: Run) -> Probes:
    """Fits the probes that a config asks for to the training split, and puts them into the run.

    Args:
        model: with the weights that the run is used with.
        config: fitted to the data.
        columns: of the training split, prepared.
        run: the run.
    """
    asked = list(probes_asked(config))
    if not asked:
        return {}
    whole = with_features(model, list(dict.fromkeys(name for name, _ in asked)))
    rows = _drawn(whole, config, columns, [probe for _, probe in asked])
    features = _features(whole, config, {name: values[rows] for name, values in columns.items()})
    fitted: dict[str, dict[str, FittedProbe]] = {}
    for name, spec in asked:
        head, labels = config.heads[name], columns[config.columns[name]][rows]
        called = f"The probe {spec.type} of {name}"
        taken = np.flatnonzero(head.labelled(labels))[: spec.examples]
        targets = _targets(head, labels[taken])
        if why := _nothing_to_learn(targets):
            logger.info(f"{called} is left out: {why}.")
            continue
        arrays, notes = spec.fit(features[name][taken], targets, config.train.seed)
        examples = int(head.labelled(columns[config.columns[name]]).sum())
        if len(taken) < examples:
            counted = f"{len(taken):,} of {examples:,} training examples"
            logger.info(f"{called} is fitted to {counted}, drawn by the seed.")
        for note in notes:
            logger.info(f"{called} {note}.")
        write_arrays(run.probe(name, spec.type), arrays)
        record = {
            "head": name,
            **spec.model_dump(mode="json"),
            "fitted_to": len(taken),
            "features": features[name].shape[1],
        }
        write_text(run.probe_record(name, spec.type), json.dumps(record, indent=2) + "\n")
        fitted.setdefault(name, {})[spec.type] = FittedProbe(head, spec, spec.opened(arrays))
    return fitted


def usable_probes(run: Run, config: Config, model: keras.Model, checkpoint: str | Path) -> Probes:
    """The run's probes, where they were fitted to what these weights make of examples.

    Raises:
        RunError: a file is damaged, or is not of this model.
    """
    if not config.probes:
        return {}
    if checkpoint != "best":
        logger.info("Note: the probes are left out: they were fitted to the best weights.")
        return {}
    probes = load_probes(run, config, model)
    if not probes and "test" in run.metrics():
        logger.info("Note: the run is finished and has no probes; its train.log says why.")
    elif not probes:
        logger.info("Note: no probes are fitted yet; `mmzoo train --resume` finishes the training.")
    return probes


def load_probes(run: Run, config: Config, model: keras.Model) -> Probes:
    """The probes of a run, as far as they were fitted.

    Raises:
        RunError: a file is damaged, or is not of this model.
    """
    fitted: dict[str, dict[str, FittedProbe]] = {}
    for name, spec in probes_asked(config):
        path = run.probe(name, spec.type)
        if not path.is_file():
            continue
        arrays = read_arrays(path)
        width = sum(int(np.prod(tensor.shape[1:])) for tensor in read_by(model, [name]))
        try:
            probe = FittedProbe(config.heads[name], spec, spec.opened(arrays))
            probe.predict(np.zeros((1, width), np.float32))
        except (KeyError, IndexError, ValueError) as error:
            raise RunError(
                f"{path}: not of this model, which has {width} features for {name}. Train anew."
            ) from error
        fitted.setdefault(name, {})[spec.type] = probe
    return fitted


def _drawn(
    whole: keras.Model, config: Config, columns: Columns, probes: list[Probe]
) -> NDArray[np.int64]:
    """Rows in a random order, the same every time, as many as any of the probes may have."""
    rows = len(next(iter(columns.values())))
    _, read = whole.output
    widest = max(sum(int(np.prod(t.shape[1:])) for t in tensors) for tensors in read.values())
    most = min(max(probe.examples for probe in probes), max(1, _MOST_NUMBERS // widest))
    return np.random.RandomState(config.train.seed).permutation(rows)[:most]


def _features(
    whole: keras.Model, config: Config, columns: Columns
) -> dict[str, NDArray[np.float32]]:
    batches = evaluation_batches(config, columns, labelled=False)

    @tf.function(input_signature=batches.element_spec, autograph=False)
    def compute(inputs: Mapping[str, tf.Tensor]) -> Mapping[str, list[tf.Tensor]]:
        return whole(inputs, training=False)[1]

    compute = compute.get_concrete_function()  # One for batches of all sizes.
    parts: dict[str, list[NDArray[np.float32]]] = {}
    for (inputs,) in batches:
        for name, read in compute(inputs).items():
            parts.setdefault(name, []).append(side_by_side(read))
    return {name: np.concatenate(of) for name, of in parts.items()}


def _nothing_to_learn(targets: np.ndarray) -> str:
    """Why nothing can be fitted to these targets, if that is so."""
    if len(targets) == 0:
        return "no example has a label"
    if targets.dtype.kind in "iu" and len(np.unique(targets)) < 2:
        return "all examples are of one class"
    return ""


def _targets(head: Head, labels: np.ndarray) -> np.ndarray:
    """Labels as probes take them."""
    if isinstance(head, Classification | Binary):
        return head.class_labels(labels)
    return labels.reshape(len(labels), -1).astype(np.float64)
