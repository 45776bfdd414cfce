"""The binary version of CIFAR: a tar.gz of records, each some labels and 3x32x32 pixels.

The other versions that its authors offer are pickles, which run code when they are read.

Reference: Krizhevsky, "The CIFAR-10 dataset", "Dataset layout" on its page.
"""

from __future__ import annotations

import tarfile
import zlib
from collections.abc import Iterator, Mapping
from itertools import accumulate
from pathlib import Path

from mmzoo.errors import DataError
from mmzoo.lazy import np
from mmzoo.sources.data import Splits

_PIXELS = 3 * 32 * 32
_LARGEST_BYSTANDER = 1_000_000
"""Bytes: the archives also hold a page and lists of names, all of them small."""

Layout = Mapping[str, Mapping[str, int]]
"""Split -> member of the archive -> how many records it holds."""


def read_cifar10(files: Mapping[str, Path]) -> Splits:
    """Reads `cifar-10-binary.tar.gz`."""
    folder = "cifar-10-batches-bin"
    layout = {
        "train": {f"{folder}/data_batch_{number}.bin": 10_000 for number in range(1, 6)},
        "test": {f"{folder}/test_batch.bin": 10_000},
    }
    return read_cifar(files["cifar-10-binary.tar.gz"], ("label",), layout)


def read_cifar100(files: Mapping[str, Path]) -> Splits:
    """Reads `cifar-100-binary.tar.gz`."""
    layout = {
        "train": {"cifar-100-binary/train.bin": 50_000},
        "test": {"cifar-100-binary/test.bin": 10_000},
    }
    return read_cifar(files["cifar-100-binary.tar.gz"], ("coarse_label", "label"), layout)


def read_cifar(path: Path, labels: tuple[str, ...], layout: Layout) -> Splits:
    """Reads an archive of binary records in memory; nothing is written to disk.

    Args:
        path: The tar.gz.
        labels: The column of each byte that precedes a record's pixels.
        layout: The members to read; the examples of a split are in this order.

    Returns:
        Of each split `image`, uint8 `[examples, 32, 32, 3]`, and the labels, int64 `[examples]`.

    Raises:
        DataError: The archive is damaged, lacks a member or has one of another size.
    """

    splits: Splits = {}
    places = {}
    for split, members in layout.items():
        examples = sum(members.values())
        splits[split] = {
            "image": np.empty((examples, 32, 32, 3), np.uint8),
            **{label: np.empty(examples, np.int64) for label in labels},
        }
        for (member, count), end in zip(members.items(), accumulate(members.values()), strict=True):
            places[member] = (splits[split], slice(end - count, end))

    record = len(labels) + _PIXELS
    sizes = {member: (rows.stop - rows.start) * record for member, (_, rows) in places.items()}
    for member, content in _members(path, sizes):
        columns, rows = places[member]
        records = np.frombuffer(content, np.uint8).reshape(-1, record)
        for position, label in enumerate(labels):
            columns[label][rows] = records[:, position]
        planes = records[:, len(labels) :].reshape(-1, 3, 32, 32)
        columns["image"][rows] = planes.transpose(0, 2, 3, 1)
    return splits


def _members(path: Path, sizes: Mapping[str, int]) -> Iterator[tuple[str, bytes]]:
    """Yields each of these members as the archive is unpacked, once."""
    missing = set(sizes)
    try:
        with tarfile.open(path, "r:gz") as archive:
            for member in archive:
                expected = sizes.get(member.name)
                if expected is None and member.size > _LARGEST_BYSTANDER:
                    raise DataError(f"{path} holds {member.name}, which does not belong there.")
                if member.name not in missing:
                    continue
                content = archive.extractfile(member) if member.size == expected else None
                if content is None:
                    raise DataError(
                        f"{path}: {member.name} has {member.size:,} bytes, expected {expected:,}."
                    )
                yield member.name, content.read()
                missing.remove(member.name)
    except (tarfile.TarError, zlib.error, EOFError, OSError) as error:
        raise DataError(f"{path} is not a sound tar.gz archive: {error}.") from error
    if missing:
        raise DataError(f"{path} lacks {', '.join(sorted(missing))}.")
