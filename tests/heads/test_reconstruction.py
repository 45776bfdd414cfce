"""Reconstruction heads: losses by hand, decoders, missing inputs, noise, and whole runs."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from mmzoo import train
from mmzoo.batches import evaluation_batches, training_batches
from mmzoo.cli.main_command import cli
from mmzoo.config import Config, load_config
from mmzoo.errors import ConfigError
from mmzoo.heads import Reconstruction
from mmzoo.lazy import keras, tf
from mmzoo.model import build_model
from mmzoo.order import TrainingOrder
from mmzoo.prediction import predict
from mmzoo.preprocessing import fit_config, load_frame, transform
from mmzoo.randomness import Randomness
from mmzoo.runs import Run
from mmzoo.trained_model import load_model

ROWS = 48
IMAGE = {
    "type": "image",
    "shape": [6, 6, 1],
    "encoder": {"type": "cnn", "filters": [4, 6], "padding": "same"},
}
TEXT = {
    "type": "text",
    "length": 4,
    "encoder": {"type": "embedding", "dim": 6},
    "decoder": {"cell": "gru", "units": 8},
}
AUDIO = {
    "type": "audio",
    "rate": 1000,
    "seconds": 0.2,
    "spectrogram": {"type": "log_mel", "bins": 6, "window": 0.064},
    "encoder": {"type": "cnn", "filters": [3, 4], "batch_norm": False},
}
TABLE = {
    "type": "tabular",
    "columns": {"size": "number", "place": "category"},
    "encoder": {"type": "mlp", "units": [8, 6]},
}
INPUTS = {"photo": IMAGE, "words": TEXT, "sound": AUDIO, "cells": TABLE}
OPTIONAL = {"missing": "learned", "modality_dropout": 0.4}


def loaded(inputs: dict[str, Any], **changes: Any) -> Config:
    """A config on synthetic data that rebuilds each of its inputs."""
    return load_config(
        {
            "name": "again",
            "source": {"type": "synthetic", "rows": ROWS},
            "inputs": inputs,
            "fusion": {"type": "concat", "units": [12], "activation": "linear"},
            "heads": {
                f"{name}_again": {"type": "reconstruction", "input": name} for name in inputs
            },
            "train": {"batch_size": 8, "epochs": 3},
            **changes,
        }
    ).with_columns()


@pytest.fixture(scope="module")
def fitted() -> tuple[Config, Any]:
    """A config with inputs of all modalities and its data."""
    config = loaded({name: {**spec, **OPTIONAL} for name, spec in INPUTS.items()})
    frame = load_frame(config)
    config, preprocessing = fit_config(config, frame)
    return config, transform(config, frame, preprocessing)


def first_batch(config: Config, data: Any) -> tuple[Any, ...]:
    order = TrainingOrder(0, len(data.frame.rows["train"]), 8)
    return next(iter(training_batches(config, data.splits["train"], order, 0, 1)))


def test_every_modality_is_rebuilt_and_every_variable_learns(fitted, tmp_path) -> None:
    config, data = fitted
    model = build_model(config)
    model.compile("adam", **config.objective.compile_arguments(config.heads, soft=False))
    inputs, targets, weights = first_batch(config, data)
    losses = []
    for _ in range(4):
        with tf.GradientTape() as tape:
            outputs = model(inputs, training=True)
            loss = model.compute_loss(inputs, targets, outputs, weights)
        losses.append(float(loss))
        gradients = tape.gradient(loss, model.trainable_variables)
        model.optimizer.apply(gradients, model.trainable_variables)
    unused = [
        variable.path
        for variable, gradient in zip(model.trainable_variables, gradients, strict=True)
        if gradient is None or not np.any(tf.convert_to_tensor(gradient))
    ]
    # Synthetic rows have no missing cell to impute.
    assert unused == ["missing/value"]
    assert losses == sorted(losses, reverse=True)
    for name in INPUTS:
        output, target = outputs[f"{name}_again"], targets[f"{name}_again"]
        assert output.dtype == tf.float32
        assert output.shape[:1] == target.shape[:1]
    model.save_weights(tmp_path / "model.weights.h5")
    again = build_model(config)
    again.load_weights(tmp_path / "model.weights.h5")
    for name, output in model(inputs, training=False).items():
        np.testing.assert_array_equal(output, again(inputs, training=False)[name])


def errors_of(config: Config, name: str, target: Any, rebuilt: Any) -> dict[str, np.ndarray]:
    spec: Any = config.inputs[name]
    found = spec.reconstruction_errors(tf.constant(target), tf.constant(rebuilt))
    assert tuple(found) == spec.reconstruction_metrics()
    return {error: values.numpy() for error, values in found.items()}


def test_errors_of_images_by_hand(fitted) -> None:
    random = np.random.RandomState(0)
    target, rebuilt = random.uniform(0.1, 0.9, (2, 3, 6, 6, 1)).astype("float32")
    found = errors_of(fitted[0], "photo", target, rebuilt)
    squares = ((target - rebuilt) ** 2).mean((1, 2, 3))
    np.testing.assert_allclose(found["mean_squared_error"], squares, rtol=1e-5)
    entropy = -(target * np.log(rebuilt) + (1 - target) * np.log(1 - rebuilt)).mean((1, 2, 3))
    np.testing.assert_allclose(found["binary_cross_entropy"], entropy, rtol=1e-5)


def costs_of(
    config: Config, name: str, target: Any, rebuilt: Any, kind: str, std: float = 1.0
) -> np.ndarray:
    spec: Any = config.inputs[name]
    costs = spec.negative_log_likelihood(tf.constant(target), tf.constant(rebuilt), kind, std)
    return costs.numpy()


def normal_costs(errors: np.ndarray, std: float) -> np.ndarray:
    density = np.exp(-((errors / std) ** 2) / 2) / np.sqrt(2 * np.pi * std**2)
    return -np.log(density)


def test_log_likelihoods_are_sums_in_nats(fitted) -> None:
    """Of pixels, levels, tokens and cells; missing ones do not count."""
    config, random = fitted[0], np.random.RandomState(0)
    white = random.randint(0, 2, (3, 6, 6, 1)).astype("float32")
    white[2] = np.nan
    shares = random.uniform(0.05, 0.95, white.shape).astype("float32")
    chosen = np.log(np.where(white == 1, shares, 1 - shares)).sum((1, 2, 3))
    found = costs_of(config, "photo", white, shares, "bernoulli")
    np.testing.assert_allclose(found, [*-chosen[:2], 0], rtol=1e-4)
    expected = normal_costs(white[:2].astype("float64") - shares[:2], 0.3).sum((1, 2, 3))
    found = costs_of(config, "photo", white, shares, "gaussian", 0.3)
    np.testing.assert_allclose(found, [*expected, 0], rtol=1e-4)

    levels = random.uniform(size=(2, 5, 6)).astype("float32")
    rebuilt = random.uniform(size=levels.shape).astype("float32")
    expected = normal_costs(levels.astype("float64") - rebuilt, 0.2).sum((1, 2))
    found = costs_of(config, "sound", levels, rebuilt, "gaussian", 0.2)
    np.testing.assert_allclose(found, expected, rtol=1e-4)

    ids, logits = [[5, 3, 0, np.nan]], random.normal(size=(1, 4, 9)).astype("float32")
    expected = -np.log(softmax(logits[0])[[0, 1, 2], [5, 3, 0]]).sum()
    found = costs_of(config, "words", np.array(ids, "float32"), logits, "categorical")
    np.testing.assert_allclose(found, [expected], rtol=1e-5)

    rows = np.array([[0.5, 3], [1.5, np.nan], [np.nan, np.nan]], "float32")
    spec: Any = config.inputs["cells"]
    rebuilt = random.normal(size=(3, 1 + spec.layout.categories[0])).astype("float32")
    numbers = normal_costs(rows[:, 0].astype("float64") - rebuilt[:, 0], 0.5)
    category = -np.log(softmax(rebuilt[0, 1:])[3])
    found = costs_of(config, "cells", rows, rebuilt, "gaussian", 0.5)
    np.testing.assert_allclose(found, [numbers[0] + category, numbers[1], 0], rtol=1e-4)


def test_the_target_of_an_image_is_its_pixels_from_0_to_1(fitted) -> None:
    spec: Any = fitted[0].inputs["photo"]
    images = np.array([0, 51, 255], np.uint8).reshape(3, 1, 1, 1)
    target = spec.reconstruction_target(tf.constant(images))
    np.testing.assert_allclose(target[:, 0, 0, 0], [0, 0.2, 1])


def softmax(logits: np.ndarray) -> np.ndarray:
    return np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)


def test_errors_of_texts_by_hand(fitted) -> None:
    """Padding does not count, except for the first, which ends the text."""
    spec: Any = fitted[0].inputs["words"]
    ids = np.array([[5, 3, 0], [7, 0, 0], [2, 4, 6]], np.int32)
    target = spec.reconstruction_target(tf.constant(ids)).numpy()
    nan = np.nan
    np.testing.assert_array_equal(target, [[5, 3, 0, nan], [7, 0, nan, nan], [2, 4, 6, 0]])
    full = spec.reconstruction_target(tf.constant([[5, 3, 2, 4]], tf.int32)).numpy()
    np.testing.assert_array_equal(full, [[5, 3, 2, 4]])
    logits = np.random.RandomState(0).normal(size=(3, 4, 9)).astype("float32")
    found = errors_of(fitted[0], "words", target, logits)
    counted = [[(0, 5), (1, 3), (2, 0)], [(0, 7), (1, 0)], [(0, 2), (1, 4), (2, 6), (3, 0)]]
    entropy = [
        np.mean([-np.log(softmax(logits[row, at])[token]) for at, token in tokens])
        for row, tokens in enumerate(counted)
    ]
    np.testing.assert_allclose(found["token_cross_entropy"], entropy, rtol=1e-5)
    right = [
        np.mean([logits[row, at].argmax() == token for at, token in tokens])
        for row, tokens in enumerate(counted)
    ]
    np.testing.assert_allclose(found["token_accuracy"], right)


def test_errors_of_audio_by_hand(fitted) -> None:
    """The target has the levels of the log-mel layer of the encoder, 0 at its floor."""
    config, data = fitted
    spec: Any = config.inputs["sound"]
    waveforms = data.splits["train"][config.columns["sound"]][:3]
    waveforms[0] = 0
    decibels = build_model(config).get_layer("sound_encoder").get_layer("log_mel")(waveforms)
    target = spec.reconstruction_target(tf.constant(waveforms)).numpy()
    np.testing.assert_allclose(target, (np.asarray(decibels) + 80) / 80, atol=1e-6)
    assert (target[0] == 0).all()
    rebuilt = np.random.RandomState(0).normal(size=target.shape).astype("float32")
    found = errors_of(config, "sound", target, rebuilt)
    expected = ((target - rebuilt) ** 2).mean((1, 2))
    np.testing.assert_allclose(found["mean_squared_error"], expected, rtol=1e-5)


def test_errors_of_table_rows_by_hand(fitted) -> None:
    """Missing cells and unseen categories do not count."""
    spec: Any = fitted[0].inputs["cells"]
    nan = np.nan
    rows = np.array([[0.5, 3], [nan, 2], [1.5, 0], [-1.0, 1], [nan, 0]], "float32")
    target = spec.reconstruction_target(tf.constant(rows)).numpy()
    np.testing.assert_array_equal(target, [[0.5, 3], [nan, 2], [1.5, nan], [-1, nan], [nan, nan]])
    ids = spec.layout.categories[0]
    rebuilt = np.random.RandomState(0).normal(size=(5, 1 + ids)).astype("float32")
    found = errors_of(fitted[0], "cells", target, rebuilt)
    numbers = (rebuilt[:, 0] - rows[:, 0]) ** 2
    of_categories = -np.log(softmax(rebuilt[:, 1:]))
    first, second = of_categories[0, 3], of_categories[1, 2]
    cells = [(numbers[0] + first) / 2, second, numbers[2], numbers[3], nan]
    np.testing.assert_allclose(found["cell_error"], cells, rtol=1e-5)
    np.testing.assert_allclose(found["number_squared_error"], numbers, rtol=1e-5)
    np.testing.assert_allclose(
        found["category_cross_entropy"], [first, second, nan, nan, nan], rtol=1e-5
    )


def test_an_error_without_any_cell_has_a_finite_gradient(fitted) -> None:
    head = fitted[0].heads["cells_again"]
    rebuilt = tf.Variable(tf.ones((2, 1 + fitted[0].inputs["cells"].layout.categories[0])))
    target = tf.constant([[np.nan, np.nan], [0.0, 2.0]])
    with tf.GradientTape() as tape:
        loss = head.compile_loss(soft=False)(target, rebuilt)
    gradient = tape.gradient(loss, rebuilt).numpy()
    assert np.isfinite(gradient).all()
    assert not gradient[0].any()
    assert gradient[1].any()


def test_dropped_inputs_have_their_target_and_missing_ones_have_none(fitted) -> None:
    config, data = fitted
    there = np.arange(len(data.frame.rows["train"])) % 3 > 0
    columns = {**data.splits["train"], config.presence["photo"]: there}
    order = TrainingOrder(0, len(there), 8)
    [(inputs, targets, weights)] = training_batches(config, columns, order, 0, 1)
    present = there[order.step_rows(0)]
    has = ~np.isnan(targets["photo_again"].numpy()).all((1, 2, 3))
    np.testing.assert_array_equal(has, present)
    dropped = inputs["photo_present"].numpy() == 0
    assert (dropped & present).any()
    assert dropped[~present].all()
    np.testing.assert_allclose(weights["photo_again"], len(there) / there.sum())
    np.testing.assert_allclose(weights["cells_again"], 1)


def test_the_loss_is_the_mean_over_the_rows_that_have_the_input(fitted) -> None:
    config, data = fitted
    columns = dict(data.splits["test"])
    there = np.arange(len(columns[config.columns["photo"]])) % 4 > 0
    columns[config.presence["photo"]] = there
    [(inputs, targets, weights)] = evaluation_batches(config, columns)
    rebuilt = np.full(targets["photo_again"].shape, 0.5, "float32")
    head = config.heads["photo_again"]
    loss = head.compile_loss(soft=False)(targets["photo_again"], rebuilt, weights["photo_again"])
    images = columns[config.columns["photo"]][there] / 255
    expected = ((images - 0.5) ** 2).mean()
    assert float(loss) == pytest.approx(expected, rel=1e-5)
    collected = head.collected(tf.constant(rebuilt), inputs).numpy()
    np.testing.assert_array_equal(np.isnan(collected[:, 0]), ~there)
    metrics = head.evaluate(None, collected)
    assert metrics["mean_squared_error"] == pytest.approx(expected, rel=1e-5)
    assert metrics["examples"] == there.sum()
    errors = head.decode(collected, "photo_again")["photo_again_error"]
    assert [error is None for error in errors] == (~there).tolist()


@pytest.mark.parametrize("name", INPUTS)
def test_noise_is_a_function_of_the_example_and_the_target_is_clean(name) -> None:
    heads = {"again": {"type": "reconstruction", "input": name, "noise": 0.3}}
    config = loaded({name: INPUTS[name]}, heads=heads)
    frame = load_frame(config)
    config, preprocessing = fit_config(config, frame)
    data = transform(config, frame, preprocessing)
    columns, order = data.splits["train"], TrainingOrder(0, len(frame.rows["train"]), 8)
    values = {}
    for step in (0, order.steps_per_epoch):
        for _ in range(2):
            [(inputs, targets)] = training_batches(config, columns, order, step, step + 1)
            clean = columns[config.columns[name]][order.step_rows(step)]
            spec: Any = config.inputs[name]
            expected = spec.reconstruction_target(spec.load(tf.constant(clean)))
            if name != "cells":  # Category dropout comes before.
                np.testing.assert_array_equal(targets["again"], expected)
                noisy = spec.reconstruction_target(inputs[name])
                assert (np.nan_to_num(noisy) != np.nan_to_num(expected)).any()
            before = values.setdefault(step, inputs[name].numpy())
            np.testing.assert_array_equal(inputs[name], before)
            assert inputs[name].dtype == spec.placeholder("x").dtype
    [(inputs, *_)] = [*evaluation_batches(config, columns)][:1]
    np.testing.assert_array_equal(
        inputs[name], spec.load(tf.constant(columns[config.columns[name]][: len(inputs[name])]))
    )


def test_noise_on_pixels_has_the_standard_deviation_that_was_asked_for() -> None:
    config = loaded(
        {"photo": {**IMAGE, "shape": [60, 60, 1]}},
        heads={"again": {"type": "reconstruction", "input": "photo", "noise": 0.1}},
    )
    randomness = Randomness(0, tf.constant(0, tf.int64), tf.range(4, dtype=tf.int64))
    images = tf.fill((4, 60, 60, 1), tf.constant(128, tf.uint8))
    noisy = config.heads["again"].noisy_inputs({"photo": images}, randomness)["photo"].numpy()
    assert noisy.std() == pytest.approx(25.5, rel=0.03)
    assert noisy.mean() == pytest.approx(128, abs=1)


@pytest.mark.parametrize(
    ("shape", "encoder", "maps"),
    [
        ([9, 7, 3], {"filters": [4, 8], "padding": "same"}, [(2, 1, 8), (4, 3, 4), (9, 7, 4)]),
        (
            [28, 28, 1],
            {"filters": [4, 8, 6], "pool": [2, 2, 1], "convolutions": [1, 2, 1], "units": [9, 5]},
            [(2, 2, 6), (4, 4, 8), (13, 13, 4), (28, 28, 4)],
        ),
    ],
)
def test_the_default_decoder_mirrors_the_encoder(shape, encoder, maps) -> None:
    config = loaded({"photo": {**IMAGE, "shape": shape, "encoder": {"type": "cnn", **encoder}}})
    model = build_model(config)
    decoder, pixels = model.get_layer("photo_again"), model.output["photo_again"]
    assert list(pixels.shape[1:]) == shape
    found = [layer.output.shape[1:] for layer in decoder.layers if len(layer.output.shape) == 4]
    assert [shape for shape in dict.fromkeys(found) if shape in maps] == maps
    convolutions = [one for one in decoder.layers if isinstance(one, keras.layers.Conv2D)]
    counts = encoder.get("convolutions", [1] * len(encoder["filters"]))
    assert len(convolutions) == sum(counts) + 1
    units = [one.units for one in decoder.layers if isinstance(one, keras.layers.Dense)]
    assert units == [*encoder.get("units", [])[-2::-1], np.prod(maps[0])]


def test_the_sizes_of_a_decoder_may_be_given() -> None:
    photo = {
        "type": "image",
        "shape": [28, 20, 3],
        "encoder": {"type": "lenet"},
        "decoder": {"filters": [8, 4], "units": [7]},
    }
    config = loaded({"photo": photo})
    model = build_model(config)
    shapes = [layer.output.shape[1:] for layer in model.get_layer("photo_again").layers]
    maps = [shape for shape in dict.fromkeys(shapes) if len(shape) == 3]
    assert maps == [(7, 5, 8), (14, 10, 8), (14, 10, 4), (28, 20, 4), (28, 20, 3)]


LENET = {**IMAGE, "shape": [28, 28, 1], "encoder": {"type": "lenet"}}
RNN = {**AUDIO, "encoder": {"type": "lstm"}}


@pytest.mark.parametrize(
    ("inputs", "head", "message"),
    [
        (
            {"photo": IMAGE},
            {"input": "foto"},
            "heads.again.input: unknown input 'foto'; did you mean 'photo'? There are: photo",
        ),
        (
            {"photo": LENET},
            {},
            "heads.again.input: inputs.photo has a lenet encoder, which cannot be mirrored: give "
            "its decoder, such as `decoder: {filters: [128, 64, 32]}`",
        ),
        ({"sound": RNN}, {"input": "sound"}, "inputs.sound has a lstm encoder"),
        (
            {"words": TEXT},
            {"input": "words", "loss": "mean_squared_error"},
            "heads.again.loss: expected token_cross_entropy or categorical, which inputs.words is",
        ),
        (
            {"photo": IMAGE},
            {"loss": "bernoulli", "std": 0.5},
            "heads.again.std: expected none, as it is that of `loss: gaussian`",
        ),
        (
            {"photo": IMAGE},
            {"noise": 2.0},
            "heads.again.noise: expected at most 1 for inputs.photo",
        ),
        (
            {"photo": IMAGE, "words": TEXT},
            {},
            "inputs.words.decoder: expected none, as no head rebuilds this input",
        ),
        ({"photo": {**IMAGE, "decoder": {"filters": []}}}, {}, "inputs.photo.decoder.filters"),
    ],
)
def test_errors_name_the_field_and_the_fix(inputs, head, message) -> None:
    with pytest.raises(ConfigError) as found:
        loaded(inputs, heads={"again": {"type": "reconstruction", "input": "photo", **head}})
    assert message in str(found.value)


def test_a_shared_encoder_is_mirrored_too() -> None:
    back = {"type": "image", "encoder": {"type": "shared", "input": "photo"}}
    config = loaded({"photo": IMAGE, "back": back})
    model = build_model(config)
    assert model.output["back_again"].shape == model.output["photo_again"].shape


def test_a_head_knows_the_inputs_of_its_own_config() -> None:
    config = loaded({"photo": IMAGE})
    larger = config.replace(inputs={"photo": config.inputs["photo"].replace(shape=(8, 8, 1))})
    for one, shape in ((config, (6, 6, 1)), (larger, (8, 8, 1))):
        head: Any = one.heads["photo_again"]
        assert head.rebuilds.shape == shape
    assert config == loaded({"photo": IMAGE})
    assert Reconstruction(input="photo").replace() == Reconstruction(input="photo")


# Whole runs.


def pairs() -> dict[str, Any]:
    """Images with a bright half, its name and brightness, which some rows lack, and its class."""
    random = np.random.RandomState(0)
    side = np.arange(ROWS) % 2
    images = random.randint(0, 60, (ROWS, 6, 6, 1)).astype(np.uint8)
    images[side == 0, :, :3] += 180
    images[side == 1, :, 3:] += 180
    names = [["left", "right"][one] if row % 5 else None for row, one in enumerate(side)]
    sizes = np.where(np.arange(ROWS) % 5, images.mean((1, 2, 3)), np.nan)
    return {"photo": images, "place": names, "size": sizes, "side": np.array(["l", "r"])[side]}


def experiment() -> dict[str, Any]:
    return {
        "name": "pairs",
        "source": {
            "type": "table",
            "path": "set by train",
            "split": {"validation": 0.2, "test": 0.2},
        },
        "inputs": {"photo": {**IMAGE, **OPTIONAL}, "cells": {**TABLE, **OPTIONAL}},
        "fusion": {"type": "concat", "units": [8], "activation": "linear"},
        "heads": {
            "photo_again": {"type": "reconstruction", "input": "photo", "noise": 0.05},
            "cells_again": {"type": "reconstruction", "input": "cells", "weight": 0.1},
            "side": {"type": "classification", "weight": 0.1},
        },
        "train": {
            "epochs": 2,
            "batch_size": 8,
            "checkpoint_seconds": 0.01,
            "optimizer": {"type": "adam", "learning_rate": 0.01},
        },
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The working directory, where the table in memory is written."""
    with pytest.MonkeyPatch.context() as patch:
        path = tmp_path_factory.mktemp("runs")
        patch.chdir(path)
        yield path


@pytest.fixture(scope="module")
def run(folder: Path) -> Run:
    return train(experiment(), pairs(), run=folder / "001", device="cpu")


def test_a_run_learns_and_records_the_error_of_each_input(run: Run) -> None:
    first, *_, last = run.history()
    for name in ("validation_photo_again_loss", "validation_cells_again_loss"):
        assert last[name] < first[name]
    test = run.metrics()["test"]
    for name, error in (("photo_again", "mean_squared_error"), ("cells_again", "cell_error")):
        assert test[name][error] == pytest.approx(test[name]["loss"], rel=1e-5)
    assert test["photo_again"]["examples"] == test["examples"]
    assert test["cells_again"]["examples"] < test["examples"]
    events = b"".join(path.read_bytes() for path in run.logs.rglob("events*"))
    assert b"photo_again/reconstructions" in events
    assert b"cells_again/reconstructions" in events


@pytest.mark.slow
def test_a_resume_is_exact(run: Run, folder: Path) -> None:
    """From the last checkpoint but one, as if the run had been killed after it."""
    killed = Run(folder / "002")
    shutil.copytree(run.directory, killed.directory)
    checkpoints = sorted(killed.last.glob("*.npz"))
    assert len(checkpoints) == 2
    checkpoints[-1].unlink()
    resumed = train(experiment(), pairs(), run=killed.directory, resume=True, device="cpu")
    assert resumed.history() == run.history()
    assert resumed.best_weights.read_bytes() == run.best_weights.read_bytes()
    assert resumed.metrics() == run.metrics()


def test_eval_compares_subsets_of_inputs_and_shows_both(run: Run) -> None:
    result = CliRunner().invoke(cli, ["eval", str(run.directory), "--modalities"])
    assert result.exit_code == 0, result.output
    folder = run.evaluation("test")
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert page.count("Originals and reconstructions") >= 2
    assert "place right" in page
    assert (folder / "photo_again_reconstructions.png").is_file()
    rows = json.loads((folder / "modalities.json").read_text())["rows"]
    found = {(row["head"], row["variant"], row["condition"]): row for row in rows}
    whole = found["photo_again", "all", ""]
    error = run.metrics()["test"]["photo_again"]["mean_squared_error"]
    assert whole["metric"] == "mean_squared_error"
    assert whole["value"] == pytest.approx(error, rel=1e-5)
    assert found["photo_again", "cells alone", "absent"]["value"] != whole["value"]
    assert "photo_again: mean squared error" in result.output
    with (folder / "predictions.csv").open() as file:
        written = [*csv.DictReader(file)]
    mean = np.mean([float(row["photo_again_error"]) for row in written])
    assert mean == pytest.approx(error, rel=1e-5)
    assert any(row["cells_again_error"] == "" for row in written)


def test_predict_gives_the_error_of_each_row(run: Run) -> None:
    data = pairs()
    columns = predict(run, data=data, device="cpu")
    there = np.array([place is not None for place in data["place"]])
    errors = columns["cells_again_error"]
    np.testing.assert_array_equal([error is not None for error in errors], there)
    missing = ~there
    given = {
        "photo": data["photo"][missing],
        "photo_present": np.ones(missing.sum(), "float32"),
        "cells": np.zeros((missing.sum(), 2), "float32"),
        "cells_present": np.zeros(missing.sum(), "float32"),
    }
    rebuilt = load_model(run)(given)["photo_again"].numpy()
    expected = ((rebuilt - data["photo"][missing] / 255) ** 2).mean((1, 2, 3))
    found = np.array(columns["photo_again_error"])[missing]
    np.testing.assert_allclose(found, expected, rtol=1e-4)


@pytest.mark.slow
def test_a_smoke_test_of_one_input_monitors_the_loss(tmp_path: Path) -> None:
    config = loaded({"photo": IMAGE})
    assert config.monitor() == "validation_loss"
    done = train(config, run=tmp_path / "001", smoke=True, device="cpu")
    evaluation = done.metrics()["test"]
    assert evaluation["loss"] == pytest.approx(
        evaluation["photo_again"]["mean_squared_error"], rel=1e-5
    )
