"""What every fusion offers."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from mmzoo.encoders import Features
from mmzoo.heads import Head
from mmzoo.spec import Spec

if TYPE_CHECKING:
    from keras import KerasTensor


class BaseFusion(Spec):
    """The features of all inputs become one vector, or decisions."""

    uses_tokens: ClassVar[bool] = False
    """Whether it reads the inputs' tokens, and not their vectors alone."""

    if TYPE_CHECKING:  # A field, which each fusion declares with its own name.
        type: str

    @abstractmethod
    def build(
        self, features: Mapping[str, Features], heads: Mapping[str, Head]
    ) -> dict[str, KerasTensor]:
        """What every head predicts from the features of all inputs.

        Args:
            features: of each input, in the config's order; there is at least one.
            heads: by name.

        Returns:
            Each head's prediction by its name, float32 `[batch, width]`.
        """
