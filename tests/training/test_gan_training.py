"""Trainings of conditional GANs: kill and resume, images, evaluation by another run."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image
from trainings import differences, finite, read_scalars, train_with_crash

from mmzoo import evaluate, train
from mmzoo.batches import evaluation_batches
from mmzoo.cli.main_command import cli
from mmzoo.errors import DataError, RunError
from mmzoo.evaluation.image_judge import load_judge
from mmzoo.generation.generate import generate
from mmzoo.lazy import keras, tf
from mmzoo.metrics import frechet_distance
from mmzoo.model_graph import encoder_output
from mmzoo.preprocessing import load_frame, transform
from mmzoo.randomness import Randomness
from mmzoo.runs import Run
from mmzoo.tables import write_table
from mmzoo.trained_model import load_model
from mmzoo.training.tensorboard_log import EVENT_FILES, read_events

IMAGE: dict[str, Any] = {
    "type": "image",
    "shape": [6, 6, 1],
    "encoder": {"type": "cnn", "filters": [3], "padding": "same", "dropout": 0.2},
}
GAN: dict[str, Any] = {
    "name": "adversaries",
    "source": {"type": "synthetic", "rows": 48},
    "inputs": {
        "photo": {**IMAGE, "decoder": {"filters": [4], "batch_norm": True}},
        "words": {"type": "text", "length": 4, "encoder": {"type": "embedding", "dim": 5}},
    },
    "heads": {"kind": {"type": "classification", "class_names": ["a", "b", "c"]}},
    "objective": {
        "type": "gan",
        "dim": 4,
        "loss": "wasserstein",
        "spectral_norm": True,
        "discriminator_optimizer": {"type": "adam", "learning_rate": 3e-3, "beta_1": 0.5},
    },
    "train": {
        "epochs": 2,
        "batch_size": 8,
        "ema": 0.9,
        "log_steps": 1,
        "checkpoint_seconds": 0,
        "optimizer": {"type": "adam", "schedule": {"type": "cosine"}},
    },
}
ALONE: dict[str, Any] = {
    "name": "alone",
    "source": GAN["source"],
    "inputs": {"image": {**IMAGE, "shape": [8, 8, 1]}},
    "heads": {"letter": {"type": "classification", "class_names": ["c", "a", "b"]}},
    "objective": {"type": "gan"},
    "train": {"batch_size": 8},
}
"""Another one, of a class alone, which reads images too."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("gan")


@pytest.fixture(scope="module")
def run(folder: Path) -> Run:
    return train(GAN, run=folder / "whole")


@pytest.fixture(scope="module")
def judge(folder: Path) -> Run:
    return train(ALONE, run=folder / "judge", smoke=True)


def test_a_resumed_training_is_bit_identical(run, folder):
    """Also in the second epoch, with both optimizers, both networks, and all random numbers."""
    resumed = train_with_crash(GAN, folder / "resumed", 4)
    assert differences(run, resumed) == []
    assert finite(run)


def test_both_losses_are_in_the_history_and_in_tensorboard(run):
    last = run.history()[-1]
    names = ("loss", "discriminator_loss", "generator_loss", "kind_accuracy")
    assert {*names, *(f"validation_{name}" for name in names)} <= last.keys()
    for split in ("train", "validation"):
        curves = read_scalars(run.logs / split)
        assert [step for step, _ in curves["generator_loss"]] == [3, 6]
        assert [step for step, _ in curves["discriminator_loss"]] == [3, 6]


def test_every_epoch_has_images_and_the_last_one_is_the_best(run):
    events = [e for path in (run.logs / "validation").glob(EVENT_FILES) for e in read_events(path)]
    images = [e.step for e in events for value in e.summary.value if value.tag == "generated"]
    assert images == [3, 6]
    best, last = load_model(run), load_model(run, "last")
    for one, other in zip(best.weights, last.weights, strict=True):
        if "singular_vector" not in one.path:  # Only training needs these.
            np.testing.assert_array_equal(one.numpy(), other.numpy())


@pytest.fixture(scope="module")
def evaluated(run: Run, judge: Run) -> dict[str, Any]:
    arguments = ["eval", str(run.directory), "--frechet", str(judge.directory), "--json"]
    done = CliRunner().invoke(cli, arguments, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    found: dict[str, Any] = json.loads(done.stdout)["test"]
    return found


def test_images_are_judged_by_the_features_and_classes_of_another_run(run, judge, evaluated):
    """Which has the classes in another order, and images of another size."""
    config = run.config()
    frame = load_frame(config).split("test")
    data = transform(config, frame, run.preprocessing()).splits["test"]
    [(inputs,)] = evaluation_batches(config, data, labelled=False)
    noise = np.random.RandomState(0).normal(size=(len(data["kind"]), 4)).astype("float32")
    made = load_model(run).generate(noise, data["kind"], inputs).numpy()
    made = np.rint(255 * made).astype("uint8")
    model, spec = load_model(judge), judge.config().inputs["image"]
    encoder = keras.Model(model.input, encoder_output(model, "image"))
    images = [spec.load(tf.constant(x)) for x in (inputs["photo"], made)]
    features = [encoder({"image": x}).numpy() for x in images]
    read = model({"image": images[1]})["letter"].numpy().argmax(axis=1)
    right = np.array(["c", "a", "b"])[read] == np.array(["a", "b", "c"])[data["kind"]]
    found = evaluated["generated"]
    assert found["frechet_distance"] == pytest.approx(frechet_distance(*features), rel=1e-4)
    assert found["class_accuracy"] == pytest.approx(right.mean())
    assert found["images"] == len(right)
    assert found["features_of"] == str(judge.directory)
    assert run.metrics()["test"]["generated"] == found


def test_the_report_has_the_images_and_their_figures(run, evaluated):
    page = (run.evaluation("test") / "report.html").read_text()
    assert "Generated images" in page
    assert "Fréchet distance" in page
    assert (run.evaluation("test") / "generated.png").is_file()
    assert evaluated["kind"]["accuracy"] >= 0.0


def test_only_runs_of_single_images_judge_only_gans(run, judge):
    with pytest.raises(RunError) as caught:
        evaluate(run, frechet=run)
    assert str(caught.value) == (
        f"{run.directory}: its inputs are photo (image), words (text); expected a run with an "
        "image as its only input, to judge generated images by"
    )


def test_a_judge_has_no_classes_in_common_with_others(judge):
    loaded = load_judge(judge)
    assert loaded.head_of(("a", "b", "c")) is not None
    assert loaded.head_of(("a", "b")) is None


def table_of(folder: Path) -> list[dict[str, str]]:
    with (folder / "table.csv").open(newline="", encoding="utf-8") as file:
        return [*csv.DictReader(file)]


def images_of(folder: Path, rows: list[dict[str, str]], column: str) -> np.ndarray:
    return np.stack([np.asarray(Image.open(folder / row[column])) for row in rows])


def test_images_of_all_classes_are_written_in_turn(judge, tmp_path):
    """By a run of `--smoke`."""
    assert np.isfinite(judge.metrics()["test"]["loss"])
    rows = table_of(generate(judge, samples=5, seed=3, output=tmp_path / "made").folder)
    assert [row["letter"] for row in rows] == ["c", "a", "b", "c", "a"]
    random = Randomness(3, tf.constant(0, tf.int64), tf.range(5, dtype=tf.int64)).fold("noise")
    made = load_model(judge).generate(random.normal(64), np.array([0, 1, 2, 0, 1]), {}).numpy()
    found = images_of(tmp_path / "made", rows, "image")
    np.testing.assert_array_equal(found, np.rint(255 * made[..., 0]).astype("uint8"))
    with pytest.raises(RunError) as caught:
        generate(judge, split="test")
    assert str(caught.value) == (
        f"{judge.directory}: its images depend on the class alone: give --samples, not examples"
    )


def test_images_are_written_for_the_texts_and_classes_of_a_table(run, tmp_path):
    """Which has no images."""
    write_table(tmp_path / "asked.csv", {"words": ["bar", "bar", "foo"], "kind": ["a", "c", "a"]})
    made = generate(run, tmp_path / "asked.csv", samples=2, output=tmp_path / "made")
    rows = table_of(made.folder)
    assert [row["kind"] for row in rows] == ["a", "a", "c", "c", "a", "a"]
    assert [row["words"] for row in rows][::2] == [row["words"] for row in rows][1::2]
    images = images_of(tmp_path / "made", rows, "photo")
    assert len(np.unique(images.reshape(6, -1), axis=0)) == 6


def test_what_a_gan_cannot_generate_is_said(run, tmp_path):
    def error(**asked: Any) -> str:
        with pytest.raises((RunError, DataError)) as caught:
            generate(run, **asked)
        return str(caught.value)

    assert error(samples=3) == (
        f"{run.directory}: its images depend on words: give examples by --from or --split"
    )
    assert error(split="test", interpolate=3) == "--interpolate needs `reconstruction` heads"
    write_table(tmp_path / "one.csv", {"words": ["bar", "foo"], "sort": ["a", "b"]})
    assert error(data=tmp_path / "one.csv") == (
        "the examples have no column 'kind', which says the class to generate. There are: sort"
    )
    write_table(tmp_path / "two.csv", {"words": ["bar", "foo"], "kind": ["a", "d"]})
    assert error(data=tmp_path / "two.csv") == (
        "column 'kind', example 2: unknown class 'd'. There are: a, b, c"
    )
