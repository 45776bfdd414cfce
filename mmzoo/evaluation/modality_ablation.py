"""Modality ablation: per-example scores of a model on every subset of its inputs.

The encoders are the expensive part and the same for all subsets: they run once per batch, and the
rest of the model runs on their features once per subset.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from mmzoo import layers
from mmzoo.batches import evaluation_batches
from mmzoo.decoded_files import reraise_with_file_names
from mmzoo.errors import DataError
from mmzoo.heads import ScoresExamples
from mmzoo.lazy import tf
from mmzoo.modalities.base_input import presence
from mmzoo.shared_encoders import HEAD_SEPARATOR

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mmzoo.config import Config
    from mmzoo.model import Network
    from mmzoo.preprocessing import Arrays

Condition = Literal["absent", "shuffled"]
"""How inputs are left out: as missing inputs, which needs training with missing inputs; or replaced
by those of other examples."""
CONDITIONS: tuple[Condition, ...] = ("absent", "shuffled")

MOST_FOR_ALL = 5
"""With more inputs, only some subsets are evaluated, as their number doubles with every input."""
SHUFFLES = 5
"""Number of shuffles, each with inputs of other examples."""

Subset = tuple[str, ...]
"""The remaining inputs, in the config's order; never empty."""
Scores = dict[Condition, dict[Subset, "NDArray[np.float64]"]]
"""Score of each example, `[rows]`, higher is better; only subsets that a condition allows."""
Features = dict[str, list["tf.Tensor"]]
"""Input -> the features of its encoder for a batch."""


def subsets_of(inputs: Sequence[str]) -> list[Subset]:
    """All non-empty subsets by ascending size.

    With more than five inputs: each alone, each left out, and all.
    """
    count = len(inputs)
    sizes = range(1, count + 1) if count <= MOST_FOR_ALL else sorted({1, count - 1, count})
    return [subset for size in sizes for subset in combinations(inputs, size)]


def without(inputs: Sequence[str], name: str) -> Subset:
    """All inputs but one."""
    return tuple(one for one in inputs if one != name)


@dataclass(frozen=True)
class Ablation:
    """One pass of the model without some of its inputs.

    Attributes:
        condition: how the other inputs are left out.
        subset: the remaining inputs.
        shuffle: the index of the shuffle.
        weight: the weight of its scores in the mean over all shuffles.
    """

    condition: Condition
    subset: Subset
    shuffle: int = 0
    weight: float = 1.0

    def steps(self, names: Sequence[str]) -> tf.Tensor:
        """For each input, the distance in the batch to the example it is taken from; 0 for none."""
        unshuffled = self.condition == "absent"
        steps = [
            0 if unshuffled or name in self.subset else self.shuffle * len(names) + index
            for index, name in enumerate(names, start=1)
        ]
        return tf.constant(steps, tf.int32)

    def present(self, names: Sequence[str]) -> tf.Tensor:
        """Presence mask of the inputs: float32 `[inputs]`, 0 for a missing input, else 1."""
        missing = (self.condition == "absent" and name not in self.subset for name in names)
        return 1.0 - tf.constant([*map(float, missing)])


def ablations_of(inputs: Sequence[str], dispensable: Collection[str]) -> list[Ablation]:
    """The passes for every subset and every condition that it allows; all inputs come last.

    Args:
        inputs: two inputs or more.
        dispensable: the inputs that were sometimes missing in training.
    """
    *some, every = subsets_of(inputs)
    ablations = []
    for subset in some:
        if all(name in dispensable for name in inputs if name not in subset):
            ablations.append(Ablation("absent", subset))
        ablations += [Ablation("shuffled", subset, one, 1 / SHUFFLES) for one in range(SHUFFLES)]
    return [*ablations, Ablation("shuffled", every)]


def trained_missing(network: Network, config: Config) -> set[str]:
    """The inputs that were sometimes missing in training.

    A missing input is replaced by learned features, which stay zero unless training had an example
    without the input. So this is read from the weights, not from the config or the data.
    """
    learned = {
        layer.name.partition(HEAD_SEPARATOR)[0]
        for layer in network.model.layers
        if isinstance(layer, layers.MissingFeatures) and any(map(np.any, layer.get_weights()))
    }
    return {name for name in config.presence if f"{name}_missing" in learned}


def subset_scores(network: Network, config: Config, data: Arrays, split: str) -> dict[str, Scores]:
    """Scores a model on one split with every subset of its inputs.

    Examples are in random order, seeded by `train.seed`, and inputs are shuffled within each batch.
    No example keeps a shuffled input, and several shuffled inputs come from different examples if
    the batch is large enough. A missing input is shuffled like any other. Scores are averaged over
    all shuffles.

    Args:
        network: the network, with trained weights.
        config: the network's config.
        data: transformed data.
        split: the split's name.

    Returns:
        Head -> the scores of its examples that have a label or target, in the order of the split.

    Raises:
        DataError: the split has only one example, or a file cannot be decoded.
    """
    columns, rows = data.splits[split], data.examples(split)
    if rows < 2:
        raise DataError(f"{split}: has only one example; shuffling inputs needs two or more")
    order = np.random.RandomState(config.train.seed).permutation(rows)
    heads = {name: head for name, head in config.heads.items() if isinstance(head, ScoresExamples)}
    labels = {name: columns[config.columns[name]][order] for name in config.labelled_heads}
    scored = {name: np.ones(rows, bool) for name in heads}
    scored |= {name: head.labelled(labels[name]) for name, head in config.labelled_heads.items()}
    names = [*config.inputs]
    ablations = ablations_of(names, trained_missing(network, config))
    found: dict[str, Scores] = {
        head: {
            condition: {
                one.subset: np.zeros(rows) for one in ablations if one.condition == condition
            }
            for condition in CONDITIONS
        }
        for head in heads
    }
    encode, predict = _functions(network, config, heads)
    done = 0
    with reraise_with_file_names(config, data, split):
        in_batches = _batches_of_several(config)
        for (inputs,) in evaluation_batches(in_batches, columns, labelled=False, order=order):
            features, present = encode(inputs)
            batch = slice(done, done + len(inputs[names[0]]))
            for one in ablations:
                outputs = predict(inputs, features, present, one.steps(names), one.present(names))
                for name, head in heads.items():
                    chosen = np.arange(rows)[batch][scored[name][batch]]
                    predicted = head.predictions(outputs[name].numpy())[scored[name][batch]]
                    true = labels[name][chosen] if name in labels else None
                    scores = head.example_scores(true, predicted)
                    found[name][one.condition][one.subset][chosen] += one.weight * scores
            done = batch.stop
    every, original_order = tuple(names), np.argsort(order)
    for name, conditions in found.items():
        if conditions["absent"]:  # With all inputs both conditions are the same.
            conditions["absent"][every] = conditions["shuffled"][every]
        # Without labels, the scores say which examples have a target: others are NaN.
        counts = scored[name] & ~np.isnan(conditions["shuffled"][every])
        for of_condition in conditions.values():
            for subset, values in of_condition.items():
                # In the order of the split, so that all bootstraps draw the same examples.
                of_condition[subset] = values[original_order][counts[original_order]]
    return found


def _batches_of_several(config: Config) -> Config:
    """The config with batches of at least two examples, so that inputs can be shuffled."""
    size = max(config.evaluation_batch_size, 3)  # Split evenly, no batch has less than two then.
    return config.replace(train=config.train.replace(evaluation_batch_size=size))


def _functions(
    network: Network, config: Config, heads: Collection[str]
) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """The compiled encoders, and the rest of the model with some inputs left out."""
    encoders, rest = network.parted()

    @tf.function(autograph=False, reduce_retracing=True)
    def encode(inputs: dict[str, tf.Tensor]) -> tuple[Features, dict[str, tf.Tensor]]:
        features = {
            # Keras returns a list of one tensor as that tensor.
            name: tf.nest.flatten(encoders[name](inputs[name], training=False))
            for name in config.inputs
        }
        present = {
            name: inputs[presence(name)] for name in config.inputs if presence(name) in inputs
        }
        return features, present

    @tf.function(autograph=False, reduce_retracing=True)
    def predict(
        inputs: dict[str, tf.Tensor],
        features: Features,
        present: dict[str, tf.Tensor],
        steps: tf.Tensor,
        mask: tf.Tensor,
    ) -> dict[str, tf.Tensor]:
        given: dict[str, Any] = {}
        for index, name in enumerate(config.inputs):
            batch = tf.shape(features[name][0])[0]
            # Distances from 1 to batch - 1 reach all other examples, and never the example itself.
            distance = tf.where(steps[index] > 0, 1 + (steps[index] - 1) % (batch - 1), 0)
            rows = (tf.range(batch) + distance) % batch
            given[name] = [tf.gather(tensor, rows) for tensor in features[name]]
            if name in present:
                given[presence(name)] = tf.gather(present[name], rows) * mask[index]
        outputs = rest(given, training=False)
        # A target is that of the example itself, whatever is left out.
        return {name: config.heads[name].collected(outputs[name], inputs) for name in heads}

    return encode, predict
