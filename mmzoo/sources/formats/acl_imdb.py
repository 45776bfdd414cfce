"""The archive of the Large Movie Review Dataset: a tar.gz with a text file for each review.

A review is `aclImdb/<train or test>/<pos or neg>/<number>_<rating>.txt`, in UTF-8.

Reference: Maas et al., its README.
"""

from __future__ import annotations

import re
import tarfile
import zlib
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from mmzoo.errors import DataError
from mmzoo.lazy import np
from mmzoo.sources.data import Splits
from mmzoo.sources.formats.rows import read_rows

_REVIEW = re.compile(r"aclImdb/((train|test)/(pos|neg)/(\d+)_(\d+))\.txt")
_LARGEST = 1_000_000
"""Bytes; the longest review has some 14,000."""


def read_archive(path: Path, examples: Mapping[str, int]) -> Splits:
    """Reads the labelled reviews of the archive in memory; nothing is written to disk.

    Args:
        path: The tar.gz.
        examples: How many reviews `train` and `test` have.

    Returns:
        Of each split `text`, objects `[reviews]`; `label`, int64, 1 for those in favour; `rating`,
        float64, 1 to 10 stars; and `name`, such as "train/pos/0_9". First those in favour, by
        number, then those against.

    Raises:
        DataError: The archive is damaged or lacks reviews, or one is longer than any is, or not
            UTF-8.
    """

    found: dict[str, list[tuple[bool, int, float, str, str]]] = {"train": [], "test": []}
    for (name, split, side, number, rating), text in _reviews(path):
        found[split].append((side == "neg", int(number), float(rating), name, text))
    splits: Splits = {}
    for split, reviews in found.items():
        if len(reviews) != examples[split]:
            raise DataError(
                f"{path} has {len(reviews):,} {split} reviews, expected {examples[split]:,}."
            )
        reviews.sort(key=lambda review: review[:2])
        splits[split] = {
            "text": np.array([review[4] for review in reviews], dtype=object),
            "label": np.array([not review[0] for review in reviews], dtype=np.int64),
            "rating": np.array([review[2] for review in reviews], dtype=np.float64),
            "name": np.array([review[3] for review in reviews], dtype=np.str_),
        }
    return splits


def _reviews(path: Path) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yields split, side, number and rating of each review, and its text."""
    try:
        with tarfile.open(path, "r:gz") as archive:
            for member in archive:
                name = _REVIEW.fullmatch(member.name)
                if name is None or not member.isreg():
                    continue
                if member.size > _LARGEST:
                    raise DataError(
                        f"{path}: {member.name} has {member.size:,} bytes, expected {_LARGEST:,} "
                        "at most."
                    )
                content = archive.extractfile(member)
                assert content is not None
                yield name.groups(), content.read().decode().strip(" \t\r\n")
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: {member.name} is not UTF-8 text.") from error
    except (tarfile.TarError, zlib.error, EOFError, OSError) as error:
        raise DataError(f"{path} is not a sound tar.gz archive: {error}.") from error


def read_tables(train: Path, test: Path) -> Splits:
    """Reads the same reviews from tables of `id`, `text`, `label` and `rating`, one a split.

    Returns:
        As `read_archive`.

    Raises:
        DataError: A file is no such table.
    """
    with ThreadPoolExecutor(2) as threads:  # Both packed by xz, which takes most of the time.
        splits = threads.map(_table, (train, test))
    return dict(zip(("train", "test"), splits, strict=True))


def _table(path: Path) -> dict[str, np.ndarray]:

    rows = read_rows(path, ("id", "text", "label", "rating"))
    return {
        "text": rows["text"].to_numpy(),
        "label": rows["label"].to_numpy().astype(np.int64),
        "rating": rows["rating"].to_numpy().astype(np.float64),
        "name": rows["id"].to_numpy().astype(np.str_),
    }
