"""`mmzoo list`, `mmzoo show` and `mmzoo schema`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mmzoo import build_model, load_config
from mmzoo.catalogue import KINDS
from mmzoo.config import Config
from mmzoo.spec import json_schema

CONFIGS = Path(__file__).parents[2] / "configs"


def test_help_lists_every_kind(mmzoo):
    shown = mmzoo("list", "--help").out
    assert all(kind in shown for kind in KINDS)


def test_everything_is_listed_by_kind(mmzoo):
    done = mmzoo("list")
    assert (done.code, done.err) == (0, "")
    lines = done.out.splitlines()
    assert "encoders:" in lines
    assert [line for line in lines if line.startswith("  cnn ")]
    assert "runs:" not in lines  # There are none here.
    assert set(mmzoo("list", "--json").document) == set(KINDS)


def test_wildcards(mmzoo):
    assert mmzoo("list", "encoders", "cn*").out.split()[0] == "cnn"
    assert len(mmzoo("list", "encoders", "cn*").out.splitlines()) == 1
    assert set(mmzoo("list", "optimizers", "ada*", "--json").document["optimizers"]) == {
        *("adam", "adamw", "adagrad"),
    }


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("encoders", "zzz"), "Nothing matches 'zzz'."),
        (("configs",), "There are no configs in the folder configs/."),
        (("runs",), "There are no runs in the folder runs/; `mmzoo train CONFIG` creates one."),
    ],
)
def test_empty_lists_are_reported(mmzoo, words, message):
    done = mmzoo("list", *words)
    assert (done.code, done.out, done.err) == (0, "", f"{message}\n")
    assert mmzoo("list", *words, "--json").document == {words[0]: {}}


def test_pattern_alone_searches_all_kinds(mmzoo):
    found = mmzoo("list", "l*", "--json").document
    assert set(found) == set(KINDS)
    assert (set(found["encoders"]), set(found["optimizers"])) == ({"lenet", "lstm"}, {"lion"})
    assert mmzoo("list", "le?et").out.splitlines()[0] == "encoders:"
    assert mmzoo("list", "zz*").err == "Nothing matches 'zz*'.\n"


def test_networks_with_a_common_spec_are_shown_separately(mmzoo):
    rows = mmzoo("list", "mobilenet*", "--json").document["encoders"]
    assert list(rows) == ["mobilenet", "mobilenet_v2", "mobilenet_v3_small", "mobilenet_v3_large"]
    assert rows["mobilenet_v2"] == (
        "MobileNetV2: 2.3 million parameters, trained on ImageNet at 224 x 224 pixels (smallest: "
        "32 x 32)."
    )
    shown = mmzoo("show", "mobilenet_v2").out
    assert shown.startswith("mobilenet_v2 (image encoders)\n\nMobileNetV2: 2.3 million parameters")
    assert "Inverted residuals" in shown
    assert "Searching for MobileNetV3" not in shown


def test_configs_and_runs_of_the_folder_are_listed(mmzoo, own_run, tmp_path):
    (tmp_path / "configs").symlink_to(CONFIGS)
    assert [
        line.split()[0] for line in mmzoo("list", "configs", "mnist_cnn*").out.splitlines()
    ] == [
        *("mnist_cnn", "mnist_cnn_dense", "mnist_cnn_tiny"),
    ]
    accuracy = own_run.metrics()["test"]["digit"]["accuracy"]
    assert mmzoo("list", "runs").out == (
        f"runs/tiny/001  digit accuracy {accuracy:.4g} on 359 test examples of digits\n"
    )


def test_runs_can_be_selected_by_experiment(mmzoo, own_run):
    for pattern in ("tiny*", "tiny/001", "runs/tiny/*"):
        assert list(mmzoo("list", "runs", pattern, "--json").document["runs"]) == ["runs/tiny/001"]
    assert mmzoo("list", "runs", "001", "--json").document == {"runs": {}}


def test_damaged_files_do_not_hide_others(mmzoo, own_run, tmp_path):
    own_run.metrics_file.write_text("{")
    assert mmzoo("list", "runs").out.startswith(
        "runs/tiny/001  runs/tiny/001/metrics.json: cannot be read: "
    )
    (tmp_path / "configs/folder.yaml").mkdir(parents=True)
    (tmp_path / "configs/binary.yaml").write_bytes(b"# \xff\x1b[31m\nname: x")
    (tmp_path / "configs/long.yaml").write_text("# " + "x" * 100_000)
    done = mmzoo("list", "configs")
    assert done.out.splitlines()[0] == "binary  \ufffd\\x1b[31m"
    assert len(done.out) < 1000
    assert "folder" not in done.out


def test_a_component_is_shown_with_its_fields(mmzoo):
    done = mmzoo("show", "lenet")
    assert done.out.startswith("lenet (image encoders)\n\n")
    assert "  filters: a list of whole numbers of at least 1 = [6, 16]\n      Filters" in done.out
    assert "Reference: LeCun et al." in done.out
    [component] = mmzoo("show", "lenet", "--json").document
    assert component["fields"]["filters"]["default"] == "[6, 16]"


def test_a_data_set_is_shown(mmzoo):
    done = mmzoo("show", "mnist")
    assert done.out.startswith("mnist (datasets)\n\nHandwritten digits, 28x28, greyscale.\n")
    assert "60,000 train, 10,000 test; image, label (10 classes)." in done.out
    assert "Fields:" not in done.out


def test_unknown_name_gets_suggestions(mmzoo):
    done = mmzoo("show", "conca")
    assert (done.code, done.out) == (1, "")
    assert done.err == (
        "Error: no component is named 'conca'; did you mean 'concat', 'conv' or 'contrast'? "
        "`mmzoo list` shows all components. For a config or a run, give its path.\n"
    )
    assert "did you mean" not in mmzoo("show", "qqqqq").err


def test_components_are_suggested_before_configs(mmzoo, tmp_path):
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs" / "mr_cnn.yaml").touch()
    (tmp_path / "configs" / "flowers_densenet.yaml").touch()
    assert "did you mean 'cnn', " in mmzoo("show", "cnnn").err
    assert "'densenet121'?" in mmzoo("show", "densenet").err


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "digits_cnn",
            "no component is named 'digits_cnn'; did you mean 'configs/digits_cnn.yaml'?",
        ),
        ("digits_cn", "no component is named 'digits_cn'; did you mean 'configs/digits_cnn.yaml'?"),
        (
            "digits_cnn.yaml",
            "digits_cnn.yaml: there is no such file; did you mean 'configs/digits_cnn.yaml'?",
        ),
    ],
)
def test_a_config_without_its_folder_is_suggested(mmzoo, tmp_path, name, message):
    (tmp_path / "configs").symlink_to(CONFIGS)
    done = mmzoo("show", name)
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith(f"Error: {message}")


def test_a_config_is_shown_as_a_model(mmzoo):
    done = mmzoo("show", CONFIGS / "mnist_cnn.yaml")
    assert done.code == 0
    conv = next(line for line in done.out.splitlines() if "stage1_conv1 " in line)
    assert conv.split()[1:] == ["Conv2D", "26", "x", "26", "x", "32", "320"]
    assert done.out.splitlines()[-1].startswith("mnist_cnn: 61,514 parameters")
    document = mmzoo("show", CONFIGS / "mnist_cnn.yaml", "--json").document
    assert document["parameters"] == 61_514
    assert build_model(load_config(CONFIGS / "mnist_cnn.yaml")).count_params() == 61_514
    # Multiplications and additions of the three convolutions and the dense layer.
    products = 26 * 26 * 32 * 9 + 11 * 11 * 64 * 9 * 32 + 3 * 3 * 64 * 9 * 64 + 576 * 10
    assert 2 * products < document["flops"] < 1.02 * 2 * products


def test_a_run_is_shown_as_its_model(mmzoo, trained_run):
    shown = mmzoo("show", trained_run.directory, "--json").document
    assert shown["name"] == "tiny"
    assert shown["parameters"] == sum(layer["parameters"] for layer in shown["layers"])


def test_missing_path(mmzoo):
    assert mmzoo("show", "runs/x").err == (
        "Error: runs/x: there is no such run. `mmzoo list runs` shows those there are.\n"
    )
    assert mmzoo("show", "x.yaml").code == 1


def test_the_schema_is_that_of_the_config(mmzoo):
    done = mmzoo("schema")
    assert (done.code, done.err) == (0, "")
    assert done.document == json.loads(json.dumps(json_schema(Config)))


def test_a_data_set_of_texts_is_shown(mmzoo):
    done = mmzoo("show", "imdb")
    assert "25,000 train, 25,000 test; text, label (2 classes), rating." in done.out
