"""Columns of a data set that TensorFlow Datasets has prepared: labels, pictures, files of pictures.

Pictures of one size that fit into memory become one array. All others are unpacked once, as they
were encoded, into files of the user's cache, so that they are read like a folder's.
"""

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

from mmzoo.errors import DataError
from mmzoo.lazy import np, tf
from mmzoo.sources.columns import check_columns
from mmzoo.sources.data import Splits
from mmzoo.spec.wording import printable, shorten

if TYPE_CHECKING:
    from tensorflow_datasets.core import DatasetBuilder

logger = logging.getLogger(__name__)

IN_MEMORY = 1_000_000_000
"""Bytes of a column, over all splits, that are held in memory."""

_BATCH = 256
_SUFFIXES = {b"\xff\xd8": ".jpg", b"\x89P": ".png", b"GI": ".gif", b"BM": ".bmp", b"RI": ".webp"}
"""By the first bytes of a picture. Only for people: who reads it goes by the bytes too."""


def class_columns(builder: DatasetBuilder) -> dict[str, tuple[str, ...]]:
    """The columns of labels, each with the names of its classes."""
    import tensorflow_datasets as tfds

    return {
        column: tuple(feature.names)
        for column, feature in _features(builder).items()
        if type(feature) is tfds.features.ClassLabel
    }


def picture_columns(builder: DatasetBuilder) -> tuple[str, ...]:
    """The columns of pictures of 8 bits."""
    import tensorflow_datasets as tfds

    return tuple(
        column
        for column, feature in _features(builder).items()
        if type(feature) is tfds.features.Image and feature.np_dtype == "uint8"
    )


def check_features(builder: DatasetBuilder, wanted: Iterable[str]) -> None:
    """Checks that there are all wanted columns, and that each can be read.

    Raises:
        DataError: A column is not there, or holds neither pictures of 8 bits nor labels.
    """
    there = (*picture_columns(builder), *class_columns(builder))
    features = _features(builder)
    for column in wanted:
        if column in features and column not in there:
            raise DataError(
                f"data set {builder.info.full_name}: its column `{column}` is "
                f"{shorten(str(features[column]))}. mmzoo reads pictures of 8 bits (Image) and "
                f"labels (ClassLabel) of TensorFlow Datasets: {', '.join(there) or 'it has none'}."
            )
    check_columns(f"data set {builder.info.full_name}", there, wanted)


def read_columns(
    builder: DatasetBuilder, splits: Mapping[str, str], columns: Iterable[str], cache: Path
) -> Splits:
    """Reads columns of pictures and labels.

    Args:
        builder: What reads the data set.
        splits: Which of its splits is which of ours.
        columns: What to read.
        cache: Where pictures are unpacked that are not held in memory.

    Returns:
        Uint8 `[examples, height, width, channels]` or text `[examples]`, absolute paths; int64
        `[examples]` for labels.

    Raises:
        DataError: A file is damaged, or the cache cannot be written.
    """

    found: Splits = {split: {} for split in splits}
    for column in columns:
        in_memory = _fits_in_memory(builder, splits.values(), column)
        for split, its_name in splits.items():
            found[split][column] = (
                _array(builder, its_name, column)
                if in_memory
                else np.array(_picture_files(builder, its_name, column, cache), np.str_)
            )
    return found


def _features(builder: DatasetBuilder) -> dict[str, Any]:
    import tensorflow_datasets as tfds

    features = builder.info.features
    return dict(features) if isinstance(features, tfds.features.FeaturesDict) else {}


def _fits_in_memory(builder: DatasetBuilder, splits: Iterable[str], column: str) -> bool:
    """Whether values are of one size and few enough; labels always are."""
    shape = builder.info.features[column].shape
    examples = sum(builder.info.splits[split].num_examples for split in splits)
    return None not in shape and examples * prod(shape) <= IN_MEMORY


def _array(builder: DatasetBuilder, split: str, column: str) -> np.ndarray:
    """A column of one split, in the order in which it is stored."""

    feature = builder.info.features[column]
    values = np.empty((builder.info.splits[split].num_examples, *feature.shape), feature.np_dtype)
    done = 0
    for batch in _batches(builder, split, column, decoders=None):
        values[done : done + len(batch)] = batch
        done += len(batch)
    return values


def _picture_files(builder: DatasetBuilder, split: str, column: str, cache: Path) -> list[str]:
    """The pictures of a split as files, which are unpacked unless they were before."""
    folder = cache / _key(builder, split) / column / split
    if not folder.is_dir():
        logger.info(f"unpacking the {split} pictures of {builder.info.full_name} into {folder}")
        try:
            _unpack(builder, split, column, folder)
        except OSError as error:
            raise DataError(
                f"{printable(str(folder))}: pictures of {builder.info.full_name} cannot be "
                f"unpacked there: {error.strerror}. Make room, or set MMZOO_CACHE_DIR to a "
                "folder on another disk."
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
        # The folder gets its name last, so that a killed process leaves none that looks whole. If
        # another process was quicker, its folder serves.
        if not folder.is_dir():
            os.replace(unpacked, folder)
    finally:
        shutil.rmtree(unpacked, ignore_errors=True)


def _batches(
    builder: DatasetBuilder, split: str, column: str, decoders: dict[str, Any] | None
) -> Iterator[np.ndarray]:
    """The values of one column in batches, `num_examples` altogether; no other is decoded."""
    import tensorflow_datasets as tfds

    # One file after the other, each from its start: an order that never changes.
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
        raise _damaged(builder, split, column, f"{found:,} of {expected:,} examples are there")


def _damaged(builder: DatasetBuilder, split: str, column: str, why: str) -> DataError:
    first, *_ = why.splitlines() or ["for no reason that it gives"]
    return DataError(
        f"{printable(str(builder.data_dir))}: column `{column}` of its {split} split cannot be "
        f"read: {printable(first)}. Remove the folder and prepare the data set anew."
    )


def _key(builder: DatasetBuilder, split: str) -> str:
    """Names what is stored of a split, so that pictures of another preparation never serve.

    It goes by the sizes and times of files: to read them takes as long as to unpack them.
    """
    found = builder.info.splits[split]
    stored = [os.stat(path) for path in found.filepaths]
    told = [[file.st_size, file.st_mtime_ns] for file in stored]
    text = json.dumps([builder.info.full_name, split, found.num_examples, told])
    digest = hashlib.sha256(text.encode()).hexdigest()[:16]
    return f"{builder.info.full_name.replace('/', '-')}-{digest}"
