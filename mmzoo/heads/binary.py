"""Binary classification."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal, Self

from mmzoo.errors import DataError
from mmzoo.heads.classes import (
    ClassWeights,
    balanced_weights,
    one_class_problem,
    order_problem,
    weights_problem,
)
from mmzoo.heads.labelled_head import (
    LabelledHead,
    SigmoidLoss,
    keras_threshold,
    sigmoid_loss,
    smoothing_rules,
)
from mmzoo.lazy import keras, np, tf
from mmzoo.spec import Fraction, NonNegativeFloat, Problem, Rate


class Binary(LabelledHead):
    """Binary classification: a single sigmoid output, the probability of the positive class."""

    role = "class"
    metric_names = ("accuracy", "auc")
    split_metric_names = ("auc",)
    output_kind = "probabilities"

    type: Literal["binary"] = "binary"
    class_names: tuple[str, str] | None = None
    """The names of the negative and the positive class, in this order; by default those of the
    data."""
    positive: tuple[str, ...] | None = None
    """Classes of the data that count as positive, if it has more than two; all others are
    negative."""
    loss: SigmoidLoss = "cross_entropy"
    """The loss. `hinge` and `mean_squared_error` are computed from the probability."""
    label_smoothing: Rate = 0.0
    """Label smoothing: share by which targets are moved towards 0.5."""
    focal_gamma: NonNegativeFloat = 2.0
    """Focusing parameter of the focal loss: how strongly it down-weights easy examples."""
    class_weights: ClassWeights = None
    """Weight of the examples of each class in the training loss, against class imbalance: `auto`
    for the inverse of the class frequencies, or a mapping of class names to weights."""
    threshold: Fraction = 0.5
    """The decision threshold: from this probability on, a prediction is positive."""
    positive_values: tuple[int, ...] = (1,)
    """The class ids that count as positive: derived from `positive`, if that is given."""
    counted: tuple[str, ...] | None = None
    """With `positive`: all classes of the data, by id; by default those of the data."""

    def rules(self) -> Iterator[Problem]:
        yield from smoothing_rules(self.loss, self.label_smoothing)

    @property
    def known_names(self) -> tuple[str, ...] | None:
        return self.counted if self.positive else self.class_names

    @property
    def is_fitted(self) -> bool:
        return True

    def output_names(self, name: str) -> tuple[str, ...]:
        assert self.class_names is not None
        return self.class_names

    def fit(self, labels: np.ndarray, names: tuple[str, ...] | None, where: str) -> Self:
        if labels.ndim != 1 or labels.dtype.kind not in "iub":
            raise DataError(
                f"{where}: expected 0 or 1 in each row for a binary head; "
                f"got {labels.dtype} of shape {list(labels.shape)}"
            )
        if self.positive is None:
            if names and len(names) < 2:
                raise DataError(f"{where}: {one_class_problem(names[0])}")
            if wrong := order_problem(self.class_names, names):
                raise DataError(f"{where}: {wrong}")
            fitted = self.replace(class_names=self.class_names or self._two(names) or ("no", "yes"))
        else:
            fitted = self._with_positive(self.positive, names, where)
        assert fitted.class_names is not None
        fitted.check(labels, where)
        weights = self.class_weights
        if weights == "auto":
            balanced = balanced_weights(fitted.class_labels(labels), 2)
            weights = dict(zip(fitted.class_names, balanced, strict=True))
        if problem := weights_problem(weights, fitted.class_names):
            raise DataError(f"{where}: {problem.message}")
        return fitted.replace(class_weights=weights)

    def check(self, labels: np.ndarray, where: str) -> None:
        wrong = labels < 0 if self.positive else (labels < 0) | (labels > 1)
        if wrong.any():
            row = int(wrong.argmax())
            raise DataError(
                f"{where}: row {row} has class {labels[row]}; expected 0 or 1 for a binary "
                "head. Use `type: classification`, or list the positive classes in `positive`."
            )

    def without_names(self) -> Self:
        return self.replace(
            positive=None, counted=None, class_weights=self.class_weights and "auto"
        )

    def output(self, features: keras.KerasTensor, name: str) -> keras.KerasTensor:
        return keras.layers.Dense(1, "sigmoid", dtype="float32", name=name)(features)

    def target(self, labels: tf.Tensor, soft: bool) -> tf.Tensor:
        values = tf.constant(self.positive_values, tf.int64)
        is_positive = tf.reduce_any(tf.cast(labels, tf.int64)[:, None] == values, axis=1)
        return tf.cast(is_positive, tf.float32)[:, None]

    def example_weight(self, labels: tf.Tensor) -> tf.Tensor | None:
        if self.class_weights is None:
            return None
        assert isinstance(self.class_weights, Mapping)
        assert self.class_names is not None
        negative, positive = (self.class_weights.get(name, 1.0) for name in self.class_names)
        return tf.where(self.target(labels, soft=False)[:, 0] > 0.5, positive, negative)

    def keras_loss(self, soft: bool) -> keras.losses.Loss:
        return sigmoid_loss(self.loss, self.label_smoothing, self.focal_gamma)

    def keras_metrics(self, soft: bool) -> list[keras.metrics.Metric]:
        threshold = keras_threshold(self.threshold)
        return [keras.metrics.BinaryAccuracy(name="accuracy", threshold=threshold)]

    def evaluate(self, labels: np.ndarray, predicted: np.ndarray) -> dict[str, Any]:
        from mmzoo.metrics import binary_metrics

        return binary_metrics(self.class_labels(labels), predicted[:, 0], self.threshold)

    def example_scores(self, labels: np.ndarray, predicted: np.ndarray) -> np.ndarray:
        """1 for a correct prediction, else 0: the mean is the accuracy."""
        return (self.predicted_classes(predicted) == self.class_labels(labels)).astype("float64")

    def class_labels(self, labels: np.ndarray) -> np.ndarray:
        """0 for negative and 1 for positive labels, int64 `[rows]`."""
        return np.isin(labels, self.positive_values).astype("int64")

    def class_probabilities(self, predicted: np.ndarray) -> np.ndarray:
        """The probabilities of the negative and the positive class, float `[rows, 2]`."""
        return np.concatenate([1 - predicted, predicted], axis=1)

    def predicted_classes(self, predicted: np.ndarray) -> np.ndarray:
        """0 or 1 for each prediction, int64 `[rows]`."""
        return (predicted[:, 0] >= self.threshold).astype("int64")

    def perfect_output(self, labels: np.ndarray) -> np.ndarray:
        return self.class_labels(labels)[:, None].astype("float64")

    def decode_labels(self, labels: np.ndarray) -> list[Any]:
        assert self.class_names is not None
        return [self.class_names[label] for label in self.class_labels(labels)]

    def decode(self, predicted: np.ndarray, name: str, top: int = 0) -> Mapping[str, list[Any]]:
        assert self.class_names is not None
        classes = self.predicted_classes(predicted)
        probabilities = self.class_probabilities(predicted)[range(len(classes)), classes]
        return {
            name: [self.class_names[label] for label in classes],
            f"{name}_probability": [float(value) for value in probabilities],
        }

    def synthetic(self, random: np.random.RandomState, rows: int) -> np.ndarray:
        return random.permutation(rows) % 2

    def _two(self, names: tuple[str, ...] | None) -> tuple[str, str] | None:
        return (names[0], names[1]) if names and len(names) == 2 else None

    def _with_positive(
        self, positive: tuple[str, ...], names: tuple[str, ...] | None, where: str
    ) -> Self:
        known = names or self.counted or self.class_names or ()
        for name in positive:
            if name not in known:
                raise DataError(
                    f"{where}: unknown class {name!r} in `positive`; "
                    f"the classes are: {', '.join(known) or '(the data has no class names)'}"
                )
        return self.replace(
            counted=known,
            positive_values=tuple(known.index(name) for name in positive),
            class_names=self.class_names or (f"not {'/'.join(positive)}", "/".join(positive)),
        )
