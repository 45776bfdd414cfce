"""What every fusion offers."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING

from mmzoo.heads import Head
from mmzoo.lazy import keras
from mmzoo.modalities.base_encoder import Features
from mmzoo.spec import NonNegativeFloat, Problem, Spec


def by_itself(head: str, name: str) -> str:
    """What a head's prediction from one input alone is called, and its layer: like nothing else."""
    return f"fusion_{head}.{name}"


class BaseFusion(Spec):
    """The features of all inputs become one vector, or decisions."""

    auxiliary_loss: NonNegativeFloat = 0.0
    """Weight of the losses of what each input's features alone predict with every head. They are
    part of what is minimised in training, and of nothing else. One input alone has none."""

    if TYPE_CHECKING:  # A field, which each fusion declares with its own name.
        type: str

    @abstractmethod
    def build(
        self, features: Mapping[str, Features], heads: Mapping[str, Head]
    ) -> dict[str, keras.KerasTensor]:
        """What every head predicts from the features of all inputs.

        Args:
            features: of each input, in the config's order; there is at least one.
            heads: by name.

        Returns:
            Each head's prediction by its name, float32 `[batch, width]`.
        """

    def predictions(
        self, features: Mapping[str, Features], heads: Mapping[str, Head]
    ) -> dict[str, keras.KerasTensor]:
        """As `build`; and where that has a loss, what each input alone predicts, `by_itself`."""
        together = self.build(features, heads)
        if not self.auxiliary_loss or len(features) == 1:
            return together
        return {**together, **self.alone(features, heads)}

    def alone(
        self, features: Mapping[str, Features], heads: Mapping[str, Head]
    ) -> dict[str, keras.KerasTensor]:
        """What every head predicts from the vector of each input, by layers named `by_itself`."""
        return {
            by_itself(name, one): head.output(feature.vector, by_itself(name, one))
            for name, head in heads.items()
            for one, feature in features.items()
        }

    def reads_tokens(self, name: str, inputs: Collection[str]) -> bool:
        """Whether it reads an input's tokens, where that has any, and not its vector alone.

        Args:
            name: the input's.
            inputs: the names of all inputs, in the config's order.
        """
        return False

    def head_rules(self, heads: Mapping[str, Head]) -> Iterator[Problem]:
        """Yields a Problem for each field that does not go with these heads."""
        return iter(())

    def input_rules(self, inputs: Collection[str]) -> Iterator[Problem]:
        """Yields a Problem for each field that does not go with inputs of these names."""
        return iter(())

    def notes(self, features: Mapping[str, Features]) -> Iterator[str]:
        """Yields what it does to these features that its fields do not say, for the user."""
        return iter(())

    def learned_weights(
        self, model: keras.Model, inputs: Collection[str]
    ) -> dict[str, float] | None:
        """How much each input counts, where that is learned and the same for all examples.

        Args:
            model: has the layers that `build` made.
            inputs: the names of all inputs, in the config's order.

        Returns:
            By input; they sum to 1. None where no such weights are learned.
        """
        return None

    def head_weights(
        self, model: keras.Model, inputs: Collection[str], heads: Collection[str]
    ) -> dict[str, dict[str, float]]:
        """As `learned_weights`, by head, where each head has weights of its own; else nothing."""
        return {}

    def example_weights(self, model: keras.Model) -> keras.KerasTensor | None:
        """How much each input counts for each example, where the fusion decides that by example.

        Args:
            model: has the layers that `build` made.

        Returns:
            A tensor within the model, for a `keras.Model(model.input, tensor)`: float32 `[batch,
            inputs]` in the config's order, of sum 1. None where no such weights are made.
        """
        return None
