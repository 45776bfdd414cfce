"""One input modulated by the others."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Literal

from mmzoo import layers
from mmzoo.fusion.base_fusion import FeatureFusion
from mmzoo.fusion.token_fusion import present_tokens
from mmzoo.lazy import keras
from mmzoo.modalities.base_encoder import Features
from mmzoo.spec import PositiveInt, Problem, did_you_mean
from mmzoo.spec.wording import shorten


class FiLM(FeatureFusion):
    """Feature-wise linear modulation: the other inputs scale and shift the features of one.

    The tokens of the modulated input (such as the positions of an image), or its vector where it
    has none, go through residual blocks of two dense layers. After the second, every feature is
    scaled and shifted by numbers computed from the other inputs' vectors. Then the tokens are
    pooled. Unlike the paper's, the blocks normalize each token rather than the batch, and do not
    mix neighbouring positions: the encoder has done that.

    Reference: Perez et al., "FiLM: Visual reasoning with a general conditioning layer", 2018.
    """

    type: Literal["film"] = "film"
    modulated: str | None = None
    """The input that is modulated; by default the first. All others modulate it."""
    blocks: PositiveInt = 2
    """Number of residual blocks."""
    dim: PositiveInt = 128
    """Width of the tokens in the blocks and of the pooled vector."""
    pooling: Literal["max", "average"] = "max"
    """How the tokens are pooled."""

    def reads_tokens(self, name: str, inputs: Collection[str]) -> bool:
        return len(inputs) > 1 and name == self._modulated(inputs)

    def input_rules(self, inputs: Collection[str]) -> Iterator[Problem]:
        if self.modulated is not None and self.modulated not in inputs:
            meant = did_you_mean(self.modulated, inputs) or "."
            yield Problem(
                ("modulated",),
                f"no input is named '{shorten(self.modulated)}'{meant} "
                f"There are: {', '.join(inputs)}",
            )

    def notes(self, features: Mapping[str, Features]) -> Iterator[str]:
        if len(features) > 1:
            name, others = self._parts(features)
            what = "vector" if features[name].tokens is None else "tokens"
            yield f"the fusion film modulates the {what} of {name} by {' and '.join(others)}"

    def combine_features(self, features: Mapping[str, Features]) -> Features:
        name, others = self._parts(features)
        vectors = [features[other].vector for other in others]
        condition = vectors[0]
        if len(vectors) > 1:
            condition = keras.layers.Concatenate(name="fusion_condition")(vectors)
        spec = features[name]
        x = spec.vector if spec.tokens is None else spec.tokens
        x = keras.layers.Dense(self.dim, name=f"fusion_{name}_projection")(x)
        for index in range(1, self.blocks + 1):
            x = self._block(x, condition, f"fusion_block{index}")
        if spec.tokens is None:
            return Features(x)
        _, present = present_tokens(spec, name)
        pool = layers.MaskedMax if self.pooling == "max" else layers.MaskedAverage
        return Features(pool(name=f"fusion_{self.pooling}")(x, present), x, spec.mask)

    def _block(
        self, x: keras.KerasTensor, condition: keras.KerasTensor, name: str
    ) -> keras.KerasTensor:
        x = keras.layers.Dense(self.dim, "relu", name=f"{name}_dense1")(x)
        y = keras.layers.Dense(self.dim, name=f"{name}_dense2")(x)
        y = keras.layers.LayerNormalization(
            epsilon=1e-5, center=False, scale=False, name=f"{name}_norm"
        )(y)
        y = layers.FeatureModulation(name=f"{name}_film")(y, condition)
        y = keras.layers.ReLU(name=f"{name}_relu")(y)
        return keras.layers.Add(name=f"{name}_add")([x, y])

    def _parts(self, features: Mapping[str, Features]) -> tuple[str, list[str]]:
        """The name of the input that is modulated, and those of the others."""
        modulated = self._modulated(features)
        return modulated, [name for name in features if name != modulated]

    def _modulated(self, inputs: Collection[str]) -> str:
        return self.modulated or next(iter(inputs))
