"""What all heads share."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Literal, Self

from mmzoo import layers
from mmzoo.lazy import keras, np, tf
from mmzoo.spec import NonNegativeFloat, Spec
from mmzoo.wanted import Role, Wanted


class BaseHead(Spec):
    """One named prediction: its layer, loss, metrics, and how a prediction is written out.

    A head starts as the user wrote it and becomes whole with `fit`, which reads off the training
    labels what was left open. All other methods ask for a whole head.
    """

    role: ClassVar[Role]
    """What the source is to make of its column."""
    metric_names: ClassVar[tuple[str, ...]]
    """The names of `keras_metrics`. The first is watched when nothing else is said."""
    decides: ClassVar[Literal["classes", "chances", "numbers"]]
    """What its output is: probabilities of classes, whose sum is one; chances, each from 0 to 1 and
    decided at the field `threshold`; or numbers. Decisions of one kind can be combined."""

    column: str | None = None
    """The data's column with the labels; by default the head's own name, or the only target."""
    weight: NonNegativeFloat = 1.0
    """Weight of this head's loss in the sum over all heads."""
    missing: Literal["error", "ignore"] = "error"
    """What becomes of rows that have no label for it: with `ignore` they train the other heads, and
    every figure of this one is of the rows that have one. A row with no label at all is a bad row
    all the same."""

    def wanted(self) -> dict[str, Wanted]:
        """What is asked of the source for its column. Needs `Config.with_columns`."""
        assert self.column is not None
        optional = self.missing == "ignore"
        return {self.column: Wanted(self.role, self.synthetic, self.known_names, optional)}

    def labelled(self, labels: np.ndarray) -> np.ndarray:
        """Which rows have a label, bool `[rows]`; with `missing: error` all are taken to.

        A class that is missing is -1, and a number NaN; so is each of a row's labels or numbers.
        """

        if self.missing == "error":
            return np.ones(len(labels), bool)
        if labels.dtype.kind == "f":
            there = ~np.isnan(labels)
        else:  # A whole number below 0 is one like any other.
            there = (labels >= 0) | (self.decides == "numbers")
        each: np.ndarray = there.reshape(len(labels), -1)
        return np.all(each, axis=1)

    def labelled_target(self, labels: tf.Tensor, soft: bool) -> tf.Tensor:
        """As `target`; of rows that may lack a label, -1 or NaN where they do."""
        target = self.target(labels, soft)
        if self.missing == "error" or self.decides == "numbers":
            return target  # A number that is missing is NaN already.
        if not target.dtype.is_floating or labels.dtype.is_floating:
            return target
        there = labels >= 0 if labels.shape.rank == 1 else tf.reduce_all(labels >= 0, axis=1)
        return tf.where(there[:, None], target, tf.constant(float("nan")))

    def labelled_loss(self, soft: bool) -> keras.losses.Loss:
        """As `keras_loss`, for targets of `labelled_target`: zero where there is no label."""
        if self.missing == "error":
            return self.keras_loss(soft)

        return layers.LabelledLoss(self.keras_loss(soft))

    def labelled_metrics(self, soft: bool) -> list[keras.metrics.Metric]:
        """As `keras_metrics`, likewise: of the examples that have a label."""
        if self.missing == "error":
            return self.keras_metrics(soft)

        return [layers.LabelledMetric(metric) for metric in self.keras_metrics(soft)]

    def truths(self, labels: np.ndarray) -> list[Any]:
        """As `written_labels`, with None for rows that have no label."""
        there = self.labelled(labels)
        written = iter(self.written_labels(labels[there]))
        return [next(written) if one else None for one in there]

    @property
    def known_names(self) -> tuple[str, ...] | None:
        """The names of its classes or labels in order, where they are known before the data."""
        return None

    @property
    @abstractmethod
    def whole(self) -> bool:
        """Whether nothing that the model's shape depends on is left open."""

    @abstractmethod
    def fit(self, labels: np.ndarray, names: tuple[str, ...] | None, where: str) -> Self:
        """Reads off the training labels what the config left open; checks the rest against them.

        Args:
            labels: the training split's labels, `[rows]` or `[rows, width]`.
            names: the classes' names, where the data has them.
            where: the place to name in errors, such as "heads.digit, column 'label' of mnist".

        Raises:
            DataError: the labels do not fit the head.
        """

    @abstractmethod
    def check(self, labels: np.ndarray, where: str) -> None:
        """Raises a DataError where labels of another split do not fit what `fit` found."""

    def unnamed(self) -> Self:
        """This head for made-up labels: without what the names or the size of real ones say."""
        return self

    @abstractmethod
    def output(self, features: keras.KerasTensor, name: str) -> keras.KerasTensor:
        """The head's last layer on `features` `[batch, width]`; always float32."""

    @abstractmethod
    def target(self, labels: tf.Tensor, soft: bool) -> tf.Tensor:
        """Labels as the loss takes them; `soft` asks for a form that can be mixed by averaging."""

    def example_weight(self, labels: tf.Tensor) -> tf.Tensor | None:
        """The weight of each example's loss in training, float32 `[batch]`; None for all ones."""
        return None

    @abstractmethod
    def keras_loss(self, soft: bool) -> keras.losses.Loss:
        """The loss for targets made with the same `soft`."""

    @abstractmethod
    def keras_metrics(self, soft: bool) -> list[keras.metrics.Metric]:
        """What is measured during training, by Keras' names, for targets made with `soft`."""

    @abstractmethod
    def evaluate(self, labels: np.ndarray, predicted: np.ndarray) -> dict[str, Any]:
        """All metrics of an evaluation as plain numbers, lists and None."""

    @abstractmethod
    def example_scores(self, labels: np.ndarray, predicted: np.ndarray) -> np.ndarray:
        """How good each prediction is; higher is better. For comparing models by their examples.

        Args:
            labels: `[rows]` or `[rows, width]`, none of them missing.
            predicted: float32 `[rows, width]`.

        Returns:
            float64 `[rows]`: their mean is the head's main metric, or the negative of an error.
        """

    @abstractmethod
    def written_labels(self, labels: np.ndarray) -> list[Any]:
        """Labels as a column of a table, in the words of `written`."""

    @abstractmethod
    def written(self, predicted: np.ndarray, name: str, top: int = 0) -> Mapping[str, list[Any]]:
        """Predictions as columns of a table, whose names start with `name`.

        Args:
            predicted: float32 `[rows, width]`.
            name: the head's name.
            top: how many of the most probable classes to write, for a head that chooses one.
        """

    @abstractmethod
    def synthetic(self, random: np.random.RandomState, rows: int) -> np.ndarray:
        """Made-up labels, for `--smoke`; every class occurs where there are rows enough."""
