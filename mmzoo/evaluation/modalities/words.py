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
NOT_TRAINED_ALONE = (
    "An input alone is this model without the others, not a model that was trained on it alone: "
    "`mmzoo train CONFIG --baselines` trains those."
)


def sentences(head: HeadModalities) -> list[str]:
    """What each input adds to the others, and whether all beat the best of them alone.

    Each is said of the way the model was trained for where it was, else of shuffling.
    """
    added = {**head.added["shuffled"], **head.added.get("absent", {})}
    said = [_adds(name, one, head.scale) for name, one in added.items()]
    single = head.best[_best_way(head)]
    return [*said, fusion_verdict(single.name, single.gain, head.scale)]


def warnings(head: HeadModalities) -> list[str]:
    """What a reader should know before trusting that all inputs are needed."""
    single = head.best[_best_way(head)]
    if single.gain.low > 0:
        return []
    return [
        f"The fusion does not beat its best single input, {single.name}. See what it is worth to "
        f"a model of its own: `mmzoo train CONFIG --baselines`."
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


def _best_way(head: HeadModalities) -> Way:
    return "absent" if "absent" in head.best else "shuffled"


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
