"""What every tabular encoder offers besides its network."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING

from mmzoo.encoders.base import Encoder
from mmzoo.encoders.features import Features
from mmzoo.encoders.tabular.layout import Layout

if TYPE_CHECKING:
    from keras import KerasTensor


class TabularNetwork(Encoder):
    """Rows of normalised numbers and numbered categories in, features out."""

    @abstractmethod
    def build(self, row: KerasTensor, layout: Layout) -> Features:  # type: ignore[override]
        """The network on one input, with weights as Keras draws them.

        Args:
            row: float32 `[batch, layout.width]`.
            layout: What stands where in it.
        """
