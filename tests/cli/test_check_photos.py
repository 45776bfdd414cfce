"""`mmzoo check --data` of a folder of images: corrupt files of all splits are listed."""

from __future__ import annotations

import numpy as np
import PIL.Image
import pytest
import yaml


@pytest.mark.slow
def test_all_truncated_photos_are_named(mmzoo, tmp_path):
    random = np.random.RandomState(0)
    for number in range(24):
        path = tmp_path / "photos" / "ab"[number % 2] / f"{number:02}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        PIL.Image.fromarray(random.randint(0, 256, (60, 60, 3), "uint8")).save(path)
    cut = ("a/02", "b/15", "b/17", "a/20")
    for name in cut:
        path = tmp_path / "photos" / f"{name}.jpg"
        path.write_bytes(path.read_bytes()[:2000])
    (tmp_path / "photos" / "a" / "04.jpg").write_text("no picture")
    encoder = {"type": "cnn", "filters": [2]}
    config = {
        "name": "photos",
        "source": {"type": "folder", "path": "photos"},
        "inputs": {"photo": {"type": "image", "shape": [16, 16, 3], "encoder": encoder}},
        "heads": {"kind": {"type": "classification"}},
    }
    (tmp_path / "photos.yaml").write_text(yaml.safe_dump(config))
    done = mmzoo("check", "photos.yaml", "--data", "--json")
    assert done.code == 1
    errors = [error.split(" (")[0].split(": ", 1)[1] for error in done.document["errors"]]
    assert sorted(errors) == sorted(
        [
            *(f"{name}.jpg: the image is damaged: image file is truncated" for name in cut),
            "a/04.jpg: not an image that mmzoo can read: expected PNG, JPEG, BMP, GIF or WEBP",
        ]
    )
