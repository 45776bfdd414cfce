"""The base class of heads with a label column, and the losses that several of them share."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Literal, Self

from mmzoo import layers
from mmzoo.column_spec import ColumnSpec, Role
from mmzoo.heads.base_head import BaseHead, HeadInputs
from mmzoo.lazy import keras, np, tf
from mmzoo.spec import Problem

OutputKind = Literal["classes", "probabilities", "numbers"]
"""The kind of a head's outputs: class probabilities, which sum to 1; independent probabilities,
compared with the field `threshold`; or numbers. Decision-level fusion and ensembles combine outputs
of the same kind."""
SigmoidLoss = Literal["cross_entropy", "focal", "hinge", "mean_squared_error"]


class LabelledHead(BaseHead):
    """A head that predicts a label column from the fused features.

    `fit` sets the fields that the config leaves open, from the training labels. All methods but
    `required_columns` and `fit` need a fitted head.
    """

    role: ClassVar[Role]
    """The role of the label column, which determines its type."""
    output_kind: ClassVar[OutputKind]
    split_metric_names: ClassVar[tuple[str, ...]] = ()
    """Those of `metric_names` that have no `compile_metrics`, since they are computed from all
    predictions of a split together: entries of `evaluate`."""

    column: str | None = None
    """The column with the labels; by default the column named like the head, or the only target."""
    missing: Literal["error", "ignore"] = "error"
    """What to do about rows with a missing label: stop with an error, or ignore them. Ignored rows
    still train the other heads, and the metrics of this head are computed from labelled rows. A row
    without any label is always a bad row."""
    stop_gradient: bool = False
    """Whether the head trains only its own layer, on features that other heads train: an online
    linear probe, which measures what features without labels are worth."""

    def required_columns(self) -> dict[str, ColumnSpec]:
        """Its label column. Needs `Config.with_columns`."""
        assert self.column is not None
        optional = self.missing == "ignore"
        return {self.column: ColumnSpec(self.role, self.synthetic, self.known_names, optional)}

    @property
    def known_names(self) -> tuple[str, ...] | None:
        """The names of classes or labels by id, if they are known before the data is read."""
        return None

    @abstractmethod
    def output_names(self, name: str) -> tuple[str, ...]:
        """The names of the outputs: classes, labels or numbers. `name` is the head's name."""

    @abstractmethod
    def fit(self, labels: np.ndarray, names: tuple[str, ...] | None, where: str) -> Self:
        """A fitted copy of the head: open fields are set from the training labels.

        Args:
            labels: training labels, `[rows]` or `[rows, width]`, without missing ones.
            names: the class names, if the data has them.
            where: the label column for errors, such as "heads.digit, column 'label' of mnist".

        Raises:
            DataError: the labels do not fit the head.
        """

    @abstractmethod
    def check(self, labels: np.ndarray, where: str) -> None:
        """Raises a DataError if labels of another split do not fit the fitted head."""

    def without_names(self) -> Self:
        return self

    def build(self, given: HeadInputs, name: str) -> keras.KerasTensor:
        features = given.fused.vector
        if self.stop_gradient:
            features = keras.ops.stop_gradient(features)
        return self.output(features, name)

    @abstractmethod
    def output(self, features: keras.KerasTensor, name: str) -> keras.KerasTensor:
        """The output layer on a vector `[batch, width]`: float32 `[batch, outputs]`."""

    @abstractmethod
    def target(self, labels: tf.Tensor, soft: bool) -> tf.Tensor:
        """The targets of the loss for a batch of labels; with `soft`, such that they can be mixed.

        Mixed targets are weighted averages, so that class ids become one-hot vectors.
        """

    def example_weight(self, labels: tf.Tensor) -> tf.Tensor | None:
        """The weight of each example in the training loss, float32 `[batch]`; None for all ones."""
        return None

    @abstractmethod
    def keras_loss(self, soft: bool) -> keras.losses.Loss:
        """The loss of `target(..., soft)` and outputs, without missing labels."""

    @abstractmethod
    def keras_metrics(self, soft: bool) -> list[keras.metrics.Metric]:
        """The training metrics of `target(..., soft)` and outputs, without missing labels."""

    @abstractmethod
    def evaluate(self, labels: np.ndarray, predicted: np.ndarray) -> dict[str, Any]:
        """All metrics of an evaluation, for labelled rows."""

    @abstractmethod
    def example_scores(self, labels: np.ndarray, predicted: np.ndarray) -> np.ndarray:
        """The score of each prediction, by which models are compared; higher is better.

        Args:
            labels: `[rows]` or `[rows, width]`, none of them missing.
            predicted: the head's `predictions`, float `[rows, width]`.

        Returns:
            float64 `[rows]`. The mean is the head's main metric, or a negated error.
        """

    @abstractmethod
    def perfect_output(self, labels: np.ndarray) -> np.ndarray:
        """Labels in the form of predictions, float64 `[rows, width]`: zeros and ones, or numbers.

        None of the labels is missing.
        """

    @abstractmethod
    def decode_labels(self, labels: np.ndarray) -> list[Any]:
        """Decodes labels to a column of a table, in the format of `decode`."""

    @abstractmethod
    def decode(self, predicted: np.ndarray, name: str, top: int = 0) -> Mapping[str, list[Any]]:
        """Decodes predictions, see `WritesPredictions`."""

    @abstractmethod
    def synthetic(self, random: np.random.RandomState, rows: int) -> np.ndarray:
        """Random labels, for `--smoke`. Every class occurs if there are enough rows."""

    # Missing labels: a class of -1, a NaN, or a row of these.

    def labelled(self, labels: np.ndarray) -> np.ndarray:
        """Mask of labelled rows, bool `[rows]`; all True with `missing: error`.

        A missing class is -1, a missing number NaN; a missing row has these in all columns.
        """
        if self.missing == "error":
            return np.ones(len(labels), bool)
        if labels.dtype.kind == "f":
            present = ~np.isnan(labels)
        else:  # Negative integers are valid labels of a regression.
            present = (labels >= 0) | (self.output_kind == "numbers")
        rows: np.ndarray = present.reshape(len(labels), -1)
        return np.all(rows, axis=1)

    def labelled_target(self, labels: tf.Tensor, soft: bool) -> tf.Tensor:
        """Like `target`, with -1 or NaN for missing labels."""
        target = self.target(labels, soft)
        if self.missing == "error" or self.output_kind == "numbers":
            return target  # A missing number is NaN already.
        if not target.dtype.is_floating or labels.dtype.is_floating:
            return target
        labelled = labels >= 0 if labels.shape.rank == 1 else tf.reduce_all(labels >= 0, axis=1)
        return tf.where(labelled[:, None], target, tf.constant(float("nan")))

    def compile_loss(self, soft: bool) -> keras.losses.Loss:
        """Like `keras_loss`, for `labelled_target`: the loss of a missing label is zero."""
        if self.missing == "error":
            return self.keras_loss(soft)

        return layers.LabelledLoss(self.keras_loss(soft))

    def compile_metrics(self, soft: bool) -> list[keras.metrics.Metric]:
        """Like `keras_metrics`, for `labelled_target`: missing labels are ignored."""
        if self.missing == "error":
            return self.keras_metrics(soft)

        return [layers.LabelledMetric(metric) for metric in self.keras_metrics(soft)]

    def true_labels(self, labels: np.ndarray) -> list[Any]:
        """Like `decode_labels`, with None for missing labels."""
        labelled = self.labelled(labels)
        decoded = iter(self.decode_labels(labels[labelled]))
        return [next(decoded) if one else None for one in labelled]


def sigmoid_loss(
    loss: SigmoidLoss, label_smoothing: float, focal_gamma: float
) -> keras.losses.Loss:
    """The Keras loss of float targets from 0 to 1 and probabilities, both `[batch, labels]`."""
    losses = keras.losses
    match loss:
        case "cross_entropy":
            return losses.BinaryCrossentropy(label_smoothing=label_smoothing)
        case "focal":
            return losses.BinaryFocalCrossentropy(
                gamma=focal_gamma, label_smoothing=label_smoothing
            )
        case "hinge":
            return losses.Hinge()
        case "mean_squared_error":
            return losses.MeanSquaredError()


def keras_threshold(threshold: float) -> float:
    """The argument with which Keras' metrics count a probability of `threshold` as positive.

    They compare with `>`, and evaluation and predictions with `>=`, which differs where a network
    gives the same probability to all rows, such as 0.5.
    """
    return float(np.nextafter(np.float32(threshold), np.float32(-1))) if threshold else -1.0


def smoothing_rules(loss: str, label_smoothing: float) -> Iterator[Problem]:
    """Yields a `Problem` for label smoothing with a loss that does not support it."""
    if label_smoothing and loss in ("hinge", "mean_squared_error"):
        yield Problem(
            ("label_smoothing",),
            f"expected 0 with loss {loss!r}: only cross_entropy and focal smooth labels",
        )
