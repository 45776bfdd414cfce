"""A run's model is rebuilt from its config and given the weights that were asked for."""

from __future__ import annotations

import numpy as np
import pytest

from mmzoo.checkpoint import checkpoints, read_checkpoint
from mmzoo.errors import RunError
from mmzoo.evaluation.evaluate import evaluate_model
from mmzoo.lazy import keras
from mmzoo.trained import load_trained
from mmzoo.training.train import train


def message(run, checkpoint) -> str:
    with pytest.raises(RunError) as caught:
        load_trained(run, checkpoint)
    return str(caught.value)


def test_the_best_weights_are_those_that_metrics_json_is_of(trained_run):
    model, config = load_trained(trained_run)
    assert config == trained_run.config()
    data = config.load_data([].append)
    assert evaluate_model(model, config, data, "test").as_metrics() == trained_run.metrics()["test"]


def test_the_last_weights_are_those_of_the_newest_checkpoint(trained_run):
    arrays, _ = read_checkpoint(checkpoints(trained_run.last)[-1])
    model, _ = load_trained(trained_run, "last")
    for variable, array in zip(model.variables, arrays, strict=False):
        np.testing.assert_array_equal(variable.numpy(), array)


def test_a_checkpoint_can_be_named_by_its_file(trained_run):
    newest = checkpoints(trained_run.last)[-1]
    best, last, named = (
        load_trained(trained_run, which)[0].get_weights()
        for which in (trained_run.best_weights, "last", newest)
    )
    for one, two in zip(last, named, strict=True):
        np.testing.assert_array_equal(one, two)
    for one, two in zip(best, load_trained(trained_run)[0].get_weights(), strict=True):
        np.testing.assert_array_equal(one, two)


def test_with_averages_the_best_weights_are_they_and_the_last_are_not(tiny, tmp_path):
    tiny["train"] |= {"ema": 0.95, "epochs": 1}
    run = train(tiny, run=tmp_path / "run")
    arrays, _ = read_checkpoint(checkpoints(run.last)[-1])
    saved = [array.tobytes() for array in arrays]
    best, last = (load_trained(run, which)[0] for which in ("best", "last"))
    for model in (best, last):
        assert all(weight.numpy().tobytes() in saved for weight in model.trainable_variables)
    assert not np.array_equal(best.get_weights()[0], last.get_weights()[0])


def test_layers_have_the_precision_that_is_asked_for(trained_run):
    model, _ = load_trained(trained_run, precision="mixed_bfloat16")
    assert model.get_layer("image_encoder").layers[-1].compute_dtype == "bfloat16"
    assert keras.config.dtype_policy().name == "float32"


def test_a_run_without_weights_says_what_is_missing(own_run):
    own_run.best_weights.unlink()
    assert message(own_run, "best") == (
        f"{own_run.directory}: has no best weights, since no epoch of it was finished. Go on with "
        "it by `mmzoo train --resume`, or take --checkpoint last."
    )
    for path in checkpoints(own_run.last):
        path.unlink()
    assert message(own_run, "last") == (
        f"{own_run.directory}: has no checkpoint; was it ever trained?"
    )


def test_what_is_damaged_or_of_another_model_is_refused(own_run, tiny, tmp_path):
    newest = checkpoints(own_run.last)[-1]
    tiny["inputs"]["image"]["encoder"]["filters"] = [4, 16]
    tiny["train"]["epochs"] = 1
    other = train(tiny, run=tmp_path / "other")
    foreign = checkpoints(other.last)[-1]
    assert message(own_run, foreign).startswith(f"{foreign}: of another training: ")
    assert message(own_run, other.best_weights).startswith(
        f"{other.best_weights}: not weights of this model: "
    )
    newest.write_bytes(newest.read_bytes()[:-50])
    assert message(own_run, "last").startswith(f"{newest}: damaged, it cannot be used (")
