"""idx files: sound ones are read, every other is refused with its path and the reason."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest

from mmzoo.data.datasets.image_formats import read_idx, read_mnist_layout
from mmzoo.errors import DataError

SHAPE = (3, 4, 2)
VALUES = np.arange(24, dtype=np.uint8).reshape(SHAPE)
HEADER = bytes([0, 0, 8, 3]) + struct.pack(">3I", *SHAPE)
SOUND = HEADER + VALUES.tobytes()


def write(folder: Path, content: bytes, packed: bool = True) -> Path:
    path = folder / "values.gz"
    path.write_bytes(gzip.compress(content) if packed else content)
    return path


def message(path: Path) -> str:
    with pytest.raises(DataError) as caught:
        read_idx(path, SHAPE)
    return str(caught.value)


def test_values_come_back_as_written(tmp_path: Path) -> None:
    values = read_idx(write(tmp_path, SOUND), SHAPE)
    assert values.dtype == np.uint8
    np.testing.assert_array_equal(values, VALUES)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "it starts with nothing, expected 00 00 08"),
        (b"\x89PNG" + SOUND[4:], "it starts with 89 50 4e 47, expected 00 00 08"),
        (
            bytes([0, 0, 13, 3]) + SOUND[4:],
            "its values are of type 0x0d, expected 0x08, unsigned bytes",
        ),
        (SOUND[:9], "its header ends before the sizes of its 3 dimensions"),
        (bytes([0, 0, 8, 1]) + struct.pack(">I", 24), "its shape is [24], expected [3, 4, 2]"),
        (
            bytes([0, 0, 8, 3]) + struct.pack(">3I", 3, 2, 4) + VALUES.tobytes(),
            "its shape is [3, 2, 4], expected [3, 4, 2]",
        ),
    ],
)
def test_another_header_is_refused(tmp_path: Path, content: bytes, complaint: str) -> None:
    path = write(tmp_path, content)
    assert message(path) == f"{path} is not the expected idx file: {complaint}."


def test_missing_values_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path, SOUND[:-5])
    assert message(path) == (
        f"{path} is truncated or damaged: it has 19 bytes of values, expected 24."
    )


def test_a_gzip_bomb_is_not_unpacked(tmp_path: Path) -> None:
    path = write(tmp_path, SOUND + bytes(10_000_000))
    assert message(path) == f"{path} decompresses to more than the expected 40 bytes."


def test_what_is_not_gzip_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, SOUND, packed=False)
    assert message(path) == (
        f"{path} is not a valid gzip file: "
        "Error -3 while decompressing data: incorrect header check."
    )


def test_half_a_gzip_file_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, gzip.compress(SOUND)[:-9], packed=False)
    assert message(path) == f"{path} is truncated: its gzip stream has no end."


def test_no_changed_byte_gives_other_values(tmp_path: Path) -> None:
    packed = gzip.compress(SOUND, mtime=0)
    # The ten bytes of gzip's own header hold no values: a time, a level, a system.
    places = range(10, len(packed))
    refused = 0
    for place in places:
        changed = bytearray(packed)
        changed[place] ^= 0x10
        path = write(tmp_path, bytes(changed), packed=False)
        try:
            np.testing.assert_array_equal(read_idx(path, SHAPE), VALUES)
        except DataError:
            refused += 1
    assert refused >= len(places) - 1  # The stream's last byte has bits that mean nothing.


def test_real_mnist_has_the_known_digits(real_data: Path) -> None:
    folder = real_data / "mnist"
    if not folder.is_dir():
        pytest.skip("mnist is not in MMZOO_DATA_DIR")
    splits = read_mnist_layout({path.name: path for path in folder.glob("*.gz")})
    train, test = splits["train"], splits["test"]
    assert train["image"].shape == (60_000, 28, 28, 1)
    assert test["image"].shape == (10_000, 28, 28, 1)
    assert train["label"][:5].tolist() == [5, 0, 4, 1, 9]
    assert test["label"][:5].tolist() == [7, 2, 1, 0, 4]
    assert train["image"].mean() == pytest.approx(33.3184, abs=1e-4)
