"""Fine-tuning: a second stage that trains layers frozen in the first."""

from __future__ import annotations

import numpy as np
import pytest
from trainings import (
    FROZEN_IMAGE,
    Crash,
    crash_after_step,
    differences,
    merged,
    read_scalars,
    train_with_crash,
)

from mmzoo import evaluate
from mmzoo.checkpoint import checkpoints, read_checkpoint
from mmzoo.config import load_config
from mmzoo.errors import ConfigError, RunError
from mmzoo.model import build_model
from mmzoo.runs import Run
from mmzoo.trained_model import load_trained
from mmzoo.training.train import train
from mmzoo.weights import load_weights

EPOCHS, THAWED_EPOCHS, STEPS = 2, 2, 6
CONFIG = {
    "name": "staged",
    "source": {"type": "dataset", "name": "digits"},
    "inputs": {"image": FROZEN_IMAGE},
    "fusion": {"type": "concat", "units": [8], "dropout": 0.2},
    "heads": {"digit": {"type": "classification"}},
    "train": {
        "epochs": EPOCHS,
        "batch_size": 256,
        "log_steps": 2,
        "checkpoint_seconds": 0,
        "optimizer": {"type": "adam", "learning_rate": 1e-2, "schedule": {"type": "cosine"}},
        "fine_tune": {"epochs": THAWED_EPOCHS, "learning_rate": 1e-3, "layers": 2},
        "frozen_features": {"keep": "memory"},
    },
}


@pytest.fixture(scope="module")
def staged(tmp_path_factory) -> Run:
    return train(CONFIG, run=tmp_path_factory.mktemp("staged") / "run")


def encoder_weights(model) -> dict[str, np.ndarray]:
    return {weight.path: weight.numpy() for weight in model.get_layer("image_encoder").weights}


def changed(before: dict[str, np.ndarray], after: dict[str, np.ndarray]) -> set[str]:
    return {path for path in before if (before[path] != after[path]).any()}


def test_the_second_stage_continues_the_epoch_count_at_its_own_learning_rate(staged):
    history = staged.history()
    assert [row["epoch"] for row in history] == [1, 2, 3, 4]
    assert [row["step"] for row in history] == [6, 12, 18, 24]
    rates = [row["learning_rate"] for row in history]
    assert 1e-3 < rates[0] < 1e-2
    # The schedule starts anew: half-way down after one of two epochs, as in the first stage.
    np.testing.assert_allclose(np.array(rates[2:]) / np.array(rates[:2]), 0.1, rtol=1e-3)
    curve = read_scalars(staged.logs / "train")["step/learning_rate"]
    assert [step for step, _ in curve] == list(range(2, 25, 2))


@pytest.mark.slow
def test_only_the_second_stage_trains_the_last_encoder_layers(staged, tmp_path):
    single = merged(CONFIG, {"train": {"fine_tune": None}})
    run = train(single, run=tmp_path / "run")
    model, config = load_trained(run, "last")
    assert run.history() == staged.history()[:EPOCHS]
    first = encoder_weights(build_model(config))  # Drawn from the seed, as the training's were.
    assert changed(first, encoder_weights(model)) == set()
    thawed = encoder_weights(load_trained(staged, "last")[0])
    names = {path.split("/")[-2] for path in changed(first, thawed)}
    assert names == {"fire9_expand1x1", "fire9_expand3x3"}


@pytest.mark.slow
def test_the_second_stage_starts_from_the_best_weights_of_the_first(tmp_path):
    """Steps too small to change a weight make all validations equal."""
    tiny_steps = {
        "epochs": 3,
        "optimizer": {"type": "sgd", "momentum": 0.0, "learning_rate": 2.0},
        "fine_tune": {"epochs": 1, "learning_rate": 1e-30},
    }
    run = train(merged(CONFIG, {"train": tiny_steps}), run=tmp_path / "run")
    history = run.history()
    best = max(history[:3], key=lambda row: row["validation_digit_accuracy"])
    last = history[3]
    assert last["validation_digit_accuracy"] == best["validation_digit_accuracy"]
    assert last["validation_loss"] == pytest.approx(best["validation_loss"], rel=1e-3)


@pytest.mark.slow
def test_early_stopping_ends_a_stage_only(tmp_path):
    patience = {"epochs": 9, "early_stopping": {"patience": 1, "min_delta": 1.0}}
    run = train(merged(CONFIG, {"train": patience}), run=tmp_path / "run")
    log = run.log_file.read_text()
    # Both stages end after an epoch without a gain of one, which no accuracy can have.
    assert [row["epoch"] for row in run.history()] == [1, 2, 3, 4]
    assert log.count("Early stopping after epoch") == 1
    assert "Fine-tuning from the best weights" in log


@pytest.mark.parametrize(
    "step",
    [
        pytest.param(3, marks=pytest.mark.slow),
        STEPS * EPOCHS,
        pytest.param(STEPS * EPOCHS + 1, marks=pytest.mark.slow),
        pytest.param(STEPS * EPOCHS + STEPS + 2, marks=pytest.mark.slow),
    ],
)
@pytest.mark.slow
def test_resuming_either_stage_changes_nothing(staged, tmp_path, step):
    assert differences(staged, train_with_crash(CONFIG, tmp_path / "run", step)) == []


@pytest.mark.slow
def test_resuming_before_the_first_save_of_stage_two_changes_nothing(staged, tmp_path):
    """By then the second stage has better weights than it started from."""
    rarely = {"train": {"checkpoint_seconds": 1000}}
    values = merged(CONFIG, rarely)
    assert differences(staged, train_with_crash(values, tmp_path / "run", STEPS * EPOCHS + 8)) == []


@pytest.mark.slow
def test_a_crash_in_each_stage_changes_nothing(staged, tmp_path):
    for resume, step in ((False, STEPS + 1), (True, STEPS * EPOCHS + 2)):
        with pytest.raises(Crash), crash_after_step(step):
            train(CONFIG, run=tmp_path / "run", resume=resume)
    assert differences(staged, train(CONFIG, run=tmp_path / "run", resume=True)) == []


@pytest.mark.slow
def test_a_damaged_first_checkpoint_of_the_second_stage_costs_only_time(staged, tmp_path):
    run = crashed_in_the_second_stage(tmp_path / "run")
    first, second = checkpoints(run.last)
    assert [int(path.stem) > STEPS for path in (first, second)] == [True, True]
    assert read_checkpoint(first)[1]["stage"]["number"] == 0
    second.write_bytes(second.read_bytes()[:-100])
    assert differences(staged, train(CONFIG, run=run.directory, resume=True)) == []


@pytest.mark.slow
def test_damaged_frozen_weights_of_the_second_stage_cost_only_time(staged, tmp_path):
    """Its checkpoint cannot be used without them; the one of the first stage has its own."""
    run = crashed_in_the_second_stage(tmp_path / "run")
    first, second = (run.last / f"frozen-{stage}.npz" for stage in (0, 1))
    with np.load(first) as more, np.load(second) as fewer:
        assert set(fewer) < set(more)
        # The head, dropout's seed and the optimizer change in every stage.
        indices = set(map(int, more))
        assert indices < set(range(len(read_checkpoint(checkpoints(run.last)[0])[0])))
    content = bytearray(second.read_bytes())
    content[len(content) // 2] ^= 1
    second.write_bytes(content)
    assert differences(staged, train(CONFIG, run=run.directory, resume=True)) == []


@pytest.mark.slow
def test_the_second_stage_does_not_resume_from_its_own_weights(staged, tmp_path):
    """As after a kill between writing its best weights and its first checkpoint."""
    run = crashed_in_the_second_stage(tmp_path / "run")
    checkpoints(run.last)[-1].unlink()
    later = load_weights(build_model(staged.config()), staged.best_weights)
    assert load_weights(build_model(run.config()), run.best_weights) != later
    run.best_weights.write_bytes(staged.best_weights.read_bytes())
    with pytest.raises(RunError) as caught:
        train(CONFIG, run=run.directory, resume=True)
    assert str(caught.value) == (
        f"{run.best_weights}: has other weights than those of epoch 1, the best epoch up to step "
        "12: they were saved later. Start a new run without --resume."
    )
    assert not run.metrics()


def crashed_in_the_second_stage(directory) -> Run:
    with pytest.raises(Crash), crash_after_step(STEPS * EPOCHS + 1):
        train(CONFIG, run=directory)
    return Run(directory)


@pytest.mark.slow
def test_a_fine_tuned_run_is_evaluated_normally(staged):
    test = staged.metrics()["test"]
    again = evaluate(staged, split="test")
    assert again["digit"]["accuracy"] == test["digit"]["accuracy"]
    assert again["loss"] == pytest.approx(test["loss"], rel=1e-5)


def test_there_must_be_something_to_unfreeze():
    values = merged(CONFIG, {"inputs": {"image": {"encoder": {"type": "cnn"}}}})
    with pytest.raises(ConfigError) as caught:
        load_config(values)
    assert str(caught.value).endswith(
        "train.fine_tune: expected none: all layers that it would unfreeze are trained in the "
        "first stage already (cnn). Give a pretrained encoder `trainable: false`, or leave this out"
    )
