"""Columns of files: an error that names those that cannot be decoded, in time if possible."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from mmzoo.inputs import are_files, newly_damaged
from mmzoo.lazy import tf
from mmzoo.sources import settled, with_column

if TYPE_CHECKING:
    from mmzoo.config import Config
    from mmzoo.sources import Data


def damaged_files(config: Config, data: Data, split: str) -> dict[int, str]:
    """Decodes all files of a split; row -> why its file cannot be decoded, if it cannot."""
    bad: dict[int, str] = {}
    for name, spec in config.inputs.items():
        column = config.columns[name]
        values = data.splits[split][column]
        if are_files(values):
            bad |= with_column(data, column, values, spec.damaged(values))
    return bad


def refuse_damaged(config: Config, data: Data, splits: Iterable[str]) -> None:
    """Decodes the files of some splits once, save those whose content was found whole before.

    A training comes upon its validation files after an epoch, and upon its test files at the very
    end: too late to hear that they are damaged.

    Raises:
        DataError: files cannot be decoded: all of them are named.
    """
    bad: dict[str, dict[int, str]] = {}
    for split in splits:
        bad[split] = {}
        for name, spec in config.inputs.items():
            column = config.columns[name]
            values = data.splits[split][column]
            if are_files(values):
                damaged = newly_damaged(spec.type, values, spec.damaged)
                bad[split] |= with_column(data, column, values, damaged)
    settled(data, bad, "error")


@contextmanager
def naming_files(config: Config, data: Data, split: str) -> Iterator[None]:
    """Wherever batches are consumed: finds out which files TensorFlow's error is about.

    TensorFlow says that a file cannot be decoded, and not which one.

    Raises:
        DataError: in the place of TensorFlow's error, if files of the split cannot be decoded.
    """
    try:
        yield
    except tf.errors.ResourceExhaustedError:
        raise  # Memory is short, and no file to blame.
    # TensorFlow quotes the bytes of very short files, of which Python can make no message.
    except (tf.errors.OpError, UnicodeDecodeError):
        settled(data, {split: damaged_files(config, data, split)}, "error")
        raise
