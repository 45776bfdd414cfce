"""Readers of image data sets: the idx files of MNIST and the binary archives of CIFAR.

Files are decompressed in memory, and never beyond their expected size.
"""

from __future__ import annotations

import struct
import tarfile
import zlib
from collections.abc import Iterator, Mapping
from itertools import accumulate
from pathlib import Path

from mmzoo.data.frame import Splits
from mmzoo.errors import DataError
from mmzoo.lazy import np

_UNSIGNED_BYTE = 8
_GZIP = 31
"""zlib's `wbits` for a gzip header and the largest window."""


def read_mnist_layout(files: Mapping[str, Path]) -> Splits:
    """Reads the four files of MNIST, or of a data set in the same format."""
    return {
        split: {
            "image": read_idx(files[f"{prefix}-images-idx3-ubyte.gz"], (examples, 28, 28))[
                ..., None
            ],
            "label": read_idx(files[f"{prefix}-labels-idx1-ubyte.gz"], (examples,)).astype("int64"),
        }
        for split, prefix, examples in (("train", "train", 60_000), ("test", "t10k", 10_000))
    }


def read_idx(path: Path, shape: tuple[int, ...]) -> np.ndarray:
    """Reads a gzipped idx file of unsigned bytes.

    Args:
        path: The file.
        shape: The expected shape.

    Returns:
        uint8 `[*shape]`, read-only.

    Raises:
        DataError: The file is not gzip, is truncated or too long, or has another type or shape.
    """
    header = struct.pack(f">HBB{len(shape)}I", 0, _UNSIGNED_BYTE, len(shape), *shape)
    content = _gunzip(path, len(header) + int(np.prod(shape)))
    if not content.startswith(header):
        raise DataError(f"{path} is not the expected idx file: {_describe(content, shape)}.")
    if len(content) != len(header) + np.prod(shape):
        raise DataError(
            f"{path} is truncated or damaged: it has {len(content) - len(header):,} bytes of "
            f"values, expected {np.prod(shape):,}."
        )
    return np.frombuffer(content, np.uint8, offset=len(header)).reshape(shape)


def _gunzip(path: Path, size: int) -> bytes:
    """Decompresses a gzip file of at most `size` bytes and verifies its checksum."""
    decompressor = zlib.decompressobj(_GZIP)
    try:
        content = decompressor.decompress(path.read_bytes(), size + 1)
    except zlib.error as error:
        raise DataError(f"{path} is not a valid gzip file: {error}.") from error
    if len(content) > size:
        raise DataError(f"{path} decompresses to more than the expected {size:,} bytes.")
    if not decompressor.eof:
        raise DataError(f"{path} is truncated: its gzip stream has no end.")
    return content


def _describe(content: bytes, shape: tuple[int, ...]) -> str:
    """The flaw in the header of an idx file, as a clause; None if it is valid."""
    if content[:2] != b"\0\0" or len(content) < 4:
        return f"it starts with {content[:4].hex(' ') or 'nothing'}, expected 00 00 08"
    kind, dimensions = content[2], content[3]
    if kind != _UNSIGNED_BYTE:
        return f"its values are of type {kind:#04x}, expected 0x08, unsigned bytes"
    if len(content) < 4 + 4 * dimensions:
        return f"its header ends before the sizes of its {dimensions} dimensions"
    found = struct.unpack_from(f">{dimensions}I", content, 4)
    return f"its shape is {list(found)}, expected {list(shape)}"


_PIXELS = 3 * 32 * 32
_LARGEST_OTHER = 1_000_000
"""Largest other member of an archive, in bytes: a web page and lists of names, all small."""

Layout = Mapping[str, Mapping[str, int]]
"""Split -> member of the archive -> number of records."""


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
    """Reads an archive of binary records in memory.

    Args:
        path: The tar.gz archive.
        labels: The columns of the bytes that precede the pixels of a record.
        layout: The members to read, in the order of the examples of a split.

    Returns:
        For each split `image`, uint8 `[examples, 32, 32, 3]`, and the labels, int64 `[examples]`.

    Raises:
        DataError: The archive is damaged, or a member is missing or has another size.
    """
    splits: Splits = {}
    targets = {}
    for split, members in layout.items():
        examples = sum(members.values())
        splits[split] = {
            "image": np.empty((examples, 32, 32, 3), np.uint8),
            **{label: np.empty(examples, np.int64) for label in labels},
        }
        for (member, count), end in zip(members.items(), accumulate(members.values()), strict=True):
            targets[member] = (splits[split], slice(end - count, end))

    record = len(labels) + _PIXELS
    sizes = {member: (rows.stop - rows.start) * record for member, (_, rows) in targets.items()}
    for member, content in _members(path, sizes):
        columns, rows = targets[member]
        records = np.frombuffer(content, np.uint8).reshape(-1, record)
        for position, label in enumerate(labels):
            columns[label][rows] = records[:, position]
        planes = records[:, len(labels) :].reshape(-1, 3, 32, 32)
        columns["image"][rows] = planes.transpose(0, 2, 3, 1)
    return splits


def _members(path: Path, sizes: Mapping[str, int]) -> Iterator[tuple[str, bytes]]:
    """Yields the name and content of each expected member once, in the archive's order."""
    missing = set(sizes)
    try:
        with tarfile.open(path, "r:gz") as archive:
            for member in archive:
                expected = sizes.get(member.name)
                if expected is None and member.size > _LARGEST_OTHER:
                    raise DataError(f"{path} has an unexpected member, {member.name}.")
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
        raise DataError(f"{path} is not a valid tar.gz archive: {error}.") from error
    if missing:
        raise DataError(f"{path} does not have {', '.join(sorted(missing))}.")
