"""Model summaries: layers, parameters and FLOPs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from mmzoo.errors import ConfigError, RunError
from mmzoo.model_summary import ModelSummary, summarize

CONFIGS = Path(__file__).parents[1] / "configs"


@pytest.fixture(scope="module")
def lenet() -> ModelSummary:
    return summarize(CONFIGS / "mnist_lenet.yaml")


def test_layers_are_listed_in_order_with_sub_models(lenet):
    rows = [(row.name, row.kind, row.output, row.parameters) for row in lenet.layers]
    assert rows == [
        ("image", "InputLayer", "28 x 28 x 1", 0),
        ("image_encoder/rescaling", "Rescaling", "28 x 28 x 1", 0),
        ("image_encoder/conv1", "Conv2D", "28 x 28 x 6", 156),
        ("image_encoder/pool1", "AveragePooling2D", "14 x 14 x 6", 0),
        ("image_encoder/conv2", "Conv2D", "10 x 10 x 16", 2_416),
        ("image_encoder/pool2", "AveragePooling2D", "5 x 5 x 16", 0),
        ("image_encoder/flatten", "Flatten", "400", 0),
        ("image_encoder/dense1", "Dense", "120", 48_120),
        ("image_encoder/dense2", "Dense", "84", 10_164),
        ("image_encoder/tokens", "Reshape", "25 x 16", 0),
        ("digit", "Dense", "10", 850),
    ]
    assert lenet.parameters == lenet.trainable == sum(row[3] for row in rows) == 61_706


def test_flops_equal_a_count_by_hand(lenet):
    # A multiplication and an addition for each weight at each place, and an addition of each bias.
    places = {"conv1": 28 * 28, "conv2": 10 * 10, "dense1": 1, "dense2": 1, "digit": 1}
    weights = {"conv1": 150, "conv2": 2_400, "dense1": 48_000, "dense2": 10_080, "digit": 840}
    biases = {"conv1": 6, "conv2": 16, "dense1": 120, "dense2": 84, "digit": 10}
    by_hand = sum(places[name] * (2 * weights[name] + biases[name]) for name in places)
    # Scaling, pooling and softmax come on top.
    assert by_hand <= lenet.flops <= 1.02 * by_hand


def test_text_is_aligned_and_ends_with_totals(lenet):
    *table, empty, last = lenet.text().splitlines()
    assert table[0] == "layer                    type              output        parameters"
    assert table[3] == "image_encoder/conv1      Conv2D            28 x 28 x 6          156"
    assert {len(line) for line in table} == {len(table[0])}
    assert empty == ""
    assert last == ("mnist_lenet: 61,706 parameters, 61,706 trainable; 847 kFLOPs per example")


def test_summary_as_json(lenet):
    figures = json.loads(json.dumps(lenet.as_dict()))
    assert figures["parameters"] == 61_706
    assert figures["layers"][2] == {
        "name": "image_encoder/conv1",
        "kind": "Conv2D",
        "output": "28 x 28 x 6",
        "parameters": 156,
        "frozen": "",
    }


def of_pretrained(path: Path, trainable: object) -> ModelSummary:
    encoder = {"type": "mobilenet_v2", "alpha": 0.35, "weights": "none", "trainable": trainable}
    config = {
        "name": "photos",
        "source": {"type": "synthetic"},
        "inputs": {"photo": {"type": "image", "shape": [96, 96, 3], "encoder": encoder}},
        "heads": {"kind": {"type": "classification", "classes": 4}},
    }
    path.write_text(yaml.safe_dump(config))
    return summarize(path)


@pytest.mark.slow
def test_pretrained_network_is_one_line_by_default(tmp_path):
    summary = of_pretrained(tmp_path / "photos.yaml", False)
    inside = [row for row in summary.layers if row.name.startswith("photo_encoder/")]
    *table, empty, sums, hint = summary.text().splitlines()
    assert [line.split() for line in table[1:]] == [
        ["photo", "InputLayer", "96", "x", "96", "x", "3", "0"],
        [
            *("photo_encoder", "mobilenet_v2,", str(len(inside)), "layers", "1280"),
            *("410,208", "frozen"),
        ],
        ["kind", "Dense", "4", "5,124"],
    ]
    assert (empty, hint.split("; ")[1]) == ("", "--layers lists all its layers.")
    assert sums.startswith("photos: 415,332 parameters, 5,124 trainable; ")
    complete = summary.text(all_layers=True).splitlines()
    assert len(complete) == 1 + len(summary.layers) + 2
    assert summary.as_dict()["layers"] == [vars(row) for row in summary.layers]
    assert sum(row.parameters for row in inside) == 410_208


@pytest.mark.parametrize(
    ("trainable", "message"),
    [
        (3, "partly frozen"),
        *(pytest.param(*one, marks=pytest.mark.slow) for one in ((True, ""), (False, "frozen"))),
    ],
)
def test_frozen_layers_are_marked(tmp_path, trainable, message):
    summary = of_pretrained(tmp_path / "photos.yaml", trainable)
    assert [row.frozen for row in summary.folded] == ["", message, ""]
    frozen = {row.frozen for row in summary.layers if row.parameters}
    assert frozen == {True: {""}, 3: {"", "frozen"}, False: {"", "frozen"}}[trainable]
    assert all(not row.frozen for row in summary.layers if not row.parameters)


def test_open_fields_are_inferred_from_the_data(tiny, tmp_path):
    tiny["inputs"]["image"]["encoder"] |= {"batch_norm": True}
    path = tmp_path / "tiny.yaml"
    path.write_text(yaml.safe_dump(tiny))
    summary = summarize(path)
    # 3*3*8 + 4*8, 3*3*8*16 + 4*16, and 2*2*16 features to the ten digits there are.
    assert summary.parameters == 72 + 32 + 1_152 + 64 + 650
    assert summary.parameters - summary.trainable == 2 * 8 + 2 * 16  # Means and variances.


def test_run_is_summarized(trained_run):
    # 3*3*8 + 8, 3*3*8*16 + 16, 2*2*16*10 + 10.
    for path in (trained_run.directory, trained_run.directory.parent, trained_run.config_file):
        assert summarize(path).parameters == 80 + 1_168 + 650


def test_missing_path(tmp_path):
    with pytest.raises(RunError, match="there is no such run"):
        summarize(tmp_path / "nothing")
    path = tmp_path / "x.yaml"
    path.write_text("name: x\n")
    with pytest.raises(ConfigError, match="missing"):
        summarize(path)


@pytest.mark.parametrize(
    ("flops", "message"),
    [
        (0, "0 FLOPs"),
        (999, "999 FLOPs"),
        (1_000, "1 kFLOPs"),
        (1_234_567, "1.23 MFLOPs"),
        (3_900_000_000, "3.9 GFLOPs"),
    ],
)
def test_large_counts_are_abbreviated(flops, message):
    summary = ModelSummary("net", (), 0, 0, flops)
    assert summary.text().endswith(f"; {message} per example")


def of_texts(encoder: dict[str, object], length: int | str, folder: Path) -> ModelSummary:
    config = {
        "name": "texts",
        "source": {"type": "synthetic"},
        "inputs": {"t": {"type": "text", "length": length, "encoder": encoder}},
        "heads": {"y": {"type": "binary"}},
    }
    path = folder / "texts.yaml"
    path.write_text(json.dumps(config), encoding="utf-8")
    return summarize(path)


def test_flops_of_texts_are_for_maximum_length(tmp_path):
    encoder = {"type": "cnn", "dim": 16, "filters": 8, "kernel_sizes": [3]}
    flops = [of_texts(encoder, length, tmp_path).flops for length in (50, 100)]
    by_hand = 100 * 8 * 2 * 3 * 16
    assert by_hand <= flops[1] <= 1.2 * by_hand
    assert flops[1] == pytest.approx(2 * flops[0], rel=0.01)


def test_flops_in_loops_are_not_counted(tmp_path):
    summary = of_texts({"type": "lstm", "units": [4]}, "auto", tmp_path)
    assert summary.flops is None
    assert summary.text().endswith(" trainable")
