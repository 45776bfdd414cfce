"""Decoded files: an in-memory cache, and errors that name the files that cannot be decoded."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mmzoo.data.bad_rows import bad_rows_error
from mmzoo.data.frame import Skipped
from mmzoo.lazy import tf
from mmzoo.modalities.abilities import DecodesFiles
from mmzoo.modalities.base_input import features_column
from mmzoo.modalities.file_probe import are_files, has_file, with_file_name
from mmzoo.spec.wording import escape

if TYPE_CHECKING:
    from mmzoo.config import Config
    from mmzoo.preprocessing import Arrays
from mmzoo.spec.wording import size_text

logger = logging.getLogger(__name__)


_MEMINFO = Path("/proc/meminfo")
_CGROUP = Path("/sys/fs/cgroup")


def free_memory() -> int:
    """Available memory in bytes, of the machine or of the container if that has less.

    If the system does not report it, half of the physical memory.
    """
    machine = _number_after(_MEMINFO, "MemAvailable:")
    if machine is None:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
    container = _container_memory()
    return machine * 1024 if container is None else min(machine * 1024, container)


def _container_memory() -> int | None:
    """Bytes left below the memory limit of the control group; None without a limit."""
    try:
        limit = (_CGROUP / "memory.max").read_text().strip()
        used = int((_CGROUP / "memory.current").read_text())
    except (OSError, ValueError):
        return None
    if limit == "max":
        return None
    # The page cache counts as used, but is freed on demand.
    page_cache = _number_after(_CGROUP / "memory.stat", "inactive_file") or 0
    return max(0, int(limit) - used + page_cache)


def _number_after(path: Path, word: str) -> int | None:
    try:
        lines = path.read_text().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) for line in lines if line.split()[:1] == [word]), None)


@contextmanager
def reraise_with_file_names(config: Config, data: Arrays, split: str) -> Iterator[None]:
    """Replaces TensorFlow's decoding errors by an error that names the files.

    To be used wherever batches are consumed. TensorFlow does not say which file failed, so all
    files of the split are decoded again to find out.

    Raises:
        DataError: files of the split cannot be decoded.
    """
    try:
        yield
    except tf.errors.ResourceExhaustedError:
        raise  # Out of memory; no file is damaged.
    # TensorFlow quotes the bytes of very short files, which may not be valid UTF-8.
    except (tf.errors.OpError, UnicodeDecodeError):
        corrupt = find_corrupt_files(config, data, split)
        if corrupt:
            rows = [
                Skipped(escape(data.row_name(split, row)), split, corrupt[row])
                for row in sorted(corrupt)
            ]
            raise bad_rows_error(data.name, rows, data.frame.rows_are) from None
        raise


def find_corrupt_files(config: Config, data: Arrays, split: str) -> dict[int, str]:
    """Decodes all files of a split; returns row -> why its file cannot be decoded."""
    bad: dict[int, str] = {}
    for name in _file_inputs(config, data, split):
        spec, column = config.inputs[name], config.columns[name]
        files = data.splits[split][column]
        if isinstance(spec, DecodesFiles):
            bad |= {
                row: with_file_name(data.frame, column, files[row, 0], reason)
                for row, reason in spec.find_corrupt(files).items()
            }
    return bad


_MEMORY_DIVISOR = 4
"""The cache may take this fraction of the free memory: TensorFlow makes a copy of it."""
_BATCH = 32
_LOG_SECONDS = 10.0
"""Interval of progress messages."""


def cache_decoded(config: Config, data: Arrays, splits: Collection[str]) -> Arrays:
    """Decodes files once and caches them in memory, if `train.keep_decoded` allows.

    Batches from the cache are bit-identical to those from the files.

    Args:
        config: how files are loaded, and whether to cache them.
        data: all splits.
        splits: splits to decode; the others stay unchanged.

    Raises:
        DataError: files cannot be decoded; the error names all of them.
    """
    keep = config.train.keep_decoded
    pending = {
        (split, name): _batches(config, data, split, name)
        for split in splits
        for name in _file_inputs(config, data, split)
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
    if keep == "auto" and size > free // _MEMORY_DIVISOR:
        logger.info(
            f"{files:,} files are decoded in every epoch: caching them would take "
            f"{size_text(size)} of {size_text(free)} free memory. "
            "`train.keep_decoded: true` caches them anyway."
        )
        return data
    cached = {split: dict(columns) for split, columns in data.splits.items()}
    for (split, name), batches in pending.items():
        with reraise_with_file_names(config, data, split):
            cached[split][config.columns[name]] = _all_rows(batches, data.examples(split))
    logger.info(f"Decoded {files:,} files once: {size_text(size)}, cached in memory.")
    return replace(data, splits=cached)


def _file_inputs(config: Config, data: Arrays, split: str) -> list[str]:
    """The inputs whose files are decoded: those without cached features of a frozen encoder."""
    columns = data.splits[split]
    return [
        name
        for name in config.inputs
        if are_files(columns[config.columns[name]]) and features_column(name) not in columns
    ]


def _batches(config: Config, data: Arrays, split: str, name: str) -> tf.data.Dataset:
    """All rows of one input in order, loaded."""
    spec = config.inputs[name]
    with tf.device("CPU"):
        files = tf.constant(data.splits[split][config.columns[name]])
    batches = tf.data.Dataset.range(data.examples(split)).batch(_BATCH)
    return batches.map(lambda rows: spec.load(tf.gather(files, rows)), tf.data.AUTOTUNE)


def _row_bytes(batches: tf.data.Dataset) -> int:
    spec = batches.element_spec
    return int(np.prod(spec.shape[1:])) * spec.dtype.size


def _all_rows(batches: tf.data.Dataset, rows: int) -> np.ndarray:
    spec = batches.element_spec
    values = np.empty((rows, *spec.shape[1:]), spec.dtype.as_numpy_dtype)
    done, logged = 0, time.monotonic()
    for batch in batches.as_numpy_iterator():
        values[done : done + len(batch)] = batch
        done += len(batch)
        if time.monotonic() - logged >= _LOG_SECONDS:
            logger.info(f"Decoded {done:,} of {rows:,} files.")
            logged = time.monotonic()
    return values
