"""The base class of all heads, and protocols for optional abilities."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, Self, runtime_checkable

from mmzoo.column_spec import ColumnSpec
from mmzoo.lazy import keras, np, tf
from mmzoo.modalities.base_encoder import Features
from mmzoo.modalities.scan import Files
from mmzoo.spec import NonNegativeFloat, Problem, Spec

if TYPE_CHECKING:
    from mmzoo.randomness import Randomness


@dataclass(frozen=True)
class HeadInputs:
    """The features that a head is built on.

    Attributes:
        fused: the fused features of all inputs.
        inputs: the features of each input, in the config's order. Missing inputs are replaced by
            learned features, see `Features.present`.
    """

    fused: Features
    inputs: Mapping[str, Features]


class BaseHead(Spec):
    """One named output of the model: its layers, loss, metrics and evaluation.

    A head need not have labels. Without labels, its target is computed from the model's inputs
    (reconstruction) or by its own layers (contrastive), or it has none. Its output is then passed
    to the loss only. To be evaluated over a whole split or written to predictions.csv, the head
    also implements `EvaluatesOutputs` or `WritesPredictions`. Heads with a label column derive
    from `LabelledHead`.

    A head's layers may also call `add_loss`: such losses are added to the total unweighted.
    """

    metric_names: ClassVar[tuple[str, ...]] = ()
    """The names of `compile_metrics`. The first is monitored by default; if empty, the loss is."""

    opposes_others: ClassVar[bool] = False
    """Whether it makes the features less useful, so that a low loss does not mean a good model."""

    weight: NonNegativeFloat = 1.0
    """Weight of this head's loss in the sum over all heads."""

    if TYPE_CHECKING:  # Each head declares this field with its own name.
        type: str

    def required_columns(self) -> dict[str, ColumnSpec]:
        """The columns that the head needs from the source."""
        return {}

    @property
    def is_fitted(self) -> bool:
        """Whether all fields that determine the model's shape are set."""
        return True

    def without_names(self) -> BaseHead:
        """A copy of the head for synthetic labels: without values fitted to real labels."""
        return self

    def input_rules(self, inputs: Mapping[str, Spec]) -> Iterator[Problem]:
        """Yields a `Problem` for each field that is incompatible with these inputs (by name)."""
        return iter(())

    def head_rules(self, heads: Mapping[str, BaseHead]) -> Iterator[Problem]:
        """Yields a `Problem` for each field that is incompatible with these heads (by name)."""
        return iter(())

    def with_inputs(self, inputs: Mapping[str, Spec]) -> Self:
        """The head in a config with these inputs; a copy that knows them, if it depends on them.

        `Config` calls this, so the heads of a config always know its inputs.

        Args:
            inputs: by name. A shared encoder is replaced by the encoder itself.
        """
        return self

    def reads_tokens(self, name: str, inputs: Collection[str]) -> bool:
        """Whether the head uses the tokens of the input `name`, not only its vector."""
        return False

    def reads_values(self, name: str, inputs: Collection[str]) -> bool:
        """Whether `target_from_inputs` uses the input `name`."""
        return False

    @property
    def needed_inputs(self) -> tuple[str, ...]:
        """The inputs without which an example has no target and does not count in the loss."""
        return ()

    @property
    def depends_on_duration(self) -> bool:
        """Whether a step depends on the number of steps of the whole training."""
        return False

    def start_training(self, model: keras.Model, name: str, step: tf.Variable, steps: int) -> None:
        """Connects what changes over a training to its steps; called before the first one.

        Args:
            model: contains the head's layers.
            name: the head's name.
            step: counts the steps that are done, int64; a resume restores it.
            steps: the number of steps of the training, or of its first stage.
        """

    def changing_values(self, model: keras.Model, name: str) -> dict[str, float]:
        """What changes over a training, at its last step, by a name for the history."""
        return {}

    @abstractmethod
    def build(self, given: HeadInputs, name: str) -> keras.KerasTensor:
        """The head's output, float32 `[batch, ...]`.

        Args:
            given: the features.
            name: the head's name, which its last layer has too. Names of other layers begin with
                `fusion_<name>_`.
        """

    def predictions(self, outputs: np.ndarray) -> np.ndarray:
        """The predictions of a batch of `collected` outputs, `[batch, ...]`.

        They are in the units of the labels; a regression's outputs are not. By default the outputs.
        """
        return outputs

    def target_from_inputs(self, inputs: Mapping[str, tf.Tensor]) -> tf.Tensor:
        """The target of a batch, `[batch, ...]`, for a head without a label column.

        Args:
            inputs: the batch of model inputs, after augmentation and mixing but without modality
                dropout: a presence mask is 0 only where the data lacks an input.

        Returns:
            By default zeros `[batch]`, for a loss that depends only on the output.
        """
        return tf.zeros(tf.shape(next(iter(inputs.values())))[:1])

    def target_from_labels(self, targets: Mapping[str, tf.Tensor]) -> tf.Tensor | None:
        """The target of a batch, for a head that learns from the labels of other heads.

        Args:
            targets: of the heads with labels, by name, see `LabelledHead.labelled_target`.

        Returns:
            By default None: the target is that of `target_from_inputs`.
        """
        return None

    def class_head(self, heads: Mapping[str, BaseHead]) -> str | None:
        """The head whose classes the metrics of a head without labels use; None for none."""
        return None

    def noisy_inputs(
        self, inputs: Mapping[str, tf.Tensor], randomness: Randomness
    ) -> Mapping[str, tf.Tensor]:
        """The inputs of a training batch after the head's noise, which its target does not have.

        Args:
            inputs: the batch of model inputs that the target was computed from.
            randomness: random numbers of the examples.
        """
        return inputs

    def collected(self, outputs: tf.Tensor, inputs: Mapping[str, tf.Tensor]) -> tf.Tensor:
        """The part of a batch's outputs that evaluation and prediction collect in memory.

        By default all of it. A head with large outputs, such as images, computes its figures of
        each example here.

        Args:
            outputs: the head's, `[batch, ...]`.
            inputs: the batch of model inputs, as for `target_from_inputs`.
        """
        return outputs

    @abstractmethod
    def compile_loss(self, soft: bool) -> keras.losses.Loss:
        """The loss of targets and outputs; `soft` if targets can be mixtures of labels."""

    def compile_metrics(self, soft: bool) -> list[keras.metrics.Metric]:
        """The metrics of targets and outputs during training, named as in `metric_names`."""
        return []


@runtime_checkable
class EvaluatesOutputs(Protocol):
    """A head with metrics of a whole split, for which its outputs are collected in memory."""

    def evaluate(self, labels: Any, predicted: np.ndarray) -> dict[str, Any]:
        """All metrics of an evaluation, as JSON-compatible numbers, lists and None.

        Args:
            labels: `[rows]` or `[rows, width]`; for a head without labels the class ids of its
                `class_head`, -1 where missing, or None.
            predicted: the head's `predictions`, float `[rows, ...]`.
        """


@runtime_checkable
class WritesPredictions(Protocol):
    """A head whose predictions are columns of a table."""

    def decode(self, predicted: np.ndarray, name: str, top: int = 0) -> Mapping[str, list[Any]]:
        """Decodes predictions to columns of a table, whose names start with `name`.

        Args:
            predicted: the head's `predictions`, float `[rows, ...]`.
            name: the head's name.
            top: number of the most probable classes to include, for a head that predicts one.
        """


@runtime_checkable
class ScoresExamples(Protocol):
    """A head whose predictions are scored one by one, so that models can be compared."""

    def example_scores(self, labels: Any, predicted: np.ndarray) -> np.ndarray:
        """The score of each prediction, float64 `[rows]`; higher is better.

        Args:
            labels: `[rows]` or `[rows, width]`, none of them missing; None for a head without
                labels.
            predicted: the head's `predictions`, float `[rows, width]`.
        """


@runtime_checkable
class RebuildsInput(Protocol):
    """A head whose output is one of the inputs again, to be shown beside the original."""

    input: str
    """The name of that input."""

    def show_reconstruction(
        self, target: np.ndarray, rebuilt: np.ndarray, files: Files
    ) -> tuple[Sequence[np.ndarray] | Sequence[str], Sequence[np.ndarray] | Sequence[str]]:
        """Originals and rebuilt values, see `Reconstructs.show_target`.

        Args:
            target: from `target_from_inputs`.
            rebuilt: the head's output.
            files: the fitted preprocessing of the input.
        """

    def show_rebuilt(
        self, rebuilt: np.ndarray, files: Files
    ) -> Sequence[np.ndarray] | Sequence[str]:
        """Rebuilt values alone, likewise."""


@runtime_checkable
class HasLikelihood(Protocol):
    """A head whose output gives the probability of an example, as a part of an ELBO."""

    @property
    def has_likelihood(self) -> bool:
        """Whether it does, with its present loss."""

    def log_likelihood(self, target: tf.Tensor, outputs: tf.Tensor) -> tf.Tensor:
        """That of each example, in nats, float32 `[batch]`; 0 for one without a target.

        Args:
            target: from `target_from_inputs`.
            outputs: the head's.
        """


@runtime_checkable
class HasCommonSpace(Protocol):
    """A head that projects inputs to one space, in which vectors are compared by cosine.

    The inputs of its last layer are the unit vectors of its `inputs`, in order.
    """

    inputs: tuple[str, ...]

    def logits(self, model: keras.Model, name: str, cosines: np.ndarray) -> np.ndarray:
        """The logits that the model learned for cosines.

        Args:
            model: the built model.
            name: the head's.
            cosines: float, any shape.
        """


@runtime_checkable
class ChoosesClass(Protocol):
    """A head that predicts one of several classes."""

    @property
    def class_names(self) -> tuple[str, ...] | None: ...

    def class_labels(self, labels: np.ndarray) -> np.ndarray:
        """The class of each row's label, int64 `[rows]`."""

    def class_probabilities(self, predicted: np.ndarray) -> np.ndarray:
        """The probability of each class, float `[rows, classes]`."""

    def predicted_classes(self, predicted: np.ndarray) -> np.ndarray:
        """The predicted class of each row, int64 `[rows]`."""


@runtime_checkable
class ChoosesLabels(Protocol):
    """A head that predicts any number of labels per example."""

    @property
    def class_names(self) -> tuple[str, ...] | None: ...

    @property
    def threshold(self) -> float: ...

    def label_rows(self, labels: np.ndarray) -> np.ndarray:
        """Multi-hot labels, int64 `[rows, labels]`."""


def has_predictions(head: BaseHead) -> bool:
    """Whether a head's outputs are collected, for evaluation or to be written."""
    return isinstance(head, EvaluatesOutputs | WritesPredictions)
