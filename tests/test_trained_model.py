"""The model of a run is rebuilt from its config with the requested weights."""

from __future__ import annotations

import h5py
import numpy as np
import pytest
from frames import load_arrays

from mmzoo.checkpoint import checkpoints, read_checkpoint
from mmzoo.errors import RunError
from mmzoo.evaluation.evaluate import evaluate_model
from mmzoo.lazy import keras
from mmzoo.trained_model import load_trained
from mmzoo.training.train import train


def message(run, checkpoint) -> str:
    with pytest.raises(RunError) as caught:
        load_trained(run, checkpoint)
    return str(caught.value)


def test_metrics_json_is_of_the_best_weights(trained_run):
    model, config = load_trained(trained_run)
    assert config == trained_run.config()
    data = load_arrays(config)
    assert evaluate_model(model, config, data, "test").as_metrics() == trained_run.metrics()["test"]


def test_last_weights_come_from_the_newest_checkpoint(trained_run):
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


@pytest.mark.slow
def test_best_and_last_are_averaged_weights_with_ema(tiny, tmp_path):
    """After one epoch, which is both best and last."""
    tiny["train"] |= {"ema": 0.95, "epochs": 1}
    tiny["inputs"]["image"]["encoder"]["batch_norm"] = True
    run = train(tiny, run=tmp_path / "run")
    newest = checkpoints(run.last)[-1]
    models = [load_trained(run, which)[0] for which in ("best", "last", newest)]
    for best, *others in zip(*(model.get_weights() for model in models), strict=True):
        for other in others:
            np.testing.assert_array_equal(other, best)
    arrays, _ = read_checkpoint(newest)
    trained, averaged = arrays[0], models[1].variables[0].numpy()
    assert trained.shape == averaged.shape
    assert not np.array_equal(trained, averaged)


def test_layers_have_the_requested_precision(trained_run):
    model, _ = load_trained(trained_run, precision="mixed_bfloat16")
    assert model.get_layer("image_encoder").layers[-1].compute_dtype == "bfloat16"
    assert keras.config.dtype_policy().name == "float32"


def test_a_run_without_weights_says_what_is_missing(own_run):
    own_run.best_weights.unlink()
    assert message(own_run, "best") == (
        f"{own_run.directory}: has no best weights, since no epoch of it was finished. Continue "
        "it with `mmzoo train --resume`, or use --checkpoint last."
    )
    for path in checkpoints(own_run.last):
        path.unlink()
    assert message(own_run, "last") == (
        f"{own_run.directory}: has no checkpoint; was it ever trained?"
    )


def test_damaged_or_foreign_weights_are_refused(own_run, tiny, tmp_path):
    newest = checkpoints(own_run.last)[-1]
    tiny["inputs"]["image"]["encoder"]["filters"] = [4, 16]
    tiny["train"]["epochs"] = 1
    other = train(tiny, run=tmp_path / "other")
    foreign = checkpoints(other.last)[-1]
    assert message(own_run, foreign).startswith(f"{foreign}: from a different model: ")
    assert message(own_run, other.best_weights).startswith(
        f"{other.best_weights}: weights of a different model: "
    )
    newest.write_bytes(newest.read_bytes()[:-50])
    assert message(own_run, newest).startswith(f"{newest}: the file is damaged (")
    assert message(own_run, "last") == (
        f"{own_run.last}: none of its checkpoints can be read. "
        "Use the best weights, or train again without --resume."
    )


def test_damaged_best_weights_suggest_an_alternative(own_run):
    content = bytearray(own_run.best_weights.read_bytes())
    with h5py.File(own_run.best_weights) as file:
        offset = file["layers/dense/vars/0"].id.get_offset()
    content[offset] ^= 1
    own_run.best_weights.write_bytes(bytes(content))
    assert message(own_run, "best") == (
        f"{own_run.best_weights}: damaged: its values differ from those that were saved. "
        "Use --checkpoint last, the weights of the last step, or train again."
    )
    load_trained(own_run, "last")


def test_best_weights_of_an_older_version_have_no_checksum(own_run, capsys):
    with h5py.File(own_run.best_weights, "r+") as file:
        del file.attrs["sha256"]
    assert message(own_run, "best").startswith(
        f"{own_run.best_weights}: damaged: its checksum is missing. "
    )
    environment = own_run.environment()
    del environment["checksums"]
    own_run.write_environment(environment)
    load_trained(own_run)
    assert "was written by an older version of mmzoo without a checksum" in capsys.readouterr().err


def test_a_damaged_last_checkpoint_falls_back_to_the_previous(own_run, capsys):
    *_, good = checkpoints(own_run.last)
    newest = own_run.last / f"{int(good.stem) + 1:012d}.npz"
    newest.write_bytes(good.read_bytes()[:-50])
    model, _ = load_trained(own_run, "last")
    expected, _ = load_trained(own_run, good)
    for one, two in zip(model.get_weights(), expected.get_weights(), strict=True):
        np.testing.assert_array_equal(one, two)
    assert f"{newest}: the file is damaged (" in capsys.readouterr().err
