"""The default objective: predictions near their labels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from mmzoo.heads import Head
from mmzoo.lazy import keras
from mmzoo.spec import Spec

if TYPE_CHECKING:
    from keras import KerasTensor


class Supervised(Spec):
    """The heads' losses, weighted and summed."""

    type: Literal["supervised"] = "supervised"

    def build(
        self, inputs: Mapping[str, KerasTensor], outputs: Mapping[str, KerasTensor], name: str
    ) -> keras.Model:
        """The model of these inputs and outputs, both named dictionaries."""
        return keras.Model(dict(inputs), dict(outputs), name=name)

    def compile_arguments(self, heads: Mapping[str, Head], soft: bool) -> dict[str, Any]:
        """What `keras.Model.compile` needs to know of the objective; `soft` as in `Head.target`."""
        return {
            "loss": {name: head.keras_loss(soft) for name, head in heads.items()},
            "loss_weights": {name: head.weight for name, head in heads.items()},
            "metrics": {name: head.keras_metrics(soft) for name, head in heads.items()},
        }
