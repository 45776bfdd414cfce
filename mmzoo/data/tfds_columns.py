"""Columns of a TensorFlow Datasets data set: labels, image arrays and unpacked image files."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mmzoo.data.frame import Splits
from mmzoo.data.parse_columns import check_columns
from mmzoo.errors import DataError
from mmzoo.lazy import np, tf
from mmzoo.spec.wording import escape, shorten

if TYPE_CHECKING:
    from tensorflow_datasets.core import DatasetBuilder

logger = logging.getLogger(__name__)


IN_MEMORY = 1_000_000_000
"""Largest column, in bytes over all splits, that is held in memory."""

_BATCH = 256
_SUFFIXES = {b"\xff\xd8": ".jpg", b"\x89P": ".png", b"GI": ".gif", b"BM": ".bmp", b"RI": ".webp"}
"""First bytes of an image -> suffix. For people only: images are decoded by their content."""


def class_columns(builder: DatasetBuilder) -> dict[str, tuple[str, ...]]:
    """Column of labels -> class names."""
    import tensorflow_datasets as tfds

    return {
        column: tuple(feature.names)
        for column, feature in _features(builder).items()
        if type(feature) is tfds.features.ClassLabel
    }


def image_columns(builder: DatasetBuilder) -> tuple[str, ...]:
    """The columns of uint8 images."""
    import tensorflow_datasets as tfds

    return tuple(
        column
        for column, feature in _features(builder).items()
        if type(feature) is tfds.features.Image and feature.np_dtype == "uint8"
    )


def check_features(builder: DatasetBuilder, wanted: Iterable[str]) -> None:
    """Checks that all required columns exist and can be read.

    Raises:
        DataError: A column does not exist, or has neither uint8 images nor labels.
    """
    readable = (*image_columns(builder), *class_columns(builder))
    features = _features(builder)
    for column in wanted:
        if column in features and column not in readable:
            raise DataError(
                f"data set {builder.info.full_name}: its column `{column}` is "
                f"{shorten(str(features[column]))}. mmzoo reads 8-bit images (Image) and labels "
                f"(ClassLabel) of TensorFlow Datasets: {', '.join(readable) or 'it has none'}."
            )
    check_columns(f"data set {builder.info.full_name}", readable, wanted)


def read_columns(
    builder: DatasetBuilder, splits: Mapping[str, str], columns: Iterable[str], cache: Path
) -> Splits:
    """Reads columns of images and labels.

    Args:
        builder: The builder of the data set.
        splits: Our split -> the builder's split.
        columns: The columns to read.
        cache: The folder for unpacked images that are not held in memory.

    Returns:
        Labels as int64 `[examples]`; images as uint8 `[examples, height, width, channels]`, or as
        the absolute paths of unpacked files, text `[examples]`.

    Raises:
        DataError: A file is damaged, or the cache cannot be written.
    """
    found: Splits = {split: {} for split in splits}
    for column in columns:
        in_memory = _fits_in_memory(builder, splits.values(), column)
        for split, official in splits.items():
            found[split][column] = (
                _array(builder, official, column)
                if in_memory
                else np.array(_image_files(builder, official, column, cache), np.str_)
            )
    return found


def _features(builder: DatasetBuilder) -> dict[str, Any]:
    import tensorflow_datasets as tfds

    features = builder.info.features
    return dict(features) if isinstance(features, tfds.features.FeaturesDict) else {}


def _fits_in_memory(builder: DatasetBuilder, splits: Iterable[str], column: str) -> bool:
    """Whether values have a fixed shape and are small enough; labels always are."""
    shape = builder.info.features[column].shape
    examples = sum(builder.info.splits[split].num_examples for split in splits)
    return None not in shape and examples * prod(shape) <= IN_MEMORY


def _array(builder: DatasetBuilder, split: str, column: str) -> np.ndarray:
    """A column of one split, in stored order."""
    feature = builder.info.features[column]
    values = np.empty((builder.info.splits[split].num_examples, *feature.shape), feature.np_dtype)
    done = 0
    for batch in _batches(builder, split, column, decoders=None):
        values[done : done + len(batch)] = batch
        done += len(batch)
    return values


def _image_files(builder: DatasetBuilder, split: str, column: str, cache: Path) -> list[str]:
    """The images of a split as files, unpacked on first use."""
    folder = cache / _key(builder, split) / column / split
    if not folder.is_dir():
        logger.info(f"unpacking the {split} images of {builder.info.full_name} into {folder}")
        try:
            _unpack(builder, split, column, folder)
        except OSError as error:
            raise DataError(
                f"{escape(str(folder))}: images of {builder.info.full_name} cannot be unpacked "
                f"there: {error.strerror}. Free some space, or set MMZOO_CACHE_DIR to a folder on "
                "another disk."
            ) from error
    return sorted(str(path) for path in folder.iterdir())


def _unpack(builder: DatasetBuilder, split: str, column: str, folder: Path) -> None:
    import tensorflow_datasets as tfds

    unpacked = folder.with_name(f".{split}.{os.getpid()}.tmp")
    unpacked.mkdir(parents=True)
    row = 0
    try:
        for batch in _batches(builder, split, column, {column: tfds.decode.SkipDecoding()}):
            for content in batch:
                suffix = _SUFFIXES.get(content[:2], ".img")
                (unpacked / f"{row:08d}{suffix}").write_bytes(content)
                row += 1
        # Renamed last, so that a killed process leaves no folder that looks complete. If another
        # process was quicker, its folder is used.
        if not folder.is_dir():
            os.replace(unpacked, folder)
    finally:
        shutil.rmtree(unpacked, ignore_errors=True)


def _batches(
    builder: DatasetBuilder, split: str, column: str, decoders: dict[str, Any] | None
) -> Iterator[np.ndarray]:
    """The values of one column in batches, `num_examples` in total; others are not decoded."""
    import tensorflow_datasets as tfds

    # File by file without interleaving, so that the order is always the same.
    reading = tfds.ReadConfig(interleave_cycle_length=1, try_autocache=False)
    partly = tfds.decode.PartialDecoding({column: True}, decoders=decoders)
    expected, found = builder.info.splits[split].num_examples, 0
    try:
        rows = builder.as_dataset(
            split=split, shuffle_files=False, decoders=partly, read_config=reading
        )
        for batch in rows.take(expected).batch(_BATCH).prefetch(2).as_numpy_iterator():
            found += len(batch[column])
            yield batch[column]
    except (tf.errors.OpError, AssertionError) as error:
        raise _damaged(builder, split, column, str(error)) from error
    if found != expected:
        raise _damaged(builder, split, column, f"it has {found:,} of {expected:,} examples")


def _damaged(builder: DatasetBuilder, split: str, column: str, why: str) -> DataError:
    first, *_ = why.splitlines() or ["unknown reason"]
    return DataError(
        f"{escape(str(builder.data_dir))}: column `{column}` of its {split} split cannot be "
        f"read: {escape(first)}. Remove the folder and prepare the data set again."
    )


def _key(builder: DatasetBuilder, split: str) -> str:
    """The cache key of a split's unpacked images.

    It depends on the sizes and times of the stored files, not on their content: hashing it would
    take as long as unpacking it.
    """
    found = builder.info.splits[split]
    status = [os.stat(path) for path in found.filepaths]
    stored = [[file.st_size, file.st_mtime_ns] for file in status]
    text = json.dumps([builder.info.full_name, split, found.num_examples, stored])
    digest = hashlib.sha256(text.encode()).hexdigest()[:16]
    return f"{builder.info.full_name.replace('/', '-')}-{digest}"
