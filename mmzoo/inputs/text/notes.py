"""Notes: what the user should know of how texts fit a vocabulary and a length."""

from __future__ import annotations

from typing import Literal

from mmzoo.inputs.text.ids import PADDING, UNKNOWN
from mmzoo.inputs.text.tokens import Unit
from mmzoo.lazy import np

MANY_CUT = 0.1
"""Above this share of cut texts it is said how many they are."""
FITTING = 95
"""Percent of texts that the length which is then proposed leaves whole."""


def fit_sentence(
    ids: np.ndarray, lengths: np.ndarray, length: int, keep: Literal["start", "end"], unit: Unit
) -> str:
    """How many words are unknown and, where they are many, how many texts are cut.

    Args:
        ids: `[texts, positions]`, of one text or more.
        lengths: Of the texts before they were cut, int `[texts]`.
        length: What they were cut to.
        keep: The part that was kept.
        unit: What the ids are of.
    """

    unknown = percent((ids == UNKNOWN).sum() / (ids != PADDING).sum())
    sentence = f"{unknown} of the {unit} are not in the vocabulary"
    cut = (lengths > length).mean()
    if cut > MANY_CUT:
        fitting = int(np.percentile(lengths, FITTING, method="higher"))
        lost = "end" if keep == "start" else "start"
        sentence += (
            f"; of {percent(cut)} of the texts the {lost} is not read, beyond {length:,} {unit} "
            f"(`length: {fitting}` would leave {FITTING} % of them whole, and take longer)"
        )
    return f"{sentence}."


def percent(share: float) -> str:
    """`0.3 %`, `31 %`; never 0 where there is any."""
    if 0 < share < 0.001:
        return "less than 0.1 %"
    return f"{100 * share:.1f} %" if share < 0.1 else f"{100 * share:.0f} %"
