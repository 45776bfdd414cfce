"""Yes or no."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal, Self

from mmzoo.errors import DataError
from mmzoo.heads.base import BaseHead
from mmzoo.heads.class_names import order_problem
from mmzoo.heads.class_weights import ClassWeights, balanced_weights, weights_problem
from mmzoo.heads.losses import SigmoidLoss, sigmoid_loss, smoothing_rules
from mmzoo.lazy import keras, np, tf
from mmzoo.spec import Fraction, NonNegativeFloat, Problem, Rate


class Binary(BaseHead):
    """Yes or no: one sigmoid, the probability of the second class."""

    role = "class"
    metric_names = ("accuracy", "auc")
    decides = "chances"

    type: Literal["binary"] = "binary"
    class_names: tuple[str, str] | None = None
    """The names of no and yes, in this order; read off the data by default."""
    positive: tuple[str, ...] | None = None
    """Classes of the data that count as yes, where it has more than two; all others count as no."""
    loss: SigmoidLoss = "cross_entropy"
    """What is minimised. `hinge` and `mean_squared_error` are taken of the probability."""
    label_smoothing: Rate = 0.0
    """Share by which labels are drawn towards one half."""
    focal_gamma: NonNegativeFloat = 2.0
    """How strongly the focal loss turns away from examples that are right already."""
    class_weights: ClassWeights = None
    """Weights of the classes' examples in training: `auto`, or a mapping of names to weights."""
    threshold: Fraction = 0.5
    """The probability from which a prediction counts as yes."""
    positive_values: tuple[int, ...] = (1,)
    """The label numbers that count as yes: found from `positive`, if that is given."""
    counted: tuple[str, ...] | None = None
    """All classes of the data by their numbers, beside `positive`; read off the data by default."""

    def rules(self) -> Iterator[Problem]:
        yield from smoothing_rules(self.loss, self.label_smoothing)

    @property
    def known_names(self) -> tuple[str, ...] | None:
        return self.counted if self.positive else self.class_names

    @property
    def whole(self) -> bool:
        return True

    def fit(self, labels: np.ndarray, names: tuple[str, ...] | None, where: str) -> Self:
        if labels.ndim != 1 or labels.dtype.kind not in "iub":
            raise DataError(
                f"{where}: expected 0 or 1 in each row for a binary head; "
                f"got {labels.dtype} of shape {list(labels.shape)}"
            )
        if self.positive is None:
            if names and len(names) < 2:
                raise DataError(f"{where}: every row is of the same class; expected two")
            if wrong := order_problem(self.class_names, names):
                raise DataError(f"{where}: {wrong}")
            whole = self.replace(class_names=self.class_names or self._two(names) or ("no", "yes"))
        else:
            whole = self._with_positive(self.positive, names, where)
        assert whole.class_names is not None
        whole.check(labels, where)
        weights = self.class_weights
        if weights == "auto":
            balanced = balanced_weights(whole.class_labels(labels), 2)
            weights = dict(zip(whole.class_names, balanced, strict=True))
        if problem := weights_problem(weights, whole.class_names):
            raise DataError(f"{where}: {problem.message}")
        return whole.replace(class_weights=weights)

    def check(self, labels: np.ndarray, where: str) -> None:
        wrong = labels < 0 if self.positive else (labels < 0) | (labels > 1)
        if wrong.any():
            row = int(wrong.argmax())
            raise DataError(
                f"{where}: row {row} has class {labels[row]}; expected 0 or 1 for a binary "
                "head. Use `type: classification`, or say with `positive:` which classes are yes."
            )

    def unnamed(self) -> Self:
        return self.replace(
            positive=None, counted=None, class_weights=self.class_weights and "auto"
        )

    def output(self, features: keras.KerasTensor, name: str) -> keras.KerasTensor:
        return keras.layers.Dense(1, "sigmoid", dtype="float32", name=name)(features)

    def target(self, labels: tf.Tensor, soft: bool) -> tf.Tensor:
        values = tf.constant(self.positive_values, tf.int64)
        is_yes = tf.reduce_any(tf.cast(labels, tf.int64)[:, None] == values, axis=1)
        return tf.cast(is_yes, tf.float32)[:, None]

    def example_weight(self, labels: tf.Tensor) -> tf.Tensor | None:
        if self.class_weights is None:
            return None
        assert isinstance(self.class_weights, Mapping)
        assert self.class_names is not None
        no, yes = (self.class_weights.get(name, 1.0) for name in self.class_names)
        return tf.where(self.target(labels, soft=False)[:, 0] > 0.5, yes, no)

    def keras_loss(self, soft: bool) -> keras.losses.Loss:
        return sigmoid_loss(self.loss, self.label_smoothing, self.focal_gamma)

    def keras_metrics(self, soft: bool) -> list[keras.metrics.Metric]:
        return [
            keras.metrics.BinaryAccuracy(name="accuracy", threshold=self.threshold),
            keras.metrics.AUC(name="auc"),
        ]

    def evaluate(self, labels: np.ndarray, predicted: np.ndarray) -> dict[str, Any]:
        from mmzoo.metrics import binary_metrics

        return binary_metrics(self.class_labels(labels), predicted[:, 0], self.threshold)

    def example_scores(self, labels: np.ndarray, predicted: np.ndarray) -> np.ndarray:
        """1 where the prediction is right, 0 where it is wrong: the mean is the accuracy."""
        return (self.decided(predicted) == self.class_labels(labels)).astype("float64")

    def class_labels(self, labels: np.ndarray) -> np.ndarray:
        """0 for no and 1 for yes, int64 `[rows]`."""

        return np.isin(labels, self.positive_values).astype("int64")

    def class_probabilities(self, predicted: np.ndarray) -> np.ndarray:
        """The probabilities of no and yes, float `[rows, 2]`."""

        return np.concatenate([1 - predicted, predicted], axis=1)

    def decided(self, predicted: np.ndarray) -> np.ndarray:
        """0 or 1 for each prediction, int64 `[rows]`."""
        return (predicted[:, 0] >= self.threshold).astype("int64")

    def written_labels(self, labels: np.ndarray) -> list[Any]:
        assert self.class_names is not None
        return [self.class_names[label] for label in self.class_labels(labels)]

    def written(self, predicted: np.ndarray, name: str, top: int = 0) -> Mapping[str, list[Any]]:
        assert self.class_names is not None
        said = self.decided(predicted)
        of_said = self.class_probabilities(predicted)[range(len(said)), said]
        return {
            name: [self.class_names[label] for label in said],
            f"{name}_probability": [float(value) for value in of_said],
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
                    f"the classes are: {', '.join(known) or '(the data names none)'}"
                )
        return self.replace(
            counted=known,
            positive_values=tuple(known.index(name) for name in positive),
            class_names=self.class_names or (f"not {'/'.join(positive)}", "/".join(positive)),
        )
