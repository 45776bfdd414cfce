"""Whether something is better than what it is held against, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mmzoo.evaluation.measure import interval_words

if TYPE_CHECKING:
    from mmzoo.evaluation.scale import Scale
    from mmzoo.metrics import PairedDifference


def fusion_verdict(single: str, gain: PairedDifference, scale: Scale) -> str:
    """Whether a fusion beats its best input alone.

    Args:
        single: the input's name.
        gain: by how much the fusion is better, above 0 if it is.
        scale: of the main metric.
    """
    by = difference_words(gain, scale)
    if gain.low > 0:
        return f"the fusion beats {single} alone by {by}"
    if gain.high < 0:
        return f"the fusion is worse than {single} alone by {difference_words(turned(gain), scale)}"
    return f"the fusion does not beat {single} alone (difference {by})"


def difference_words(found: PairedDifference, scale: Scale) -> str:
    """As `4.1 points, 95 % CI 3.2 to 5.0`."""
    return f"{scale.difference_text(found.difference)}, {interval_words(found, scale)}"


def turned(found: PairedDifference) -> PairedDifference:
    """The other less the one."""
    return type(found)(-found.difference, -found.high, -found.low)
