"""Multi-label classification."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Annotated, Any, Literal, Self

from annotated_types import MinLen

from mmzoo.column_spec import ColumnSpec
from mmzoo.errors import DataError
from mmzoo.heads.labelled_head import (
    LabelledHead,
    SigmoidLoss,
    keras_threshold,
    sigmoid_loss,
    smoothing_rules,
)
from mmzoo.lazy import keras, np, tf
from mmzoo.spec import Fraction, NonNegativeFloat, PositiveInt, Problem, Rate


class Multilabel(LabelledHead):
    """Multi-label classification: one sigmoid output per label.

    Labels are multi-hot rows, or class ids, which count as sets of one label.
    """

    role = "labels"
    metric_names = ("f1", "label_accuracy")
    output_kind = "probabilities"

    type: Literal["multilabel"] = "multilabel"
    classes: PositiveInt | None = None
    """Number of labels; by default that of the data."""
    class_names: tuple[str, ...] | None = None
    """The label names, in order; by default those of the data."""
    loss: SigmoidLoss = "cross_entropy"
    """The loss, computed for each label."""
    label_smoothing: Rate = 0.0
    """Label smoothing: share by which targets are moved towards 0.5."""
    focal_gamma: NonNegativeFloat = 2.0
    """Focusing parameter of the focal loss: how strongly it down-weights easy labels."""
    separator: Annotated[str, MinLen(1)] = "|"
    """What separates several labels in a cell of a text table, and in predictions. Spaces around
    labels are ignored. A cell with only the separator has no labels, while an empty cell is a
    missing label. If all cells are lists, such as `['a', 'b']`, they are read as such instead;
    predictions are written so if a label contains the separator."""
    threshold: Fraction = 0.5
    """The decision threshold: labels with this probability or more are predicted."""

    def rules(self) -> Iterator[Problem]:
        if self.classes and self.class_names and len(self.class_names) != self.classes:
            yield Problem(
                ("class_names",),
                f"expected as many names as `classes`, {self.classes}; got {len(self.class_names)}",
            )
        yield from smoothing_rules(self.loss, self.label_smoothing)

    def required_columns(self) -> dict[str, ColumnSpec]:
        return {
            column: replace(spec, separator=self.separator)
            for column, spec in super().required_columns().items()
        }

    @property
    def known_names(self) -> tuple[str, ...] | None:
        return self.class_names

    @property
    def is_fitted(self) -> bool:
        return self.classes is not None

    def output_names(self, name: str) -> tuple[str, ...]:
        assert self.class_names is not None
        return self.class_names

    def fit(self, labels: np.ndarray, names: tuple[str, ...] | None, where: str) -> Self:
        if labels.ndim not in (1, 2) or labels.dtype.kind not in (
            "iufb" if labels.ndim == 2 else "iu"
        ):
            raise DataError(
                f"{where}: expected zeros and ones, or one class id, in each row for a "
                f"multilabel head; got {labels.dtype} of shape {list(labels.shape)}"
            )
        given = self.classes or (self.class_names and len(self.class_names))
        found = labels.shape[1] if labels.ndim == 2 else names and len(names)
        if given and found and given != found:
            field = "classes" if self.classes else "class_names"
            raise DataError(
                f"{where}: the data has {found} labels, but the config's `{field}` has {given}. "
                "Leave it out to use those of the data."
            )
        classes = given or found or int(labels.max()) + 1
        class_names = self.class_names or names or tuple(str(n) for n in range(classes))
        fitted = self.replace(classes=classes, class_names=class_names)
        fitted.check(labels, where)
        return fitted

    def check(self, labels: np.ndarray, where: str) -> None:
        assert self.classes is not None
        if labels.ndim == 2:
            fits = labels.shape[1] == self.classes and ((labels == 0) | (labels == 1)).all()
        else:
            fits = not len(labels) or (labels.min() >= 0 and labels.max() < self.classes)
        if not fits:
            raise DataError(
                f"{where}: expected {self.classes} zeros and ones in each row, "
                f"or one class id from 0 to {self.classes - 1}"
            )

    def output(self, features: keras.KerasTensor, name: str) -> keras.KerasTensor:
        return keras.layers.Dense(self.classes, "sigmoid", dtype="float32", name=name)(features)

    def target(self, labels: tf.Tensor, soft: bool) -> tf.Tensor:
        if labels.shape.rank == 1:
            return tf.one_hot(labels, self.classes)
        return tf.cast(labels, tf.float32)

    def keras_loss(self, soft: bool) -> keras.losses.Loss:
        return sigmoid_loss(self.loss, self.label_smoothing, self.focal_gamma)

    def keras_metrics(self, soft: bool) -> list[keras.metrics.Metric]:
        threshold = keras_threshold(self.threshold)
        return [
            keras.metrics.F1Score(average="macro", threshold=max(threshold, 1e-30), name="f1"),
            keras.metrics.BinaryAccuracy(name="label_accuracy", threshold=threshold),
        ]

    def evaluate(self, labels: np.ndarray, predicted: np.ndarray) -> dict[str, Any]:
        from mmzoo.metrics import multilabel_metrics

        return multilabel_metrics(self.label_rows(labels), predicted, self.threshold)

    def example_scores(self, labels: np.ndarray, predicted: np.ndarray) -> np.ndarray:
        """1 if all labels are correct, else 0: the mean is the subset accuracy."""
        is_predicted = predicted >= self.threshold
        return (is_predicted == (self.label_rows(labels) == 1)).all(axis=1).astype("float64")

    def perfect_output(self, labels: np.ndarray) -> np.ndarray:
        return self.label_rows(labels).astype("float64")

    def decode_labels(self, labels: np.ndarray) -> list[Any]:
        return self._label_text(self.label_rows(labels) == 1)

    def decode(self, predicted: np.ndarray, name: str, top: int = 0) -> Mapping[str, list[Any]]:
        assert self.class_names is not None
        texts = self._label_text(predicted >= self.threshold)
        probabilities = {
            f"{name}_{label}_probability": [float(value) for value in predicted[:, index]]
            for index, label in enumerate(self.class_names)
        }
        return {name: texts, **probabilities}

    def synthetic(self, random: np.random.RandomState, rows: int) -> np.ndarray:
        return random.randint(0, 2, (rows, self.classes or len(self.class_names or "abc")))

    def label_rows(self, labels: np.ndarray) -> np.ndarray:
        """Multi-hot labels, int64 `[rows, classes]`, from multi-hot rows or class ids."""
        rows = labels if labels.ndim == 2 else np.eye(self.classes or 0)[labels]
        return rows.astype("int64")

    def _label_text(self, rows: np.ndarray) -> list[str]:
        """The names of each row's labels, in the form that `separator` describes."""
        names = np.array(self.class_names)
        if any(self.separator in name or name.startswith("[") for name in self.class_names or ()):
            return [json.dumps(names[row].tolist(), ensure_ascii=False) for row in rows]
        return [self.separator.join(names[row]) for row in rows]
