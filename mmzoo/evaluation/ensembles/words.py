"""Whether an ensemble was worth it, in a sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mmzoo.evaluation.verdicts import difference_words, turned

if TYPE_CHECKING:
    from mmzoo.evaluation.ensembles.methods import Method
    from mmzoo.evaluation.scale import Scale
    from mmzoo.metrics import PairedDifference

CALLED: dict[Method, str] = {
    "average": "the average",
    "weighted": "the weighted average",
    "vote": "the vote",
    "stacking": "the stacking",
}


def sentence(method: Method, best: str, gain: PairedDifference, scale: Scale) -> str:
    """How an ensemble compares with its best member on the same examples.

    Args:
        method: of the ensemble.
        best: the member's name.
        gain: by how much the ensemble is better, above 0 if it is.
        scale: of the main metric.
    """
    called = CALLED[method].capitalize()
    if gain.low > 0:
        return f"{called} beats its best member, {best}, by {difference_words(gain, scale)}."
    if gain.high < 0:
        by = difference_words(turned(gain), scale)
        return f"{called} is worse than its best member, {best}, by {by}."
    if gain.low == gain.high == 0:
        return f"{called} is as good as its best member, {best}, on every one of the examples."
    by = difference_words(gain, scale)
    return f"{called} is not shown to beat its best member, {best}: the difference is {by}."
