"""Every config in `configs/`: found by itself, valid, and trained from the file to predictions."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mmzoo.batches import evaluation_batches
from mmzoo.config import Config, load_config
from mmzoo.data.datasets import AV_DIGITS, NAMED
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
"""Those that promise to have fewer than 100,000 parameters."""


def test_there_are_configs():
    assert len(PATHS) >= 8
    assert {path.stem for path in PATHS} >= {*PARAMETERS, *SMALL}


def test_every_yaml_file_is_looked_at():
    assert not list(FOLDER.rglob("*.yml")), "a config ends in .yaml"


@pytest.fixture(params=PATHS, ids=lambda path: str(path.relative_to(FOLDER)))
def path(request) -> Path:
    return request.param


@pytest.fixture
def config(path: Path) -> Config:
    return load_config(path)


def test_a_config_has_the_name_of_its_file(path, config):
    assert config.name == path.stem


def test_a_config_begins_with_what_it_is_and_the_command(path):
    """A sentence that `mmzoo list configs` shows, then the command, then what came of it."""
    lines = path.read_text(encoding="utf-8").splitlines()
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


def test_a_config_begins_with_the_command_that_gets_its_data(path, config):
    text = path.read_text(encoding="utf-8")
    if config.source.type in ("folder", "table"):
        assert f"{path.name} --set source.path=" in text
    elif NAMED.get(getattr(config.source, "name", ""), AV_DIGITS).size:
        name = getattr(config.source, "name", "av_digits")
        assert f"#   mmzoo data fetch {name}\n#   mmzoo train " in text
    else:
        assert f"{path.name}  # The data comes with scikit-learn.\n" in text


def test_a_config_is_tidy_text(path):
    text = path.read_text(encoding="utf-8")
    assert "\t" not in text
    assert text.endswith("\n")
    assert not text.endswith("\n\n")
    assert max(map(len, text.splitlines())) <= 100


def test_a_config_round_trips(path, config, tmp_path):
    again = tmp_path / path.name
    again.write_text(dump_yaml(config), encoding="utf-8")
    assert load_config(again) == config


def test_a_config_finds_the_columns_of_its_data(config):
    named = config.with_columns()
    assert all(head.column for head in named.heads.values())
    assert all(spec.source_columns() for spec in named.inputs.values())


QUICK = {
    *("mnist_cnn", "mnist_best", "mnist_alexnet", "fashion_resnet", "mobilenet_v2_transfer"),
    *("imdb_fasttext", "imdb_cnn", "imdb_lstm", "thucnews_char", "imdb_multitask", "fsdd_cnn"),
    *("breast_cancer_mlp", "diabetes_mlp", "easy_vqa_film", "av_digits_gated"),
    "av_digits_decision",
}
"""One or two of each kind of network and data; all of them would take minutes."""


@pytest.mark.parametrize(
    "path",
    [pytest.param(p, marks=() if p.stem in QUICK else pytest.mark.slow) for p in PATHS],
    ids=lambda path: path.stem,
)
def test_a_config_trains_saves_and_loads_to_equal_predictions(path, tmp_path):
    config = load_config(path)
    # With one epoch the best weights are the last, which the exact checkpoint has bit for bit.
    run = train(config, run=tmp_path / "run", smoke=True)
    assert run.metrics()["test"]["examples"] > 0
    staged = config.train.fine_tune is not None
    assert run.history()[-1]["step"] == (4 if staged else 2)
    best, fitted = load_trained(run)
    last, _ = load_trained(run, "last")
    data = transform(fitted, load_frame(fitted), run.preprocessing())
    untrained = build_model(fitted)
    for inputs, _targets in evaluation_batches(fitted, data.splits["test"]):
        for name in fitted.heads:
            said = best(inputs, training=False)[name].numpy()
            assert np.isfinite(said).all()
            assert (said != untrained(inputs, training=False)[name].numpy()).any()
            # Of moving averages `best` has the averaged weights, of two epochs perhaps the first's.
            if fitted.train.ema is None and not staged:
                np.testing.assert_array_equal(said, last(inputs, training=False)[name].numpy())


def test_networks_have_the_parameters_that_they_promise():
    for name, expected in PARAMETERS.items():
        assert parameters(name) == expected, name
    for name in SMALL:
        assert parameters(name) < 100_000, name


def parameters(name: str) -> int:
    config = load_config(next(path for path in PATHS if path.stem == name))
    assert all(head.is_fitted for head in config.heads.values())
    return build_model(config.with_columns()).count_params()
