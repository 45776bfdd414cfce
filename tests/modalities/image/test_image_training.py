"""A folder of photos from many devices: training, evaluation, prediction."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from sample_images import scene, transparent, write

from mmzoo import evaluate, predict
from mmzoo.config import load_config
from mmzoo.errors import DataError
from mmzoo.preprocessing import load_frame
from mmzoo.runs import Run
from mmzoo.training.train import train

COLOURS = {"blue": (20, 40, 230), "red": (230, 30, 20)}
ENDINGS = ("jpg", "png", "gif", "bmp", "webp")


def photo(colour: tuple[int, int, int], number: int) -> PIL.Image.Image:
    """A scene tinted in the colour to be learned; all sizes differ."""
    image = scene(30 + number, 55 - number, seed=number)
    return PIL.Image.blend(image, PIL.Image.new("RGB", image.size, colour), 0.6)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("data") / "photos"
    for name, colour in COLOURS.items():
        (root / name).mkdir(parents=True)
        for number in range(20):
            path = root / name / f"{number:02}.{ENDINGS[number % len(ENDINGS)]}"
            turned = path.suffix in (".jpg", ".png")
            write(path, photo(colour, number), 1 + number % 8 if turned else 1)
        transparent(photo(colour, 20)).save(root / name / "20.png")
        photo(colour, 21).convert("CMYK").save(root / name / "21.jpg")
    return root


@pytest.fixture(scope="module")
def run(folder, tmp_path_factory) -> Run:
    encoder = {"type": "cnn", "filters": [8], "pooling": "average"}
    config = {
        "name": "photos",
        "source": {"type": "folder", "path": str(folder), "validation": 0.2, "test": 0.25},
        "inputs": {"photo": {"type": "image", "shape": [24, 32, 3], "encoder": encoder}},
        "heads": {"colour": {"type": "classification"}},
        "train": {
            "epochs": 8,
            "batch_size": 8,
            "optimizer": {"type": "adam", "learning_rate": 0.03},
        },
    }
    return train(config, run=tmp_path_factory.mktemp("runs") / "photos")


def test_training_learns_and_notes_the_sizes(run):
    assert run.metrics()["test"]["colour"]["accuracy"] > 0.8
    assert "stretched to 32x24" in run.log_file.read_text()
    assert (run.directory / "checkpoints" / "best.weights.h5").is_file()


def test_evaluation_names_the_files(run, folder):
    of_training = run.metrics()["test"]
    assert evaluate(run) == of_training
    with (run.evaluation("test") / "predictions.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["row", "file", "colour_true", "colour", "colour_probability"]
    assert all((folder / row["file"]).is_file() for row in rows)
    assert all(row["file"].startswith(row["colour_true"]) for row in rows)


def test_predictions_of_files_match_the_evaluation(run, folder):
    evaluate(run)
    with (run.evaluation("test") / "predictions.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    table = predict(run, [folder / row["file"] for row in rows])
    assert table["colour"] == [row["colour"] for row in rows]
    np.testing.assert_allclose(
        table["colour_probability"],
        [float(row["colour_probability"]) for row in rows],
        rtol=1e-5,
    )


def test_a_changed_photo_changes_the_fingerprint(run, folder):
    changed = folder / "red" / "00.jpg"
    content = changed.read_bytes()
    changed.write_bytes((folder / "red" / "05.jpg").read_bytes())
    try:
        with pytest.raises(Exception, match="was trained on photos"):
            evaluate(run)
        changed.write_bytes(b"no picture")
        with pytest.raises(DataError, match=r"red/00\.jpg: not an image that mmzoo can read"):
            evaluate(run)
    finally:
        changed.write_bytes(content)


@pytest.mark.slow
def test_the_worst_mistakes_are_shown(folder, tmp_path):
    """A head trained on wrong labels makes many."""
    encoder = {"type": "cnn", "filters": [2], "pooling": "average"}
    config = {
        "name": "mistaken",
        "source": {"type": "folder", "path": str(folder), "validation": 0.2, "test": 0.25},
        "inputs": {"photo": {"type": "image", "shape": [16, 16, 3], "encoder": encoder}},
        "heads": {"colour": {"type": "classification"}},
        "train": {"epochs": 1, "optimizer": {"type": "sgd", "learning_rate": 1e-9}},
    }
    done = train(config, run=tmp_path / "mistaken")
    assert evaluate(done)["colour"]["accuracy"] < 1
    with PIL.Image.open(done.evaluation("test") / "mistakes.png") as grid:
        assert grid.width > 200


def test_a_damaged_test_photo_is_named_before_the_first_step(folder, tmp_path):
    photos = Path(shutil.copytree(folder, tmp_path / "photos"))
    config = {
        "name": "photos",
        "source": {"type": "folder", "path": str(photos), "validation": 0.2, "test": 0.25},
        "inputs": {
            "photo": {
                "type": "image",
                "shape": [16, 16, 3],
                "encoder": {"type": "cnn", "filters": [2]},
            }
        },
        "heads": {"colour": {"type": "classification"}},
        "train": {"epochs": 1, "keep_decoded": False},
    }
    data = load_frame(load_config(config).with_columns())
    name = next(name for name in data.row_names["test"].tolist() if name.endswith(".jpg"))
    PIL.Image.effect_noise((200, 200), 90).save(photos / name)
    (photos / name).write_bytes((photos / name).read_bytes()[:4000])
    with pytest.raises(DataError, match=f"{name}: the image is damaged: image file is trunc"):
        train(config, run=tmp_path / "run")
    assert not (tmp_path / "run").exists()
