"""What each input is worth to a model that has several, with intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from mmzoo.errors import RunError
from mmzoo.evaluation.measure import Measure, Measured
from mmzoo.evaluation.modalities.input_weights import learned_input_weights, mean_input_weights
from mmzoo.evaluation.modalities.subset_scores import WAYS, Scores, Way, subset_scores
from mmzoo.evaluation.modalities.subsets import MOST_FOR_ALL, Subset, without
from mmzoo.evaluation.scale import Scale, scale_of
from mmzoo.metrics import PairedDifference

if TYPE_CHECKING:
    from mmzoo.config import Config
    from mmzoo.evaluation.evaluate import Evaluation
    from mmzoo.model import Network
    from mmzoo.sources import Data


@dataclass(frozen=True)
class Single:
    """The best input by itself, and by how much all inputs together are better."""

    name: str
    gain: PairedDifference


@dataclass(frozen=True)
class TrainedAlone(Single):
    """The best model that was trained on one input alone."""

    sentence: str
    """Whether the fusion beats it, in words."""


@dataclass(frozen=True)
class HeadModalities:
    """What the inputs are worth to one head, by each way of leaving some out.

    A way in which nothing can be left out is not there. Differences are above 0 where the metric is
    better, whichever way that is.
    """

    name: str
    scale: Scale
    examples: int
    measures: Mapping[Way, Mapping[Subset, Measure]]
    """The metric of each subset."""
    added: Mapping[Way, Mapping[str, PairedDifference]]
    """All inputs less all but this one: what it adds to the others."""
    alone: Mapping[Way, Mapping[str, PairedDifference]]
    """All inputs less this one alone."""
    trained_alone: TrainedAlone | None = None
    """Where models were trained on one input each, and tested on these examples."""

    @property
    def inputs(self) -> tuple[str, ...]:
        return tuple(self.added["shuffled"])

    @property
    def best(self) -> dict[Way, Single]:
        """Only where every input can be had alone."""
        return {
            way: best
            for way, alone in self.alone.items()
            if len(alone) == len(self.inputs) and (best := self.best_of(way))
        }

    def best_of(self, way: Way) -> Single | None:
        """The best of the inputs that can be had alone in a way; None where none can."""
        alone = self.alone.get(way)
        if not alone:
            return None
        name = min(alone, key=lambda one: alone[one].difference)
        return Single(name, alone[name])


@dataclass(frozen=True)
class Modalities:
    """What `mmzoo eval --modalities` finds out."""

    split: str
    examples: int
    inputs: tuple[str, ...]
    heads: tuple[HeadModalities, ...]
    learned_weights: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """How much each input counts in the fusion for all examples, where that is learned: by head, ""
    where it is the same for all heads, and input."""
    mean_weights: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """How much it counts on average, where the fusion weighs by example; likewise."""

    @property
    def subsets_left_out(self) -> bool:
        """Whether there are too many inputs to take every subset."""
        return len(self.inputs) > MOST_FOR_ALL


def require_several_inputs(config: Config, where: str) -> None:
    """Raises a RunError for a model of one input, of which there is nothing to leave out."""
    if len(config.inputs) == 1:
        [name] = config.inputs
        raise RunError(
            f"{where}: has one input only, {name}: --modalities says what each of several is "
            "worth. --robustness says how the model bears a worse one."
        )


def measured_modalities(
    network: Network,
    config: Config,
    data: Data,
    evaluation: Evaluation,
    baselines: Mapping[str, Any] = MappingProxyType({}),
) -> Modalities:
    """Measures what each input adds to the others, and whether all beat the best of them.

    Args:
        network: with the trained weights.
        config: that of the network, of two inputs or more.
        data: prepared.
        evaluation: of the whole model on the same split.
        baselines: what baselines.json says of the same weights and examples, or nothing.

    Raises:
        DataError: the split has one example only.
    """
    scores = subset_scores(network, config, data, evaluation.split)
    return Modalities(
        split=evaluation.split,
        examples=evaluation.examples,
        inputs=tuple(config.inputs),
        heads=tuple(
            _of_head(
                name,
                scale_of(evaluation.metrics[name]),
                scores[name],
                [*config.inputs],
                _trained_alone(name, baselines),
            )
            for name in evaluation.measured
        ),
        learned_weights=learned_input_weights(network.model, config),
        mean_weights=mean_input_weights(network.model, config, data, evaluation.split),
    )


def _trained_alone(name: str, baselines: Mapping[str, Any]) -> TrainedAlone | None:
    """What baselines.json says of a head; None where it has no input to hold it against."""
    found = baselines.get("heads", {}).get(name)
    if not found or found["best_input"] is None:
        return None
    best = found["best_input"]
    gain = found["gains"][best]
    difference = PairedDifference(gain["difference"], *gain["ci95"])
    return TrainedAlone(best, difference, found["sentence"].removeprefix(f"{name}: "))


def _of_head(
    name: str,
    scale: Scale,
    scores: Scores,
    inputs: Sequence[str],
    trained_alone: TrainedAlone | None,
) -> HeadModalities:
    places = [(way, kept) for way in WAYS for kept in scores[way]]
    measured = Measured(np.stack([scores[way][kept] for way, kept in places], axis=1), scale)
    measures: dict[Way, dict[Subset, Measure]] = {way: {} for way, _ in places}
    for (way, kept), measure in zip(places, measured.measures, strict=True):
        measures[way][kept] = measure

    def gain(way: Way, kept: Subset) -> PairedDifference:
        """Of all inputs over some."""
        return measured.gain(places.index((way, tuple(inputs))), places.index((way, kept)))

    added: dict[Way, dict[str, PairedDifference]] = {}
    alone: dict[Way, dict[str, PairedDifference]] = {}
    for way, of_way in measures.items():
        leaving = {one: without(inputs, one) for one in inputs}
        added[way] = {one: gain(way, kept) for one, kept in leaving.items() if kept in of_way}
        alone[way] = {one: gain(way, (one,)) for one in inputs if (one,) in of_way}
    examples = len(scores["shuffled"][tuple(inputs)])
    return HeadModalities(name, scale, examples, measures, added, alone, trained_alone)
