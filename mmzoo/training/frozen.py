"""What a frozen encoder makes of each example, computed once and fed to the rest of the model."""

from __future__ import annotations

import hashlib
import json
import logging
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from mmzoo.anatomy import encoder_of
from mmzoo.config import Config
from mmzoo.data import evaluation_batches, free_memory, naming_files
from mmzoo.devices import Devices
from mmzoo.directories import features_directory
from mmzoo.environment import versions
from mmzoo.features import Arrays, FeatureStore, Layout, Origin, filled
from mmzoo.inputs import Input
from mmzoo.inputs.kept import KeptFeatures
from mmzoo.inputs.opened import are_files
from mmzoo.lazy import keras, tf
from mmzoo.model import Network
from mmzoo.sharing import with_its_encoder
from mmzoo.sources import Data

logger = logging.getLogger(__name__)

_VECTOR = "vector"
_NOT_IN_FEATURES = {"weights", "trainable", "batch_norm"}
"""Fields of encoders that say how their weights come about, and nothing else."""
_NOT_IN_EXAMPLES = {"encoder", "augment", "column", "missing", "missing_files", "modality_dropout"}
"""Fields of inputs that do not say what goes into the encoder of an example that has it."""
_PROBED = 4
"""Examples whose preprocessed values are part of the key."""
_SHARE = 4
"""What part of the free memory features may take; TensorFlow holds a copy of them."""
_TOLD_EVERY = 10.0
"""Seconds between sentences on the progress."""


@dataclass(frozen=True)
class Feed:
    """What is trained, and on what.

    Attributes:
        model: the whole model; or the part of it after the encoders whose features are kept.
        config: says how batches for it are made.
        data: has the columns that batches are made of.
    """

    model: keras.Model
    config: Config
    data: Data


def feed(network: Network, config: Config, data: Data, devices: Devices) -> Feed:
    """Puts features in the place of every input whose frozen encoder need not run again.

    Args:
        network: with the weights that its frozen encoders keep.
        config: the experiment's, in the stage to be trained.
        data: all splits.
        devices: where it will be trained.
    """
    kept = inputs_to_keep(network, config)
    if not kept:
        return Feed(network.model, config, data)
    inputs: dict[str, Input | KeptFeatures] = dict(config.inputs)
    columns: dict[str, Any] = {split: dict(data.splits[split]) for split in data.splits}
    for name in [*kept]:
        frozen = Frozen(name, config, encoder_of(network.model, name), devices)
        features = {split: frozen.features(data, split) for split in data.splits}
        if any(values is None for values in features.values()):
            kept.remove(name)
            continue
        column = f"the features of inputs.{name}"  # Which no data has as a name.
        spec = config.inputs[name]
        inputs[name] = KeptFeatures(
            column=column,
            reads=spec.source_columns(),
            may_be_absent=spec.may_be_absent,
            modality_dropout=spec.modality_dropout,
        )
        for split, values in features.items():
            columns[split][column] = values
    if not kept:
        return Feed(network.model, config, data)
    return Feed(
        network.after_encoders(config, kept),
        # Not `replace`, which would ask the config's families for an input that nobody may name.
        config.model_copy(update={"inputs": inputs}),
        replace(data, splits=columns),
    )


def inputs_to_keep(network: Network, config: Config) -> list[str]:
    """The inputs whose frozen encoders run once for each example, if there is room for that.

    Args:
        network: of the config.
        config: the experiment's, in the stage to be trained.
    """
    return [name for name in config.inputs if _is_kept(network, config, name)]


def _is_kept(network: Network, config: Config, name: str) -> bool:
    """Whether an input's features are kept; tells why those of a frozen encoder are not."""
    spec, settings = with_its_encoder(name, config.inputs), config.train.frozen_features
    if not spec.encoder.frozen:
        return False
    has_tokens = network.features[name].tokens is not None
    if not config.share and len(config.heads) > 1:
        reason = "every head has an encoder of its own (`share: false`)"
    elif settings.keep == "off":
        reason = "train.frozen_features.keep is off"
    elif config.train.mixing is not None:
        reason = "train.mixing blends examples before they are encoded"
    elif has_tokens and config.fusion.reads_tokens(name, config.inputs):
        reason = f"the fusion {config.fusion.type} reads its tokens, of which only vectors are kept"
    elif spec.augmentations and not settings.copies:
        reason = (
            f"inputs.{name}.augment changes its examples at random; `train.frozen_features.copies: "
            "5` would keep five augmented versions of each"
        )
    else:
        return True
    logger.info(f"{name}: the frozen {spec.encoder.type} runs anew in every epoch, since {reason}.")
    return False


class Frozen:
    """A frozen encoder and what it makes of examples."""

    def __init__(self, name: str, config: Config, encoder: keras.Model, devices: Devices) -> None:
        """Takes the encoder of the input `name`, as it is."""
        spec, settings = with_its_encoder(name, config.inputs), config.train.frozen_features
        self._spec = spec
        self._settings = settings
        self._name = name
        self._column = config.columns[name]
        self._seed = config.train.seed
        train = config.train.replace(evaluation_batch_size=config.train.batch_size)
        self._whole = config
        self._config = config.model_copy(update={"inputs": {name: spec}, "train": train})
        self._encode = _vectors_of(encoder)
        self._width = int(tf.nest.flatten(encoder.output)[0].shape[-1])
        self._store = FeatureStore(features_directory(), int(settings.limit * 1e9))
        self._parts = {
            # The weights themselves are here, so it does not matter where they came from.
            "encoder": _json(spec.encoder.model_dump(mode="json", exclude=_NOT_IN_FEATURES)),
            "weights": _digest(weight.numpy() for weight in encoder.weights),
            "input": _json(spec.model_dump(mode="json", exclude=_NOT_IN_EXAMPLES)),
            "dtype": settings.dtype,
            "precision": devices.precision,
            "device": devices.record()["kind"],
            "deterministic": config.train.deterministic,
            **{package: versions()[package] for package in ("mmzoo", "tensorflow", "keras")},
        }

    def features(self, data: Data, split: str) -> np.ndarray | None:
        """The features of a split, from an earlier run if there are any.

        Returns:
            float32 or float16 `[rows, width]`; of a training split that is augmented, `[rows,
            copies, width]`. None where there is room for them neither on disk nor in memory.
        """
        rows = data.examples(split)
        copies = self._settings.copies if split == "train" and self._spec.augmentations else 0
        origin = Origin(
            f"{self._spec.encoder.type} on {data.name}, {split}",
            {**self._parts, **self._parts_of_split(data, split, copies)},
        )
        what = f"the features of {rows:,} {split} examples"
        if copies:
            what += f" in {copies} augmented versions"
        arrays = self._store.find(origin) if self._settings.keep == "disk" else None
        if arrays:
            logger.info(f"{self._name}: found {what}, which an earlier run computed.")
        else:
            began = time.monotonic()
            arrays = self._computed(origin, data, split, copies)
            if arrays is None:
                return None
            logger.info(
                f"{self._name}: computed {what} once, as {self._spec.encoder.type} is frozen "
                f"({time.monotonic() - began:.1f} s, {arrays[_VECTOR].nbytes / 1e6:.1f} MB)."
            )
        vectors = arrays[_VECTOR]
        return np.moveaxis(vectors.reshape(copies, rows, -1), 0, 1) if copies else vectors

    def _parts_of_split(self, data: Data, split: str, copies: int) -> dict[str, Any]:
        """What makes the features of this split others than those of another one."""
        values = data.splits[split][self._column]
        if are_files(values):
            # The path comes first; what is in a file, and not where it lies, makes the features.
            # A column of bytes is as wide as its longest part, which a path may be.
            values = values[:, 1:].astype("S64")
        # Another version of this code may make other pictures of the same files.
        first = self._inputs(data, split, 0 if copies else None).take(1)
        parts: dict[str, Any] = {
            "examples": _digest([values]),
            "preprocessed": _digest(inputs[self._name][:_PROBED].numpy() for (inputs,) in first),
        }
        if copies:
            augment = [one.model_dump(mode="json") for one in self._spec.augmentations]
            parts |= {"copies": copies, "augment": _json(augment), "seed": self._seed}
        return parts

    def _computed(self, origin: Origin, data: Data, split: str, copies: int) -> Arrays | None:
        rows = data.examples(split)
        layouts = {_VECTOR: Layout((max(1, copies) * rows, self._width), self._settings.dtype)}
        if self._settings.keep == "disk":
            arrays = self._store.keep(origin, layouts, self._batches(data, split, copies))
            if arrays:
                return arrays
        size, free = layouts[_VECTOR].size, free_memory()
        if size > free // _SHARE:
            logger.info(
                f"{self._name}: the frozen {self._spec.encoder.type} runs anew in every epoch, "
                f"since its features take {size / 1e9:.1f} GB, and {free / 1e9:.1f} GB of memory "
                "are free. `train.frozen_features` has `limit`, for more on disk, and `dtype: "
                "float16`."
            )
            return None
        return filled(origin.what, layouts, self._batches(data, split, copies))

    def _batches(self, data: Data, split: str, copies: int) -> Iterator[dict[str, np.ndarray]]:
        """The features, a batch at a time; of augmented examples, one version after the other."""
        rows = max(1, copies) * data.examples(split)
        done, told = 0, time.monotonic()
        with naming_files(self._whole, data, split):
            for epoch in range(copies) if copies else [None]:
                for (inputs,) in self._inputs(data, split, epoch):
                    vectors = self._encode(inputs[self._name]).numpy()
                    yield {_VECTOR: vectors}
                    done += len(vectors)
                    if time.monotonic() - told > _TOLD_EVERY:
                        told = time.monotonic()
                        logger.info(f"{self._name}: features of {done:,} of {rows:,} {split} rows.")

    def _inputs(self, data: Data, split: str, epoch: int | None) -> tf.data.Dataset:
        """What goes into the encoder, in order; augmented as in an epoch, if one is given."""
        # Alone it shares no column, and calls its own like the source does.
        columns = {self._config.columns[self._name]: data.splits[split][self._column]}
        return evaluation_batches(self._config, columns, labelled=False, augmented_in=epoch)


def _vectors_of(encoder: keras.Model) -> Callable[[tf.Tensor], tf.Tensor]:
    """The encoder as a compiled function, for batches of all sizes, of float32 vectors."""
    placeholder = encoder.input

    @tf.function(
        input_signature=[tf.TensorSpec(placeholder.shape, placeholder.dtype)], autograph=False
    )
    def encode(values: tf.Tensor) -> tf.Tensor:
        vector = tf.nest.flatten(encoder(values, training=False))[0]
        return tf.cast(vector, tf.float32)

    return encode


def _json(value: object) -> str:
    return json.dumps(value, sort_keys=True)


def _digest(arrays: Iterable[np.ndarray]) -> str:
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(f"{array.dtype} {array.shape} ".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()
