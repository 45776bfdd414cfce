"""Probes of a run: fitted after the training, stored as arrays, used by eval and predict."""

from __future__ import annotations

import csv
import json
import logging
import shutil

import numpy as np
import pytest
from frames import load_arrays
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from tiny import TINY

from mmzoo import evaluate, load_config, predict
from mmzoo.catalogue import list_names
from mmzoo.errors import ConfigError, RunError
from mmzoo.evaluation.evaluate import evaluate_model
from mmzoo.evaluation.evaluate_run import evaluate_run
from mmzoo.fitted_probes import _features, fit_probes, load_probes, usable_probes, with_features
from mmzoo.lazy import keras
from mmzoo.model import build_model
from mmzoo.model_graph import head_inputs
from mmzoo.preprocessing import fit_config, load_frame, transform
from mmzoo.runs import Run
from mmzoo.trained_model import load_trained
from mmzoo.training.train import train

KINDS = ("svm", "knn", "logistic")
PROBED = {
    **TINY,
    "name": "probed",
    "probes": ["svm", {"type": "knn", "neighbours": 3, "examples": 300}, "logistic"],
    "train": {**TINY["train"], "epochs": 1},
}


@pytest.fixture(scope="module")
def probed(tmp_path_factory):
    """A finished run with probes."""
    return train(PROBED, run=tmp_path_factory.mktemp("runs") / "probed" / "001")


@pytest.fixture
def own(probed, tmp_path):
    """A copy that a test may change."""
    return Run(shutil.copytree(probed.directory, tmp_path / "runs" / "probed" / "001"))


def files(run):
    return {path.name: path.read_bytes() for path in sorted(run.probe("a", "b").parent.iterdir())}


def test_training_writes_probes_and_their_metrics(probed):
    assert list(files(probed)) == sorted(f"digit_{k}.{e}" for k in KINDS for e in ("npz", "json"))
    probes = probed.metrics()["test"]["probes"]["digit"]
    assert tuple(probes) == KINDS
    assert all(0.8 < metrics["accuracy"] <= 1 for metrics in probes.values())
    assert "cross_entropy" in probes["knn"]
    assert "cross_entropy" not in probes["svm"]
    assert probes["svm"]["top5_accuracy"] > probes["svm"]["accuracy"]


def test_probes_respect_their_maximum_of_examples(probed):
    records = {kind: json.loads(probed.probe_record("digit", kind).read_text()) for kind in KINDS}
    assert {kind: record["fitted_to"] for kind, record in records.items()} == {
        "svm": 1294,
        "knn": 300,
        "logistic": 1294,
    }
    assert records["knn"]["neighbours"] == 3
    printed = probed.log_file.read_text()
    assert "The probe knn of digit is fitted to a random sample of 300 of 1,294 training" in printed
    assert "probe svm of digit is fitted to" not in printed


def test_probes_match_scikit_learn_on_the_same_features(probed):
    model, config = load_trained(probed)
    data = load_arrays(config)
    to_features = keras.Model(model.input, head_inputs(model, ["digit"])[0])

    def features(split):
        pixels = {"image": data.splits[split][config.columns["image"]]}
        return to_features.predict(pixels, verbose=0, batch_size=256).astype("float64")

    known = StandardScaler().fit(features("train"))
    theirs = LogisticRegression(max_iter=1000)
    theirs.fit(known.transform(features("train")), data.splits["train"][config.columns["digit"]])
    expected = theirs.predict_proba(known.transform(features("test")))
    ours = evaluate_model(model, config, data, "test", load_probes(probed, config, model))
    printed = ours.probed["digit"]["logistic"]
    assert np.array_equal(printed.argmax(axis=1), expected.argmax(axis=1))
    np.testing.assert_allclose(printed, expected, atol=1e-3)


def test_evaluation_gives_the_same_probe_metrics(own):
    before = own.metrics()
    done = evaluate_run(own, split="test", checkpoint="best", device="cpu")
    assert own.metrics() == before
    assert done.report.heads[0].probes == before["test"]["probes"]["digit"]
    page = done.page.read_text()
    assert "<h3>Probes</h3>" in page
    assert f"{100 * before['test']['probes']['digit']['knn']['accuracy']:.1f} %" in page
    with (own.evaluation("test") / "predictions.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0])[4:] == [
        *("digit_svm", "digit_knn", "digit_knn_probability"),
        *("digit_logistic", "digit_logistic_probability"),
    ]
    right = sum(row["digit_svm"] == row["digit_true"] for row in rows)
    assert right / len(rows) == before["test"]["probes"]["digit"]["svm"]["accuracy"]


def test_probes_are_not_heads(probed, monkeypatch):
    monkeypatch.chdir(probed.directory.parents[1])
    shutil.copytree(probed.directory.parent, "runs/probed", dirs_exist_ok=True)
    [line] = list_names("runs").values()
    assert line.startswith("digit accuracy ")
    assert "probes" not in line
    with pytest.raises(ConfigError, match=r"heads.probes: metrics.json has its own 'probes'"):
        load_config({**PROBED, "heads": {"probes": {"type": "classification"}}})


def test_predictions_have_a_column_per_probe(probed, tmp_path):
    from PIL import Image

    model, config = load_trained(probed)
    data = load_arrays(config)
    pixels = data.splits["test"][config.columns["image"]][:3, :, :, 0]
    paths = [tmp_path / f"{number}.png" for number in range(3)]
    for path, one in zip(paths, pixels, strict=True):
        Image.fromarray(one).save(path)
    table = predict(probed, paths)
    ours = evaluate_model(model, config, data, "test", load_probes(probed, config, model))
    for kind in KINDS:
        expected = ours.probed["digit"][kind][:3].argmax(axis=1)
        assert table[f"digit_{kind}"] == [str(digit) for digit in expected]
    assert "digit_svm_probability" not in table
    assert all(0 < share <= 1 for share in table["digit_knn_probability"])


def test_a_resume_completes_the_probes_after_a_crash(own):
    required, metrics = files(own), own.metrics()
    own.metrics_file.unlink()
    own.probe("digit", "logistic").unlink()
    own.probe("digit", "knn").write_bytes(b"half")
    own.probe("digit", "svm").with_name(".digit_svm.npz.1.tmp.npz").write_bytes(b"half")
    train(PROBED, run=own.directory, resume=True)
    assert files(own) == required
    assert own.metrics() == metrics


def test_a_finished_run_is_unchanged(own):
    times = {path: path.stat().st_mtime_ns for path in own.probe("a", "b").parent.iterdir()}
    train(PROBED, run=own.directory, resume=True)
    assert {path: path.stat().st_mtime_ns for path in times} == times


def test_other_weights_have_no_probes(own, capsys):
    metrics = evaluate(own, checkpoint="last")
    assert "probes" not in metrics
    assert "the probes are skipped: they were fitted to the best weights" in (
        capsys.readouterr().err
    )


def test_without_fitted_probes_there_are_none(own, capsys):
    for kind in KINDS:
        own.probe("digit", kind).unlink()
    own.metrics_file.unlink()
    assert "probes" not in evaluate(own)
    assert "no probes are fitted yet; `mmzoo train --resume`" in capsys.readouterr().err


def test_a_finished_run_without_probes_does_not_suggest_a_resume(own, messages):
    model, config = load_trained(own)
    for kind in KINDS:
        own.probe("digit", kind).unlink()
    assert usable_probes(own, config, model, "best") == {}
    assert messages == [
        "Note: the run is finished and has no probes; see its train.log for the reason."
    ]


def test_a_damaged_file_is_named(own):
    path = own.probe("digit", "svm")
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(RunError, match=r"digit_svm\.npz: damaged, it cannot be used"):
        evaluate(own)


def test_a_file_of_another_model_is_named(own):
    path = own.probe("digit", "svm")
    with np.load(path, allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    arrays["mean"] = arrays["mean"][:-1]
    np.savez(path, **arrays)
    with pytest.raises(
        RunError, match=r"digit_svm\.npz: fitted to another model; this one has 64 features"
    ):
        evaluate(own)


@pytest.fixture(scope="module")
def of_all_heads():
    """Untrained model, config and data with a head of each type."""
    encoder = {"type": "cnn", "filters": [4], "padding": "same"}
    image = {"type": "image", "shape": [8, 8, 1], "encoder": encoder}
    config = load_config(
        {
            "name": "all",
            "source": {"type": "synthetic", "rows": 120},
            "inputs": {"left": image, "right": {**image, "column": "other"}},
            "fusion": {"type": "decision"},
            "heads": {
                "which": {"type": "classification", "classes": 4},
                "is": {"type": "binary", "threshold": 0.9},
                "many": {"type": "multilabel", "class_names": ["cat", "dog"]},
                "much": {"type": "regression", "dim": 2},
            },
            "probes": ["svm", "knn", "ridge"],
        }
    ).with_columns()
    data = load_frame(config)
    config, preprocessing = fit_config(config, data)
    model = build_model(config)
    model.compile(**config.objective.compile_arguments(config.heads, config.soft_targets))
    return model, config, transform(config, data, preprocessing)


@pytest.fixture(scope="module")
def fitted(of_all_heads, tmp_path_factory):
    model, config, data = of_all_heads
    run = Run(tmp_path_factory.mktemp("all"))
    return run, fit_probes(model, config, data.splits["train"], run)


def test_each_head_has_the_probes_that_can_learn_its_labels(fitted):
    _, probes = fitted
    assert {name: tuple(of) for name, of in probes.items()} == {
        "which": ("svm", "knn"),
        "is": ("svm", "knn"),
        "much": ("knn", "ridge"),
    }


def test_decision_fusion_probes_use_the_features_of_each_input(of_all_heads, fitted):
    model, _, _ = of_all_heads
    widths = [tensor.shape[-1] for tensor in head_inputs(model, ["which"])]
    assert len(widths) == 2
    run, _ = fitted
    assert json.loads(run.probe_record("which", "knn").read_text())["features"] == sum(widths)


def test_repeated_fitting_does_not_retrace(of_all_heads):
    model, config, data = of_all_heads
    combined = with_features(model, ["is"])
    rows = {name: values[:2] for name, values in data.splits["train"].items()}
    printed: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: printed.append(record.getMessage())
    logger = logging.getLogger("tensorflow")
    logger.addHandler(handler)
    try:
        for _ in range(6):
            _features(combined, config, rows)
    finally:
        logger.removeHandler(handler)
    assert printed == []


def test_every_type_of_head_has_probe_metrics(of_all_heads, fitted):
    model, config, data = of_all_heads
    run, probes = fitted
    evaluation = evaluate_model(model, config, data, "test", probes)
    metrics = evaluation.probe_metrics
    assert metrics["is"].keys() == {"svm", "knn"}
    assert metrics["is"]["svm"]["auc"] is not None
    assert metrics["much"]["ridge"]["mean_absolute_error"] > 0
    assert evaluation.probed["much"]["ridge"].shape == evaluation.predictions["much"].shape
    # A threshold is of probabilities; a support vector machine decides at 0.
    yes = probes["is"]["svm"].decode(evaluation.probed["is"]["svm"], "is")["is_svm"]
    assert set(yes) == {"no", "yes"}
    loaded = load_probes(run, config, model)
    again = evaluate_model(model, config, data, "test", loaded).probed
    for name, of in evaluation.probed.items():
        for kind, printed in of.items():
            assert np.array_equal(again[name][kind], printed)


def test_a_single_class_has_no_probe(of_all_heads, tmp_path, messages):
    model, config, data = of_all_heads
    config = config.replace(heads={"is": config.heads["is"]}, probes=("svm",))
    columns = dict(data.splits["train"])
    columns[config.columns["is"]] = np.zeros_like(columns[config.columns["is"]])
    assert not fit_probes(model, config, columns, Run(tmp_path))
    assert messages == ["The probe svm of is is skipped: all examples have the same class."]


def test_large_features_use_fewer_examples(
    of_all_heads,
    tmp_path,
    monkeypatch,
    messages,
):
    model, config, data = of_all_heads
    config = config.replace(heads={"is": config.heads["is"]}, probes=("knn",))
    monkeypatch.setattr("mmzoo.fitted_probes._MOST_NUMBERS", 30 * 128)
    probes = fit_probes(model, config, data.splits["train"], Run(tmp_path))
    assert len(probes["is"]["knn"].arrays["features"]) == 30
    assert messages == [
        "The probe knn of is is fitted to a random sample of 30 of 60 training examples."
    ]


def test_rows_without_a_label_are_ignored_by_probes(of_all_heads, tmp_path):
    model, config, data = of_all_heads
    config = config.replace(
        heads={"is": config.heads["is"].replace(missing="ignore")}, probes=("knn",)
    )
    columns = dict(data.splits["train"])
    labels = columns[config.columns["is"]].copy()
    labels[:20] = -1
    probes = fit_probes(model, config, {**columns, config.columns["is"]: labels}, Run(tmp_path))
    probe = probes["is"]["knn"]
    assert len(probe.arrays["features"]) == len(labels) - 20
    assert probe.arrays["classes"].tolist() == [0, 1]
    printed = np.full((len(labels), 1), 0.95, "float32")
    expected = np.mean(labels[20:] == 1)
    assert probe.evaluate(labels, printed)["accuracy"] == expected
    assert probe.evaluate(labels, printed)["labelled"] == len(labels) - 20
    assert "labelled" not in probe.evaluate(labels[20:], printed[20:])
    assert probe.evaluate(labels[:20], printed[:20]) == {"labelled": 0}
