"""Whether an ensemble was worth it, in a sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING

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
        verb, low, high = "beats", gain.low, gain.high
    elif gain.high < 0:
        verb, low, high = "is worse than", -gain.high, -gain.low
    elif gain.low == gain.high == 0:
        return f"{called} is as good as its best member, {best}, on every one of the examples."
    else:
        by = f"{_signed(gain.difference, scale)}{_unit(scale)}"
        interval = f"{_signed(gain.low, scale)} to {_signed(gain.high, scale)}"
        return (
            f"{called} is not shown to beat its best member, {best}: the difference is {by} "
            f"(95 % CI {interval})."
        )
    by = scale.difference_text(abs(gain.difference))
    interval = f"{scale.difference(low)} to {scale.difference(high)}"
    return f"{called} {verb} its best member, {best}, by {by} (95 % CI {interval})."


def _unit(scale: Scale) -> str:
    return " points" if scale.is_share else ""


def _signed(value: float, scale: Scale) -> str:
    text = scale.difference(abs(value))
    if float(text) == 0:
        return text
    return f"{'+' if value > 0 else '-'}{text}"
