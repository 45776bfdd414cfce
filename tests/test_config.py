"""Configs: rules across their parts, and fields inferred from the data."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mmzoo.config import Config, load_config
from mmzoo.data import Synthetic
from mmzoo.data.frame import Frame, table_of
from mmzoo.errors import ConfigError, DataError
from mmzoo.optimizers import SGD, Adam
from mmzoo.preprocessing import fit_config, load_frame, scan, transform
from mmzoo.schedules import Constant
from mmzoo.spec import dump_yaml, field_notes, load_spec

IMAGE = {"type": "image", "shape": [8, 8, 1], "encoder": {"type": "cnn", "filters": [4]}}
CLASSES = {"type": "classification"}


def config(**fields) -> Config:
    return load_config(values(**fields))


def values(**fields) -> dict[str, Any]:
    """Values of a small config with some fields replaced."""
    return {
        "name": "x",
        "source": {"type": "dataset", "name": "cifar100"},
        "inputs": {"image": IMAGE},
        "heads": {"label": CLASSES},
        **fields,
    }


def problems(**fields) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        config(**fields)
    return str(caught.value).splitlines()


def data(train: dict, test: dict | None = None, names=()) -> Frame:
    splits = {"train": train, "validation": test or train, "test": test or train}
    arrays = {
        split: {column: np.asarray(rows) for column, rows in columns.items()}
        for split, columns in splits.items()
    }
    return Frame(table_of(arrays), "things", "f" * 64, class_names=dict(names))


def fit(spec: Config, found: Frame) -> Config:
    return fit_config(spec, scan(spec, found))[0]


PIXELS = np.zeros((3, 8, 8, 1), "uint8")


# Loading.


def test_a_file_a_text_path_and_a_mapping_give_the_same_config(tmp_path):
    path = tmp_path / "x.yaml"
    path.write_text(dump_yaml(config()))
    assert load_config(path) == load_config(str(path)) == config()


def test_overrides_are_validated_like_the_file():
    assert load_config(values(), ["train.epochs=3", "heads.label.classes=7"]).train.epochs == 3
    with pytest.raises(ConfigError) as caught:
        load_config(values(), ["train.epochs=0"])
    assert str(caught.value) == (
        "--set train.epochs=0: train.epochs: expected a whole number of at least 1, got number 0"
    )


def test_full_config_round_trips_through_yaml(tmp_path):
    full = config(
        source={"type": "dataset", "name": "cifar10", "fallback": "digits", "validation": 0.2},
        inputs={
            "image": {**IMAGE, "augment": [{"type": "flip"}, {"type": "erasing"}]},
            "other": {**IMAGE, "column": "image", "resize": "pad"},
        },
        fusion={"type": "concat", "units": [16, 8], "dropout": 0.25},
        heads={
            "label": {"type": "classification", "class_weights": {"cat": 2.0, "yes": 1e-3}},
            "is_cat": {"type": "binary", "column": "label", "positive": ["cat", "no"]},
        },
        train={
            "optimizer": {
                "type": "sgd",
                "nesterov": True,
                "clip_norm": 1.0,
                "schedule": {"type": "step", "epochs": [1, 2.5]},
            },
            "early_stopping": {"patience": 2},
            "ema": 0.99,
            "monitor": "validation_is_cat_auc",
        },
    )
    path = tmp_path / "x.yaml"
    path.write_text(dump_yaml(full))
    assert load_spec(Config, path) == full
    assert dump_yaml(load_spec(Config, path)) == path.read_text()


def test_defaults_are_those_of_tutorials():
    train = config().train
    assert (train.epochs, train.batch_size, train.seed) == (10, 64, 0)
    assert (train.optimizer.type, train.optimizer.learning_rate) == ("adam", 1e-3)
    assert config().evaluation_batch_size == 256


@pytest.mark.parametrize("name", ["", "my net", "../up", "a/b", "1st", "-x", "é", "x" * 65, "."])
def test_name_is_valid_for_folders_layers_and_columns(name):
    [line] = problems(name=name)
    assert line.startswith("name: expected text")
    assert problems(inputs={name: IMAGE})[0].startswith("inputs.")
    assert problems(heads={name: CLASSES})[0].startswith("heads.")


def test_inputs_and_heads_must_not_be_empty():
    assert problems(inputs={}, heads={}) == [
        "inputs: expected a mapping of 1 or more names to mappings, got an empty mapping",
    ]
    assert problems(heads={}) == [
        "heads: expected at least one head, which predicts something; got none"
    ]


@pytest.mark.parametrize(
    ("override", "fix"),
    [
        ("train.early_stopping=true", "{patience: 5}"),
        ("train.early_stopping=3", "{patience: 3}"),
        ("train.early_stopping=false", "null"),
        ("train.fine_tune=2", "{epochs: 2}"),
        ("train.frozen_features=memory", "{keep: memory}"),
        ("source={type: table, path: t.csv, split: 0.2}", "{validation: 0.2}"),
    ],
)
def test_a_scalar_in_place_of_a_section_shows_what_to_write(override, fix):
    with pytest.raises(ConfigError) as caught:
        load_config(values(), [override])
    assert str(caught.value).endswith(f"; write {fix}")


# Names.


@pytest.mark.parametrize(
    ("name", "file"),
    [
        *((name, "metrics.json") for name in ("data", "examples", "loss")),
        *((name, "predictions.csv") for name in ("file", "row")),
    ],
)
def test_head_name_must_not_clash_with_run_files(name, file):
    assert problems(heads={name: CLASSES}) == [
        f"heads.{name}: {file} has its own '{name}': choose another name"
    ]


@pytest.mark.parametrize("name", ["label_true", "label_probability"])
def test_head_name_must_not_clash_with_prediction_columns(name):
    assert problems(heads={"label": CLASSES, name: {**CLASSES, "column": "coarse_label"}}) == [
        f"heads.{name}: predictions.csv has a column '{name}' of another head: choose another name"
    ]
    config(heads={name: {**CLASSES, "column": "label"}})  # Alone it may.


def test_head_name_must_not_equal_an_input():
    assert problems(heads={"image": CLASSES}) == [
        "heads.image: an input has the same name: choose another name"
    ]


@pytest.mark.parametrize("name", ["image_encoder", "concat", "fusion_dense1", "fusion_dropout2"])
def test_names_must_not_clash_with_layers(name):
    words = f"the model has its own layer '{name}': choose another name"
    assert problems(heads={name: CLASSES}) == [f"heads.{name}: {words}"]
    inputs = {"image": IMAGE, name: {**IMAGE, "column": "image"}}
    assert problems(inputs=inputs) == [f"inputs.{name}: {words}"]


def test_all_violated_rules_are_reported_at_once():
    lines = problems(
        heads={"loss": {**CLASSES, "column": "nothing"}}, train={"monitor": "accuracy"}
    )
    assert [line.split(":")[0] for line in lines] == [
        *("heads.loss", "heads.loss.column", "train.monitor")
    ]


# Columns.


def test_missing_columns():
    assert problems(
        inputs={"image": {**IMAGE, "column": "img"}}, heads={"fine": {**CLASSES, "column": "fine"}}
    ) == [
        "inputs.image.column: the data has no column 'img'; did you mean 'image'? "
        "It has: image, label, coarse_label",
        "heads.fine.column: the data has no column 'fine'; it has: image, label, coarse_label",
    ]


def test_synthetic_data_has_every_column():
    free = config(source={"type": "synthetic"}, heads={"a": {**CLASSES, "column": "whatever"}})
    assert free.with_columns().columns == {"image": "image", "a": "whatever"}
    assert config(source={"type": "synthetic"}, heads={"a": CLASSES}).with_columns().columns == {
        "image": "image",
        "a": "a",
    }


def test_parts_find_their_columns():
    """By name, otherwise the first of their type; a named column stays."""
    found = config(
        inputs={"photo": IMAGE},
        heads={
            "coarse_label": CLASSES,
            "kind": CLASSES,
            "group": {**CLASSES, "column": "coarse_label"},
        },
    ).with_columns()
    assert found.columns == {
        "photo": "image",
        "coarse_label": "coarse_label",
        "kind": "label",
        "group": "coarse_label",
    }
    assert found.with_columns() == found


def test_required_columns_have_synthetic_generators():
    required = config(heads={"label": {**CLASSES, "classes": 4}}).with_columns().required_columns()
    assert set(required) == {"image", "label"}
    random = np.random.RandomState(0)
    assert required["image"].synthetic(random, 5).shape == (5, 8, 8, 1)
    assert set(required["label"].synthetic(random, 50)) == {0, 1, 2, 3}


def test_requirements_for_one_column_are_merged():
    """A head with a class order shares it with the other one, whichever comes first."""
    named = {**CLASSES, "column": "label", "class_names": ["a", "b"]}
    other = {"type": "binary", "column": "label", "positive": ["b"]}
    for heads in ({"x": named, "y": other}, {"x": other, "y": named}):
        assert config(heads=heads).with_columns().required_columns()["label"].names == ("a", "b")
    tables = {
        name: {"type": "tabular", "columns": {"x": kind}}
        for name, kind in (("a", "category"), ("b", "auto"))
    }
    text = {"type": "text", "column": "x", "encoder": {"type": "embedding"}}
    synthetic_data = {"source": {"type": "synthetic"}}
    assert (
        config(**synthetic_data, inputs=tables).with_columns().required_columns()["x"].role
        == "category"
    )
    three = config(**synthetic_data, inputs={"c": text, **tables}).with_columns()
    assert three.required_columns()["x"].role == "text"


@pytest.mark.parametrize(
    ("parts", "problem"),
    [
        (
            {"heads": {"x": CLASSES, "y": {"type": "multilabel", "column": "x"}}},
            "heads.y: reads column 'x' as multiple labels per row, but heads.x as classes. Use "
            "different columns; you can duplicate the column in the data.",
        ),
        (
            {"heads": {"x": {**CLASSES, "column": "image"}}},
            "heads.x: predicts column 'image', which inputs.image reads: that would leak the "
            "target into the input. Choose another column.",
        ),
        (
            {
                "heads": {
                    "x": {**CLASSES, "column": "z", "class_names": ["a", "b"]},
                    "y": {**CLASSES, "column": "z", "class_names": ["b", "a"]},
                }
            },
            "heads.y.class_names: expected those of heads.x, in the same order, since both read "
            "column 'z'",
        ),
    ],
)
def test_conflicting_requirements_for_a_column(parts, problem):
    synthetic_data = config(source={"type": "synthetic"}, **parts).with_columns()
    with pytest.raises(ConfigError) as caught:
        synthetic_data.required_columns()
    assert str(caught.value) == problem


# What is watched.


def test_default_monitor():
    assert config().monitor() == "validation_label_accuracy"
    two = config(heads={"label": CLASSES, "coarse_label": CLASSES})
    assert two.monitor() == "validation_loss"
    named = config(
        heads={"label": CLASSES, "coarse_label": CLASSES},
        train={"monitor": "validation_coarse_label_accuracy"},
    )
    assert named.monitor() == "validation_coarse_label_accuracy"


def test_unknown_monitor():
    assert problems(train={"monitor": "validation_label_acuracy"}) == [
        "train.monitor: unknown metric 'validation_label_acuracy'; "
        "did you mean 'validation_label_accuracy'? "
        "There are: validation_loss, validation_label_accuracy"
    ]
    assert problems(train={"monitor": "zzz"}) == [
        "train.monitor: unknown metric 'zzz'. There are: validation_loss, validation_label_accuracy"
    ]


# Mixing.


def test_mixing_makes_targets_soft():
    assert not config().soft_targets
    assert config(train={"mixing": {"type": "mixup"}}).soft_targets


@pytest.mark.parametrize("weights", ["auto", {"cat": 2.0}])
@pytest.mark.parametrize("head", ["classification", "binary"])
def test_mixing_excludes_class_weights(head, weights):
    assert problems(
        heads={"label": {"type": head, "class_weights": weights}},
        train={"mixing": {"type": "cutmix"}},
    ) == [
        "train.mixing: cannot be combined with heads.label.class_weights: a mixture has no "
        "single class"
    ]


# Fitting.


def test_open_fields_are_inferred_from_the_data():
    found = data({"image": PIXELS, "label": [0, 2, 1]}, names={"label": ("a", "b", "c")})
    head = fit(config().with_columns(), found).heads["label"]
    assert (head.classes, head.class_names) == (3, ("a", "b", "c"))


def test_refitting_a_fitted_config_changes_nothing():
    """The fitted config is stored in the run and can be trained again."""
    found = data({"image": PIXELS, "label": [0, 2, 1]}, names={"label": ("a", "b", "c")})
    weighted = config(heads={"label": {**CLASSES, "class_weights": "auto"}})
    fitted = fit(weighted.with_columns(), found)
    assert fit(fitted, found) == fitted
    assert load_config(fitted.model_dump()) == fitted


def error_message(found: Frame, **fields) -> str:
    spec = config(**fields).with_columns()
    with pytest.raises(DataError) as caught:
        fit_and_transform(spec, found)
    return str(caught.value)


def fit_and_transform(spec: Config, found: Frame) -> None:
    frame = scan(spec, found)
    fitted, preprocessing = fit_config(spec, frame)
    transform(fitted, frame, preprocessing)


def test_invalid_labels_are_located():
    found = data({"image": PIXELS, "label": [0, 2, 5]})
    assert error_message(found, heads={"kind": {**CLASSES, "classes": 4}}) == (
        "heads.kind, column 'label' of things: row 2 has class 5; expected 0 to 3"
    )


def test_invalid_labels_of_another_split():
    found = data({"image": PIXELS, "label": [0, 2, 1]}, {"image": PIXELS, "label": [0, 1, 3]})
    assert error_message(found) == (
        "label, column 'label' of things, validation: row 2 has class 3; expected 0 to 2"
    )


def test_invalid_images():
    found = data({"image": PIXELS.astype("float32"), "label": [0, 2, 1]})
    assert error_message(found).startswith(
        "image, column 'image' of things: expected pixels from 0 to 255 as uint8"
    )


def test_cifar100_coarse_labels():
    """Two heads, each with the names of its own column."""
    found = data(
        {"image": PIXELS, "label": [5, 99, 0], "coarse_label": [3, 19, 0]},
        names={
            "label": tuple(f"thing{n}" for n in range(100)),
            "coarse_label": tuple(f"group{n}" for n in range(20)),
        },
    )
    heads = {"label": CLASSES, "coarse_label": {**CLASSES, "weight": 0.5}}
    fitted = fit(config(heads=heads).with_columns(), found)
    assert [head.classes for head in fitted.heads.values()] == [100, 20]
    assert fitted.heads["coarse_label"].class_names[19] == "group19"


# Smoke.


def test_smoke_trains_two_steps_on_synthetic_data():
    smoke = config(train={"epochs": 50, "batch_size": 20, "early_stopping": {}}).smoke()
    assert smoke.name == "x_smoke"
    assert isinstance(smoke.source, Synthetic)
    assert smoke.train.epochs == 1
    found = load_frame(smoke.with_columns())
    assert found.examples("train") == 2 * 20


def test_smoke_keeps_the_parts_of_its_config():
    spec = config(train={"mixing": {"type": "mixup"}})
    smoke = spec.smoke()
    assert (smoke.inputs, smoke.fusion, smoke.heads) == (spec.inputs, spec.fusion, spec.heads)
    in_memory = spec.train.frozen_features.replace(keep="memory")
    assert smoke.train == spec.train.replace(epochs=1, frozen_features=in_memory)


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("batch_size", [1, 2, 64])
def test_smoke_data_fits_heads_of_all_kinds(batch_size, seed):
    smoke = config(
        source={"type": "dataset", "name": "cifar10"},
        heads={
            "label": {"type": "classification", "class_weights": {"cat": 2.0}},
            "few": {"type": "classification", "classes": 2},
            "many": {"type": "classification", "classes": 500},
            "is_cat": {"type": "binary", "positive": ["cat"], "class_weights": {"cat": 2.0}},
            "tags": {"type": "multilabel"},
            "price": {"type": "regression", "dim": 3},
        },
        train={"batch_size": batch_size, "seed": seed},
    ).smoke()
    smoke = smoke.replace(heads={n: h.replace(column=n) for n, h in smoke.heads.items()})
    smoke = smoke.with_columns()
    fitted, _ = fit_config(smoke, load_frame(smoke))
    assert all(head.is_fitted for head in fitted.heads.values())


def test_a_long_name_stays_within_its_limit():
    assert len(config(name="x" * 64).smoke().name) == 64


# The tree.


def test_every_field_has_a_note():
    for spec in (Config, type(config().train), type(config(train={"early_stopping": {}}).train)):
        assert set(field_notes(spec)) == set(spec.model_fields), spec.__name__


def test_every_problem_has_a_path():
    for lines in (problems(train={"batch_size": 0}), problems(heads={"data": CLASSES})):
        assert all(re.match(r"[a-z_.]+: \S", line) for line in lines)


def test_a_problem_of_a_file_has_its_line(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("x.yaml").write_text(
        "name: x\n"
        "source: {type: dataset, name: digits}\n"
        "inputs:\n"
        "  image: {type: image, shape: [28, 28, 1], encoder: {type: lenet}}\n"
        "heads:\n"
        "  image: {type: classification}\n"
        "train: {monitor: validation_los}\n"
    )
    with pytest.raises(ConfigError) as caught:
        load_config("x.yaml")
    assert str(caught.value).splitlines() == [
        "x.yaml:6:10: heads.image: an input has the same name: choose another name",
        "x.yaml:7:18: train.monitor: unknown metric 'validation_los'; "
        "did you mean 'validation_loss'? There are: validation_loss, validation_image_accuracy",
    ]


def test_unknown_field_does_not_hide_cross_part_problems(tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text(
        "name: x\n"
        "source: {type: dataset, name: digits}\n"
        "inputs:\n"
        "  image: {type: image, shape: [8, 8, 1], encoder: {type: cnn, filters: [4]}}\n"
        "heads:\n"
        "  loss: {type: classification, clases: 10}\n"
        "train: {epohcs: 3, monitor: validation_lss}\n",
        encoding="utf-8",
    )
    with pytest.raises(ConfigError) as caught:
        load_config(path)
    places = [line.split(": ")[:2] for line in str(caught.value).splitlines()]
    assert places == [
        [f"{path}:6:9", "heads.loss"],
        [f"{path}:6:32", "heads.loss.clases"],
        [f"{path}:7:9", "train.epohcs"],
        [f"{path}:7:29", "train.monitor"],
    ]


def test_set_changes_a_default_component_without_its_type(tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text(
        "name: x\n"
        "source: {type: dataset, name: digits}\n"
        "inputs: {image: {type: image, shape: [8, 8, 1], encoder: {type: cnn, filters: [4]}}}\n"
        "heads: {digit: {type: classification}}\n",
        encoding="utf-8",
    )
    config = load_config(
        path, ["train.optimizer.learning_rate=0.01", "train.optimizer.schedule.warmup=0.1"]
    )
    assert config.train.optimizer == Adam(learning_rate=0.01, schedule=Constant(warmup=0.1))
    config = load_config(path, ["train.optimizer.type=sgd", "train.optimizer.schedule.warmup=0.1"])
    assert config.train.optimizer == SGD(schedule=Constant(warmup=0.1))
    with pytest.raises(ConfigError, match=r"inputs\.image\.encoder\.type: missing"):
        load_config(path, ["inputs.image.encoder=null", "inputs.image.encoder.filters=[3]"])


@pytest.mark.parametrize(
    "override",
    [
        "train.batch_size=99999999999999999999999",
        "inputs.image.encoder.filters.0=10000000000",
        "inputs.image.encoder.kernel_size=2147483648",
        "heads.digit.classes=10000000000",
    ],
)
def test_too_large_integers_are_rejected(tiny, override):
    field, _, number = override.partition("=")
    with pytest.raises(ConfigError) as caught:
        load_config(tiny, [override])
    assert str(caught.value) == (
        f"--set {override}: {field}: expected a number of at most 2147483647, which is what "
        f"TensorFlow counts to; got number {number}"
    )


def test_largest_integers_are_accepted(tiny):
    config = load_config(tiny, ["train.batch_size=2147483647", "train.seed=4294967295"])
    assert (config.train.batch_size, config.train.seed) == (2**31 - 1, 2**32 - 1)


@pytest.mark.parametrize(
    ("heads", "train", "paths"),
    [
        pytest.param(
            {"loss": {"type": "classification"}},
            {"epochs": 0, "monitor": "zz"},
            ["heads.loss", "train.epochs", "train.monitor"],
            id="a value",
        ),
        pytest.param(
            {"digit": {"type": "classification"}},
            {"ema": 1, "monitor": "validation_los"},
            ["train.ema", "train.monitor"],
            id="a value that may be null",
        ),
        pytest.param(
            {"loss": {"type": "classification", "label_smoothing": 2, "clases": 3}},
            {"optimizer": {"type": "adm", "learning_rate": 0}},
            [
                *("heads.loss", "heads.loss.clases", "heads.loss.label_smoothing"),
                "train.optimizer.type",
            ],
            id="values, a name and a type",
        ),
        pytest.param(
            {"digit": {"type": "classification", "class_names": 3, "classes": 1}},
            {"epochs": 0, "monitor": 5},
            ["heads.digit.class_names", "heads.digit.classes", "train.epochs", "train.monitor"],
            id="nothing else",
        ),
        pytest.param(
            {"loss": {"type": "classifcation"}},
            {"monitor": "zz"},
            ["heads.loss.type"],
            id="what has no default hides the rest",
        ),
    ],
)
def test_invalid_value_does_not_hide_cross_part_problems(tiny, heads, train, paths):
    with pytest.raises(ConfigError) as caught:
        load_config({**tiny, "heads": heads, "train": train})
    assert sorted(line.partition(": ")[0] for line in str(caught.value).splitlines()) == paths


@pytest.mark.parametrize("key", ["train.monitor", "heads.digit.column", "name", "heads.digit.loss"])
def test_long_values_are_truncated(tiny, key):
    with pytest.raises(ConfigError) as caught:
        load_config(tiny, [f"{key}={'x' * 5000}"])
    assert len(str(caught.value)) < 300
    assert f"'{'x' * 57}...'" in str(caught.value)


def test_a_data_set_is_not_a_config(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError) as caught:
        load_config("wine")
    assert str(caught.value) == (
        "wine: a data set, not a config; write a config with `source: {type: dataset, name: wine}`"
    )
    Path("configs").mkdir()
    Path("configs/a.yaml").write_text("name: a\nsource: {type: dataset, name: wine}\n")
    Path("configs/b.yaml").write_text("name: b\nsource:\n  type: dataset\n  name: wine\n")
    Path("configs/c.yaml").write_text("name: wine\nsource: {type: dataset, name: wine_2}\n")
    with pytest.raises(ConfigError) as caught:
        load_config("wine")
    assert str(caught.value) == (
        "wine: a data set, not a config; configs that use it: configs/a.yaml, configs/b.yaml"
    )
