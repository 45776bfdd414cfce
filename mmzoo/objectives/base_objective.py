"""The base class of objectives."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from mmzoo.heads import BaseHead
from mmzoo.lazy import keras
from mmzoo.optimizers import BaseOptimizer
from mmzoo.spec import Problem, Spec


class BaseObjective(Spec):
    """The quantity that training minimizes; it builds the Keras model.

    If an objective has several losses, its model is a subclass with its own `train_step`.
    """

    monitor: ClassVar[str] = ""
    """The column of history.csv that selects the best epoch by default; if empty, the main metric
    of the only head, or the loss."""

    if TYPE_CHECKING:  # Each objective declares this field with its own name.
        type: str

    def experiment_rules(self, experiment: Any) -> Iterator[Problem]:
        """Yields a Problem for each part of the config that does not go with it.

        Args:
            experiment: the config, see `mmzoo.rules.Experiment`.
        """
        return iter(())

    def generated_input(self, inputs: Mapping[str, Spec]) -> str | None:
        """The name of the input that the model learns to generate, if it does."""
        return None

    def own_outputs(self, inputs: Mapping[str, Spec]) -> Mapping[str, BaseHead]:
        """Outputs of the model that only the objective uses, as heads, by name."""
        return {}

    @abstractmethod
    def build(
        self,
        inputs: Mapping[str, keras.KerasTensor],
        outputs: Mapping[str, keras.KerasTensor],
        name: str,
        heads: Mapping[str, BaseHead],
        auxiliary: Mapping[str, tuple[str, ...]] | None = None,
        auxiliary_weight: float = 0.0,
        specs: Mapping[str, Spec] | None = None,
    ) -> keras.Model:
        """The model of these inputs and outputs, both by name.

        Args:
            inputs: the model's inputs.
            outputs: the outputs of all heads, and any others. May be those of a model that this
                method returned; the new one then shares its layers.
            name: the model's.
            heads: by name.
            auxiliary: by head, the names of its auxiliary outputs, which are trained on the same
                labels.
            auxiliary_weight: the weight of each auxiliary loss relative to the head's own.
            specs: the config's inputs, by name.
        """

    def learned_weights(
        self, model: keras.Model, heads: Mapping[str, BaseHead]
    ) -> dict[str, float]:
        """The current weight of each head's loss, where weights are learned; else empty."""
        return {}

    def optimizers(self, optimizer: BaseOptimizer) -> dict[str, BaseOptimizer]:
        """The optimizers of the model, as arguments of `keras.Model.compile`.

        Args:
            optimizer: `train.optimizer`.
        """
        return {"optimizer": optimizer}

    def compile_arguments(self, heads: Mapping[str, BaseHead], soft: bool) -> dict[str, Any]:
        """The other arguments of `keras.Model.compile`; `soft` as in `BaseHead.compile_loss`."""
        metrics = {name: head.compile_metrics(soft) for name, head in heads.items()}
        return {
            "loss": {name: head.compile_loss(soft) for name, head in heads.items()},
            "loss_weights": {name: head.weight for name, head in heads.items()},
            "metrics": {name: of_head for name, of_head in metrics.items() if of_head},
        }
