"""The worst mistakes are found in order, and shown as they were seen by the model."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from mmzoo.evaluation.mistakes import (
    mistake_captions,
    mistakes_grid,
    mistakes_picture,
    worst_mistakes,
)


def test_worst_mistakes_are_the_most_confident_wrong_ones():
    true = np.array([0, 0, 1, 1, 2])
    said = np.array([0, 1, 0, 2, 1])
    confidence = np.array([0.9, 0.6, 0.8, 0.6, 0.5])
    found = worst_mistakes(true, said, confidence)
    assert found.tolist() == [2, 1, 3, 4]
    assert found.dtype == np.int64
    assert worst_mistakes(true, said, confidence, most=2).tolist() == [2, 1]


def test_no_mistakes_are_no_indices():
    assert worst_mistakes(np.array([1]), np.array([1]), np.array([0.8])).tolist() == []


def test_captions_say_true_and_predicted_class():
    names = ["4", "9", "long " * 20]
    captions = mistake_captions(np.array([2, 0]), np.array([1, 2]), np.array([0.985, 1.0]), names)
    assert captions == [
        "true long long long long lon…, said 9 (98 %)",
        "true 4, said long long long long lon… (100 %)",
    ]


def test_what_was_said_need_not_be_what_is_most_probable():
    """A yes from a threshold of 0.3 on is a mistake of 35 %, though no would be likelier."""
    captions = mistake_captions(np.array([0]), np.array([1]), np.array([0.35]), ["no", "yes"])
    assert captions == ["true no, said yes (35 %)"]


def test_small_pictures_are_enlarged_pixel_by_pixel():
    checks = (np.indices((8, 8)).sum(axis=0) % 2 * 255).astype(np.uint8)[..., None]
    grid = mistakes_grid([checks], [""])
    # 22 grey pixels for each of the picture's, in the middle of a square of 180 after a gap of 18.
    enlarged = grid[20:196, 20:196]
    assert np.array_equal(
        enlarged, np.kron(checks[..., 0], np.ones((22, 22)))[..., None].repeat(3, 2)
    )


def test_colours_stay_what_they_are():
    red = np.zeros((8, 8, 3), np.uint8)
    red[..., 0] = 200
    assert mistakes_grid([red], ["true a, said b (50 %)"])[100, 100].tolist() == [200, 0, 0]
    opaque = np.concatenate([red, np.full((8, 8, 1), 7, np.uint8)], axis=2)
    assert mistakes_grid([opaque], [""])[100, 100].tolist() == [200, 0, 0]


@pytest.mark.parametrize(
    "shape", [(1, 1, 1), (28, 28, 1), (180, 90, 3), (600, 400, 3), (2, 999, 3)]
)
def test_pictures_of_any_size_fit_their_square(shape):
    grid = mistakes_grid([np.zeros(shape, np.uint8)], [""])
    dark = np.argwhere(grid.max(axis=2) < 100)
    assert len(dark) > 0
    assert dark.min() >= 18
    assert dark.max() < 18 + 180


def test_seven_pictures_make_two_rows():
    one, six, seven = (
        mistakes_grid(np.zeros((count, 8, 8, 1), np.uint8), ["a"] * count).shape
        for count in (1, 6, 7)
    )
    assert one[0] == six[0] < seven[0]
    assert one[1] < six[1] == seven[1]


def test_captions_are_drawn_beneath_and_not_over_the_pictures():
    white = np.full((4, 8, 8, 3), 255, np.uint8)
    captions = [
        "true 4, said 9 (98 %)",
        "true a long class, said another one (98 %)",
        "$x$ 猫",
        "y" * 99,
    ]
    grid = mistakes_grid(white, captions)
    beneath = grid[18 + 180 :]
    assert all((beneath[:, 18 + n * 198 : 198 + n * 198] < 100).any() for n in range(4))
    assert grid[18:198].min() >= 240


def test_picture_file_is_the_grid(tmp_path):
    pictures = np.random.default_rng(0).integers(0, 256, (3, 28, 28, 1), np.uint8)
    grid = mistakes_picture(tmp_path / "mistakes.png", pictures, ["a", "b", "c"])
    assert grid.dtype == np.uint8
    with Image.open(tmp_path / "mistakes.png") as image:
        assert np.array_equal(np.asarray(image), grid)
    assert [path.name for path in tmp_path.iterdir()] == ["mistakes.png"]


@pytest.mark.parametrize(
    ("pictures", "captions", "message"),
    [(0, 0, "0 pictures and 0 captions"), (2, 1, "2 pictures and 1 captions")],
)
def test_pictures_and_captions_belong_together(pictures, captions, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        mistakes_grid(np.zeros((pictures, 8, 8, 1), np.uint8), ["a"] * captions)
