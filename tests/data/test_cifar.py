"""CIFAR's binary archives: planes become pixels, members keep their order, damage is refused."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import numpy as np
import pytest

from mmzoo.data.datasets.image_formats import read_cifar, read_cifar10, read_cifar100
from mmzoo.errors import DataError

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


def message(path: Path) -> str:
    with pytest.raises(DataError) as caught:
        read_cifar(path, LABELS, LAYOUT)
    return str(caught.value)


def test_members_are_joined_in_the_order_of_the_layout(tmp_path: Path) -> None:
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
    assert message(path) == f"{path} does not have set/one.bin, set/test.bin."


def test_a_member_of_another_length_is_named(tmp_path: Path) -> None:
    path = archive(tmp_path / "c.tar.gz", members() | {"set/two.bin": record(3, 8)[:-1]})
    assert message(path) == f"{path}: set/two.bin has 3,073 bytes, expected 3,074."


def test_a_folder_in_place_of_a_member_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "c.tar.gz"
    with tarfile.open(path, "w:gz") as tar:
        folder = tarfile.TarInfo("set/two.bin")
        folder.type = tarfile.DIRTYPE
        tar.addfile(folder)
    assert message(path) == f"{path}: set/two.bin has 0 bytes, expected 3,074."


def test_a_large_stranger_is_refused(tmp_path: Path) -> None:
    path = archive(tmp_path / "c.tar.gz", {"set/bomb": bytes(1_000_001)} | members())
    assert message(path) == f"{path} has an unexpected member, set/bomb."


def test_an_archive_cut_short_anywhere_is_refused(tmp_path: Path) -> None:
    path = archive(tmp_path / "c.tar.gz", members())
    whole = path.read_bytes()
    # The last bytes are the empty blocks that end a tar: nothing is lost without them.
    for length in range(len(whole) - 60):
        path.write_bytes(whole[:length])
        assert message(path).startswith(str(path))


def test_what_is_no_archive_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "c.tar.gz"
    path.write_bytes(b"<html>Please log in</html>" * 100)
    assert message(path).startswith(f"{path} is not a valid tar.gz archive: ")


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
