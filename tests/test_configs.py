"""Every config in `configs/` is valid; one or two of each kind are trained, saved and loaded."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mmzoo.config import Config, load_config
from mmzoo.data.datasets import AV_DIGITS, NAMED
from mmzoo.evaluation.evaluate import evaluate_model
from mmzoo.lazy import keras
from mmzoo.modalities.run_encoder import RunEncoder
from mmzoo.model import build_model
from mmzoo.preprocessing import load_frame, transform
from mmzoo.spec import dump_yaml
from mmzoo.trained_model import load_trained
from mmzoo.training.train import train

FOLDER = Path(__file__).parents[1] / "configs"
PATHS = sorted(FOLDER.rglob("*.yaml"))

PARAMETERS = {
    # Each as `test_model.py` counts it by hand.
    "mnist_cnn": 61_514,
    "mnist_cnn_dense": 121_930,
    "mnist_cnn_tiny": 54_410,
    "mnist_lenet": 61_706,
    # As their heads say.
    "fashion_resnet": 176_090,
    "mnist_alexnet": 278_330,
    "mnist_inception": 55_370,
    "mnist_vgg": 614_490,
}
SMALL = ("fashion_cnn", "mnist_best", "mnist_fast")
"""Networks that state fewer than 100,000 parameters."""


def test_there_are_configs():
    assert len(PATHS) >= 8
    assert {path.stem for path in PATHS} >= {*PARAMETERS, *SMALL}


def test_every_yaml_file_is_covered():
    assert not list(FOLDER.rglob("*.yml")), "a config ends in .yaml"


every_config = pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)


@every_config
def test_a_config_is_named_after_its_file_and_round_trips(path, tmp_path):
    config = load_config(path)
    assert config.name == path.stem
    again = tmp_path / path.name
    again.write_text(dump_yaml(config), encoding="utf-8")
    assert load_config(again) == config
    named = config.with_columns()
    assert all(head.column for head in named.labelled_heads.values())
    assert all(spec.source_columns() for spec in named.inputs.values())


@every_config
def test_config_comments_have_a_sentence_the_command_and_the_result(path):
    text = path.read_text(encoding="utf-8")
    assert "\t" not in text
    assert text.endswith("\n")
    assert not text.endswith("\n\n")
    assert max(map(len, text.splitlines())) <= 100
    lines = text.splitlines()
    head = lines[: next(i for i, line in enumerate(lines) if not line.startswith("#"))]
    assert head, "no comment at the top"
    first = head[0].removeprefix("# ")
    assert first[0].isupper() or first.startswith("fastText")
    assert first.endswith(".")
    relative = path.relative_to(FOLDER.parent)
    # A folder of one's own is named by an option after it.
    [command] = [line.strip("# ") for line in head if "mmzoo train" in line]
    assert f"{command} ".startswith(f"mmzoo train {relative} ")
    assert len(head) > 2, "what accuracy, in what time?"


@every_config
def test_a_config_begins_with_the_command_that_gets_its_data(path):
    text, config = path.read_text(encoding="utf-8"), load_config(path)
    if config.source.type in ("folder", "table"):
        assert f"{path.name} --set source.path=" in text
    elif NAMED.get(getattr(config.source, "name", ""), AV_DIGITS).size:
        name = getattr(config.source, "name", "av_digits")
        assert f"#   mmzoo data fetch {name}\n#   mmzoo train " in text
    else:
        assert f"{path.name}  # The data comes with scikit-learn.\n" in text


QUICK = {
    *("mnist_cnn", "diabetes_mlp", "easy_vqa_film"),
}
"""One or two of each kind of network and data; all of them would take minutes."""


@pytest.mark.parametrize(
    "path",
    [pytest.param(p, marks=() if p.stem in QUICK else pytest.mark.slow) for p in PATHS],
    ids=lambda path: path.stem,
)
def test_a_config_trains_saves_and_loads_to_equal_predictions(path, tmp_path, monkeypatch):
    config = load_config(path)
    monkeypatch.chdir(tmp_path)
    for before in runs_to_start_from(config):
        train(load_config(FOLDER / f"{before.name}.yaml"), run=before, smoke=True)
    # With one epoch the best weights are the last, which the exact checkpoint has bit for bit.
    run = train(config, run=tmp_path / "run", smoke=True)
    staged = config.train.fine_tune is not None
    assert run.history()[-1]["step"] == (4 if staged else 2)
    best, fitted = load_trained(run)
    data = transform(fitted, load_frame(fitted), run.preprocessing())
    metrics, found = run.metrics()["test"], evaluate_model(best, fitted, data, "test")
    assert np.isfinite(metrics["loss"])
    assert found.loss == pytest.approx(metrics["loss"], rel=1e-5)
    for name in fitted.heads:
        assert np.isfinite(found.predictions[name]).all()
    assert differing(best, build_model(fitted))
    # Of moving averages `best` has the averaged weights, of two epochs perhaps the first's.
    if fitted.train.ema is None and not staged:
        assert not differing(best, load_trained(run, "last")[0])


def runs_to_start_from(config: Config) -> set[Path]:
    """The runs whose encoders a config starts from; `runs/<name>` is that of another config."""
    encoders = [spec.encoder for spec in config.inputs.values()]
    return {Path(encoder.path) for encoder in encoders if isinstance(encoder, RunEncoder)}


def differing(model: keras.Model, other: keras.Model) -> list[str]:
    """Paths of the weights that are not equal."""
    pairs = zip(model.weights, other.weights, strict=True)
    return [one.path for one, two in pairs if (one.numpy() != two.numpy()).any()]


def test_networks_have_the_stated_parameter_counts():
    for name, expected in PARAMETERS.items():
        assert parameters(name) == expected, name
    for name in SMALL:
        assert parameters(name) < 100_000, name


def parameters(name: str) -> int:
    config = load_config(next(path for path in PATHS if path.stem == name))
    assert all(head.is_fitted for head in config.heads.values())
    return build_model(config.with_columns()).count_params()
