"""Tiled images."""

from __future__ import annotations

import numpy as np

from mmzoo.visualization.drawing import tile_images


def test_images_are_enlarged_framed_and_tiled():
    images = np.stack([np.full((8, 8, 1), grey, np.uint8) for grey in (0, 100, 200)])
    sheet = tile_images(images, columns=2)
    # Each is 32 pixels with a frame and a gap of one on every side.
    assert sheet.shape == (2 * 36, 2 * 36, 3)
    assert (sheet[2:34, 2:34] == 0).all()
    assert (sheet[2:34, 38:70] == 100).all()
    assert (sheet[38:70, 2:34] == 200).all()
    assert (sheet[36:, 36:] == 255).all()
    assert sheet[1, 1].tolist() == [163, 200, 233]


def test_color_and_large_images_are_not_changed():
    image = np.random.RandomState(0).randint(0, 256, (1, 64, 48, 3)).astype("uint8")
    assert np.array_equal(tile_images(image, 1)[4:-4, 4:-4], image[0])
