"""How a model bears it that one of its inputs gets worse, step by step."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import takewhile
from typing import TYPE_CHECKING, Any

import numpy as np

from mmzoo.data import evaluation_batches, naming_files
from mmzoo.evaluation.measure import (
    DRAWS,
    Measure,
    Measured,
    difference_json,
)
from mmzoo.evaluation.scale import Scale, scale_of
from mmzoo.evaluation.verdicts import difference_words
from mmzoo.inputs import Degradation, presence
from mmzoo.lazy import tf
from mmzoo.metrics import PairedDifference
from mmzoo.randomness import Randomness

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mmzoo.config import Config
    from mmzoo.evaluation.evaluate import Evaluation
    from mmzoo.model import Network
    from mmzoo.sources import Data

UNTOUCHED = "none"
"""What the step is called at which nothing is done."""


@dataclass(frozen=True)
class Curve:
    """The metric of a head as one input gets worse in one way."""

    head: str
    scale: Scale
    input: str
    degradation: Degradation
    whole: Measure
    """With nothing done."""
    measures: tuple[Measure, ...]
    """At each step of the degradation."""
    falls: tuple[PairedDifference, ...]
    """How much worse than with nothing done each step is; above 0 is worse."""

    def as_json(self) -> dict[str, Any]:
        steps = zip(self.degradation.steps, self.measures, self.falls, strict=True)
        return {
            "head": self.head,
            "metric": self.scale.metric,
            "baseline": self.scale.baseline,
            "input": self.input,
            "degradation": self.degradation.name,
            "unit": self.degradation.unit,
            "whole": self.whole.as_json(),
            "steps": [
                {"step": step, **found.as_json(), "worse_by": difference_json(fall)}
                for step, found, fall in steps
            ],
        }

    def sentence(self) -> str:
        """From which step on the model is worse for sure, at all later ones too; by how much."""
        steps, unit = self.degradation.steps, self.degradation.unit
        worse = [fall.low > 0 for fall in self.falls]
        if not any(worse):
            return "no worse within these steps, as far as the examples show"
        if not worse[-1]:
            where = ", ".join(
                f"{step:g}" for step, is_so in zip(steps, worse, strict=True) if is_so
            )
            return f"worse at {where} ({unit}), but not shown to be at the last step"
        first = len(worse) - len([*takewhile(bool, reversed(worse))])
        by = difference_words(self.falls[first], self.scale)
        return f"worse from {steps[first]:g} ({unit}) on: there by {by}"


@dataclass(frozen=True)
class Robustness:
    """What `mmzoo eval --robustness` finds out."""

    split: str
    examples: int
    curves: tuple[Curve, ...]
    """Of each head, those of each input in turn."""

    def as_json(self) -> dict[str, Any]:
        """What robustness.json holds."""
        return {
            "split": self.split,
            "examples": self.examples,
            "bootstrap_draws": DRAWS,
            "curves": [curve.as_json() for curve in self.curves],
        }


def measured_robustness(
    network: Network, config: Config, data: Data, evaluation: Evaluation
) -> Robustness:
    """Measures the metric with one input at a time degraded, by each step of each way it has.

    The encoders of the other inputs run once for each batch. What is drawn for an example is the
    same for all steps, and decided by `train.seed` and the example alone. Where nothing is left of
    an input that may be absent, it is absent, as it would be in training and in prediction.

    Args:
        network: with the trained weights.
        config: that of the network.
        data: prepared.
        evaluation: of the model on the same split, with nothing done to its inputs.

    Raises:
        DataError: a file cannot be decoded.
    """
    split, rows = evaluation.split, evaluation.examples
    ways = [(name, one) for name, spec in config.inputs.items() for one in spec.degradations]
    steps = [(way, step) for way, (_, one) in enumerate(ways) for step in one.steps]
    heads = evaluation.measured
    labelled = {name: config.heads[name].labelled(evaluation.labels[name]) for name in heads}
    scores = {name: np.zeros((rows, 1 + len(steps))) for name in heads}

    def score(name: str, column: int, chosen: slice, said: np.ndarray) -> None:
        there = np.flatnonzero(labelled[name][chosen])
        labels = evaluation.labels[name][chosen][there]
        found = config.heads[name].example_scores(labels, said[there])
        scores[name][chosen.start + there, column] = found

    for name in heads:
        score(name, 0, slice(0, rows), evaluation.predictions[name])
    encode, degraded = _functions(network, config, ways)
    done = 0
    with naming_files(config, data, split):
        for (inputs,) in evaluation_batches(config, data.splits[split], labelled=False):
            batch = slice(done, done + len(next(iter(inputs.values()))))
            examples = tf.range(batch.start, batch.stop, dtype=tf.int64)
            features = encode(inputs)
            for column, (way, step) in enumerate(steps, start=1):
                outputs = degraded[way](inputs, features, tf.constant(step, tf.float32), examples)
                for name in heads:
                    score(name, column, batch, outputs[name].numpy())
            done = batch.stop
    curves = (
        curve
        for name in heads
        for curve in _curves(
            name, scale_of(evaluation.metrics[name]), ways, scores[name][labelled[name]]
        )
    )
    return Robustness(split, rows, tuple(curves))


def _curves(
    head: str, scale: Scale, ways: list[tuple[str, Degradation]], scores: NDArray[np.float64]
) -> Iterator[Curve]:
    """Of each way, by the scores of the examples: with nothing done, and at each step in turn."""
    measured, column = Measured(scores, scale), 1
    for its_input, one in ways:
        own = range(column, column + len(one.steps))
        yield Curve(
            head=head,
            scale=scale,
            input=its_input,
            degradation=one,
            whole=measured.measures[0],
            measures=tuple(measured.measures[step] for step in own),
            falls=tuple(measured.gain(0, step) for step in own),
        )
        column = own.stop


def _functions(
    network: Network, config: Config, ways: list[tuple[str, Degradation]]
) -> tuple[Callable[..., Any], list[Callable[..., Any]]]:
    """The encoders; and for each way, the model on inputs of which one is degraded in it."""
    encoders, rest = network.parted()

    def encoded(name: str, values: tf.Tensor) -> list[tf.Tensor]:
        # Keras gives a list of one as what is in it.
        return tf.nest.flatten(encoders[name](values, training=False))

    @tf.function(autograph=False, reduce_retracing=True)
    def encode(inputs: dict[str, tf.Tensor]) -> dict[str, list[tf.Tensor]]:
        return {name: encoded(name, inputs[name]) for name in config.inputs}

    def of_way(way: int, name: str, degradation: Degradation) -> Callable[..., Any]:
        @tf.function(autograph=False, reduce_retracing=True)
        def predict(
            inputs: dict[str, tf.Tensor],
            features: dict[str, list[tf.Tensor]],
            step: tf.Tensor,
            examples: tf.Tensor,
        ) -> dict[str, tf.Tensor]:
            drawn = Randomness(config.train.seed, tf.constant(0, tf.int64), examples).fold(
                f"degradation {way}"
            )
            worse = degradation.apply(inputs[name], step, drawn)
            given = {**inputs, **features, name: encoded(name, worse)}
            if presence(name) in inputs:
                left = config.inputs[name].something_left(worse)
                given[presence(name)] = inputs[presence(name)] * tf.cast(left, tf.float32)
            return rest(given, training=False)

        return predict

    return encode, [of_way(way, *one) for way, one in enumerate(ways)]
