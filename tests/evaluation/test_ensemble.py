"""Ensembles of finished runs: predictions, files, and errors."""

from __future__ import annotations

import csv
import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars
import pytest
from frames import load_arrays

from mmzoo.catalogue import list_names
from mmzoo.cli.comparison_text import comparison_text
from mmzoo.config import load_config
from mmzoo.errors import ConfigError, RunError
from mmzoo.evaluation.ensemble import ensemble, fit_combinations
from mmzoo.evaluation.ensemble_comparison import ensemble_verdict
from mmzoo.evaluation.ensemble_members import Member, MemberPredictions
from mmzoo.evaluation.evaluate import evaluate_model
from mmzoo.metrics import PairedDifference, metric_info
from mmzoo.preprocessing import load_frame, transform
from mmzoo.runs import Run
from mmzoo.trained_model import load_trained
from mmzoo.training.train import train


@pytest.fixture(scope="module")
def runs(trained_run, tmp_path_factory):
    """A folder with two runs of two seeds, whose splits are the same."""
    folder = tmp_path_factory.mktemp("together")
    values = trained_run.config().model_dump(mode="json")
    values["train"] |= {"seed": 1, "split_seed": 0, "epochs": 1}
    shutil.copytree(trained_run.directory, folder / "runs" / "tiny" / "001")
    train(values, run=folder / "runs" / "tiny" / "002")
    return folder


@pytest.fixture
def two(runs, tmp_path, monkeypatch):
    """Copies of their directories, which a test may change."""
    shutil.copytree(runs, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return ["runs/tiny/001", "runs/tiny/002"]


def predictions_of(directory, split="test"):
    model, config = load_trained(Run(Path(directory)))
    return evaluate_model(model, config, load_arrays(config), split)


def error_message(*arguments, **named):
    with pytest.raises(RunError) as caught:
        ensemble(*arguments, **named)
    return str(caught.value)


def changed(directory, **fields):
    """Changes the config of a run and records the matching data fingerprint."""
    run = Run(Path(directory))
    run.write_config(run.config().replace(**fields))
    data = load_frame(run.config())
    environment = run.environment()
    environment["data"]["fingerprint"] = data.fingerprint
    run.write_environment(environment)


def test_the_average_equals_the_mean_of_members(two, monkeypatch):
    loads = []
    monkeypatch.setattr(
        "mmzoo.evaluation.ensemble_members.load_frame",
        lambda config: loads.append(1) or load_frame(config),
    )
    done = ensemble(two, device="cpu")
    assert len(loads) == 1  # Both read the same data.
    each = [predictions_of(directory) for directory in two]
    comparison, predictions = done.comparison, done.predictions["digit"]
    expected = np.mean([one.predictions["digit"] for one in each], axis=0)
    np.testing.assert_allclose(predictions, expected, atol=1e-5)
    *members, combined, constant = comparison.of_head("digit")
    assert [(row.variant, row.value) for row in members] == [
        (name, one.metrics["digit"]["accuracy"]) for name, one in zip(two, each, strict=True)
    ]
    accuracy = np.mean(predictions.argmax(axis=1) == each[0].labels["digit"])
    assert (combined.variant, combined.value) == ("average", accuracy)
    assert done.metrics["test"]["digit"]["accuracy"] == accuracy
    assert combined.difference == pytest.approx(accuracy - max(row.value for row in members))
    assert constant.variant == "majority-class baseline"
    # The first was trained three times as long.
    assert comparison.best == comparison.reference == {"digit": two[0]}
    assert two[0] in comparison.findings["digit"][-1]


@pytest.mark.slow
def test_ensemble_files_are_beside_the_runs(two):
    before = {path: path.stat().st_mtime_ns for path in Path("runs").rglob("*")}
    done = ensemble(two, "stacking", device="cpu")
    assert str(done.folder) == "runs/ensembles/001"
    assert sorted(os.listdir(done.folder)) == [
        *("digit_stacker.npz", "ensemble.json", "metrics.json", "predictions.csv"),
    ]
    assert json.loads((done.folder / "metrics.json").read_text()) == done.metrics
    entry = done.metrics["test"]
    of_a_run = Run(Path(two[0])).metrics()["test"]
    assert entry.keys() == of_a_run.keys()
    assert (entry["data"], entry["examples"], entry["loss"]) == ("digits", 359, None)
    assert entry["digit"].keys() == of_a_run["digit"].keys()
    compared = json.loads((done.folder / "ensemble.json").read_text())
    assert compared == json.loads(json.dumps(done.comparison.as_json()))
    assert (compared["method"], compared["split"]) == ("stacking", "test")
    assert list(compared["members"]) == two
    assert compared["members"][two[0]]["digit"] == of_a_run["digit"]
    assert compared["best"]["digit"] in two
    with (done.folder / "predictions.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    right = sum(row["digit"] == row["digit_true"] for row in rows)
    assert right / len(rows) == entry["digit"]["accuracy"]
    with np.load(done.folder / "digit_stacker.npz", allow_pickle=False) as file:
        assert file["all_weights"].shape == (10, 20)
    assert {path: path.stat().st_mtime_ns for path in before if path.name != "runs"} == {
        path: time for path, time in before.items() if path.name != "runs"
    }
    assert list(list_names("runs")) == two


@pytest.mark.slow
def test_the_stacker_learns_from_validation_alone(two):
    done = ensemble(two, "stacking", device="cpu", output=Path("mine"))
    assert str(done.folder) == "mine"
    stackers = done.combinations["digit"].stackers["all"]
    features = np.concatenate(
        [predictions_of(directory, "validation").predictions["digit"] for directory in two], axis=1
    )
    np.testing.assert_allclose(stackers["mean"], features.mean(axis=0), rtol=1e-4, atol=1e-6)


@pytest.mark.slow
def test_heads_of_every_kind(run_of_all_heads, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("a", "b"):
        shutil.copytree(run_of_all_heads.directory, name)
    done = ensemble(["a", "b"], "weighted", device="cpu")
    assert set(done.comparison.heads) == {"which", "is", "many", "much"}
    for name, combination in done.combinations.items():
        assert sum(combination.weights) == pytest.approx(1)
        row = done.comparison.row(name, "weighted average")
        assert row.difference == pytest.approx(0, abs=1e-6)
    assert done.comparison.info("much").name == "mean_absolute_error"
    assert error_message(["a", "b"], "vote") == (
        "heads.much predicts numbers, which cannot be voted on: use --ensemble average, weighted "
        "or stacking"
    )


@pytest.mark.slow
def test_a_table_replaces_a_split(two, tmp_path):
    from PIL import Image

    data = load_arrays(Run(Path(two[0])).config()).splits["test"]
    lines = ["image,label"]
    for number, (pixels, label) in enumerate(zip(data["image"][:12], data["label"], strict=False)):
        Image.fromarray(pixels[:, :, 0]).save(tmp_path / f"{number}.png")
        lines.append(f"{number}.png,{label}")
    (tmp_path / "new.csv").write_text("\n".join(lines) + "\n")
    done = ensemble(two, data="new.csv", device="cpu")
    each = [one.predictions["digit"] for one in done.members.evaluations]
    assert done.metrics["data"]["examples"] == 12
    np.testing.assert_allclose(
        each[0], predictions_of(two[0]).predictions["digit"][:12], rtol=1e-4, atol=1e-5
    )
    with (done.folder / "predictions.csv").open(newline="") as file:
        assert [row["row"] for row in csv.DictReader(file)] == [str(n) for n in range(1, 13)]


def test_one_run_is_no_ensemble(two):
    assert error_message(two[:1]) == (
        "an ensemble needs two runs or more; got one. Name others beside it."
    )
    assert error_message([two[0], "./runs/tiny/001"]).endswith(
        "named twice; an ensemble needs different models"
    )


def test_an_unfinished_run_is_refused(two):
    Run(Path(two[1])).metrics_file.unlink()
    message = error_message(two, method="average")
    assert message.startswith("runs/tiny/002: is not finished")


def test_other_heads_and_classes_are_refused(two):
    begin = "runs/tiny/002: does not fit together with runs/tiny/001: "
    config = Run(Path(two[1])).config()
    head = config.heads["digit"]
    names = head.class_names
    for heads, why in (
        ({"number": head}, "its heads are number; there they are digit"),
        (
            {"digit": head.replace(class_names=names[::-1])},
            "heads.digit.class_names is a list of 10: [9, 8, 7, 6, 5, 4, 3, 2, 1, 0], in another "
            "order; there it is a list of 10: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]",
        ),
        (
            {"digit": load_config(binary_digits()).heads["digit"].replace(column="label")},
            "heads.digit.type is text 'binary'; there it is text 'classification'",
        ),
    ):
        Run(Path(two[1])).write_config(config.replace(heads=heads))
        assert error_message(two) == begin + why


def binary_digits():
    encoder = {"type": "cnn", "filters": [4], "padding": "same"}
    return {
        "name": "tiny",
        "source": {"type": "dataset", "name": "digits"},
        "inputs": {"image": {"type": "image", "shape": [8, 8, 1], "encoder": encoder}},
        "heads": {"digit": {"type": "binary", "class_names": ["no", "yes"]}},
    }


def test_another_source_is_refused(two):
    source = Run(Path(two[1])).config().source
    changed(two[1], source=source.replace(validation=0.2))
    assert error_message(two) == (
        "runs/tiny/002: does not fit together with runs/tiny/001: it was trained on other data: "
        "source.validation is number 0.2, there it is number 0.1"
    )


@pytest.mark.slow
def test_another_validation_split_is_refused_if_it_matters(two):
    run = Run(Path(two[1]))
    changed(two[1], train=run.config().train.replace(split_seed=None))
    assert error_message(two, "weighted") == (
        "runs/tiny/002: does not fit together with runs/tiny/001: its validation split has other "
        "examples, since it was drawn with seed 1; there it was seed 0. Train both with the same "
        "`train.split_seed`."
    )
    assert ensemble(two, "average", device="cpu").members.evaluations[0].examples == 359


def test_changed_data_of_a_member_is_refused(two):
    run = Run(Path(two[1]))
    environment = run.environment()
    environment["data"]["fingerprint"] = "0123456789abcdef"
    run.write_environment(environment)
    assert error_message(two).startswith(
        "runs/tiny/002: was trained on digits (fingerprint 0123456789ab), but the source now gives"
    )


def test_a_method_is_not_evaluated_on_the_split_it_is_fitted_to(two):
    for method in ("weighted", "stacking"):
        assert error_message(two, method, split="validation") == (
            f"--ensemble {method} is fitted to the validation split, so it cannot be evaluated on "
            "it. Use --split test."
        )


def test_output_must_be_new_and_outside_runs(two, tmp_path):
    inside = Run(Path(two[0])).directory / "eval" / "both"
    assert (
        error_message(two, output=inside) == f"{inside}: is inside {two[0]}. Name another --output."
    )
    assert error_message(two, output=tmp_path / "runs").endswith(
        "runs: exists already. Name another --output."
    )
    assert not inside.exists()


def test_failure_leaves_nothing(two, monkeypatch):
    monkeypatch.setattr(
        "mmzoo.evaluation.ensemble_members.evaluate_model", lambda *arguments: 1 / 0
    )
    with pytest.raises(ZeroDivisionError):
        ensemble(two, device="cpu")
    assert not (Path("runs") / "ensembles").exists()


@pytest.mark.slow
@pytest.mark.parametrize("output", [None, Path("mine")])
def test_interruption_while_writing_leaves_nothing(two, monkeypatch, output):
    def interrupted(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr("mmzoo.evaluation.ensemble.write_text", interrupted)
    before = set(Path().iterdir())
    with pytest.raises(KeyboardInterrupt):
        ensemble(two, device="cpu", output=output)
    assert set(Path().iterdir()) == before
    assert output is not None or not list((Path("runs") / "ensembles").iterdir())


@pytest.mark.slow
def test_simultaneous_ensembles_get_separate_numbers(two, monkeypatch):
    def late(*arguments):
        (Path("runs") / "ensembles" / "001" / "other").mkdir(parents=True)

    monkeypatch.setattr("mmzoo.evaluation.ensemble._write_predictions", late)
    assert str(ensemble(two, device="cpu").folder) == "runs/ensembles/002"


@pytest.mark.slow
def test_a_head_without_any_label_has_no_metrics(clue_run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    config = with_missing_labels(clue_run)
    for name in ("a", "b"):
        Run(Path(shutil.copytree(clue_run.directory, name))).write_config(config)
    text = "clue,noise,colour,warm,tags,price\n"
    text += "red thing,word1,red,,a,\nblue thing,word2,blue,,b,\ngreen one,word3,,,a|b,\n"
    Path("new.csv").write_text(text)
    done = ensemble(["a", "b"], data="new.csv", device="cpu")
    assert done.comparison.heads == ["colour", "tags"]
    entry = done.metrics["data"]
    assert entry["price"] == entry["warm"] == {"labelled": 0}
    assert entry["colour"]["labelled"] == 2
    assert comparison_text(done.comparison).endswith(
        "\n    Note: warm: none of the rows has a label, so it has no metrics."
        "\n    Note: price: none of the rows has a label, so it has no metrics."
    )
    with (done.folder / "predictions.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["price_true"] for row in rows] == ["", "", ""]
    assert float(rows[1]["price"]) > float(rows[0]["price"])  # Blue ones are dearer.


@pytest.mark.slow
def test_notes_shared_by_members_are_printed_once(clue_run, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for name in ("a", "b"):
        shutil.copytree(clue_run.directory, name)
    rows = polars.read_csv(clue_run.config().source.path)
    rows.with_columns(polars.col("clue").str.replace("thing", "gizmo")).write_csv("new.csv")
    capsys.readouterr()
    ensemble(["a", "b"], device="cpu", data="new.csv")
    printed = capsys.readouterr().err.splitlines()
    assert any("not in the vocabulary" in line for line in printed)
    assert len(printed) == len(set(printed))


def with_missing_labels(run):
    config = run.config()
    heads = {name: head.replace(missing="ignore") for name, head in config.heads.items()}
    return config.replace(heads=heads)


def test_a_head_without_learnable_weights_is_averaged(clue_run, messages):
    config = with_missing_labels(clue_run)
    data = load_frame(config)
    model, _ = load_trained(clue_run)
    data = transform(config, data, clue_run.preprocessing())
    one = evaluate_model(model, config, data, "validation")
    unlabelled = {**one.labels, "price": np.full(one.examples, np.nan)}
    rows = MemberPredictions(data, "validation", 2 * [replace(one, labels=unlabelled)])
    members = 2 * [Member(clue_run, "best", config)]
    messages.clear()
    found = fit_combinations(members, "weighted", rows)
    methods = {name: combination.method for name, combination in found.items()}
    assert methods == {**dict.fromkeys(config.heads, "weighted"), "price": "average"}
    assert messages == [
        "Note: no row of the validation split has a label of price: it is averaged, as weighted "
        "cannot be fitted."
    ]
    price = config.replace(heads={"price": config.heads["price"]})
    with pytest.raises(RunError, match="no row of the validation split has a label of price, so"):
        fit_combinations(2 * [Member(clue_run, "best", price)], "weighted", rows)


def test_no_experiment_can_have_the_name_of_ensembles():
    with pytest.raises(
        ConfigError, match=r"name: the folder runs/ensembles is reserved for ensembles"
    ):
        load_config({**binary_digits(), "name": "ensembles"})


@pytest.mark.parametrize(
    ("gain", "verdict"),
    [
        ((0.008, 0.003, 0.014), "beats its best member, a, by 0.8 points, 95 % CI 0.3 to 1.4"),
        ((-0.02, -0.03, -0.01), "is worse than its best member, a, by 2.0 points, 95 % CI 1.0 to"),
        ((0.0, 0.0, 0.0), "is as good as its best member, a, on every example"),
    ],
)
def test_the_finding_is_a_sentence(gain, verdict):
    accuracy = metric_info("accuracy")
    words = ensemble_verdict("average", "a", PairedDifference(*gain), accuracy)
    assert words.startswith(f"the average {verdict}")
    unclear = ensemble_verdict("vote", "a", PairedDifference(0.001, -0.002, 0.004), accuracy)
    assert unclear == (
        "no clear difference between the vote and its best member, a (0.1 points, 95 % CI -0.2 to "
        "0.4)"
    )


def test_a_lower_error_is_an_improvement():
    gain = PairedDifference(1.5, 1.25, 1.75)
    words = ensemble_verdict("stacking", "a", gain, metric_info("mean_absolute_error"))
    assert words == "the stacking beats its best member, a, by 1.5, 95 % CI 1.25 to 1.75"
