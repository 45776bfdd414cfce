"""Scanning image files: unreadable ones are found, others are hashed once, sizes are reported."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from frames import frame_of
from sample_images import png, scene, write

import mmzoo.modalities.file_probe
import mmzoo.modalities.image.image_decoding
from mmzoo.lazy import tf
from mmzoo.modalities.file_probe import file_array
from mmzoo.modalities.image import Image
from mmzoo.modalities.scan import Scan


def image(shape=(24, 20, 3), **options) -> Image:
    return Image(column="photo", shape=shape, encoder={"type": "cnn", "filters": (2,)}, **options)


def text(*paths: Path) -> dict[str, np.ndarray]:
    return {"photo": np.array([str(path) for path in paths], dtype=object)}


def opened(*paths: Path, **options) -> Scan:
    return image(**options).scan(frame_of({"train": text(*paths)}), "here")


def cut_short(path: Path) -> Path:
    """A file with an intact header and truncated pixels."""
    noise = PIL.Image.effect_noise((200, 200), 90).convert("RGB")
    noise.save(path, format="JPEG")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    return path


def test_a_scan_gives_path_orientation_and_hash(tmp_path):
    paths = [write(tmp_path / "a.jpg", scene()), write(tmp_path / "b.jpg", scene(), orientation=6)]
    found = opened(*paths)
    assert [row.tolist() for row in file_array(found.values)] == [
        [str(path).encode(), number, hashlib.sha256(path.read_bytes()).hexdigest().encode()]
        for path, number in zip(paths, [b"1", b"6"], strict=True)
    ]
    assert not found.issues


def test_a_file_of_several_rows_is_opened_once(tmp_path, monkeypatch):
    paths = [write(tmp_path / "a.png", scene()), write(tmp_path / "b.png", scene(seed=1))]
    read: list[str] = []
    read_file = mmzoo.modalities.file_probe.read_file
    monkeypatch.setattr(
        mmzoo.modalities.file_probe,
        "read_file",
        lambda path, noun: (read.append(path), read_file(path, noun))[1],
    )
    found = opened(paths[0], paths[1], paths[0])
    assert sorted(read) == [str(path) for path in paths]
    values = file_array(found.values)
    np.testing.assert_array_equal(values[[0, 1]], file_array(opened(*paths).values))
    np.testing.assert_array_equal(values[2], values[0])


def test_arrays_are_unchanged():
    pixels = np.zeros((2, 24, 20, 3), "uint8")
    spec = image()
    scan = spec.scan(frame_of({"train": {"photo": pixels}}), "here")
    assert scan.issues == {}
    assert np.shares_memory(spec.transform(scan.values, {}, "here"), pixels)


def test_a_scanned_column_can_be_selected_and_concatenated(tmp_path):
    paths = [write(tmp_path / f"{number}.png", scene(seed=number)) for number in range(4)]
    values = file_array(opened(*paths).values)
    assert len(values) == 4
    np.testing.assert_array_equal(tf.gather(tf.constant(values), [2, 0]), values[[2, 0]])
    np.testing.assert_array_equal(np.delete(values, [1], axis=0), values[[0, 2, 3]])


def test_unreadable_files_are_located_by_split_and_row(tmp_path):
    good = write(tmp_path / "good.png", scene())
    (tmp_path / "notes.jpg").write_text("no picture")
    os.mkfifo(tmp_path / "pipe.jpg")
    columns = {
        "train": text(tmp_path / "absent.jpg", good, tmp_path / "notes.jpg"),
        "test": text(good, tmp_path / "pipe.jpg", tmp_path),
    }
    assert image().scan(frame_of(columns), "here").issues == {
        0: "No such file or directory",
        2: "not an image that mmzoo can read: expected PNG, JPEG, BMP, GIF or WEBP",
        4: "expected an image file, found a device or a pipe",
        5: "expected an image file, found a folder",
    }


def test_damage_after_the_header_is_found_by_decoding(tmp_path):
    paths = [write(tmp_path / "good.png", scene()), cut_short(tmp_path / "cut.jpg")]
    for _ in range(2):  # What is damaged is found again, unlike what is whole.
        found = opened(*paths)
        assert list(found.issues) == [1]
        assert found.issues[1].startswith("the image is damaged: image file is truncated")


def test_verified_files_are_not_decoded_again(tmp_path, monkeypatch):
    paths = [write(tmp_path / f"{number}.png", scene(seed=40 + number)) for number in range(3)]
    assert not opened(*paths).issues
    decoded: list[bytes] = []
    decode = mmzoo.modalities.image.image_decoding.decode_content
    monkeypatch.setattr(
        mmzoo.modalities.image.image_decoding,
        "decode_content",
        lambda content, info: (decoded.append(content), decode(content, info))[1],
    )
    paths[1] = paths[1].rename(tmp_path / "moved.png")
    assert not opened(*paths).issues
    assert not decoded
    write(paths[1], scene(seed=43))
    assert not opened(*paths).issues
    assert decoded == [paths[1].read_bytes()]


def test_damage_that_only_tensorflow_rejects(tmp_path, monkeypatch):
    """What counts is whether a training can decode a file, not whether Pillow can."""
    path = cut_short(tmp_path / "cut.jpg")
    monkeypatch.setattr("PIL.ImageFile.LOAD_TRUNCATED_IMAGES", True)
    assert opened(path).issues == {0: "the image is damaged"}


def test_the_content_hash_does_not_depend_on_the_folder(tmp_path):
    for folder in ("here", "there"):
        (tmp_path / folder).mkdir()
        for number in range(3):
            write(tmp_path / folder / f"{number}.png", scene(seed=number))
    contents = [
        opened(*(tmp_path / folder / f"{number}.png" for number in order)).content
        for folder, order in [("here", "012"), ("there", "012"), ("here", "021"), ("here", "01")]
    ]
    assert contents[0] == contents[1]
    assert len(set(contents)) == 3
    absent = opened(tmp_path / "here/0.png", tmp_path / "absent.png", tmp_path / "here/1.png")
    assert absent.content == contents[3]


@pytest.mark.parametrize(
    ("sizes", "resize", "note"),
    [
        ([(24, 20)], "stretch", None),
        ([(50, 70), (50, 70)], "stretch", "images of 70x50 are stretched to 20x24"),
        (
            [(50, 70), (24, 20), (90, 60)],
            "crop",
            "images of 3 sizes, from 20x24 to 60x90, are cropped and resized to 20x24",
        ),
        (
            [(24, 20), (20, 24)],
            "pad",
            "images of 2 sizes, from 20x24 to 24x20, are resized and padded with black to 20x24",
        ),
    ],
)
def test_other_sizes_are_noted(tmp_path, sizes, resize, note):
    paths = [write(tmp_path / f"{number}.png", scene(*size)) for number, size in enumerate(sizes)]
    assert opened(*paths, resize=resize).notes == ((note,) if note else ())


def test_sizes_respect_the_orientation(tmp_path):
    path = write(tmp_path / "turned.jpg", scene(24, 20), orientation=6)
    assert not opened(path).notes


def test_long_scans_are_logged(tmp_path, monkeypatch, messages):
    monkeypatch.setattr(mmzoo.modalities.file_probe, "_LOG_SECONDS", 0.0)
    content = write(tmp_path / "a.png", scene()).read_bytes()
    paths = [tmp_path / f"{number}.png" for number in range(40)]
    for path in paths:
        path.write_bytes(content)
    opened(*paths)
    assert messages == ["Checked 32 of 40 image files.", "Checked 40 of 40 image files."]


def test_deleted_files_are_named(tmp_path):
    paths = [write(tmp_path / f"{number}.png", scene()) for number in range(3)]
    values = file_array(opened(*paths).values)
    paths[1].unlink()
    assert image().find_corrupt(values) == {1: "No such file or directory"}


NOISE = np.random.RandomState(0)
NOTHING = {
    "12 of 16 bits": (png(NOISE.randint(0, 4096, (40, 40)), 0, 16), "have 16 bits per pixel"),
    "8 of 16 bits": (png(NOISE.randint(0, 256, (40, 40, 3)), 2, 16), "have 16 bits per pixel"),
    "14 of 16 bits": (png(NOISE.randint(0, 2**14, (40, 40)), 0, 16), "have 16 bits per pixel"),
    "alpha 0": (
        png(NOISE.randint(0, 256, (40, 40, 4)) * [1, 1, 1, 0], 6, 8),
        "are fully transparent",
    ),
    "grey, alpha 0": (png(NOISE.randint(0, 256, (40, 40, 2)) * [1, 0], 4, 8), "are fully trans"),
    "16 bits, alpha 0": (png(NOISE.randint(0, 2**16, (40, 40, 2)) * [1, 0], 4, 16), "are fully t"),
    "transparent color": (png(np.full((40, 40), 9), 0, 8, key=[9]), "are fully transparent"),
    "labels": (png(NOISE.randint(0, 3, (40, 40)), 0, 8), "are black or nearly black"),
    "white": (png(np.full((40, 40), 255), 0, 8), "are of one colour"),
    "grey": (png(np.full((40, 40, 3), 99), 2, 8), "are of one colour"),
    "one pixel": (png(np.full((1, 1), 200), 0, 8), "are of one colour"),
}


@pytest.mark.parametrize("kind", NOTHING)
def test_blank_images_are_reported_each_time(tmp_path, kind):
    content, words = NOTHING[kind]
    for name in ("a", "b"):
        (tmp_path / f"{name}.png").write_bytes(content)
    good = write(tmp_path / "good.png", scene())
    for _ in range(2):
        [warning] = opened(good, tmp_path / "a.png", tmp_path / "b.png").warnings
        assert warning.startswith(f"2 of 3 files {words}")
        assert warning.endswith("; for example row 1")


@pytest.mark.parametrize(
    "content",
    [
        png(NOISE.randint(0, 2**16, (40, 40)), 0, 16),
        png(NOISE.randint(0, 2**16, (40, 40)) * (np.arange(1600) % 50 == 0).reshape(40, 40), 0, 16),
        png(NOISE.randint(0, 30, (40, 40)), 0, 8),
        png(NOISE.randint(200, 230, (40, 40, 3)), 2, 8),
        png(NOISE.randint(0, 256, (2, 2)), 0, 8),
        png(255 * np.eye(400, dtype=int), 0, 8),
    ],
    ids=["deep", "stars", "dark", "pale", "four pixels", "a thin line"],
)
def test_images_with_little_content_are_valid(tmp_path, content):
    (tmp_path / "a.png").write_bytes(content)
    assert opened(tmp_path / "a.png").warnings == ()
