"""Any number of labels at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal, Self

from mmzoo.errors import DataError
from mmzoo.heads.base import BaseHead
from mmzoo.heads.losses import SigmoidLoss, sigmoid_loss, smoothing_rules
from mmzoo.lazy import keras, np, tf
from mmzoo.spec import Fraction, NonNegativeFloat, PositiveInt, Problem, Rate


class Multilabel(BaseHead):
    """Any number of labels at once: a sigmoid for each.

    Labels come as rows of zeros and ones, or as class numbers, each then a set of one label.
    """

    role = "labels"
    metric_names = ("f1", "label_accuracy")
    decides = "chances"

    type: Literal["multilabel"] = "multilabel"
    classes: PositiveInt | None = None
    """How many labels there are; read off the data by default."""
    class_names: tuple[str, ...] | None = None
    """The labels' names in order; read off the data by default."""
    loss: SigmoidLoss = "cross_entropy"
    """What is minimised, for each label by itself."""
    label_smoothing: Rate = 0.0
    """Share by which labels are drawn towards one half."""
    focal_gamma: NonNegativeFloat = 2.0
    """How strongly the focal loss turns away from labels that are right already."""
    threshold: Fraction = 0.5
    """The probability from which a label is said."""

    def rules(self) -> Iterator[Problem]:
        if self.classes and self.class_names and len(self.class_names) != self.classes:
            yield Problem(
                ("class_names",),
                f"expected {self.classes} names, as `classes` says; got {len(self.class_names)}",
            )
        yield from smoothing_rules(self.loss, self.label_smoothing)

    @property
    def known_names(self) -> tuple[str, ...] | None:
        return self.class_names

    @property
    def whole(self) -> bool:
        return self.classes is not None

    def fit(self, labels: np.ndarray, names: tuple[str, ...] | None, where: str) -> Self:
        if labels.ndim not in (1, 2) or labels.dtype.kind not in (
            "iufb" if labels.ndim == 2 else "iu"
        ):
            raise DataError(
                f"{where}: expected zeros and ones, or one class number, in each row for a "
                f"multilabel head; got {labels.dtype} of shape {list(labels.shape)}"
            )
        said = self.classes or (self.class_names and len(self.class_names))
        found = labels.shape[1] if labels.ndim == 2 else names and len(names)
        if said and found and said != found:
            field = "classes" if self.classes else "class_names"
            raise DataError(
                f"{where}: the data has {found} labels, the config's `{field}` says {said}. "
                "Leave it out to take what the data has."
            )
        classes = said or found or int(labels.max()) + 1
        class_names = self.class_names or names or tuple(str(n) for n in range(classes))
        whole = self.replace(classes=classes, class_names=class_names)
        whole.check(labels, where)
        return whole

    def check(self, labels: np.ndarray, where: str) -> None:
        assert self.classes is not None
        if labels.ndim == 2:
            fits = labels.shape[1] == self.classes and ((labels == 0) | (labels == 1)).all()
        else:
            fits = not len(labels) or (labels.min() >= 0 and labels.max() < self.classes)
        if not fits:
            raise DataError(
                f"{where}: expected {self.classes} zeros and ones in each row, "
                f"or one number from 0 to {self.classes - 1}"
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
        return [
            keras.metrics.F1Score(average="macro", threshold=self.threshold, name="f1"),
            keras.metrics.BinaryAccuracy(name="label_accuracy", threshold=self.threshold),
        ]

    def evaluate(self, labels: np.ndarray, predicted: np.ndarray) -> dict[str, Any]:
        from mmzoo.metrics import multilabel_metrics

        return multilabel_metrics(self.label_rows(labels), predicted, self.threshold)

    def example_scores(self, labels: np.ndarray, predicted: np.ndarray) -> np.ndarray:
        """1 where all labels are said rightly, else 0: the mean is the subset accuracy."""
        said = predicted >= self.threshold
        return (said == (self.label_rows(labels) == 1)).all(axis=1).astype("float64")

    def written_labels(self, labels: np.ndarray) -> list[Any]:
        return self._joined(self.label_rows(labels) == 1)

    def written(self, predicted: np.ndarray, name: str, top: int = 0) -> Mapping[str, list[Any]]:
        assert self.class_names is not None
        said = self._joined(predicted >= self.threshold)
        probabilities = {
            f"{name}_{label}_probability": [float(value) for value in predicted[:, index]]
            for index, label in enumerate(self.class_names)
        }
        return {name: said, **probabilities}

    def synthetic(self, random: np.random.RandomState, rows: int) -> np.ndarray:
        return random.randint(0, 2, (rows, self.classes or len(self.class_names or "abc")))

    def label_rows(self, labels: np.ndarray) -> np.ndarray:
        """Zeros and ones, int64 `[rows, classes]`, whichever way the labels come."""

        rows = labels if labels.ndim == 2 else np.eye(self.classes or 0)[labels]
        return rows.astype("int64")

    def _joined(self, rows: np.ndarray) -> list[str]:
        """The names of each row's labels, as one text."""

        names = np.array(self.class_names)
        return ["|".join(names[row]) for row in rows]
