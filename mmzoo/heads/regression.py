"""Numbers."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any, Literal, Self

from mmzoo import layers
from mmzoo.errors import DataError
from mmzoo.heads.base import BaseHead
from mmzoo.lazy import keras, np, tf
from mmzoo.spec import PositiveFloat, PositiveInt, Problem


class Regression(BaseHead):
    """One number or several, in the data's own units.

    Labels of any size are learnt alike: the layer's outputs are multiplied by the deviation of the
    training labels, and their mean is added. The loss is that of labels and predictions divided by
    the deviation, so a mean squared error of 1 is that of always saying the mean, and 0.1 leaves a
    tenth of the variance unexplained. Predictions, and all other figures, are in the data's units.
    """

    role = "number"
    metric_names = ("mean_absolute_error", "root_mean_squared_error")
    decides = "numbers"

    type: Literal["regression"] = "regression"
    dim: PositiveInt | None = None
    """How many numbers are predicted; read off the data by default."""
    loss: Literal["mean_squared_error", "mean_absolute_error", "huber"] = "mean_squared_error"
    """What is minimised, of labels and predictions divided by the deviation if that is normalized.
    `huber` is quadratic up to a difference of 1."""
    normalize: bool = True
    """Whether the training labels' mean and deviation are taken out of what is learnt."""
    mean: tuple[float, ...] | None = None
    """Of the training labels, for each number; read off the data by default."""
    deviation: tuple[PositiveFloat, ...] | None = None
    """Likewise; 1 where all labels are the same."""

    def rules(self) -> Iterator[Problem]:
        for field, values in (("mean", self.mean), ("deviation", self.deviation)):
            if values is None:
                continue
            if not self.normalize:
                yield Problem((field,), "expected none: with `normalize: false` nothing is scaled")
            elif self.dim is not None and len(values) != self.dim:
                yield Problem(
                    (field,), f"expected {self.dim} numbers, as `dim` says; got {len(values)}"
                )

    @property
    def whole(self) -> bool:
        return self.dim is not None

    def fit(self, labels: np.ndarray, names: tuple[str, ...] | None, where: str) -> Self:
        dim = labels.shape[1] if labels.ndim == 2 else 1
        if self.dim not in (None, dim):
            raise DataError(f"{where}: expected {self.dim} numbers in each row, got {dim}")
        for field, values in (("mean", self.mean), ("deviation", self.deviation)):
            if values is not None and len(values) != dim:
                raise DataError(f"{where}: expected {dim} numbers in `{field}`, got {len(values)}")
        whole = self.replace(dim=dim)
        whole.check(labels, where)
        if not self.normalize:
            return whole
        mean, deviation = _mean_and_deviation(labels.reshape(-1, dim))
        if not all(map(math.isfinite, (*mean, *deviation))):
            raise DataError(
                f"{where}: labels as large as {abs(labels).max():g} have no finite deviation. "
                "Mend such rows, write them in a larger unit, or set `normalize: false`."
            )
        return whole.replace(
            mean=mean if self.mean is None else self.mean,
            deviation=deviation if self.deviation is None else self.deviation,
        )

    def check(self, labels: np.ndarray, where: str) -> None:

        if labels.dtype.kind not in "iuf" or labels.ndim > 2:
            raise DataError(
                f"{where}: expected a number, or a list of numbers, in each row for a regression; "
                f"got {labels.dtype} of shape {list(labels.shape)}"
            )
        if not (finite := np.isfinite(labels)).all():
            wrong = int(np.argwhere(~finite)[0][0])
            raise DataError(f"{where}: row {wrong} has {labels[wrong]}; expected a finite number")

    def output(self, features: keras.KerasTensor, name: str) -> keras.KerasTensor:
        if self.deviation is None:
            return keras.layers.Dense(self.dim, dtype="float32", name=name)(features)

        mean = self.mean or (0.0,) * len(self.deviation)
        return layers.RescaledDense(mean, self.deviation, dtype="float32", name=name)(features)

    def target(self, labels: tf.Tensor, soft: bool) -> tf.Tensor:
        values = tf.cast(labels, tf.float32)
        return values[:, None] if values.shape.rank == 1 else values

    def keras_loss(self, soft: bool) -> keras.losses.Loss:
        if self.deviation is None:
            return self._plain_loss()

        return layers.ScaledLoss(self._plain_loss(), self.deviation)

    def _plain_loss(self) -> keras.losses.Loss:
        losses = keras.losses
        match self.loss:
            case "mean_squared_error":
                return losses.MeanSquaredError()
            case "mean_absolute_error":
                return losses.MeanAbsoluteError()
            case "huber":
                return losses.Huber()

    def keras_metrics(self, soft: bool) -> list[keras.metrics.Metric]:
        return [
            keras.metrics.MeanAbsoluteError(name="mean_absolute_error"),
            keras.metrics.RootMeanSquaredError(name="root_mean_squared_error"),
        ]

    def evaluate(self, labels: np.ndarray, predicted: np.ndarray) -> dict[str, Any]:
        from mmzoo.metrics import regression_metrics

        return regression_metrics(labels.reshape(predicted.shape).astype("float64"), predicted)

    def example_scores(self, labels: np.ndarray, predicted: np.ndarray) -> np.ndarray:
        """The negative of an example's mean absolute error."""
        errors = abs(labels.reshape(predicted.shape).astype("float64") - predicted)
        return -errors.mean(axis=1)

    def written_labels(self, labels: np.ndarray) -> list[Any]:
        rows = labels[:, None] if labels.ndim == 1 else labels
        return rows[:, 0].tolist() if rows.shape[1] == 1 else [str(row) for row in rows.tolist()]

    def written(self, predicted: np.ndarray, name: str, top: int = 0) -> Mapping[str, list[Any]]:
        if predicted.shape[1] == 1:
            return {name: [float(value) for value in predicted[:, 0]]}
        return {
            f"{name}_{index}": [float(value) for value in predicted[:, index]]
            for index in range(predicted.shape[1])
        }

    def unnamed(self) -> Self:
        return self.replace(mean=None, deviation=None)

    def synthetic(self, random: np.random.RandomState, rows: int) -> np.ndarray:
        # Not in the units that `fit` found: a run reads the same made-up rows again.
        return random.normal(size=(rows, self.dim or 1))


def _mean_and_deviation(labels: np.ndarray) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Of each number of labels `[rows, numbers]`; a deviation of 1 where all are the same."""

    labels = labels.astype("float64")
    same = labels.min(axis=0) == labels.max(axis=0)
    with np.errstate(over="ignore"):
        deviation = labels.std(axis=0)
    deviation[same | (deviation == 0)] = 1.0
    return tuple(labels.mean(axis=0).tolist()), tuple(deviation.tolist())
