"""What the inputs are worth, in sentences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from mmzoo.evaluation.measure import interval_words
from mmzoo.evaluation.modalities.subset_scores import SHUFFLES, Way
from mmzoo.evaluation.verdicts import difference_words, fusion_verdict, turned

if TYPE_CHECKING:
    from mmzoo.evaluation.modalities.modalities import HeadModalities, Modalities
    from mmzoo.evaluation.scale import Scale
    from mmzoo.metrics import PairedDifference

WAYS_EXPLAINED: dict[Way, str] = {
    "absent": "absent: the inputs that are left out are not there, as the model has learned it",
    "shuffled": (
        f"shuffled: the inputs that are left out are those of other examples, a mean of {SHUFFLES}"
    ),
}
_ASK = "`mmzoo train CONFIG --baselines`"
_ALONE = "An input alone is this model without the others, not a model that was trained on it alone"


def sentences(head: HeadModalities) -> list[str]:
    """What each input is worth beside the others, and whether all beat the best of them alone.

    What an input adds, and how it does alone, are said only of a model that was trained to do
    without the others. Shuffling says no more than how much this model leans on an input. Where
    models were trained on one input each, the verdict is theirs.
    """
    absent = head.added.get("absent", {})
    said = [
        _adds(name, absent[name], head.scale) if name in absent else _leans(name, one, head.scale)
        for name, one in head.added["shuffled"].items()
    ]
    if head.trained_alone:
        verdict = head.trained_alone.sentence
        return [*said, f"held against models trained on one input each, {verdict}"]
    single = head.best_of("absent")
    return [*said, fusion_verdict(single.name, single.gain, head.scale)] if single else said


def warnings(head: HeadModalities) -> list[str]:
    """What a reader should know before trusting that all inputs are needed."""
    if trained := head.trained_alone:
        if trained.gain.low > 0:
            return []
        return [f"The fusion does not beat a model that was trained on {trained.name} alone."]
    single = head.best_of("absent")
    if single is None:
        return [
            "Shuffling says what this model leans on, and not what an input is worth: whether the "
            f"fusion beats an input alone, {_ASK} finds out."
        ]
    never_alone = [name for name in head.inputs if name not in head.alone["absent"]]
    if single.gain.low <= 0:
        which = f"{single.name} alone" if never_alone else f"its best single input, {single.name}"
        return [
            f"The fusion does not beat {which}. See what it is worth to a model of its own: {_ASK}."
        ]
    if not never_alone:
        return []
    return [
        f"This model never learned to do with {' or '.join(never_alone)} alone: whether the fusion "
        f"beats that, {_ASK} finds out."
    ]


def notes(found: Modalities) -> list[str]:
    """The warnings of all heads; what is true of several, once."""
    heads: dict[str, list[str]] = {}
    for head in found.heads:
        for warning in warnings(head):
            heads.setdefault(warning, []).append(head.name)
    return [
        warning if len(names) == len(found.heads) else f"{', '.join(names)}: {warning}"
        for warning, names in heads.items()
    ]


def explanations(found: Modalities) -> list[str]:
    """How to read the figures, in sentences."""
    ways = [WAYS_EXPLAINED[way] for way in found.heads[0].measures]
    few = (
        f"Of the subsets of {len(found.inputs)} inputs only some are here: each input alone, each "
        "left out, and all."
    )
    asked = any(head.trained_alone or warnings(head) for head in found.heads)
    return [
        *(f"{way[0].upper()}{way[1:]}." for way in ways),
        f"{_ALONE}." if asked else f"{_ALONE}: {_ASK} trains those.",
        *([few] if found.subsets_left_out else []),
        *weights_sentences(found),
    ]


def weights_sentences(found: Modalities) -> list[str]:
    """How much each input counts in the fusion, where it has weights."""
    learned = [
        f"The fusion has learned to weigh {f'for {head} ' if head else ''}{_weights(weights)}."
        for head, weights in found.learned_weights.items()
    ]
    by_example = [
        f"The fusion weighs by example; on average, {f'for {head} ' if head else ''}"
        f"{_weights(weights)}."
        for head, weights in found.mean_weights.items()
    ]
    return learned + by_example


def _weights(weights: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {weight:.2f}" for name, weight in weights.items())


def _adds(name: str, found: PairedDifference, scale: Scale) -> str:
    if found.high < 0:
        by = difference_words(turned(found), scale)
        return f"{name} does harm: without it the model is better by {by}"
    if found.low <= 0:
        return f"{name} adds nothing that shows (difference {difference_words(found, scale)})"
    if scale.is_share:
        return f"{name} adds {difference_words(found, scale)}"
    by = scale.difference_text(found.difference)
    return f"{name} takes {by} off the {scale.label}, {interval_words(found, scale)}"


def _leans(name: str, found: PairedDifference, scale: Scale) -> str:
    """How much worse the model is with the wrong values of an input."""
    given = f"with the {name} of other examples"
    if found.low <= 0 <= found.high:
        return f"{given}, no difference shows ({difference_words(found, scale)})"
    worse = found.low > 0
    by = difference_words(found if worse else turned(found), scale)
    return (
        f"{given}, the {scale.label} is {'lower' if worse == scale.is_share else 'higher'} by {by}"
    )
