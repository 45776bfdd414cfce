"""How a fusion has learnt to weigh its inputs, head by head where that differs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mmzoo.sharing import TOWER

if TYPE_CHECKING:
    import keras

    from mmzoo.config import Config


def learned_input_weights(model: keras.Model, config: Config) -> dict[str, dict[str, float]]:
    """How much each input counts, by its name, where the fusion learns that.

    Returns:
        By head; "" where it is the same for all of them.
    """
    inputs, heads, fusion = tuple(config.inputs), tuple(config.heads), config.fusion
    if by_head := fusion.head_weights(model, inputs, heads):
        return by_head
    # Of the first head the layers have their plain names.
    towers: dict[str, Any] = {"" if config.share or len(heads) == 1 else heads[0]: model}
    if not config.share:
        towers |= {head: _Tower(model, f"{TOWER}{head}") for head in heads[1:]}
    found = {head: fusion.learned_weights(tower, inputs) for head, tower in towers.items()}
    return {head: weights for head, weights in found.items() if weights is not None}


@dataclass(frozen=True)
class _Tower:
    """The layers of one head in a model, by the names that those of the first head have."""

    model: keras.Model
    ending: str

    def get_layer(self, name: str) -> keras.Layer:
        return self.model.get_layer(f"{name}{self.ending}")
