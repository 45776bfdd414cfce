"""Base classes of the fusions, which turn the features of all inputs into one."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, Protocol, runtime_checkable

from mmzoo.heads import BaseHead, HeadInputs, LabelledHead
from mmzoo.lazy import keras, tf
from mmzoo.modalities.base_encoder import Activation, Features
from mmzoo.spec import NonNegativeFloat, PositiveInt, Problem, Rate, Spec

_LARGEST_DEFAULT_WIDTH = 256
"""Vectors of several widths are projected to at most this one, unless the config gives another."""


def auxiliary_name(head: str, name: str) -> str:
    """The name of a head's output from one input alone, and of its layer; no other layer has it."""
    return f"fusion_{head}.{name}"


class BaseFusion(Spec):
    """Combines the inputs, on the level of features or of the heads' outputs."""

    auxiliary_loss: NonNegativeFloat = 0.0
    """Weight of the auxiliary losses: every head that has labels also predicts from each input's
    features alone. These losses count in training only. With one input there are none."""

    if TYPE_CHECKING:  # A field, which each fusion declares with its own name.
        type: str

    @abstractmethod
    def head_outputs(
        self, features: Mapping[str, Features], heads: Mapping[str, BaseHead]
    ) -> dict[str, keras.KerasTensor]:
        """The outputs of all heads, by name; and the auxiliary outputs, by `auxiliary_name`.

        Args:
            features: of each input, in the config's order; there is at least one.
            heads: by name.
        """

    def reads_tokens(self, name: str, inputs: Collection[str]) -> bool:
        """Whether it uses an input's tokens, where that has any, and not only its vector.

        Args:
            name: the input's.
            inputs: the names of all inputs, in the config's order.
        """
        return False

    def head_rules(self, heads: Mapping[str, BaseHead]) -> Iterator[Problem]:
        """Yields a Problem for each field that does not go with these heads."""
        return iter(())

    def input_rules(self, inputs: Collection[str]) -> Iterator[Problem]:
        """Yields a Problem for each field that does not go with inputs of these names."""
        return iter(())

    def notes(self, features: Mapping[str, Features]) -> Iterator[str]:
        """Yields what the fusion does to these features beyond what its fields say."""
        return iter(())

    @property
    def depends_on_duration(self) -> bool:
        """Whether a step depends on the number of steps of the whole training."""
        return False

    def head_notes(self, heads: Mapping[str, BaseHead]) -> Iterator[str]:
        """Yields what the fusion does with these heads that may not be meant."""
        return iter(())

    def start_training(self, model: keras.Model, step: tf.Variable, steps: int) -> None:
        """Connects what changes over a training to its steps; called before the first one.

        Args:
            model: contains the layers of `head_outputs`.
            step: counts the steps that are done, int64; a resume restores it.
            steps: the number of steps of the training, or of its first stage.
        """

    def changing_values(self, model: keras.Model) -> dict[str, float]:
        """What changes over a training, at its last step, by a name for the history."""
        return {}

    def learned_weights(
        self, model: keras.Model, inputs: Collection[str]
    ) -> dict[str, float] | None:
        """The weight of each input, where weights are learned and the same for all examples.

        Args:
            model: contains the layers of `head_outputs`.
            inputs: the names of all inputs, in the config's order.

        Returns:
            By input; they sum to 1. None where no such weights are learned.
        """
        return None

    def head_weights(
        self, model: keras.Model, inputs: Collection[str], heads: Collection[str]
    ) -> dict[str, dict[str, float]]:
        """As `learned_weights`, by head, where each head has its own weights; else empty."""
        return {}

    def example_weights(self, model: keras.Model) -> keras.KerasTensor | None:
        """The weight of each input for each example, where weights differ between examples.

        Args:
            model: contains the layers of `head_outputs`.

        Returns:
            A tensor within the model, for a `keras.Model(model.input, tensor)`: float32 `[batch,
            inputs]` in the config's order, rows sum to 1. None where there are no such weights.
        """
        return None


class FeatureFusion(BaseFusion):
    """Fuses the features of all inputs into one; every head is built on the result."""

    passes_single_input: ClassVar[bool] = True
    """Whether the features of one input alone are used as they are."""

    normalize: bool = False
    """Whether the vector of each input is batch-normalized first, without learned scale and offset,
    so that the scales of the inputs do not matter. Heads that read single inputs get these vectors
    too."""
    units: tuple[PositiveInt, ...] = ()
    """Width of each dense layer after the inputs are fused."""
    activation: Activation = "relu"
    """The activation of those layers."""
    dropout: Rate = 0.0
    """Dropout rate after each of those layers."""

    @abstractmethod
    def combine_features(self, features: Mapping[str, Features]) -> Features:
        """The features of all inputs as one, before the dense layers.

        Args:
            features: of two or more inputs, or of one unless that passes through.
        """

    def fuse(self, features: Mapping[str, Features]) -> Features:
        """The fused features: `combine_features`, then the dense layers on the vector.

        Args:
            features: of each input, in the config's order; there is at least one.

        Returns:
            One vector per example, float `[batch, width]`; and tokens, where the fusion (or the
            only input) has any. Tokens do not go through the dense layers.
        """
        if len(features) == 1 and self.passes_single_input:
            [fused] = features.values()
        else:
            fused = self.combine_features(features)
        x = fused.vector
        for index, units in enumerate(self.units, start=1):
            x = keras.layers.Dense(units, self.activation, name=f"fusion_dense{index}")(x)
            if self.dropout:
                x = keras.layers.Dropout(self.dropout, name=f"fusion_dropout{index}")(x)
        return Features(x, fused.tokens, fused.mask)

    def head_outputs(
        self, features: Mapping[str, Features], heads: Mapping[str, BaseHead]
    ) -> dict[str, keras.KerasTensor]:
        if self.normalize:
            features = {name: _normalized(one, name) for name, one in features.items()}
        given = HeadInputs(self.fuse(features), features)
        outputs = {name: head.build(given, name) for name, head in heads.items()}
        if not self.auxiliary_loss or len(features) == 1:
            return outputs
        return {**outputs, **unimodal_outputs(features, heads)}

    def projections(self, widths: Mapping[str, int]) -> dict[str, int]:
        """The inputs whose vectors are projected first, and the width they are projected to.

        Args:
            widths: of the vectors of all inputs, of which there are two or more.
        """
        return {}

    def projected(self, features: Mapping[str, Features]) -> dict[str, keras.KerasTensor]:
        """The vector of each input, after a linear layer where `projections` asks for one."""
        projections = self.projections(vector_widths(features))
        vectors = {name: feature.vector for name, feature in features.items()}
        for name, width in projections.items():
            layer = keras.layers.Dense(width, name=f"fusion_{name}_projection")
            vectors[name] = layer(vectors[name])
        return vectors

    def notes(self, features: Mapping[str, Features]) -> Iterator[str]:
        if len(features) == 1:
            return
        widths = vector_widths(features)
        projected: dict[int, list[str]] = {}
        for name, width in self.projections(widths).items():
            projected.setdefault(width, []).append(f"{name} ({widths[name]} wide)")
        for width, names in projected.items():
            yield f"the fusion {self.type} projects {' and '.join(names)} to a width of {width}"


@runtime_checkable
class HasPrior(Protocol):
    """A fusion whose code has the prior N(0, I): codes can be drawn, and examples have an ELBO."""

    code_layer: ClassVar[str]
    """Name of the layer from the mean and the log variance of a Gaussian to the code."""
    dim: int
    """Width of the code."""
    importance_samples: int
    """Number of codes per example for its log-likelihood."""


class CommonWidthFusion(FeatureFusion):
    """Combines vectors of one width entry by entry; vectors of another width are projected."""

    dim: PositiveInt | None = None
    """The width at which vectors are combined. Inputs whose vectors have another width are
    projected to it, each by its own linear layer. By default the width that all vectors have; where
    they differ, the largest, but at most 256."""

    def width(self, widths: Mapping[str, int]) -> int:
        """The width at which vectors of these widths are combined."""
        if self.dim is not None:
            return self.dim
        several = set(widths.values())
        return min(max(several), _LARGEST_DEFAULT_WIDTH) if len(several) > 1 else several.pop()

    def projections(self, widths: Mapping[str, int]) -> dict[str, int]:
        common = self.width(widths)
        return {name: common for name, width in widths.items() if width != common}


def unimodal_outputs(
    features: Mapping[str, Features], heads: Mapping[str, BaseHead]
) -> dict[str, keras.KerasTensor]:
    """The output of every head that has labels from each input alone, by `auxiliary_name`."""
    return {
        auxiliary_name(name, one): head.build(
            HeadInputs(feature, {one: feature}), auxiliary_name(name, one)
        )
        for name, head in heads.items()
        if isinstance(head, LabelledHead)
        for one, feature in features.items()
    }


def _normalized(features: Features, name: str) -> Features:
    """Features of an input whose vector has mean 0 and standard deviation 1 over the examples."""
    norm = keras.layers.BatchNormalization(
        momentum=0.9, center=False, scale=False, dtype="float32", name=f"fusion_{name}_norm"
    )
    return replace(features, vector=norm(features.vector))


def vector_widths(features: Mapping[str, Features]) -> dict[str, int]:
    """The width of each input's vector."""
    return {name: int(feature.vector.shape[-1]) for name, feature in features.items()}
