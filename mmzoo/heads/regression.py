"""Regression head."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any, Literal, Self

from pydantic import model_validator

from mmzoo import layers
from mmzoo.errors import DataError
from mmzoo.heads.labelled_head import LabelledHead
from mmzoo.lazy import keras, np, tf
from mmzoo.spec import PositiveFloat, PositiveInt, Problem

_MAX_ROUNDING = 0.01
"""Largest rounding error of targets in float32, as a fraction of their standard deviation."""


class Regression(LabelledHead):
    """Regression of one number or several, in the units of the data.

    The network learns standardized labels, so that labels of any scale train equally well: the mean
    of the training labels is subtracted and the difference divided by their standard deviation, in
    float64 and before the cast to the network's float32, and both are added back to its outputs in
    float64. So the loss is of standardized labels: a mean squared error of 1 is that of always
    predicting the mean, and 0.1 leaves 10 % of the variance unexplained. Predictions and all
    metrics are in the units of the data.
    """

    role = "number"
    metric_names = ("mean_absolute_error", "root_mean_squared_error")
    output_kind = "numbers"

    type: Literal["regression"] = "regression"
    dim: PositiveInt | None = None
    """Number of outputs; by default that of the data."""
    loss: Literal["mean_squared_error", "mean_absolute_error", "huber"] = "mean_squared_error"
    """The loss, of standardized labels if `normalize` is true. `huber` is quadratic up to a
    difference of 1."""
    normalize: bool = True
    """Whether labels are normalized by the mean and standard deviation of the training labels."""
    mean: tuple[float, ...] | None = None
    """Mean of the training labels, for each output; by default computed from the data."""
    std: tuple[PositiveFloat, ...] | None = None
    """Standard deviation of the training labels, for each output; by default computed from the
    data, or 1 if all labels are equal."""

    @model_validator(mode="before")
    @classmethod
    def _rename_deviation(cls, fields: Any) -> Any:
        """Runs of older versions call `std` `deviation`."""
        if isinstance(fields, Mapping) and "deviation" in fields:
            fields = {**fields, "std": fields["deviation"]}
            del fields["deviation"]
        return fields

    def rules(self) -> Iterator[Problem]:
        for field, values in (("mean", self.mean), ("std", self.std)):
            if values is None:
                continue
            if not self.normalize:
                yield Problem(
                    (field,), "expected none with `normalize: false`, which does not use it"
                )
            elif self.dim is not None and len(values) != self.dim:
                yield Problem(
                    (field,),
                    f"expected as many numbers as `dim`, {self.dim}; got {len(values)}",
                )

    @property
    def is_fitted(self) -> bool:
        return self.dim is not None

    def output_names(self, name: str) -> tuple[str, ...]:
        if self.dim == 1:
            return (name,)
        return tuple(f"{name}_{index}" for index in range(self.dim or 0))

    def fit(self, labels: np.ndarray, names: tuple[str, ...] | None, where: str) -> Self:
        dim = labels.shape[1] if labels.ndim == 2 else 1
        if self.dim not in (None, dim):
            raise DataError(f"{where}: expected {self.dim} numbers in each row, got {dim}")
        for field, values in (("mean", self.mean), ("std", self.std)):
            if values is not None and len(values) != dim:
                raise DataError(f"{where}: expected {dim} numbers in `{field}`, got {len(values)}")
        fitted = self.replace(dim=dim)
        fitted.check(labels, where)
        if not self.normalize:
            fitted._require_resolution(labels, where)
            return fitted
        mean, std = _column_mean_and_std(labels.reshape(-1, dim))
        if not all(map(math.isfinite, (*mean, *std))):
            raise DataError(
                f"{where}: labels as large as {abs(labels).max():g} have no finite standard "
                "deviation. Fix these rows, use a larger unit, or set `normalize: false`."
            )
        fitted = fitted.replace(
            mean=mean if self.mean is None else self.mean,
            std=std if self.std is None else self.std,
        )
        fitted._require_resolution(labels, where)
        return fitted

    def _require_resolution(self, labels: np.ndarray, where: str) -> None:
        """Raises a DataError if the cast of the targets to float32 loses their differences."""
        mean, std = self._mean_and_std()
        targets = (labels.reshape(-1, self.dim or 1).astype("float64") - mean) / std
        if (largest := abs(targets).max()) > np.finfo("float32").max:
            raise DataError(
                f"{where}: a label of {largest:g} after normalization does not fit into float32, "
                "which the network computes with. Fix this row or use a larger unit."
            )
        errors = abs(targets.astype("float32") - targets).max(axis=0)
        lost = ~(errors <= _MAX_ROUNDING * targets.std(axis=0)) & (errors > 0)
        if lost.any():
            column = int(lost.argmax())
            remedy = "`mean` and `std`" if self.normalize else "`normalize: false`"
            raise DataError(
                f"{where}: labels of about {np.abs(labels).max():.6g} are too close together for "
                f"the network's float32 without normalization: it would round them by up to "
                f"{errors[column] * std[column]:.4g}. Leave out {remedy}."
            )

    def check(self, labels: np.ndarray, where: str) -> None:
        if labels.dtype.kind not in "iuf" or labels.ndim > 2:
            raise DataError(
                f"{where}: expected a number, or a list of numbers, in each row for a regression "
                f"head; got {labels.dtype} of shape {list(labels.shape)}"
            )
        if not (finite := np.isfinite(labels)).all():
            wrong = int(np.argwhere(~finite)[0][0])
            raise DataError(f"{where}: row {wrong} has {labels[wrong]}; expected a finite number")

    def output(self, features: keras.KerasTensor, name: str) -> keras.KerasTensor:
        return keras.layers.Dense(self.dim, dtype="float32", name=name)(features)

    def target(self, labels: tf.Tensor, soft: bool) -> tf.Tensor:
        """The standardized labels, float32 `[batch, dim]`."""
        mean, std = self._mean_and_std()
        if labels.dtype.is_integer:  # Exact beyond 2 ** 53, as for times in nanoseconds.
            whole = np.round(mean).astype("int64")
            labels = labels if labels.shape.rank == 2 else labels[:, None]
            centered = tf.cast(tf.cast(labels, tf.int64) - whole, tf.float64) - (mean - whole)
        else:
            values = tf.cast(labels, tf.float64)
            centered = (values if labels.shape.rank == 2 else values[:, None]) - mean
        return tf.cast(centered / std, tf.float32)

    def predictions(self, outputs: np.ndarray) -> np.ndarray:
        """The outputs in the units of the labels, float64 `[batch, dim]`."""
        mean, std = self._mean_and_std()
        return outputs.astype("float64") * std + mean

    def _mean_and_std(self) -> tuple[np.ndarray, np.ndarray]:
        """Mean and standard deviation, float64 `[dim]`; zeros and ones without `normalize`."""
        dim = self.dim or 1
        mean, std = self.mean or (0.0,) * dim, self.std or (1.0,) * dim
        return np.array(mean, "float64"), np.array(std, "float64")

    def keras_loss(self, soft: bool) -> keras.losses.Loss:
        losses = keras.losses
        match self.loss:
            case "mean_squared_error":
                return losses.MeanSquaredError()
            case "mean_absolute_error":
                return losses.MeanAbsoluteError()
            case "huber":
                return losses.Huber()

    def keras_metrics(self, soft: bool) -> list[keras.metrics.Metric]:
        metrics = [
            keras.metrics.MeanAbsoluteError(name="mean_absolute_error"),
            keras.metrics.RootMeanSquaredError(name="root_mean_squared_error"),
        ]
        if self.std is None:
            return metrics
        return [layers.ScaledMetric(metric, self.std) for metric in metrics]

    def evaluate(self, labels: np.ndarray, predicted: np.ndarray) -> dict[str, Any]:
        from mmzoo.metrics import regression_metrics

        return regression_metrics(self.perfect_output(labels), predicted)

    def example_scores(self, labels: np.ndarray, predicted: np.ndarray) -> np.ndarray:
        """The negated mean absolute error of each row."""
        return -abs(self.perfect_output(labels) - predicted).mean(axis=1)

    def perfect_output(self, labels: np.ndarray) -> np.ndarray:
        return labels.reshape(len(labels), -1).astype("float64")

    def decode_labels(self, labels: np.ndarray) -> list[Any]:
        rows = labels[:, None] if labels.ndim == 1 else labels
        return rows[:, 0].tolist() if rows.shape[1] == 1 else [str(row) for row in rows.tolist()]

    def decode(self, predicted: np.ndarray, name: str, top: int = 0) -> Mapping[str, list[Any]]:
        if predicted.shape[1] == 1:
            return {name: [float(value) for value in predicted[:, 0]]}
        return {
            f"{name}_{index}": [float(value) for value in predicted[:, index]]
            for index in range(predicted.shape[1])
        }

    def without_names(self) -> Self:
        return self.replace(mean=None, std=None)

    def synthetic(self, random: np.random.RandomState, rows: int) -> np.ndarray:
        # Independent of the fitted mean and std: a run must read the same synthetic rows again.
        return random.normal(size=(rows, self.dim or 1))


def _column_mean_and_std(labels: np.ndarray) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and standard deviation of each column of `[rows, numbers]`; 1 for constant columns."""
    labels = labels.astype("float64")
    same = labels.min(axis=0) == labels.max(axis=0)
    with np.errstate(over="ignore"):
        std = labels.std(axis=0)
    std[same | (std == 0)] = 1.0
    return tuple(labels.mean(axis=0).tolist()), tuple(std.tolist())
