"""Features of frozen encoders: computed once per example and used in place of the inputs.

A completely frozen encoder without random augmentation computes the same features of an example in
every epoch. They are computed once and cached (`mmzoo.feature_cache`), and only the rest of the
model is trained.
"""

from __future__ import annotations

import hashlib
import json
import logging
import math
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from mmzoo.batches import gather_from
from mmzoo.config import Config
from mmzoo.decoded_files import free_memory, reraise_with_file_names
from mmzoo.devices import Devices
from mmzoo.directories import features_directory
from mmzoo.environment import versions
from mmzoo.errors import DataError
from mmzoo.feature_cache import DType, FeatureCache, FeatureKey
from mmzoo.lazy import keras, np, tf
from mmzoo.modalities.abilities import Augments, augmentations_of
from mmzoo.modalities.base_input import features_column
from mmzoo.modalities.file_probe import are_files
from mmzoo.model import Network
from mmzoo.model_graph import encoder_of
from mmzoo.preprocessing import Arrays
from mmzoo.randomness import Randomness
from mmzoo.shared_encoders import resolve_encoder
from mmzoo.spec.wording import size_text

logger = logging.getLogger(__name__)

_NOT_IN_FEATURES = {"weights", "trainable", "batch_norm"}
"""Fields of encoders that are not part of the cache key, as the weights themselves are hashed."""
_NOT_IN_EXAMPLES = {
    *("encoder", "decoder", "augment", "column", "missing", "missing_files", "modality_dropout"),
}
"""Fields of inputs that do not change the encoder's input for an example that has the input."""
_HASHED_EXAMPLES = 4
"""Number of preprocessed examples that are part of the cache key."""
_MEMORY_SHARE = 4
"""Features may take 1/4 of the free memory, as TensorFlow copies them."""
_REPORT_SECONDS = 10.0
"""Seconds between progress messages."""


@dataclass(frozen=True)
class TrainingInputs:
    """A model to train and the data for it.

    Attributes:
        model: the whole model, or the part after the encoders whose features are cached.
        data: the columns of the batches for `model`; cached features under `features_column`.
    """

    model: keras.Model
    data: Arrays


def cache_frozen_features(
    network: Network, config: Config, data: Arrays, devices: Devices
) -> TrainingInputs:
    """Adds the features of frozen encoders to the data, computed or from the cache.

    Args:
        network: the network, with the final weights of its frozen encoders.
        config: the config of the training stage.
        data: transformed data of all splits; features of an earlier stage are left out.
        devices: the devices to train on.
    """
    earlier = {features_column(name) for name in config.inputs}
    columns: dict[str, Any] = {
        split: {name: values for name, values in of_split.items() if name not in earlier}
        for split, of_split in data.splits.items()
    }
    data = replace(data, splits=columns)
    cached = []
    for name in inputs_to_cache(network, config):
        encoder = _FrozenEncoder(name, config, encoder_of(network.model, name), devices)
        features = {split: encoder.features(data, split) for split in data.splits}
        if any(values is None for values in features.values()):
            continue
        cached.append(name)
        for split, values in features.items():
            columns[split][features_column(name)] = values
    model = network.after_encoders(config, cached) if cached else network.model
    return TrainingInputs(model, data)


def inputs_to_cache(network: Network, config: Config) -> list[str]:
    """The inputs whose frozen encoders need to run only once per example.

    If a frozen encoder must run in every epoch, the reason is logged.
    """
    return [name for name in config.inputs if _is_cached(network, config, name)]


def _is_cached(network: Network, config: Config, name: str) -> bool:
    spec, settings = resolve_encoder(name, config.inputs), config.train.frozen_features
    if not spec.encoder.frozen:
        return False
    has_tokens = network.features[name].tokens is not None
    if not config.share and len(config.heads) > 1:
        reason = "every head has its own encoder (`share: false`)"
    elif settings.keep == "off":
        reason = "train.frozen_features.keep is off"
    elif config.objective.generated_input(config.inputs) is not None:
        reason = "the generator reads it too"
    elif config.train.mixing is not None:
        reason = "train.mixing mixes examples before they are encoded"
    elif has_tokens and config.fusion.reads_tokens(name, config.inputs):
        reason = f"the fusion {config.fusion.type} reads its tokens, and only vectors are cached"
    elif has_tokens and config.reads_tokens(name):
        reason = "a head uses its tokens, and only vectors are cached"
    elif any(head.reads_values(name, config.inputs) for head in config.heads.values()):
        reason = "a head computes its target from it"
    elif augmentations_of(spec) and not settings.copies:
        reason = (
            f"inputs.{name}.augment is random; `train.frozen_features.copies: 5` would cache five "
            "augmented versions of each example"
        )
    else:
        return True
    logger.info(f"{name}: the frozen {spec.encoder.type} runs in every epoch, since {reason}.")
    return False


class _FrozenEncoder:
    """A frozen encoder and the features it computes."""

    def __init__(self, name: str, config: Config, encoder: keras.Model, devices: Devices) -> None:
        spec, settings = resolve_encoder(name, config.inputs), config.train.frozen_features
        self._spec = spec
        self._settings = settings
        self._name = name
        self._column = config.columns[name]
        self._config = config
        self._encode = _vectors_of(encoder)
        self._width = int(tf.nest.flatten(encoder.output)[0].shape[-1])
        self._cache = FeatureCache(features_directory(), int(settings.limit * 1e9))
        network = spec.encoder.architecture
        self._parts = {
            "encoder": _json(network.model_dump(mode="json", exclude=_NOT_IN_FEATURES)),
            "weights": _digest(weight.numpy() for weight in encoder.weights),
            "input": _json(spec.model_dump(mode="json", exclude=_NOT_IN_EXAMPLES)),
            "dtype": settings.dtype,
            "precision": devices.precision,
            "device": devices.record()["kind"],
            "deterministic": config.train.deterministic,
            **{package: versions()[package] for package in ("mmzoo", "tensorflow", "keras")},
        }

    def features(self, data: Arrays, split: str) -> np.ndarray | None:
        """The features of a split, from the cache or computed.

        Returns:
            float32 or float16 `[rows, width]`; for an augmented training split `[rows, copies,
            width]`. None if there is no room for them.
        """
        rows = data.examples(split)
        copies = self._settings.copies if split == "train" and augmentations_of(self._spec) else 0
        key = FeatureKey(
            f"{self._spec.encoder.type} on {data.name}, {split}",
            {**self._parts, **self._parts_of_split(data, split, copies)},
        )
        what = f"the features of {rows:,} {split} examples"
        if copies:
            what += f" in {copies} augmented versions"
        vectors = self._cache.find(key) if self._settings.keep == "disk" else None
        if vectors is not None:
            logger.info(f"{self._name}: loaded {what} from the cache, computed by an earlier run.")
        else:
            start = time.monotonic()
            vectors = self._compute(key, data, split, copies)
            if vectors is None:
                return None
            logger.info(
                f"{self._name}: computed {what} once, as {self._spec.encoder.type} is frozen "
                f"({time.monotonic() - start:.1f} s, {size_text(vectors.nbytes)})."
            )
        return np.moveaxis(vectors.reshape(copies, rows, -1), 0, 1) if copies else vectors

    def _parts_of_split(self, data: Arrays, split: str, copies: int) -> dict[str, Any]:
        """The parts of the key that depend on the split."""
        values = data.splits[split][self._column]
        if are_files(values):
            # Drop the path, which comes first: features depend on the content of a file only. The
            # dtype is as wide as the longest part, possibly a path, so it is narrowed too.
            values = values[:, 1:].astype("S64")
        # Another version of this code may preprocess the same files differently.
        first = self._inputs(data, split, 0 if copies else None).take(1)
        hashed = (values[:_HASHED_EXAMPLES].numpy() for values in first)
        parts: dict[str, Any] = {"examples": _digest([values]), "preprocessed": _digest(hashed)}
        if copies:
            augment = [one.model_dump(mode="json") for one in augmentations_of(self._spec)]
            seed = self._config.train.seed
            parts |= {"copies": copies, "augment": _json(augment), "seed": seed}
        return parts

    def _compute(self, key: FeatureKey, data: Arrays, split: str, copies: int) -> np.ndarray | None:
        """Computes features into the cache, or into memory if they cannot be cached."""
        shape, dtype = (max(1, copies) * data.examples(split), self._width), self._settings.dtype

        def batches() -> Iterator[np.ndarray]:
            return checked_batches(key.description, dtype, self._batches(data, split, copies))

        if self._settings.keep == "disk":
            vectors = self._cache.add(key, shape, dtype, batches())
            if vectors is not None:
                return vectors
        size, free = math.prod(shape) * np.dtype(dtype).itemsize, free_memory()
        if size > free // _MEMORY_SHARE:
            logger.info(
                f"{self._name}: the frozen {self._spec.encoder.type} runs in every epoch, since "
                f"its features take {size_text(size)}, and {size_text(free)} of memory are free. "
                "Raise `train.frozen_features.limit` to cache more on disk, or set its `dtype` to "
                "float16."
            )
            return None
        vectors, done = np.empty(shape, dtype), 0
        for batch in batches():
            vectors[done : done + len(batch)] = batch
            done += len(batch)
        return vectors

    def _batches(self, data: Arrays, split: str, copies: int) -> Iterator[np.ndarray]:
        """Yields features, float32 `[batch, width]`, of all rows, copy by copy."""
        rows = max(1, copies) * data.examples(split)
        done, reported = 0, time.monotonic()
        with reraise_with_file_names(self._config, data, split):
            for epoch in range(copies) if copies else [None]:
                for values in self._inputs(data, split, epoch):
                    vectors = self._encode(values).numpy()
                    yield vectors
                    done += len(vectors)
                    if time.monotonic() - reported > _REPORT_SECONDS:
                        reported = time.monotonic()
                        logger.info(f"{self._name}: features of {done:,} of {rows:,} {split} rows.")

    def _inputs(self, data: Arrays, split: str, epoch: int | None) -> tf.data.Dataset:
        """Batches of the encoder's input, in order; augmented as in `epoch`, if it is given."""
        train, spec = self._config.train, self._spec
        gather = gather_from(data.splits[split][self._column])

        def make(rows: tf.Tensor) -> tf.Tensor:
            values = spec.load(gather(rows))
            if epoch is None or not isinstance(spec, Augments):
                return values
            return spec.augment_batch(
                values, Randomness(train.seed, tf.constant(epoch, tf.int64), rows).fold(0)
            )

        rows = tf.data.Dataset.range(data.examples(split)).batch(train.batch_size)
        make = tf.autograph.experimental.do_not_convert(make)
        return rows.map(make, num_parallel_calls=tf.data.AUTOTUNE).prefetch(2)


def checked_batches(
    description: str, dtype: DType, batches: Iterable[np.ndarray]
) -> Iterator[np.ndarray]:
    """Yields batches of features cast to `dtype`, C-contiguous, after checking for finite values.

    Raises:
        DataError: a feature is not finite, or too large for `dtype`.
    """
    done = 0
    for batch in batches:
        with np.errstate(over="ignore"):  # Overflows become infinite, which is checked below.
            rows = np.ascontiguousarray(batch, dtype)
        finite = np.isfinite(rows)
        if not finite.all():
            index = tuple(int(indices[0]) for indices in np.nonzero(~finite))
            feature = f"{description}: a feature of row {done + index[0]} is {batch[index]:g}"
            if np.isfinite(batch[index]):
                raise DataError(
                    f"{feature}, and the largest {dtype} is {np.finfo(dtype).max:g}. "
                    "Set `train.frozen_features.dtype: float32`."
                )
            raise DataError(
                f"{feature}, which cannot be trained on. Check the encoder's weights and the data "
                "of this row."
            )
        yield rows
        done += len(rows)


def _vectors_of(encoder: keras.Model) -> Callable[[tf.Tensor], tf.Tensor]:
    """The encoder as a compiled function to float32 `[batch, width]`, for batches of any size."""
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
