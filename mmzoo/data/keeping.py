"""Files decoded once, and kept in memory for all epochs."""

from __future__ import annotations

import logging
import time
from collections.abc import Collection
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from mmzoo.data.files import naming_files
from mmzoo.data.memory import free_memory
from mmzoo.inputs import are_files, has_file
from mmzoo.lazy import tf

if TYPE_CHECKING:
    from mmzoo.config import Config
    from mmzoo.sources import Data

logger = logging.getLogger(__name__)

_SHARE = 4
"""What part of the free memory may be taken: TensorFlow holds a copy, and the model needs some."""
_BATCH = 32
_TOLD_EVERY = 10.0
"""Seconds between sentences on the progress."""


def decoded(config: Config, data: Data, splits: Collection[str]) -> Data:
    """The data with its files decoded and preprocessed, where there is memory for them.

    Batches made of it are those that would have been made of the files, bit for bit.

    Args:
        config: says how files are preprocessed, and by `train.keep_decoded` whether to keep them.
        data: with opened columns.
        splits: those to decode; the others stay as they are.

    Raises:
        DataError: files cannot be decoded: all of them are named.
    """
    keep = config.train.keep_decoded
    pending = {
        (split, name): _batches(config, data, split, name)
        for split in splits
        for name in _inputs_of_files(config, data, split)
    }
    if keep is False or not pending:
        return data
    files = sum(
        int(has_file(data.splits[split][config.columns[name]]).sum()) for split, name in pending
    )
    size = sum(
        data.examples(split) * _row_bytes(batches) for (split, _), batches in pending.items()
    )
    free = free_memory()
    if keep == "auto" and size > free // _SHARE:
        logger.info(
            f"{files:,} files are decoded anew in every epoch: all at once they would take "
            f"{_gigabytes(size)} of the {_gigabytes(free)} of memory that is free. "
            "`train.keep_decoded: true` would keep them all the same."
        )
        return data
    kept = {split: dict(columns) for split, columns in data.splits.items()}
    for (split, name), batches in pending.items():
        with naming_files(config, data, split):
            kept[split][config.columns[name]] = _all_rows(batches, data.examples(split))
    logger.info(f"Decoded {files:,} files once: {_gigabytes(size)}, kept in memory.")
    return replace(data, splits=kept)


def _inputs_of_files(config: Config, data: Data, split: str) -> list[str]:
    return [name for name in config.inputs if are_files(data.splits[split][config.columns[name]])]


def _batches(config: Config, data: Data, split: str, name: str) -> tf.data.Dataset:
    """All rows of one input in order, preprocessed."""
    spec = config.inputs[name]
    with tf.device("CPU"):
        files = tf.constant(data.splits[split][config.columns[name]])
    batches = tf.data.Dataset.range(data.examples(split)).batch(_BATCH)
    return batches.map(lambda rows: spec.preprocess(tf.gather(files, rows)), tf.data.AUTOTUNE)


def _row_bytes(batches: tf.data.Dataset) -> int:
    spec = batches.element_spec
    return int(np.prod(spec.shape[1:])) * spec.dtype.size


def _all_rows(batches: tf.data.Dataset, rows: int) -> np.ndarray:
    spec = batches.element_spec
    values = np.empty((rows, *spec.shape[1:]), spec.dtype.as_numpy_dtype)
    done, told = 0, time.monotonic()
    for batch in batches.as_numpy_iterator():
        values[done : done + len(batch)] = batch
        done += len(batch)
        if time.monotonic() - told >= _TOLD_EVERY:
            logger.info(f"Decoded {done:,} of {rows:,} files.")
            told = time.monotonic()
    return values


def _gigabytes(size: int) -> str:
    return f"{size / 1e9:,.2f} GB" if size >= 1e9 else f"{size / 1e6:,.2f} MB"
