"""Image files are read as a viewer shows them; hostile ones are refused by name."""

from __future__ import annotations

import os
import struct
import zlib
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from mmzoo.errors import DataError
from mmzoo.modalities.file_probe import MAX_BYTES
from mmzoo.modalities.image.image_decoding import read_image

GREY = np.arange(12, dtype="uint8").reshape(3, 4) * 20
COLOUR = np.random.RandomState(0).randint(0, 256, (3, 4, 3)).astype("uint8")


def saved(path: Path, pixels: np.ndarray, mode: str | None = None, **options) -> Path:
    image = PIL.Image.fromarray(pixels)
    (image.convert(mode) if mode else image).save(path, **options)
    return path


def error_message(path: Path) -> str:
    with pytest.raises(DataError) as raised:
        read_image(path)
    return str(raised.value)


def png_header(width: int, height: int) -> bytes:
    """A PNG that declares this size and has no pixels."""
    chunks = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    header = struct.pack(">I", 13) + chunks + struct.pack(">I", zlib.crc32(chunks))
    data = struct.pack(">I", 0) + b"IDAT" + struct.pack(">I", zlib.crc32(b"IDAT"))
    return b"\x89PNG\r\n\x1a\n" + header + data


@pytest.mark.parametrize("format", ["PNG", "BMP", "GIF", "WEBP"])
def test_lossless_formats_give_their_pixels(tmp_path, format):
    options = {"lossless": True} if format == "WEBP" else {}
    path = saved(tmp_path / "picture", COLOUR, format=format, **options)
    read = read_image(path)
    assert read.dtype == np.uint8
    if format == "GIF":  # 256 colours are enough for 12 pixels, if not for the very ones.
        assert np.abs(read.astype(int) - COLOUR).max() < 60
    else:
        np.testing.assert_array_equal(read, COLOUR)


def test_jpeg_is_read_with_any_extension(tmp_path):
    path = saved(tmp_path / "photo.png", np.full((8, 8, 3), 77, "uint8"), format="JPEG")
    assert np.abs(read_image(path).astype(int) - 77).max() <= 2


def test_greyscale_images_have_one_channel(tmp_path):
    np.testing.assert_array_equal(read_image(saved(tmp_path / "g.png", GREY))[:, :, 0], GREY)
    bits = saved(tmp_path / "b.png", (GREY > 100), None)
    np.testing.assert_array_equal(read_image(bits)[:, :, 0], (GREY > 100) * 255)


def test_sixteen_bits_are_scaled_to_eight(tmp_path):
    deep = np.array([[0, 128, 129, 257, 32_896, 65_535]], "uint16")
    path = saved(tmp_path / "deep.png", deep)
    assert read_image(path)[:, :, 0].tolist() == [[0, 0, 0, 1, 128, 255]]


def test_palettes_and_cmyk_become_colours(tmp_path):
    red = np.zeros((8, 8, 3), "uint8") + np.array([255, 0, 0], "uint8")
    assert read_image(saved(tmp_path / "p.png", red, "P"))[0, 0].tolist() == [255, 0, 0]
    cmyk = read_image(saved(tmp_path / "c.jpg", red, "CMYK"))
    assert np.abs(cmyk.astype(int) - [255, 0, 0]).max() <= 3


def test_transparency_becomes_white(tmp_path):
    rgba = np.array([[[10, 20, 30, 255], [10, 20, 30, 0], [0, 100, 200, 128]]], "uint8")
    read = read_image(saved(tmp_path / "a.png", rgba))
    assert read.tolist() == [[[10, 20, 30], [255, 255, 255], [127, 177, 227]]]
    path = tmp_path / "la.png"
    PIL.Image.fromarray(np.array([[[9, 255], [9, 0]]], "uint8"), "LA").save(path)
    assert read_image(path).tolist() == [[[9], [255]]]


def test_transparent_palette_becomes_white(tmp_path):
    path = tmp_path / "t.gif"
    image = PIL.Image.new("P", (2, 1))
    image.putpalette([0, 0, 0, 200, 0, 0])
    image.putdata([0, 1])
    image.save(path, transparency=0)
    assert read_image(path).tolist() == [[[255, 255, 255], [200, 0, 0]]]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_undone(tmp_path, orientation):
    views = {
        1: COLOUR,
        2: COLOUR[:, ::-1],
        3: COLOUR[::-1, ::-1],
        4: COLOUR[::-1],
        5: COLOUR.transpose(1, 0, 2),
        6: np.rot90(COLOUR, 1),
        7: COLOUR[::-1, ::-1].transpose(1, 0, 2),
        8: np.rot90(COLOUR, -1),
    }
    exif = PIL.Image.Exif()
    exif[0x0112] = orientation
    path = saved(tmp_path / "turned.png", np.ascontiguousarray(views[orientation]), exif=exif)
    np.testing.assert_array_equal(read_image(path), COLOUR)


def test_an_animation_gives_its_first_frame(tmp_path):
    frames = [PIL.Image.new("L", (5, 4), value) for value in (40, 90, 200)]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    assert np.unique(read_image(tmp_path / "a.gif")).tolist() == [40]


def test_missing_file(tmp_path):
    assert error_message(tmp_path / "no.png") == f"{tmp_path}/no.png: No such file or directory"


def test_folders_pipes_and_devices_are_refused(tmp_path):
    assert error_message(tmp_path) == f"{tmp_path}: expected an image file, found a folder"
    os.mkfifo(tmp_path / "pipe.png")
    assert error_message(tmp_path / "pipe.png") == (
        f"{tmp_path}/pipe.png: expected an image file, found a device or a pipe"
    )
    assert error_message(Path("/dev/zero")) == (
        "/dev/zero: expected an image file, found a device or a pipe"
    )


def test_files_of_other_types(tmp_path):
    expected = "not an image that mmzoo can read: expected PNG, JPEG, BMP, GIF or WEBP"
    (tmp_path / "notes.png").write_text("not a picture")
    assert error_message(tmp_path / "notes.png") == f"{tmp_path}/notes.png: {expected}"
    (tmp_path / "empty.png").touch()
    assert error_message(tmp_path / "empty.png") == f"{tmp_path}/empty.png: {expected}"
    tiff = saved(tmp_path / "scan.png", COLOUR, format="TIFF")  # Allowed by name, not by content.
    assert error_message(tiff) == f"{tiff}: {expected}"


@pytest.mark.parametrize("format", ["PNG", "JPEG", "BMP", "GIF", "WEBP"])
def test_a_truncated_file_is_damaged(tmp_path, format):
    noise = np.random.RandomState(0).randint(0, 256, (64, 64, 3)).astype("uint8")
    path = saved(tmp_path / "cut", noise, format=format)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert error_message(path).startswith(f"{path}: the image is damaged: ")


def test_huge_images_are_refused_by_their_headers(tmp_path):
    path = tmp_path / "bomb.png"
    path.write_bytes(png_header(10_000, 5_001))
    assert error_message(path) == (
        f"{path}: the image has 10000 x 5001 pixels, and mmzoo reads at most 50,000,000: "
        "make it smaller"
    )
    path.write_bytes(png_header(10_000, 10_000))  # Where Pillow would only warn.
    assert error_message(path).startswith(f"{path}: the image has 10000 x 10000 pixels")
    path.write_bytes(png_header(60_000, 60_000))  # Where Pillow refuses by itself.
    assert error_message(path) == (
        f"{path}: the image has more than 50,000,000 pixels: make it smaller"
    )


def test_huge_files_are_refused_unread(tmp_path):
    path = tmp_path / "large.png"
    path.write_bytes(png_header(4, 4))
    os.truncate(path, MAX_BYTES + 1)
    assert error_message(path) == (
        f"{path}: the file has 200,000,001 bytes, and mmzoo reads at most 200,000,000: "
        "make it smaller"
    )
