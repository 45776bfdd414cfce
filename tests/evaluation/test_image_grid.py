"""Image grids show images unchanged, with captions."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from mmzoo.evaluation.image_grid import captioned_grid, write_png


def test_small_images_are_enlarged_pixel_by_pixel():
    checks = (np.indices((8, 8)).sum(axis=0) % 2 * 255).astype(np.uint8)[..., None]
    grid = captioned_grid([checks], [""])
    # 22 grey pixels for each of the picture's, in the middle of a square of 180 after a gap of 18.
    enlarged = grid[20:196, 20:196]
    assert np.array_equal(
        enlarged, np.kron(checks[..., 0], np.ones((22, 22)))[..., None].repeat(3, 2)
    )


def test_colours_are_unchanged():
    red = np.zeros((8, 8, 3), np.uint8)
    red[..., 0] = 200
    assert captioned_grid([red], ["true a, predicted b (50 %)"])[100, 100].tolist() == [200, 0, 0]
    opaque = np.concatenate([red, np.full((8, 8, 1), 7, np.uint8)], axis=2)
    assert captioned_grid([opaque], [""])[100, 100].tolist() == [200, 0, 0]


@pytest.mark.parametrize(
    "shape", [(1, 1, 1), (28, 28, 1), (180, 90, 3), (600, 400, 3), (2, 999, 3)]
)
def test_images_of_any_size_fit_their_square(shape):
    grid = captioned_grid([np.zeros(shape, np.uint8)], [""])
    dark = np.argwhere(grid.max(axis=2) < 100)
    assert len(dark) > 0
    assert dark.min() >= 18
    assert dark.max() < 18 + 180


def test_seven_images_make_two_rows():
    one, six, seven = (
        captioned_grid(np.zeros((count, 8, 8, 1), np.uint8), ["a"] * count).shape
        for count in (1, 6, 7)
    )
    assert one[0] == six[0] < seven[0]
    assert one[1] < six[1] == seven[1]


def test_captions_are_drawn_below_the_images():
    white = np.full((4, 8, 8, 3), 255, np.uint8)
    captions = [
        "true 4, predicted 9 (98 %)",
        "true a long class, predicted another one (98 %)",
        "$x$ 猫",
        "y" * 99,
    ]
    grid = captioned_grid(white, captions)
    beneath = grid[18 + 180 :]
    assert all((beneath[:, 18 + n * 198 : 198 + n * 198] < 100).any() for n in range(4))
    assert grid[18:198].min() >= 240


@pytest.mark.parametrize(
    ("images", "captions", "message"),
    [(0, 0, "0 images and 0 captions"), (2, 1, "2 images and 1 captions")],
)
def test_each_image_has_a_caption(images, captions, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        captioned_grid(np.zeros((images, 8, 8, 1), np.uint8), ["a"] * captions)


def test_row_length_and_image_size_can_be_set():
    sheet = captioned_grid(np.zeros((4, 8, 8, 1), np.uint8), ["a"] * 4, in_a_row=2, side=224)
    assert sheet.shape[1] == 18 + 2 * (224 + 18)
    assert (sheet[18 : 18 + 224, 18 : 18 + 224] == 0).all()
    below = sheet.shape[0] // 2
    assert (sheet[below + 20 : below + 200, 30:200] == 0).all()


def test_a_file_has_the_image_and_nothing_is_left_beside_it(tmp_path):
    grid = np.random.default_rng(0).integers(0, 256, (30, 20, 3), np.uint8)
    write_png(tmp_path / "grid.png", grid)
    with Image.open(tmp_path / "grid.png") as image:
        assert np.array_equal(np.asarray(image), grid)
    assert [path.name for path in tmp_path.iterdir()] == ["grid.png"]
