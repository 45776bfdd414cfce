"""Features of frozen encoders: computed once, with results equal to recomputing them."""

from __future__ import annotations

import re

import numpy as np
import pytest
from PIL import Image
from trainings import FROZEN_IMAGE, differences, merged, train_with_crash

from mmzoo import evaluate
from mmzoo.model import build_model
from mmzoo.runs import Run
from mmzoo.trained_model import load_trained
from mmzoo.training.train import train

STEPS = 6
CONFIG = {
    "name": "frozen",
    "source": {"type": "dataset", "name": "digits"},
    "inputs": {"image": FROZEN_IMAGE},
    "heads": {"digit": {"type": "classification"}},
    "train": {
        "epochs": 3,
        "batch_size": 256,
        "checkpoint_seconds": 0,
        "optimizer": {"type": "adam", "learning_rate": 1e-2},
    },
}
AUGMENTED = {"inputs": {"image": {"augment": [{"type": "shift"}]}}}


@pytest.fixture(scope="module", autouse=True)
def empty_cache(tmp_path_factory):
    """A cache for the features of this module's trainings."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MMZOO_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="module")
def first(tmp_path_factory) -> Run:
    """The first training of CONFIG, with an empty cache."""
    return train(CONFIG, run=tmp_path_factory.mktemp("first") / "run")


@pytest.fixture(scope="module")
def through(tmp_path_factory) -> Run:
    """The same training through the frozen network."""
    return train(merged(CONFIG, settings(keep="off")), run=tmp_path_factory.mktemp("off") / "run")


def settings(**changes) -> dict:
    return {"train": {"frozen_features": changes}}


def feature_notes(run: Run, start: str = "image: ") -> list[str]:
    lines = [line[21:] for line in run.log_file.read_text().splitlines()]
    # On a slow machine there are messages on the progress too.
    lines = [line for line in lines if not line.startswith("image: features of ")]
    return [re.sub(r"\(.*\)", "(...)", line) for line in lines if line.startswith(start)]


def losses(run: Run) -> np.ndarray:
    return np.array([[row["loss"], row["validation_loss"]] for row in run.history()])


SPLITS = ("1,294 train", "144 validation", "359 test")
COMPUTED = [
    f"image: computed the features of {rows} examples once, as squeezenet is frozen (...)."
    for rows in SPLITS
]


def alike(run: Run, other: Run) -> None:
    np.testing.assert_allclose(losses(run), losses(other), rtol=1e-4)
    mine, theirs = run.metrics()["test"], other.metrics()["test"]
    assert mine["digit"]["accuracy"] == pytest.approx(theirs["digit"]["accuracy"], abs=0.003)
    assert mine["loss"] == pytest.approx(theirs["loss"], rel=1e-4)


def test_cached_features_train_like_the_full_network(first, through):
    alike(first, through)
    assert feature_notes(first) == COMPUTED
    assert feature_notes(through) == [
        "image: the frozen squeezenet runs in every epoch, since train.frozen_features.keep is off."
    ]


@pytest.mark.slow
def test_features_can_be_cached_in_memory_only(first, tmp_path):
    run = train(merged(CONFIG, settings(keep="memory")), run=tmp_path / "run")
    assert feature_notes(run) == COMPUTED
    assert (losses(run) == losses(first)).all()


@pytest.mark.slow
def test_a_later_run_reuses_features_for_any_head(first, tmp_path):
    other = merged(CONFIG, {"fusion": {"type": "concat", "units": [8]}, "train": {"epochs": 1}})
    assert feature_notes(train(other, run=tmp_path / "run")) == [
        f"image: loaded the features of {rows} examples from the cache, computed by an earlier run."
        for rows in SPLITS
    ]


@pytest.mark.parametrize(
    "change",
    [
        {"train": {"seed": 1}},  # Other examples for validation, and other random weights.
        *(
            pytest.param({"inputs": {"image": image}}, marks=pytest.mark.slow)
            for image in (
                {"shape": [40, 40, 3]},
                {"encoder": {"pooling": "max"}},
                {"resize": "pad"},
            )
        ),
    ],
)
@pytest.mark.slow
def test_changes_that_affect_features_recompute_them(first, tmp_path, change):
    run = train(merged(merged(CONFIG, {"train": {"epochs": 1}}), change), run=tmp_path / "run")
    assert len(feature_notes(run)) == 3
    assert all(line.startswith("image: computed ") for line in feature_notes(run))


@pytest.mark.slow
def test_half_precision_features_are_cached_separately(first, tmp_path):
    half = train(merged(CONFIG, settings(dtype="float16")), run=tmp_path / "half")
    assert feature_notes(half) == COMPUTED
    np.testing.assert_allclose(losses(half), losses(first), rtol=1e-2)


@pytest.mark.slow
def test_augmentation_prevents_caching(tmp_path):
    short = merged(CONFIG, {"train": {"epochs": 1}})
    run = train(merged(short, AUGMENTED), run=tmp_path / "augmented")
    assert feature_notes(run) == [
        "image: the frozen squeezenet runs in every epoch, since inputs.image.augment is random; "
        "`train.frozen_features.copies: 5` would cache five "
        "augmented versions of each example."
    ]
    run = train(merged(short, {"train": {"mixing": {"type": "mixup"}}}), run=tmp_path / "mixed")
    assert feature_notes(run) == [
        "image: the frozen squeezenet runs in every epoch, since train.mixing mixes examples "
        "before they are encoded."
    ]


@pytest.mark.slow
def test_augmented_copies_are_cached_if_requested(first, tmp_path):
    values = merged(merged(CONFIG, AUGMENTED), settings(copies=3))
    run = train({**values, "probes": ["knn"]}, run=tmp_path / "copies")
    assert feature_notes(run)[0] == (
        "image: computed the features of 1,294 train examples in 3 augmented versions once, as "
        "squeezenet is frozen (...)."
    )
    assert [line.split()[1] for line in feature_notes(run)] == ["computed", "loaded", "loaded"]
    assert (losses(run)[:, 0] != losses(first)[:, 0]).all()
    # A probe is fitted to one of the copies, and evaluated on features without augmentation.
    probes = run.metrics()["test"]["probes"]
    assert probes["digit"]["knn"]["accuracy"] > 0.3
    assert evaluate(run)["probes"] == probes


@pytest.mark.parametrize(
    "changes", [pytest.param({}, marks=pytest.mark.slow), merged(AUGMENTED, settings(copies=2))]
)
@pytest.mark.slow
def test_a_resume_after_a_crash_changes_nothing(tmp_path, changes):
    values, step = merged(CONFIG, changes), STEPS + 2
    uninterrupted = train(values, run=tmp_path / "whole")
    assert differences(uninterrupted, train_with_crash(values, tmp_path / "resumed", step)) == []


def test_the_frozen_encoder_is_unchanged(first):
    for checkpoint in ("best", "last"):
        model, config = load_trained(first, checkpoint)
        initial = build_model(config).get_layer("image_encoder")
        for was, now in zip(initial.weights, model.get_layer("image_encoder").weights, strict=True):
            assert (was.numpy() == now.numpy()).all(), was.path


@pytest.mark.slow
def test_photos_are_identified_by_content(tmp_path):
    random = np.random.RandomState(0)
    for number in range(24):
        pixels = random.randint(0, 256, (32, 32, 3)).astype("uint8")
        path = tmp_path / "photos" / "ab"[number % 2] / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(path)
    source = {"type": "folder", "path": str(tmp_path / "photos"), "validation": 0.2, "test": 0.2}
    short = merged(CONFIG, {"train": {"epochs": 1, "batch_size": 8}})
    values = {**short, "source": source, "heads": {"kind": {"type": "classification"}}}
    train(values, run=tmp_path / "one")
    moved = tmp_path / ("longer" * 20) / "photos"
    moved.parent.mkdir()
    (tmp_path / "photos").rename(moved)
    again = train({**values, "source": {**source, "path": str(moved)}}, run=tmp_path / "two")
    assert [line.split()[1] for line in feature_notes(again)] == ["loaded"] * 3
    changed = next(moved.rglob("0.png"))
    changed.write_bytes((moved / "b" / "1.png").read_bytes())
    other = train({**values, "source": {**source, "path": str(moved)}}, run=tmp_path / "three")
    assert [line.split()[1] for line in feature_notes(other)].count("computed") == 1


@pytest.mark.slow
def test_features_that_do_not_fit_are_recomputed_every_epoch(tmp_path, monkeypatch):
    monkeypatch.setattr("mmzoo.training.frozen_features.free_memory", lambda: 100)
    values = merged(CONFIG, {"train": {"epochs": 1, "frozen_features": {"keep": "memory"}}})
    run = train(values, run=tmp_path / "run")
    assert feature_notes(run)[0].startswith(
        "image: the frozen squeezenet runs in every epoch, since its features take"
    )
    assert len(run.history()) == 1
