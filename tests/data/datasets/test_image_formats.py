"""Image data sets: idx files and CIFAR's binary archives; damaged files are refused."""

from __future__ import annotations

import gzip
import io
import struct
import tarfile
from pathlib import Path

import numpy as np
import pytest

from mmzoo.data.datasets.image_formats import (
    read_cifar,
    read_cifar10,
    read_cifar100,
    read_idx,
    read_mnist_layout,
)
from mmzoo.errors import DataError

SHAPE = (3, 4, 2)
VALUES = np.arange(24, dtype=np.uint8).reshape(SHAPE)
HEADER = bytes([0, 0, 8, 3]) + struct.pack(">3I", *SHAPE)
SOUND = HEADER + VALUES.tobytes()


def write(folder: Path, content: bytes, packed: bool = True) -> Path:
    path = folder / "values.gz"
    path.write_bytes(gzip.compress(content) if packed else content)
    return path


def idx_message(path: Path) -> str:
    with pytest.raises(DataError) as caught:
        read_idx(path, SHAPE)
    return str(caught.value)


def test_values_round_trip(tmp_path: Path) -> None:
    values = read_idx(write(tmp_path, SOUND), SHAPE)
    assert values.dtype == np.uint8
    np.testing.assert_array_equal(values, VALUES)


@pytest.mark.parametrize(
    ("content", "error_message"),
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
def test_a_wrong_header_is_refused(tmp_path: Path, content: bytes, error_message: str) -> None:
    path = write(tmp_path, content)
    assert idx_message(path) == f"{path} is not the expected idx file: {error_message}."


def test_missing_values_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path, SOUND[:-5])
    assert idx_message(path) == (
        f"{path} is truncated or damaged: it has 19 bytes of values, expected 24."
    )


def test_a_gzip_bomb_is_not_unpacked(tmp_path: Path) -> None:
    path = write(tmp_path, SOUND + bytes(10_000_000))
    assert idx_message(path) == f"{path} decompresses to more than the expected 40 bytes."


def test_a_file_that_is_not_gzip_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, SOUND, packed=False)
    assert idx_message(path) == (
        f"{path} is not a valid gzip file: "
        "Error -3 while decompressing data: incorrect header check."
    )


def test_a_truncated_gzip_file_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, gzip.compress(SOUND)[:-9], packed=False)
    assert idx_message(path) == f"{path} is truncated: its gzip stream has no end."


def test_a_changed_byte_never_changes_values_silently(tmp_path: Path) -> None:
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


LAYOUT = {"train": {"set/one.bin": 2, "set/two.bin": 1}, "test": {"set/test.bin": 1}}
LABELS = ("coarse_label", "label")


def record(coarse: int, fine: int) -> bytes:
    """Red is 10 everywhere but in the first row, green 20, blue 30."""
    planes = np.empty((3, 32, 32), np.uint8)
    planes[:] = np.reshape([10, 20, 30], (3, 1, 1))
    planes[0, 0] = 99
    return bytes([coarse, fine]) + planes.tobytes()


def archive(path: Path, members: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w:gz", compresslevel=1) as tar:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return path


def members() -> dict[str, bytes]:
    return {
        "set/names.txt": b"fish\ntree\n",
        "set/test.bin": record(0, 5),
        "set/two.bin": record(3, 8),
        "set/one.bin": record(1, 6) + record(2, 7),
    }


def cifar_message(path: Path) -> str:
    with pytest.raises(DataError) as caught:
        read_cifar(path, LABELS, LAYOUT)
    return str(caught.value)


def test_members_are_concatenated_in_layout_order(tmp_path: Path) -> None:
    splits = read_cifar(archive(tmp_path / "c.tar.gz", members()), LABELS, LAYOUT)
    assert splits["train"]["coarse_label"].tolist() == [1, 2, 3]
    assert splits["train"]["label"].tolist() == [6, 7, 8]
    assert splits["test"]["label"].tolist() == [5]
    assert splits["test"]["label"].dtype == np.int64


def test_planes_become_pixels(tmp_path: Path) -> None:
    splits = read_cifar(archive(tmp_path / "c.tar.gz", members()), LABELS, LAYOUT)
    image = splits["train"]["image"]
    assert image.shape == (3, 32, 32, 3)
    assert image.dtype == np.uint8
    assert image[2, 0, 31].tolist() == [99, 20, 30]
    assert image[2, 1, 0].tolist() == [10, 20, 30]


def test_a_missing_member_is_named(tmp_path: Path) -> None:
    content = members()
    del content["set/one.bin"], content["set/test.bin"]
    path = archive(tmp_path / "c.tar.gz", content)
    assert cifar_message(path) == f"{path} does not have set/one.bin, set/test.bin."


def test_a_member_of_the_wrong_length_is_named(tmp_path: Path) -> None:
    path = archive(tmp_path / "c.tar.gz", members() | {"set/two.bin": record(3, 8)[:-1]})
    assert cifar_message(path) == f"{path}: set/two.bin has 3,073 bytes, expected 3,074."


def test_a_folder_in_place_of_a_member_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "c.tar.gz"
    with tarfile.open(path, "w:gz") as tar:
        folder = tarfile.TarInfo("set/two.bin")
        folder.type = tarfile.DIRTYPE
        tar.addfile(folder)
    assert cifar_message(path) == f"{path}: set/two.bin has 0 bytes, expected 3,074."


def test_a_large_foreign_file_is_refused(tmp_path: Path) -> None:
    path = archive(tmp_path / "c.tar.gz", {"set/bomb": bytes(1_000_001)} | members())
    assert cifar_message(path) == f"{path} has an unexpected member, set/bomb."


def test_an_archive_truncated_anywhere_is_refused(tmp_path: Path) -> None:
    path = archive(tmp_path / "c.tar.gz", members())
    complete = path.read_bytes()
    # The last bytes are the empty blocks that end a tar: nothing is lost without them.
    for length in range(len(complete) - 60):
        path.write_bytes(complete[:length])
        assert cifar_message(path).startswith(str(path))


def test_a_file_that_is_not_an_archive_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "c.tar.gz"
    path.write_bytes(b"<html>Please log in</html>" * 100)
    assert cifar_message(path).startswith(f"{path} is not a valid tar.gz archive: ")


def test_cifar10s_official_layout_is_read(tmp_path: Path) -> None:
    batches = {
        f"cifar-10-batches-bin/{name}.bin": (bytes([label]) + bytes(3072)) * 10_000
        for label, name in enumerate([*(f"data_batch_{n}" for n in range(1, 6)), "test_batch"])
    }
    name = "cifar-10-binary.tar.gz"
    splits = read_cifar10({name: archive(tmp_path / name, batches)})
    assert splits["train"]["label"][::10_000].tolist() == [0, 1, 2, 3, 4]
    assert splits["train"]["image"].shape == (50_000, 32, 32, 3)
    assert splits["test"]["label"].tolist() == [5] * 10_000


def test_cifar100s_official_layout_is_read(tmp_path: Path) -> None:
    name = "cifar-100-binary.tar.gz"
    content = {
        "cifar-100-binary/train.bin": (bytes([19, 99]) + bytes(3072)) * 50_000,
        "cifar-100-binary/test.bin": (bytes([7, 70]) + bytes(3072)) * 10_000,
    }
    splits = read_cifar100({name: archive(tmp_path / name, content)})
    assert splits["train"]["coarse_label"].tolist() == [19] * 50_000
    assert splits["train"]["label"].tolist() == [99] * 50_000
    assert splits["test"]["label"].tolist() == [70] * 10_000
