"""Multi-class classification."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, Self

from annotated_types import Ge

from mmzoo.errors import DataError
from mmzoo.heads.classes import (
    ClassWeights,
    balanced_weights,
    one_class_problem,
    order_problem,
    weights_problem,
)
from mmzoo.heads.labelled_head import LabelledHead, smoothing_rules
from mmzoo.lazy import keras, np, tf
from mmzoo.spec import NonNegativeFloat, Problem, Rate, WithinInt32


class Classification(LabelledHead):
    """Multi-class classification: a softmax over the classes.

    References: Szegedy et al., "Rethinking the Inception architecture", 2016, for label smoothing;
    Lin et al., "Focal loss for dense object detection", 2017.
    """

    role = "class"
    metric_names = ("accuracy",)
    output_kind = "classes"

    type: Literal["classification"] = "classification"
    classes: Annotated[int, Ge(2), WithinInt32] | None = None
    """Number of classes; by default that of the data."""
    class_names: tuple[str, ...] | None = None
    """The class names, ordered by class id; by default those of the data."""
    loss: Literal["cross_entropy", "focal", "hinge", "mean_squared_error"] = "cross_entropy"
    """The loss. `hinge` and `mean_squared_error` are computed from the probabilities."""
    one_hot: bool = False
    """Whether the cross-entropy gets one-hot labels instead of class ids; the loss is the same. All
    other losses always get one-hot labels."""
    label_smoothing: Rate = 0.0
    """Label smoothing: share of each label's weight that is spread over all classes."""
    focal_gamma: NonNegativeFloat = 2.0
    """Focusing parameter of the focal loss: how strongly it down-weights easy examples."""
    class_weights: ClassWeights = None
    """Weight of the examples of each class in the training loss, against class imbalance: `auto`
    for the inverse of the class frequencies, or a mapping of class names to weights."""

    def rules(self) -> Iterator[Problem]:
        if self.classes and self.class_names and len(self.class_names) != self.classes:
            yield Problem(
                ("class_names",),
                f"expected as many names as `classes`, {self.classes}; got {len(self.class_names)}",
            )
        if self.class_names and len(set(self.class_names)) != len(self.class_names):
            yield Problem(("class_names",), "expected unique names; some are duplicate")
        yield from smoothing_rules(self.loss, self.label_smoothing)
        if self.class_names and (problem := weights_problem(self.class_weights, self.class_names)):
            yield problem

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
        if labels.ndim != 1 or labels.dtype.kind not in "iu":
            raise DataError(
                f"{where}: expected one class id per row for a classification head; "
                f"got {labels.dtype} of shape {list(labels.shape)}"
            )
        classes = self.classes or len(self.class_names or names or range(int(labels.max()) + 1))
        if names and len(names) != classes:
            field = "classes" if self.classes else "class_names"
            raise DataError(
                f"{where}: the data has {len(names)} classes, but the config's `{field}` has "
                f"{classes}. Leave it out to use those of the data."
            )
        if wrong := order_problem(self.class_names, names):
            raise DataError(f"{where}: {wrong}")
        if classes < 2:
            raise DataError(f"{where}: {one_class_problem((names or '0')[0])}")
        class_names = self.class_names or names or tuple(str(n) for n in range(classes))
        weights = self.class_weights
        if weights == "auto":
            weights = dict(zip(class_names, balanced_weights(labels, classes), strict=True))
        if problem := weights_problem(weights, class_names):
            raise DataError(f"{where}: {problem.message}")
        fitted = self.replace(classes=classes, class_names=class_names, class_weights=weights)
        fitted.check(labels, where)
        return fitted

    def check(self, labels: np.ndarray, where: str) -> None:
        assert self.classes is not None
        if len(labels) and not (labels.min() >= 0 and labels.max() < self.classes):
            wrong = int(((labels < 0) | (labels >= self.classes)).argmax())
            raise DataError(
                f"{where}: row {wrong} has class {labels[wrong]}; expected 0 to {self.classes - 1}"
            )

    def without_names(self) -> Self:
        return self.replace(class_weights=self.class_weights and "auto")

    def output(self, features: keras.KerasTensor, name: str) -> keras.KerasTensor:
        return keras.layers.Dense(self.classes, "softmax", dtype="float32", name=name)(features)

    def target(self, labels: tf.Tensor, soft: bool) -> tf.Tensor:
        return tf.one_hot(labels, self.classes) if self._one_hot(soft) else labels

    def example_weight(self, labels: tf.Tensor) -> tf.Tensor | None:
        if self.class_weights is None:
            return None
        assert isinstance(self.class_weights, Mapping)
        assert self.class_names is not None
        weights = [self.class_weights.get(name, 1.0) for name in self.class_names]
        # A missing class is -1; its loss is zero in any case.
        return tf.gather(tf.constant(weights, tf.float32), tf.maximum(labels, 0))

    def keras_loss(self, soft: bool) -> keras.losses.Loss:
        losses = keras.losses
        match self.loss:
            case "cross_entropy" if self._one_hot(soft):
                return losses.CategoricalCrossentropy(label_smoothing=self.label_smoothing)
            case "cross_entropy":
                return losses.SparseCategoricalCrossentropy()
            case "focal":
                # Keras' default alpha of 0.25 would only scale this loss by a constant.
                return losses.CategoricalFocalCrossentropy(
                    alpha=1.0, gamma=self.focal_gamma, label_smoothing=self.label_smoothing
                )
            case "hinge":
                return losses.CategoricalHinge()
            case "mean_squared_error":
                return losses.MeanSquaredError()

    def keras_metrics(self, soft: bool) -> list[keras.metrics.Metric]:
        if self._one_hot(soft):
            return [keras.metrics.CategoricalAccuracy(name="accuracy")]
        return [keras.metrics.SparseCategoricalAccuracy(name="accuracy")]

    def evaluate(self, labels: np.ndarray, predicted: np.ndarray) -> dict[str, Any]:
        from mmzoo.metrics import classification_metrics

        return classification_metrics(labels, predicted)

    def example_scores(self, labels: np.ndarray, predicted: np.ndarray) -> np.ndarray:
        """1 for a correct prediction, else 0: the mean is the accuracy."""
        return (self.predicted_classes(predicted) == self.class_labels(labels)).astype("float64")

    def class_labels(self, labels: np.ndarray) -> np.ndarray:
        """The class of each row, int64 `[rows]`."""
        return labels

    def class_probabilities(self, predicted: np.ndarray) -> np.ndarray:
        """The probability of each class, float `[rows, classes]`."""
        return predicted

    def predicted_classes(self, predicted: np.ndarray) -> np.ndarray:
        """The most probable class of each row, int64 `[rows]`."""
        return predicted.argmax(axis=1)

    def perfect_output(self, labels: np.ndarray) -> np.ndarray:
        return np.eye(self.classes or 0)[labels]

    def decode_labels(self, labels: np.ndarray) -> list[Any]:
        assert self.class_names is not None
        return [self.class_names[label] for label in labels]

    def decode(self, predicted: np.ndarray, name: str, top: int = 0) -> Mapping[str, list[Any]]:
        assert self.class_names is not None
        order = (-predicted).argsort(axis=1, kind="stable")
        best = order[:, 0]
        columns: dict[str, list[Any]] = {
            name: [self.class_names[index] for index in best],
            f"{name}_probability": _picked(predicted, best),
        }
        for rank in range(1, min(top, len(self.class_names))):
            columns[f"{name}_{rank + 1}"] = [self.class_names[index] for index in order[:, rank]]
            columns[f"{name}_{rank + 1}_probability"] = _picked(predicted, order[:, rank])
        return columns

    def synthetic(self, random: np.random.RandomState, rows: int) -> np.ndarray:
        return random.permutation(rows) % (self.classes or len(self.class_names or "abc"))

    def _one_hot(self, soft: bool) -> bool:
        return soft or self.one_hot or self.loss != "cross_entropy" or self.label_smoothing > 0


def _picked(probabilities: np.ndarray, columns: np.ndarray) -> list[float]:
    return [float(row[column]) for row, column in zip(probabilities, columns, strict=True)]
