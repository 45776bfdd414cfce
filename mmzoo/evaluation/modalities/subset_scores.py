"""What a model says where it has only some of its inputs, scored example by example.

Encoders are the costly part, and the same for all subsets: they run once for each batch, and the
rest of the model many times on what they gave.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from mmzoo import layers
from mmzoo.data import evaluation_batches, naming_files
from mmzoo.errors import DataError
from mmzoo.evaluation.modalities.subsets import Subset, subsets_of
from mmzoo.inputs import presence
from mmzoo.lazy import tf
from mmzoo.sharing import TOWER

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mmzoo.config import Config
    from mmzoo.model import Network
    from mmzoo.sources import Data

Way = Literal["absent", "shuffled"]
"""How inputs are left out: they are absent, as the model was trained for; or each is that of
another example."""
WAYS: tuple[Way, ...] = ("absent", "shuffled")

SHUFFLES = 5
"""From how many other examples each one gets what it is left without."""

Scores = dict[Way, dict[Subset, "NDArray[np.float64]"]]
"""Of each example `[rows]`, higher is better; without the subsets that cannot be had in a way."""

Features = dict[str, list["tf.Tensor"]]
"""What the encoder of each input gives of a batch."""


@dataclass(frozen=True)
class Pass:
    """One run of the model without some inputs."""

    way: Way
    kept: Subset
    shuffle: int = 0
    """Which of the shuffles it is."""
    share: float = 1.0
    """Of its scores in the mean over all shuffles."""

    def steps(self, names: Sequence[str]) -> tf.Tensor:
        """How far away in the batch the example is whose value each input gets; 0 for its own."""
        steps = [
            0 if self.way == "absent" or name in self.kept else self.shuffle * len(names) + place
            for place, name in enumerate(names, start=1)
        ]
        return tf.constant(steps, tf.int32)

    def there(self, names: Sequence[str]) -> tf.Tensor:
        """0 for each input that is absent, else 1."""
        absent = (self.way == "absent" and name not in self.kept for name in names)
        return 1.0 - tf.constant([*map(float, absent)])


def subset_scores(network: Network, config: Config, data: Data, split: str) -> dict[str, Scores]:
    """Runs a model on one split with every subset of its inputs.

    The examples come in a random order, drawn from `train.seed`, and inputs are shuffled within
    each batch. No example gets its own value, and inputs that are left out together come from
    different examples where the batch has enough. Whether an input is there goes with its value.
    The score of a shuffled example is the mean over all shuffles.

    Args:
        network: with the trained weights.
        config: that of the network.
        data: prepared.
        split: the split's name.

    Returns:
        The scores of each head by its name, of the examples that have its label, in their order in
        the split.

    Raises:
        DataError: the split has one example only, or a file cannot be decoded.
    """
    columns, rows = data.splits[split], data.examples(split)
    if rows < 2:
        raise DataError(f"{split}: has 1 example; to shuffle its inputs takes two or more")
    order = np.random.RandomState(config.train.seed).permutation(rows)
    labels = {name: columns[config.columns[name]][order] for name in config.heads}
    labelled = {name: head.labelled(labels[name]) for name, head in config.heads.items()}
    names, passes = [*config.inputs], passes_of(config, done_without(network, config))
    found: dict[str, Scores] = {
        head: {way: {one.kept: np.zeros(rows) for one in passes if one.way == way} for way in WAYS}
        for head in config.heads
    }
    encode, predict = _functions(network, config)
    done = 0
    with naming_files(config, data, split):
        batches = evaluation_batches(_with_others(config), columns, labelled=False, order=order)
        for (inputs,) in batches:
            features, present = encode(inputs)
            batch = slice(done, done + len(inputs[names[0]]))
            for one in passes:
                outputs = predict(features, present, one.steps(names), one.there(names))
                for name, head in config.heads.items():
                    scored = np.arange(rows)[batch][labelled[name][batch]]
                    said = outputs[name].numpy()[labelled[name][batch]]
                    scores = head.example_scores(labels[name][scored], said)
                    found[name][one.way][one.kept][scored] += one.share * scores
            done = batch.stop
    every, in_place = tuple(names), np.argsort(order)
    for name, ways in found.items():
        if ways["absent"]:  # Of all inputs none is left out, in either way.
            ways["absent"][every] = ways["shuffled"][every]
        for scores_of in ways.values():
            for kept, values in scores_of.items():
                # As in the split, so that a bootstrap draws the same examples as of other figures.
                scores_of[kept] = values[in_place][labelled[name][in_place]]
    return found


def _with_others(config: Config) -> Config:
    """The config with batches in which every example has another to get an input from."""
    size = max(config.evaluation_batch_size, 3)  # Cut into equal parts, none has less than two.
    return config.replace(train=config.train.replace(evaluation_batch_size=size))


def done_without(network: Network, config: Config) -> set[str]:
    """The inputs that the model has learned to do without.

    It has a place for what is learned in the stead of each that may be absent, which holds zeros
    until one is: where none was taken away in training, and the data lacked none, nothing is
    learned.
    """

    learned = {
        layer.name.partition(TOWER)[0]
        for layer in network.model.layers
        if isinstance(layer, layers.MissingFeatures) and any(map(np.any, layer.get_weights()))
    }
    return {name for name in config.presence if f"{name}_missing" in learned}


def passes_of(config: Config, dispensable: Collection[str]) -> list[Pass]:
    """Every subset, by every way in which the other inputs can be left out; all inputs once.

    Args:
        config: has two inputs or more.
        dispensable: those that the model has learned to do without.
    """
    *some, every = subsets_of([*config.inputs])
    passes = []
    for kept in some:
        if all(name in dispensable for name in config.inputs if name not in kept):
            passes.append(Pass("absent", kept))
        passes += [Pass("shuffled", kept, one, 1 / SHUFFLES) for one in range(SHUFFLES)]
    return [*passes, Pass("shuffled", every)]


def _functions(network: Network, config: Config) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """The encoders, and the rest of the model on features of which some are left out."""
    encoders, rest = network.parted()

    @tf.function(autograph=False, reduce_retracing=True)
    def encode(inputs: dict[str, tf.Tensor]) -> tuple[Features, dict[str, tf.Tensor]]:
        features = {
            # Keras gives a list of one as what is in it.
            name: tf.nest.flatten(encoders[name](inputs[name], training=False))
            for name in config.inputs
        }
        present = {
            name: inputs[presence(name)] for name in config.inputs if presence(name) in inputs
        }
        return features, present

    @tf.function(autograph=False, reduce_retracing=True)
    def predict(
        features: Features, present: dict[str, tf.Tensor], steps: tf.Tensor, there: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        given: dict[str, Any] = {}
        for place, name in enumerate(config.inputs):
            batch = tf.shape(features[name][0])[0]
            # One round through the batch has all other examples, and never the example itself.
            away = tf.where(steps[place] > 0, 1 + (steps[place] - 1) % (batch - 1), 0)
            rows = (tf.range(batch) + away) % batch
            given[name] = [tf.gather(tensor, rows) for tensor in features[name]]
            if name in present:
                given[presence(name)] = tf.gather(present[name], rows) * there[place]
        outputs = rest(given, training=False)
        return {name: outputs[name] for name in config.heads}

    return encode, predict
