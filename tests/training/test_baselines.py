"""Baselines: each input trained alone, compared with the fusion on the same examples."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from trainings import FROZEN_IMAGE, Crash, crash_after_step

import mmzoo
from mmzoo.cli.comparison_text import comparison_text
from mmzoo.cli.main_command import main
from mmzoo.config import Config, load_config
from mmzoo.errors import ConfigError, DataError, Interrupted, RunError
from mmzoo.evaluation.baseline_comparison import (
    PairedScores,
    RunScores,
    best_single_input,
    compare_baselines,
    paired_scores,
)
from mmzoo.evaluation.comparison import Comparison, comparison_from_json, fusion_verdict
from mmzoo.find_runs import open_run
from mmzoo.metrics import PairedDifference, metric_info
from mmzoo.runs import Run
from mmzoo.spec import dump_yaml
from mmzoo.training.baselines import _other_rows, train_baselines
from mmzoo.training.train import train
from mmzoo.training.unimodal_config import require_multimodal, unimodal_config

ROWS = 400
LEFT = {"type": "tabular", "columns": {"a": "number"}, "encoder": {"type": "mlp", "units": [16]}}
RIGHT = LEFT | {"columns": {"b": "number"}}


def write_table(path: Path) -> None:
    """Points on a plane: `quadrant` depends on both coordinates, `side` on the first only."""
    random = np.random.RandomState(0)
    rows = [
        f"{a:.3f},{b:.3f},{['sw', 'se', 'nw', 'ne'][(a > 0) + 2 * (b > 0)]},{3 * a:.3f}\n"
        for a, b in random.uniform(-1, 1, (ROWS, 2))
    ]
    path.write_text("a,b,quadrant,side\n" + "".join(rows))


def experiment(folder: Path, **changes: Any) -> dict[str, Any]:
    return {
        "name": "points",
        "source": {"type": "table", "path": str(folder / "points.csv")},
        "inputs": {"left": LEFT, "right": RIGHT},
        "fusion": {"type": "concat", "units": [16]},
        "heads": {"quadrant": {"type": "classification"}, "side": {"type": "regression"}},
        "train": {
            "epochs": 12,
            "batch_size": 32,
            "optimizer": {"type": "adam", "learning_rate": 0.02},
        },
        **changes,
    }


def command(*words: str) -> object:
    with pytest.raises(SystemExit) as caught:
        main([*words])
    return caught.value.code


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("points")
    write_table(folder / "points.csv")
    (folder / "points.yaml").write_text(dump_yaml(load_config(experiment(folder))))
    return folder


@pytest.fixture(scope="module")
def trained(folder: Path) -> Run:
    """The run of `mmzoo train points.yaml --baselines`, and what it wrote to stdout beside it."""
    import io
    from contextlib import redirect_stdout

    screen = io.StringIO()
    with pytest.MonkeyPatch.context() as patched, redirect_stdout(screen):
        patched.chdir(folder)
        assert command("train", "points.yaml", "--baselines") == 0
    (folder / "screen.txt").write_text(screen.getvalue())
    return Run(folder / "runs" / "points" / "001")


# What is trained.


def test_unimodal_runs_are_complete_runs_inside_the_fusion_run(trained):
    for name, column in (("left", "a"), ("right", "b")):
        run, _ = open_run(trained.directory / "baselines" / name)
        config = run.config()
        assert config.name == f"points_{name}"
        assert list(config.inputs) == [name]
        assert list(config.inputs[name].columns) == [column]
        complete = trained.config()
        assert config.heads == complete.heads
        assert config.train == complete.train
        assert config.source == complete.source.replace(on_duplicate="warn")
        assert run.metrics()["test"]["examples"] == trained.metrics()["test"]["examples"]
        assert run.environment()["data"]["examples"] == trained.environment()["data"]["examples"]


def as_written(comparison: Comparison) -> Any:
    return json.loads(json.dumps(comparison.as_json()))


def test_the_file_has_the_long_table(trained):
    content = json.loads(trained.baselines_file.read_text())
    assert as_written(comparison_from_json(content)) == content
    metrics = trained.metrics()["test"]
    assert content["examples"] == metrics["examples"]
    for name, entry in content["runs"].items():
        run = Run(trained.directory / entry["run"])
        assert run == (trained if name == "left + right" else trained.baseline(name))
        assert entry["metrics"] == run.metrics()["test"]
        assert entry["parameters"] == run.environment()["trained"]["parameters"]
    variants = ["left + right", "left", "right"]
    assert list(content["runs"]) == variants
    assert content["common_examples"] == []
    for head, metric, constant in (
        ("quadrant", "accuracy", "majority-class baseline"),
        ("side", "mean_absolute_error", "mean baseline"),
    ):
        rows = {row["variant"]: row for row in content["rows"] if row["head"] == head}
        assert list(rows) == [*variants, constant]
        for name in variants:
            of_run = content["runs"][name]["metrics"][head]
            assert rows[name]["metric"] == metric
            assert (rows[name]["value"], rows[name]["ci95"]) == (
                of_run[metric],
                of_run[f"{metric}_ci95"],
            )
            difference = of_run[metric] - metrics[head][metric]
            assert name == variants[0] or rows[name]["difference"] == pytest.approx(difference)
        assert content["reference"][head] == "left + right"
        assert rows["right"]["verdict"] == "worse"
    assert content["best"]["side"] == "left"
    assert content["findings"]["quadrant"][-1].startswith("the fusion beats")


def test_a_table_is_printed_for_each_head(trained, folder):
    screen = (folder / "screen.txt").read_text()
    comparison = comparison_from_json(json.loads(trained.baselines_file.read_text()))
    assert comparison_text(comparison) in screen
    assert "Fusion compared with each input alone on test (40 examples):" in screen
    assert "\n  quadrant: accuracy\n" in screen
    assert "`--set\n      train.seed=1`" in screen or "`--set train.seed=1`" in screen
    assert "examples in common" not in screen
    assert screen.index("Fusion compared") < screen.index("The run is in runs/points/001. Next:")


@pytest.mark.slow
def test_a_resume_retrains_nothing_and_prints_one_json_document(
    trained, folder, monkeypatch, capsys
):
    monkeypatch.chdir(folder)
    before = trained.baselines_file.read_bytes()
    with crash_after_step(0):
        assert command("train", "points.yaml", "--baselines", "--resume", "--json") == 0
    captured = capsys.readouterr()
    document = json.loads(captured.out)
    assert document["run"] == "runs/points/001"
    assert document["baselines"] == json.loads(before)
    assert trained.baselines_file.read_bytes() == before
    assert "left alone, 1 of 2: already finished, in runs/points/001/baselines/left" in captured.err


@pytest.mark.slow
def test_an_interrupted_baseline_is_resumed(folder, tmp_path, capsys):
    few = {"epochs": 2, "batch_size": 64, "checkpoint_seconds": 0}
    config = load_config(experiment(folder, train=few))
    run = train(config, run=tmp_path / "run")
    with crash_after_step(6), pytest.raises(Crash):
        train_baselines(run, config)
    assert not run.baselines_file.exists()
    assert "test" not in run.baseline("left").metrics()

    stopped = Interrupted("Stopped after step 8 of 10.", 15)
    with (
        patch("mmzoo.training.baselines.train", side_effect=stopped),
        pytest.raises(Interrupted) as caught,
    ):
        train_baselines(run, config)
    assert caught.value.exit_code == 143
    assert str(caught.value) == (
        "Stopped while training left alone; everything is saved. Continue with the same command "
        f"and --resume --run {run.directory}."
    )

    capsys.readouterr()
    found = train_baselines(run, config)
    assert re.search(r"Resuming after step \d+ of ", capsys.readouterr().err)
    assert as_written(found) == json.loads(run.baselines_file.read_text())


# What cannot be.


def test_a_run_without_metrics_is_refused_early(trained, folder, tmp_path):
    run = Run(Path(shutil.copytree(trained.directory, tmp_path / "run")))
    for one in (run.baseline("right"), run):
        environment = one.environment()
        del environment["trained"]
        one.write_environment(environment)
        with crash_after_step(0), pytest.raises(RunError) as caught:
            train_baselines(run.directory, folder / "points.yaml")
        assert str(caught.value) == (
            f"{one.environment_file}: the number of parameters and the duration of the training "
            f"are missing: the run is not finished, or from an older version of mmzoo. Finish it "
            f"with "
            "--resume, or train again."
        )


@pytest.mark.slow
def test_run_and_config_can_be_paths_in_python(trained, folder, capsys):
    before = trained.baselines_file.read_bytes()
    found = mmzoo.train_baselines(str(trained.directory), folder / "points.yaml")
    assert as_written(found) == json.loads(before)
    assert "left alone, 1 of 2: already finished" in capsys.readouterr().err


def test_a_single_input_is_refused_before_training(folder, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    before = sorted(Path("runs").rglob("*"))
    (folder / "one.yaml").write_text(
        dump_yaml(load_config(experiment(folder, name="one", inputs={"left": LEFT})))
    )
    assert command("train", "one.yaml", "--baselines") == 1
    assert capsys.readouterr().err == (
        "Error: inputs: --baselines trains each of several inputs alone, and there is only one, "
        "left: leave --baselines out\n"
    )
    assert sorted(Path("runs").rglob("*")) == before


@pytest.mark.parametrize(
    ("words", "expected_message"),
    [(["--smoke"], "not --smoke"), (["--fold", "all/3"], "not --fold all/K")],
)
def test_baselines_of_folds_are_a_usage_error(folder, monkeypatch, capsys, words, expected_message):
    monkeypatch.chdir(folder)
    assert command("train", "points.yaml", "--baselines", *words) == 2
    assert f"--baselines compares one training, {expected_message}." in capsys.readouterr().err


# The experiment with one input.


def test_remaining_columns_are_fixed_in_unimodal_configs():
    values = {
        "name": "wines",
        "source": {"type": "dataset", "name": "wine"},
        "inputs": {
            "rest": {"type": "tabular"},
            "strength": {"type": "tabular", "columns": {"alcohol": "number"}},
        },
        "heads": {"kind": {"type": "classification"}},
    }
    config = load_config(values).with_columns()
    columns = unimodal_config(config, "rest").with_columns().inputs["rest"].columns
    assert len(columns) == 12
    assert "alcohol" not in columns


@pytest.mark.parametrize(
    "fusion",
    [
        {"type": "decision", "combine": "vote", "auxiliary_loss": 0.5},
        {"type": "gated", "dim": 8, "units": [12], "dropout": 0.2},
    ],
    ids=lambda fusion: fusion["type"],
)
def test_unimodal_configs_keep_the_dense_layers_of_the_fusion(folder, fusion):
    heads = {"quadrant": {"type": "classification"}}
    config = load_config(experiment(folder, fusion=fusion, heads=heads)).with_columns()
    found = unimodal_config(config, "left").fusion
    assert found.type == "concat"
    assert found.units == tuple(fusion.get("units", ()))
    assert found.dropout == fusion.get("dropout", 0.0)


def test_optional_inputs_are_trained_on_rows_that_have_them(folder):
    text = {
        "type": "text",
        "missing": "learned",
        "modality_dropout": 0.3,
        "encoder": {"type": "embedding"},
    }
    config = load_config(experiment(folder, inputs={"left": LEFT, "text": text})).with_columns()
    found = unimodal_config(config, "text")
    assert found.inputs["text"].modality_dropout == 0
    assert found.source.on_bad_row == "skip"
    assert unimodal_config(config, "left").source == config.source


def test_only_heads_with_labels_and_no_decoders_are_kept(folder):
    left = LEFT | {"decoder": {"units": [8]}}
    heads = {
        "quadrant": {"type": "classification"},
        "again": {"type": "reconstruction", "input": "left"},
    }
    inputs = {"left": left, "right": RIGHT}
    config = load_config(experiment(folder, inputs=inputs, heads=heads)).with_columns()
    found = unimodal_config(config, "left")
    assert list(found.heads) == ["quadrant"]
    assert found.inputs["left"] == config.inputs["left"].replace(decoder=None)


def test_rows_equal_in_one_input_are_kept(folder):
    source = {"type": "table", "path": str(folder / "points.csv"), "on_duplicate": "drop"}
    config = load_config(experiment(folder, source=source)).with_columns()
    assert unimodal_config(config, "left").source == config.source.replace(on_duplicate="warn")


def test_different_numbers_of_training_rows_are_reported(tmp_path):
    fusion, baseline = Run(tmp_path / "run"), Run(tmp_path / "run" / "baselines" / "text")
    with patch.object(Run, "environment", lambda run: {"data": {"examples": rows[run]}}):
        rows = {fusion: {"train": 1_200, "test": 5}, baseline: {"train": 1_100, "test": 5}}
        assert list(_other_rows(fusion, {"text": baseline})) == [
            "text alone was trained on 1,100 rows, and the fusion on 1,200"
        ]
        rows[baseline] = rows[fusion]
        assert list(_other_rows(fusion, {"text": baseline})) == []


def test_unfrozen_baselines_have_one_stage():
    values = {
        "name": "both",
        "source": {"type": "synthetic"},
        "inputs": {
            "image": FROZEN_IMAGE | {"encoder": FROZEN_IMAGE["encoder"] | {"trainable": False}},
            "left": {"type": "tabular", "columns": {"a": "number"}},
        },
        "heads": {"kind": {"type": "classification", "classes": 3}},
        "train": {"epochs": 3, "fine_tune": {"epochs": 4}},
    }
    config = load_config(values).with_columns()
    assert unimodal_config(config, "image").train == config.train
    assert unimodal_config(config, "left").train == config.train.replace(epochs=7, fine_tune=None)


def test_shared_encoders_are_copied_into_unimodal_configs():
    front = {"type": "image", "shape": [8, 8, 1], "encoder": {"type": "cnn", "filters": [4]}}
    values = {
        "name": "houses",
        "source": {"type": "synthetic"},
        "inputs": {
            "front": front,
            "back": {"type": "image", "encoder": {"type": "shared", "input": "front"}},
        },
        "heads": {"kind": {"type": "classification", "classes": 3}},
    }
    config = load_config(values).with_columns()
    found = unimodal_config(config, "back").inputs["back"]
    assert found.encoder == config.inputs["front"].encoder
    assert found.shape == (8, 8, 1)


def test_long_names_are_truncated(folder):
    config = load_config(experiment(folder, name="n" * 64)).with_columns()
    assert unimodal_config(config, "left").name == "n" * 64


def test_several_inputs_are_accepted(folder):
    config: Config = load_config(experiment(folder))
    require_multimodal(config)
    with pytest.raises(ConfigError, match="there is only one, left: leave --baselines out"):
        require_multimodal(unimodal_config(config.with_columns(), "left"))


# What is compared.


def scores(names: list[Any] | None, labels: list[float], right: list[float]) -> RunScores:
    return RunScores(
        Run(Path(f"run{len(labels)}")),
        None if names is None else np.array(names),
        {"digit": np.array(labels)},
        {"digit": np.array(right)},
    )


def test_only_common_examples_are_compared():
    first = scores([1, 2, 3, 4], [0, 1, 2, 3], [1.0, 1.0, 0.0, 1.0])
    second = scores([4, 2, 3], [3, 1, 2], [1.0, 0.0, 0.0])
    pair = paired_scores(first, second, "digit")
    assert (pair.examples, pair.of_examples) == (3, 4)
    assert sorted(pair.rows) == [1, 2, 3]
    assert pair.lead().difference == pytest.approx(1 / 3)


def test_rows_without_a_label_are_not_compared():
    first = scores(None, [0.5, np.nan, 2], [1.0, np.nan, 1.0])
    second = scores(None, [0.5, np.nan, 2], [0.0, np.nan, 1.0])
    pair = paired_scores(first, second, "digit")
    assert (pair.examples, pair.of_examples, pair.lead().difference) == (2, 2, 0.5)
    assert pair.rows.tolist() == [0, 2]


@pytest.mark.parametrize(
    "second",
    [
        scores(None, [0, 1, 1], [1.0, 1.0, 1.0]),
        scores(None, [0, 1], [1.0, 1.0]),
        scores([1, 2, 3], [0, 1, 1], [1.0, 1.0, 1.0]),
    ],
)
def test_other_examples_are_not_compared(second):
    names = None if second.names is None else [1, 2, 3]
    first = scores(names, [0, 1, 2], [1.0, 1.0, 1.0])
    with pytest.raises(DataError, match="was tested on other examples than run3"):
        paired_scores(first, second, "digit")


def test_no_common_example_gives_no_comparison():
    with pytest.raises(DataError, match=r"^run1: has no test example in common with run2$"):
        paired_scores(scores(["a", "b"], [0, 1], [1.0, 1.0]), scores(["c"], [0], [1.0]), "digit")


ACCURACY, ERROR = metric_info("accuracy"), metric_info("mean_absolute_error")


@pytest.mark.parametrize(
    ("info", "lead", "verdict"),
    [
        (
            ACCURACY,
            (0.041, 0.032, 0.05),
            "the fusion beats text alone by 4.1 points, 95 % CI 3.2 to 5.0",
        ),
        (
            ACCURACY,
            (0.004, -0.002, 0.01),
            "the fusion does not beat text alone (difference 0.4 points, 95 % CI -0.2 to 1.0)",
        ),
        (
            ACCURACY,
            (-0.03, -0.04, -0.02),
            "the fusion is worse than text alone by 3.0 points, 95 % CI 2.0 to 4.0",
        ),
        (ERROR, (0.25, 0.2, 0.3), "the fusion beats text alone by 0.25, 95 % CI 0.2 to 0.3"),
    ],
)
def test_the_finding_is_a_sentence(info, lead, verdict):
    assert fusion_verdict("text", PairedDifference(*lead), info) == verdict


def pair(rows: list[int], first: list[float], second: list[float], of: int) -> PairedScores:
    return PairedScores(np.array(rows), np.array(first), np.array(second), of)


def test_the_best_input_is_chosen_on_common_rows():
    fusion = [1.0, 1.0, 1.0, 1.0]
    pairs = {
        # On all of its rows the image is the nearest to the fusion, but not where there is text.
        "image": pair([0, 1, 2, 3], fusion, [0.0, 1.0, 1.0, 1.0], 4),
        "text": pair([0, 1], fusion[:2], [1.0, 0.0], 4),
        "sound": pair([0], fusion[:1], [1.0], 4),
    }
    assert best_single_input(pairs) == "text"


def test_without_common_rows_each_input_is_scored_on_its_own():
    pairs = {
        "image": pair([0, 1], [1.0, 1.0], [0.0, 1.0], 4),
        "text": pair([2, 3], [1.0, 1.0], [1.0, 1.0], 4),
    }
    assert best_single_input(pairs) == "text"


def compared(pairs: dict[str, PairedScores], **metrics: Any) -> Comparison:
    """Comparison of an image in all eight rows, a text in four and audio in two."""
    accuracy = {"accuracy": 0.75, "accuracy_ci95": [0.41, 0.93], "majority": 0.5}
    runs = {
        name: {
            "run": name,
            "parameters": 12_345,
            "seconds": 1.0,
            "metrics": {"examples": 8, "stars": metrics.get(name, accuracy)},
        }
        for name in ("image + text + sound", "image", "text", "sound")
    }
    return compare_baselines({"stars": pairs}, runs, "test", seed=0)


FUSION = [1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 1.0, 1.0]
PAIRS = {
    "image": pair(list(range(8)), FUSION, [1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 1.0, 0.0], 8),
    "text": pair([0, 1, 2, 3], FUSION[:4], [1.0, 1.0, 0.0, 1.0], 8),
    "sound": pair([0, 1], FUSION[:2], [1.0, 0.0], 8),
}


def test_a_difference_on_a_subset_of_rows_is_marked():
    found = compared(PAIRS)
    assert [row.difference for row in found.rows] == [None, -0.125, -0.25, -0.5, None]
    assert found.findings["stars"][0] == (
        "text: its difference is on the 4 of 8 test examples in common, where the fusion has "
        "100.0 % and text alone 75.0 %"
    )
    assert found.details["common_examples"][0] == {
        "head": "stars",
        "variant": "text",
        "examples": 4,
        "of_examples": 8,
        "reference_value": 1.0,
        "value": 0.75,
    }
    only = compared({"text": PAIRS["text"]})
    assert only.findings["stars"][-1].endswith("on the 4 of 8 test examples in common")


def test_an_input_without_labelled_rows_has_no_value():
    found = compared({"image": PAIRS["image"]}, text={"labelled": 0})
    titles, rows = found.table("stars")
    assert titles[:2] == ["inputs", "value"]
    assert rows[2][:4] == ["text", "-", "", ""]
    nothing = compared({})
    assert nothing.findings["stars"] == ["the inputs were tested on other examples than the fusion"]
    assert nothing.best == {}


def test_values_of_error_metrics_are_errors():
    error = {"mean_absolute_error": 0.2, "baseline_mean_absolute_error": 1.0}
    names = ("image + text + sound", "image", "text", "sound")
    pairs = {"text": pair([0, 1], [-0.1, -0.3], [-0.5, -0.5], 4)}
    found = compared(pairs, **dict.fromkeys(names, error))
    [common] = found.details["common_examples"]
    assert (common["reference_value"], common["value"]) == (pytest.approx(0.2), pytest.approx(0.5))
    assert found.row("stars", "text").difference == pytest.approx(0.3)
    assert found.row("stars", "text").verdict == "worse"


# The report.


@pytest.mark.slow
def test_the_report_has_the_tables_and_the_findings(trained, tmp_path):
    run = Run(Path(shutil.copytree(trained.directory, tmp_path / "run")))
    mmzoo.evaluate(run, device="cpu")
    page = (run.evaluation("test") / "report.html").read_text()
    content = json.loads(run.baselines_file.read_text())
    heading = "<h2>Fusion compared with each input alone"
    assert heading in page
    for findings in content["findings"].values():
        assert all(f"<li>{finding}</li>" in page for finding in findings)
    assert '<td class="text">left + right</td>' in page
    assert f"<td>{content['runs']['right']['parameters']:,}</td>" in page
    assert "<code>--set train.seed=1</code>" in page

    # Other splits and other weights are not what was compared.
    mmzoo.evaluate(run, split="validation", device="cpu")
    assert heading not in (run.evaluation("validation") / "report.html").read_text()
    mmzoo.evaluate(run, checkpoint="last", device="cpu")
    assert heading not in (run.evaluation("test") / "report.html").read_text()


def test_a_file_of_an_older_version_is_not_read(trained, tmp_path, messages):
    run = Run(Path(shutil.copytree(trained.directory, tmp_path / "run")))
    run.write_baselines({"split": "test", "fusion": {}, "inputs": {}, "heads": {}})
    assert run.baselines() == {}
    [message] = messages
    assert "older version of mmzoo" in message
    assert f"--baselines --resume --run {run.directory}`" in message


def test_a_damaged_file_is_reported_before_writing(trained, tmp_path):
    run = Run(Path(shutil.copytree(trained.directory, tmp_path / "run")))
    run.baselines_file.write_text('{"split": "test"}')
    with pytest.raises(
        RunError, match=r"baselines\.json: damaged: kind is missing or has a wrong type"
    ):
        mmzoo.evaluate(run, device="cpu")
    assert not run.evaluation("test").exists()
