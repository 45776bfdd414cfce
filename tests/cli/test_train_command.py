"""`mmzoo train`: output, order of steps, and what remains after an error."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import yaml

import mmzoo as api
from mmzoo.spec import dump_yaml


@pytest.fixture
def config(tiny, tmp_path):
    """TINY as a file."""
    path = tmp_path / "tiny.yaml"
    path.write_text(yaml.safe_dump(tiny))
    return path


def test_table_runs_suggest_predict_data(mmzoo, tmp_path):
    rows = "".join(f"{n * 37 % 101 / 8},{'ab'[n % 2]}\n" for n in range(60))
    (tmp_path / "t.csv").write_text(f"x,y\n{rows}")
    assert mmzoo("init", "t.csv", "--target", "y", "--output", "t.yaml").code == 0
    done = mmzoo("train", "t.yaml", "--set", "train.epochs=1")
    assert done.code == 0, done.err
    assert "  mmzoo predict runs/t/001 --data TABLE  predictions for rows\n" in done.out


def test_training_prints_the_next_command(mmzoo, config):
    done = mmzoo("train", config, "--set", "train.epochs=1")
    assert done.code == 0
    metrics = api.runs.Run(Path("runs/tiny/001")).metrics()["test"]
    first, second, *rest = done.out.splitlines()
    assert first == f"test: 359 examples of digits, loss {metrics['loss']:.4g}"
    assert second.startswith("  digit: accuracy ")
    assert rest[-5:] == [
        "",
        "The run is in runs/tiny/001. Next:",
        "  mmzoo eval runs/tiny/001             a report with plots",
        "  mmzoo predict runs/tiny/001 FILE...  predictions for files",
        "  mmzoo board runs/tiny/001            curves in TensorBoard",
    ]
    # What it does on the way goes to stderr.
    assert "tiny: digits (1,294 train, 144 validation, 359 test), on CPU" in done.err
    assert "epoch 1/1" in done.err


def test_json_is_one_document_equal_to_the_api(mmzoo, config, trained_run):
    done = mmzoo("train", config, "--run", "made/by/hand", "--json")
    assert done.code == 0
    assert done.document == {"run": "made/by/hand", "metrics": trained_run.metrics()}
    assert "epoch 3/3" in done.err


def test_smoke_trains_on_synthetic_data(mmzoo, config):
    done = mmzoo("train", config, "--smoke", "--set", "source.name=cifar100", "--json")
    assert done.document["run"] == "runs/tiny_smoke/001"
    assert done.document["metrics"]["test"]["data"] == "synthetic"
    assert "the examples are synthetic" in done.err


def test_a_finished_run_is_not_trained_again(mmzoo, own_run, tmp_path):
    (tmp_path / "tiny.yaml").write_text(dump_yaml(own_run.config()))
    before = own_run.metrics_file.stat().st_mtime_ns
    done = mmzoo("train", "tiny.yaml", "--resume", "--json")
    assert done.document == {"run": "runs/tiny/001", "metrics": own_run.metrics()}
    assert "This training is finished; its results stay as they are." in done.err
    assert own_run.metrics_file.stat().st_mtime_ns == before


def test_an_existing_run_is_refused(mmzoo, config, tmp_path):
    (tmp_path / "mine").mkdir()
    done = mmzoo("train", config, "--run", "mine")
    assert (done.code, done.out) == (1, "")
    assert done.err == (
        "Error: mine: exists already. Continue it with --resume, or name another --run.\n"
    )
    assert os.listdir(tmp_path / "mine") == []


@pytest.mark.parametrize("resume", [(), ("--resume",)])
def test_a_file_can_be_neither_created_nor_resumed_as_a_run(mmzoo, config, tmp_path, resume):
    (tmp_path / "d.png").touch()
    done = mmzoo("train", config, "--run", "d.png", *resume)
    assert (done.code, done.out) == (1, "")
    assert done.err == "Error: d.png: is a file, not a run directory. Name another --run.\n"
    done = mmzoo("train", config, "--run", "d.png/x", *resume)
    assert done.err == "Error: d.png: is a file, not a folder. Name another --run.\n"


@pytest.fixture
def without_data(tmp_path, monkeypatch):
    """Only the bundled data set is available, and downloads fail."""
    monkeypatch.setenv("MMZOO_DATA_DIR", str(tmp_path / "nothing"))
    monkeypatch.setenv("MMZOO_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr("mmzoo.data.datasets.dataset_files.download", _unreachable)


def _unreachable(urls, *arguments, **named):
    from mmzoo.download import DownloadError

    raise DownloadError([f"{url}: cannot be reached" for url in urls])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--set", "source.name=mnist"), "data set mnist is not available"),
        (("--set", "heads.digit.classes=9"), "heads.digit, column 'label' of digits: the data has"),
        (("--device", "gpu"), "--device gpu: TensorFlow finds no GPU."),
    ],
)
def test_a_training_that_fails_to_start_leaves_nothing(
    mmzoo, config, without_data, tmp_path, words, message
):
    before = os.listdir(tmp_path)
    done = mmzoo("train", config, *words)
    assert (done.code, done.out) == (1, "")
    assert f"Error: {message}" in done.err
    assert os.listdir(tmp_path) == before


def test_a_training_that_fails_to_start_keeps_foreign_files(mmzoo, config, tmp_path):
    for other in ("runs/other/001", "runs/tiny/001"):
        (tmp_path / other).mkdir(parents=True)
        (tmp_path / other / "config.yaml").write_text("name: x\n")
    wrong = ("--set", "heads.digit.classes=9")
    assert mmzoo("train", config, *wrong).code == 1
    assert mmzoo("train", config, "--run", "some/where", *wrong).code == 1
    left = sorted(str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*") if p.is_file())
    assert left == ["runs/other/001/config.yaml", "runs/tiny/001/config.yaml", "tiny.yaml"]
    assert not (tmp_path / "some/where").exists()
    assert not (tmp_path / "runs/tiny/002").exists()


def test_the_fallback_data_set_is_reported_prominently(mmzoo, config, without_data):
    wider = ("--set", "source.name=mnist", "--set", "source.fallback=digits")
    done = mmzoo("train", config, *wider, "--set", "train.epochs=1", "--json")
    assert done.code == 0
    assert done.document["metrics"]["test"]["data"] == "digits"
    assert "mnist" in done.err
    evaluated = mmzoo("eval", done.document["run"])
    assert (
        "Note: mnist was not available, used digits instead: these metrics are not of mnist."
        in (evaluated.out)
    )
