"""Encoders that start from finished runs: `encoder: {type: run}`, for every modality."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from click.testing import CliRunner

from mmzoo import predict, train
from mmzoo.cli.main_command import cli
from mmzoo.config import load_config
from mmzoo.errors import ConfigError, RunError
from mmzoo.model_graph import encoder_of
from mmzoo.reused_encoders import reuse_encoders, start_problems
from mmzoo.runs import Run
from mmzoo.trained_model import build_model, load_model

ROWS = 40
NAMES = ("photo", "back", "words", "sound", "cells")
SOURCE = {"type": "table", "path": "set by train", "split": {"validation": 0.2, "test": 0.2}}
TRAIN = {
    "epochs": 1,
    "batch_size": 8,
    "checkpoint_seconds": 0,
    "optimizer": {"type": "adam", "learning_rate": 0.01},
}
CNN = {"type": "cnn", "filters": [4, 6], "padding": "same", "dropout": 0.1}
INPUTS = {
    "photo": {"type": "image", "shape": [6, 6, 1], "encoder": CNN},
    "back": {"type": "image", "encoder": {"type": "shared", "input": "photo"}},
    "words": {
        "type": "text",
        "length": "auto",
        "encoder": {"type": "embedding", "dim": 6, "units": [5], "dropout": 0.2},
    },
    "sound": {
        "type": "audio",
        "rate": 1000,
        "seconds": 0.2,
        "spectrogram": {"type": "log_mel", "bins": 6, "window": 0.064},
        "masking": {"frequency_masks": 1},
        "encoder": {"type": "cnn", "filters": [3, 4]},
    },
    "cells": {
        "type": "tabular",
        "columns": ["size", "place"],
        "encoder": {"type": "mlp", "units": [8, 6], "batch_norm": True, "dropout": 0.1},
    },
}


def rows(seed: int) -> dict[str, Any]:
    """Random rows of all modalities; words, numbers and places differ between seeds."""
    random = np.random.RandomState(seed)
    images = random.randint(0, 256, (2, ROWS, 6, 6, 1)).astype(np.uint8)
    words = np.array([f"word{number}" for number in range(seed, seed + 9)])
    return {
        "photo": images[0],
        "back": images[1],
        "words": [" ".join(random.choice(words, 1 + row % 6)) for row in range(ROWS)],
        "sound": random.uniform(-1, 1, (ROWS, 200)).astype("float32"),
        "size": random.normal(seed, 1 + seed, ROWS),
        "place": random.choice([f"town{seed + one}" for one in range(4)], ROWS).tolist(),
        "side": random.choice(["l", "r"], ROWS).tolist(),
    }


def from_run(name: str, **fields: Any) -> dict[str, Any]:
    return {"type": "run", "path": "runs/before", "input": name, **fields}


SETTINGS: dict[str, dict[str, Any]] = {
    "photo": {"type": "image", "shape": [6, 6, 1]},
    "back": {"type": "image", "shape": [6, 6, 1]},
    "words": {"type": "text"},
    "sound": {"type": "audio", "seconds": 0.2},
    "cells": {"type": "tabular"},
}
"""The settings of inputs that a config must have; all others are taken from the run."""


def experiment(names: tuple[str, ...] = NAMES, **encoder: Any) -> dict[str, Any]:
    """A config whose inputs start from those of the run `before`."""
    return {
        "name": "after",
        "source": SOURCE,
        "inputs": {
            name: {**SETTINGS[name], "encoder": from_run(name, **encoder)} for name in names
        },
        "heads": {"side": {"type": "classification"}},
        "train": TRAIN,
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The working directory, with the finished run `runs/before/001`."""
    with pytest.MonkeyPatch.context() as patch:
        path = tmp_path_factory.mktemp("reuse")
        patch.chdir(path)
        heads = {"side": {"type": "classification"}}
        config = {"name": "before", "source": SOURCE, "inputs": INPUTS, "heads": heads}
        train({**config, "train": TRAIN}, rows(0), device="cpu")
        yield path


@pytest.fixture(scope="module")
def frozen(folder: Path) -> Run:
    """A run on other data, with frozen encoders of the run `before`."""
    return train(experiment(), rows(5), device="cpu")


@contextmanager
def gone(path: str) -> Iterator[None]:
    """Renames a run, as if it had been deleted."""
    Path(path).rename("away")
    try:
        yield
    finally:
        Path("away").rename(path)


@cache
def model_of(run: str | Run) -> Any:
    return load_model(run)


def encoder_weights(run: str | Run, name: str) -> list[np.ndarray]:
    return [weight.numpy() for weight in encoder_of(model_of(run), name).weights]


def test_the_new_run_has_the_encoders_and_the_preprocessing_of_the_old_one(folder, frozen) -> None:
    before, after = Run(Path("runs/before/001")), frozen.config()
    for name in NAMES:
        encoder: Any = after.inputs[name].encoder
        owner = "photo" if name == "back" else name
        assert encoder.network == before.config().inputs[owner].encoder
        assert frozen.preprocessing().get(name, {}) == before.preprocessing().get(name, {})
    assert after.inputs["words"].length == before.config().inputs["words"].length
    assert after.inputs["sound"].spectrogram == before.config().inputs["sound"].spectrogram
    assert after.inputs["sound"].masking is None
    assert after.inputs["cells"].columns == {"size": "number", "place": "category"}
    assert after.inputs["cells"].category_sizes == {"place": 4}


def test_frozen_weights_are_those_of_the_old_run_after_training(frozen) -> None:
    for name in NAMES:
        own = encoder_weights(frozen, name)
        assert own
        for one, other in zip(own, encoder_weights("runs/before", name), strict=True):
            np.testing.assert_array_equal(one, other)
    assert not encoder_of(model_of(frozen), "photo").trainable_weights


def test_the_encoders_give_the_same_features(frozen) -> None:
    data = {
        "photo": rows(5)["photo"],
        "back": rows(5)["back"],
        "words": np.random.RandomState(0).randint(1, 9, (ROWS, 4)),
        "sound": rows(5)["sound"],
        "cells": np.random.RandomState(0).randint(0, 3, (ROWS, 2)).astype("float32"),
    }
    models = [model_of("runs/before"), model_of(frozen)]
    for name in NAMES:
        old, new = (encoder_of(model, name)(data[name], training=False)[0] for model in models)
        np.testing.assert_array_equal(old, new)
        # Frozen layers have no dropout in training either.
        again = encoder_of(models[1], name)(data[name], training=True)[0]
        np.testing.assert_allclose(again, new, rtol=1e-6)


def test_features_of_frozen_encoders_are_cached(frozen) -> None:
    log = frozen.log_file.read_text()
    assert all(f"{name}: computed the features of" in log for name in NAMES if name != "cells")


def test_a_killed_training_resumes_to_the_same_bits(folder, frozen) -> None:
    """Also where the old run is gone, from the last checkpoint but one."""
    killed = Run(folder / "runs" / "killed")
    shutil.copytree(frozen.directory, killed.directory)
    sorted(killed.last.glob("0*.npz"))[-1].unlink()
    with gone("runs/before"):
        resumed = train(experiment(), rows(5), run=killed.directory, resume=True, device="cpu")
    assert resumed.history() == frozen.history()
    assert resumed.best_weights.read_bytes() == frozen.best_weights.read_bytes()
    assert resumed.metrics() == frozen.metrics()


def test_a_run_needs_no_other_run(folder, frozen) -> None:
    """Evaluation, prediction and training again from its config, to the same bits."""
    with gone("runs/before"):
        result = CliRunner().invoke(cli, ["eval", str(frozen.directory), "--json"])
        assert result.exit_code == 0, result.output
        metrics, expected = json.loads(result.stdout)["test"], frozen.metrics()["test"]
        assert metrics["loss"] == pytest.approx(expected["loss"], rel=1e-5)
        assert len(predict(frozen, data=rows(5), device="cpu")["side"]) == ROWS
        again = train(frozen.config_file, run=folder / "runs" / "again", device="cpu")
    assert again.history() == frozen.history()
    assert again.best_weights.read_bytes() == frozen.best_weights.read_bytes()
    assert again.preprocessing() == frozen.preprocessing()
    file = again.encoder_weights("words")
    assert file.read_bytes() == frozen.encoder_weights("words").read_bytes()
    assert again.config().inputs["words"].encoder.path == str(file)


def test_the_last_layers_are_trained(folder) -> None:
    """Biases and normalization follow the kernel before them; dropout before it is disabled."""
    counted = {
        "photo": {"stage2_conv1/kernel", "stage2_conv1/bias"},
        "words": {"dense1/kernel", "dense1/bias"},
        "cells": {"dense2/kernel", "dense2/bias", "batch_norm2/gamma", "batch_norm2/beta"},
    }
    for trainable in (1, False, True):
        model = build_model(experiment(tuple(counted), trainable=trainable), rows(5))
        for name, expected in counted.items():
            encoder = encoder_of(model, name)
            trained = {weight.path for weight in encoder.trainable_weights}
            if trainable is True:
                assert trained > expected
            else:
                assert trained == (expected if trainable else set())
            rates = [layer.rate for layer in encoder.layers if layer.name.startswith("dropout")]
            is_last = trainable == 1 and name != "cells"  # In `cells` one follows each layer.
            assert rates
            assert bool(rates[0]) == (trainable is True or is_last)


@pytest.fixture(scope="module")
def third(frozen) -> Run:
    """A run that starts from one that started from another, with fine-tuning."""
    config = experiment(("photo",), trainable=1)
    config["inputs"]["photo"]["encoder"] |= {"path": str(frozen.directory), "input": "back"}
    config["train"] = {**TRAIN, "fine_tune": {"epochs": 1, "learning_rate": 0.01}}
    return train(config, rows(6), run="runs/third", device="cpu")


def test_a_run_may_start_from_one_that_started_from_another(frozen, third) -> None:
    own: Any = third.config().inputs["photo"].encoder
    other: Any = frozen.config().inputs["back"].encoder
    assert (own.network, own.sha256) == (other.network, other.sha256)
    assert own.path == "runs/third/encoders/photo.weights.h5"


def test_fine_tuning_thaws_all_layers(frozen, third) -> None:
    before = encoder_weights(frozen, "back")
    after = encoder_of(load_model(third, "last"), "photo").weights
    assert all((one.numpy() != other).any() for one, other in zip(after, before, strict=True))


def test_the_encoder_of_a_run_is_mirrored_by_a_decoder(folder) -> None:
    config = experiment(("photo", "cells"))
    config["heads"] = {
        f"{name}_again": {"type": "reconstruction", "input": name} for name in config["inputs"]
    }
    decoder = build_model(config, rows(5)).get_layer("photo_again")
    assert decoder.get_layer("stage1_conv1").filters == 4


@pytest.mark.parametrize(
    ("name", "fields", "message"),
    [
        ("photo", {"path": "runs/befor"}, "encoder.path: runs/befor: there is no such run; did"),
        ("photo", {"path": "runs/begun"}, "encoder.path: runs/begun: is not finished. Continue"),
        ("photo", {"input": "foto"}, "has no input 'foto'; did you mean 'photo'? There are: photo"),
        (
            "photo",
            {"input": "words"},
            "encoder.input: expected an input of the same type, image; inputs.words of "
            "runs/before/001 is text",
        ),
        (
            "photo",
            {"shape": [8, 8, 1]},
            "inputs.photo.shape: expected a list of 3: [6, 6, 1], as in inputs.photo of "
            "runs/before/001, whose encoder it starts from; got a list of 3: [8, 8, 1]",
        ),
        ("words", {"length": 3}, "inputs.words.length: expected number"),
        ("words", {"tokens": "characters"}, "inputs.words.tokens: expected text 'words', as in"),
        ("sound", {"rate": 2000}, "inputs.sound.rate: expected number 1000"),
        ("sound", {"spectrogram": {"type": "mfcc"}}, "inputs.sound.spectrogram: expected a mapp"),
        ("cells", {"columns": ["size"]}, "inputs.cells.columns: expected a mapping"),
        ("cells", {"normalize": "quantile"}, "inputs.cells.normalize: expected text 'standard'"),
    ],
)
def test_errors_have_the_place_the_values_and_the_fix(folder, name, fields, message) -> None:
    shutil.copytree("runs/before/001", "runs/begun", dirs_exist_ok=True)
    Path("runs/begun/metrics.json").unlink(missing_ok=True)
    config = experiment((name,))
    for field, value in fields.items():
        own = config["inputs"][name]
        (own["encoder"] if field in ("path", "input") else own)[field] = value
    file = folder / "config.yaml"
    file.write_text(yaml.safe_dump({**config, "source": {"type": "synthetic"}}, sort_keys=False))
    found = str(CliRunner().invoke(cli, ["check", str(file)]).exception)
    assert message in found
    assert found.startswith(f"{file}:")
    with pytest.raises(ConfigError, match="inputs"):
        reuse_encoders(load_config(config))


def test_settings_may_be_as_requested_or_open(folder) -> None:
    config = experiment(("words", "cells"))
    config["inputs"]["words"] |= {"vocabulary_size": 20_000, "length": "auto"}
    config["inputs"]["cells"] |= {"columns": {"size": "number", "place": "auto"}}
    assert not list(start_problems(load_config(config)))
    found = reuse_encoders(load_config(config)).inputs
    before = Run(Path("runs/before/001")).config().inputs
    assert found["words"].vocabulary_size == before["words"].vocabulary_size < 20
    assert found["cells"].columns == before["cells"].columns


def test_check_show_and_smoke_know_the_network(folder) -> None:
    file = folder / "probe.yaml"
    config = {**experiment(("photo",)), "source": {"type": "synthetic"}}
    file.write_text(yaml.safe_dump(config))
    result = CliRunner().invoke(cli, ["check", str(file)])
    assert "filters" in result.stdout
    result = CliRunner().invoke(cli, ["show", str(file)])
    assert "photo_encoder/stage1_conv1" in result.stdout
    assert "frozen" in result.stdout
    result = CliRunner().invoke(cli, ["train", str(file), "--smoke", "--run", "runs/smoke"])
    assert result.exit_code == 0, result.stderr
    random, trained = (encoder_weights(f"runs/{name}", "photo")[0] for name in ("smoke", "before"))
    assert (random != trained).all()
    with gone("runs/before"):
        for command in (["check", str(file)], ["train", str(file), "--smoke"]):
            found = str(CliRunner().invoke(cli, command).exception)
            assert "inputs.photo.encoder.path: runs/before: there is no such run" in found


def test_a_damaged_copy_is_refused(folder, frozen) -> None:
    damaged = Run(folder / "runs" / "damaged")
    shutil.copytree(frozen.directory, damaged.directory)
    config = yaml.safe_load(damaged.config_file.read_text())
    photo = config["inputs"]["photo"]["encoder"]
    photo["path"] = str(damaged.encoder_weights("photo"))
    file = bytearray(damaged.encoder_weights("photo").read_bytes())
    weights = encoder_weights(frozen, "photo")[0].tobytes()
    file[file.index(weights) + 5] ^= 1
    damaged.encoder_weights("photo").write_bytes(file)
    with pytest.raises(RunError, match="damaged"):
        train(config, run=folder / "runs" / "new", device="cpu")
    assert not (folder / "runs" / "new").exists()
