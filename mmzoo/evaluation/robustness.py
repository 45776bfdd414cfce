"""Robustness curves: each metric as one input is corrupted with growing severity."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import takewhile
from typing import TYPE_CHECKING, Any

import numpy as np

from mmzoo.batches import evaluation_batches
from mmzoo.decoded_files import reraise_with_file_names
from mmzoo.evaluation.comparison import (
    Comparison,
    ComparisonRow,
    comparable_heads,
    comparison_row,
    constant_row,
    difference_words,
)
from mmzoo.heads import BaseHead, ScoresExamples
from mmzoo.lazy import tf
from mmzoo.metrics import BootstrapMetrics, MetricInfo, PairedDifference
from mmzoo.metrics.intervals import DRAWS
from mmzoo.modalities.abilities import CanBecomeEmpty, HasCorruptions
from mmzoo.modalities.base_input import Corruption, presence
from mmzoo.randomness import Randomness

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mmzoo.config import Config
    from mmzoo.evaluation.evaluate import Evaluation
    from mmzoo.model import Network
    from mmzoo.preprocessing import Arrays

InputCorruption = tuple[str, Corruption]
"""An input's name, and one of the ways to corrupt it."""

CLEAN = "none"
"""The variant without any corruption."""
_NOTES = (
    "One input at a time is corrupted, with growing severity; the others are unchanged. Random "
    "numbers of an example are the same at every level.",
    "Differences are paired: both metrics are of the same examples. If the interval of a "
    "difference contains 0, there is no clear difference.",
)


def compare_robustness(
    network: Network, config: Config, data: Arrays, evaluation: Evaluation
) -> Comparison:
    """Measures the metrics with one input at a time corrupted, at each level of each corruption.

    The encoders of the other inputs run once per batch. Random numbers depend only on `train.seed`
    and the example. If a corruption leaves nothing of an input that may be missing, the input
    counts as missing, as in training and prediction.

    Args:
        network: the network, with trained weights.
        config: the network's config.
        data: transformed data.
        evaluation: the evaluation of the model on the same split, without corruption.

    Raises:
        DataError: a file cannot be decoded.
    """
    corruptions = [
        (name, one)
        for name, spec in config.inputs.items()
        if isinstance(spec, HasCorruptions)
        for one in spec.corruptions
    ]
    scores = _scores(network, config, data, evaluation, corruptions)
    rows: list[ComparisonRow] = []
    findings: dict[str, list[str]] = {}
    for head, info in comparable_heads(evaluation).items():
        of_head, findings[head] = _rows(head, info, BootstrapMetrics(scores[head]), corruptions)
        rows += of_head
        if info.baseline:
            rows.append(constant_row(head, info, evaluation.metrics[head]))
    return Comparison(
        kind="robustness",
        title="Robustness to corrupted inputs",
        split=evaluation.split,
        examples=evaluation.examples,
        rows=tuple(rows),
        reference=dict.fromkeys(findings, CLEAN),
        findings=findings,
        notes=_NOTES,
        details={"bootstrap_draws": DRAWS},
    )


def _rows(
    head: str, info: MetricInfo, metrics: BootstrapMetrics, corruptions: Sequence[InputCorruption]
) -> tuple[list[ComparisonRow], list[str]]:
    """The rows of a head, and a finding on each corruption.

    Args:
        head: the head's name.
        info: its metric.
        metrics: without corruption, then at each level of each corruption.
        corruptions: in the same order.
    """
    rows, findings = [comparison_row(head, CLEAN, info, metrics.estimates[0])], []
    for name, one in corruptions:
        columns = range(len(rows), len(rows) + len(one.severities))
        leads = [metrics.difference(0, column) for column in columns]
        for column, level, lead in zip(columns, one.severities, leads, strict=True):
            how = {"condition": one.name, "level": level, "unit": one.unit}
            estimate = metrics.estimates[column]
            rows.append(comparison_row(head, name, info, estimate, lead, **how))
        finding = robustness_finding(one.severities, one.unit, leads, info)
        findings.append(f"{name}, {one.name}: {finding}")
    return rows, findings


def robustness_finding(
    levels: Sequence[float], unit: str, leads: Sequence[PairedDifference], info: MetricInfo
) -> str:
    """A clause on the level from which on the metric clearly degrades, and by how much.

    Args:
        levels: the levels of the corruption, by ascending severity.
        unit: the unit of the levels.
        leads: the score without the corruption minus that with it, at each level.
        info: the metric.
    """
    worse = [lead.low > 0 for lead in leads]
    if not any(worse):
        return f"robust, no clear loss up to {levels[-1]:g} ({unit})"
    if not worse[-1]:
        where = ", ".join(f"{level:g}" for level, is_so in zip(levels, worse, strict=True) if is_so)
        return f"degrades at {where} ({unit}), but not clearly at the highest level"
    first = len(worse) - len([*takewhile(bool, reversed(worse))])
    by = difference_words(leads[first], info)
    return f"degrades from {levels[first]:g} ({unit}) on, there by {by}"


def _scores(
    network: Network,
    config: Config,
    data: Arrays,
    evaluation: Evaluation,
    corruptions: Sequence[InputCorruption],
) -> dict[str, NDArray[np.float64]]:
    """Head -> scores `[labelled rows, 1 + levels of all corruptions]`, without corruption first."""
    split, rows = evaluation.split, evaluation.examples
    levels = [
        (index, level) for index, (_, one) in enumerate(corruptions) for level in one.severities
    ]
    heads = {name: config.heads[name] for name in evaluation.measured}
    scored = {name: evaluation.scored[name] for name in heads}
    scores = {name: np.zeros((rows, 1 + len(levels))) for name in heads}

    def score(name: str, column: int, chosen: slice, predicted: np.ndarray) -> None:
        head, indices = heads[name], np.flatnonzero(scored[name][chosen])
        assert isinstance(head, ScoresExamples)
        labels = evaluation.labels_of(name, chosen.start + indices)
        found = head.example_scores(labels, predicted[indices])
        scores[name][chosen.start + indices, column] = found

    for name in heads:
        score(name, 0, slice(0, rows), evaluation.predictions[name])
    encode, corrupted = _functions(network, config, corruptions, heads)
    done = 0
    with reraise_with_file_names(config, data, split):
        for (inputs,) in evaluation_batches(config, data.splits[split], labelled=False):
            batch = slice(done, done + len(next(iter(inputs.values()))))
            examples = tf.range(batch.start, batch.stop, dtype=tf.int64)
            features = encode(inputs)
            for column, (index, level) in enumerate(levels, start=1):
                severity = tf.constant(level, tf.float32)
                outputs = corrupted[index](inputs, features, severity, examples)
                for name, head in heads.items():
                    score(name, column, batch, head.predictions(outputs[name].numpy()))
            done = batch.stop
    return {name: scores[name][scored[name]] for name in heads}


def _functions(
    network: Network,
    config: Config,
    corruptions: Sequence[InputCorruption],
    heads: Mapping[str, BaseHead],
) -> tuple[Callable[..., Any], list[Callable[..., Any]]]:
    """The compiled encoders; and for each corruption, the model with its input corrupted."""
    encoders, rest = network.parted()

    def encoded(name: str, values: tf.Tensor) -> list[tf.Tensor]:
        # Keras returns a list of one tensor as that tensor.
        return tf.nest.flatten(encoders[name](values, training=False))

    @tf.function(autograph=False, reduce_retracing=True)
    def encode(inputs: dict[str, tf.Tensor]) -> dict[str, list[tf.Tensor]]:
        return {name: encoded(name, inputs[name]) for name in config.inputs}

    def with_corruption(index: int, name: str, corruption: Corruption) -> Callable[..., Any]:
        @tf.function(autograph=False, reduce_retracing=True)
        def predict(
            inputs: dict[str, tf.Tensor],
            features: dict[str, list[tf.Tensor]],
            level: tf.Tensor,
            examples: tf.Tensor,
        ) -> dict[str, tf.Tensor]:
            # The label is part of the seed: changing it would change the random numbers.
            randomness = Randomness(config.train.seed, tf.constant(0, tf.int64), examples)
            values = corruption.apply(inputs[name], level, randomness.fold(f"degradation {index}"))
            given = {**inputs, **features, name: encoded(name, values)}
            corrupted = config.inputs[name]
            if presence(name) in inputs and isinstance(corrupted, CanBecomeEmpty):
                left = corrupted.is_present_after(values)
                given[presence(name)] = inputs[presence(name)] * tf.cast(left, tf.float32)
            outputs = rest(given, training=False)
            # A target is that of the clean input.
            return {head: spec.collected(outputs[head], inputs) for head, spec in heads.items()}

        return predict

    return encode, [with_corruption(index, *one) for index, one in enumerate(corruptions)]
