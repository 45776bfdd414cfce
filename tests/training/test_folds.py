"""K-fold cross-validation: the runs of the folds, and their summary."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from trainings import config

from mmzoo.cli.main_command import main
from mmzoo.config import load_config
from mmzoo.errors import ConfigError
from mmzoo.find_runs import runs_of
from mmzoo.spec import dump_yaml
from mmzoo.training.folds import summarise_folds, train_folds, with_fold
from mmzoo.training.train import train

FEW = config(train={"epochs": 1})


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "small.yaml").write_text(dump_yaml(load_config(FEW)))
    return tmp_path


def command(*words: str) -> None:
    with pytest.raises(SystemExit) as caught:
        main([*words])
    assert caught.value.code == 0


def test_each_fold_is_a_run_with_its_own_test_rows(here):
    summary = train_folds(load_config(FEW), 2)
    assert summary.runs == {
        1: Path("runs/small/001"),
        2: Path("runs/small/002"),
    }
    tested = [run.metrics()["test"]["examples"] for run in runs_of("small")]
    assert sum(tested) == 1_797
    assert {run.config().source.fold.index for run in runs_of("small")} == {1, 2}
    values = [run.metrics()["test"]["digit"]["accuracy"] for run in runs_of("small")]
    spread = summary.metrics["digit"]["accuracy"]
    assert spread.values == tuple(values)
    assert spread.mean == pytest.approx(np.mean(values))
    assert spread.std == pytest.approx(np.std(values, ddof=1))
    assert "accuracy_ci95" not in summary.metrics["digit"]


@pytest.mark.slow
def test_a_resume_leaves_finished_folds_and_finishes_the_others(here, capsys):
    first = with_fold(load_config(FEW), 1, 2)
    train(first)
    before = runs_of("small")[0].metrics_file.stat().st_mtime_ns
    train(
        with_fold(load_config(config(train={"epochs": 1, "seed": 5})), 2, 2)
    )  # Another experiment.
    summary = train_folds(load_config(FEW), 2, resume=True)
    assert "Fold 1 of 2: finished already, in runs/small/001" in capsys.readouterr().err
    assert summary.runs == {1: Path("runs/small/001"), 2: Path("runs/small/003")}
    assert runs_of("small")[0].metrics_file.stat().st_mtime_ns == before


@pytest.mark.slow
def test_resuming_one_fold_continues_its_run(here, capsys):
    command("train", "small.yaml", "--fold", "1/2")
    command("train", "small.yaml", "--fold", "2/2")
    command("train", "small.yaml", "--fold", "1/2", "--resume")
    assert "This training is finished" in capsys.readouterr().err
    assert len(runs_of("small")) == 2
    command("train", "small.yaml", "--fold", "1/3", "--resume")  # There is none yet.
    assert len(runs_of("small")) == 3


def test_finished_folds_are_summarized(here, capsys):
    assert summarise_folds(with_fold(load_config(FEW), 1, 2)) is None
    command("train", "small.yaml", "--fold", "2/2")
    printed = capsys.readouterr().out
    assert "small: 1 of 2 folds, on their test splits:" in printed
    assert "not yet trained: 1" in printed


@pytest.mark.slow
def test_the_summary_is_one_json_document(here, capsys):
    command("train", "small.yaml", "--fold", "all/2", "--json")
    summary = json.loads(capsys.readouterr().out)
    assert summary["folds"] == 2
    assert set(summary["metrics"]["digit"]["accuracy"]) == {"mean", "std", "values"}


@pytest.mark.parametrize("word", ["3", "0/3", "4/3", "1/1", "every/3", "all/1"])
def test_an_impossible_fold_is_a_usage_error(here, word, capsys):
    with pytest.raises(SystemExit) as caught:
        main(["train", "small.yaml", "--fold", word])
    assert caught.value.code == 2
    assert "'--fold'" in capsys.readouterr().err


def test_a_source_without_folds_is_refused():
    with pytest.raises(ConfigError, match="`synthetic` does not support folds"):
        with_fold(load_config(config(source={"type": "synthetic"})), 1, 3)
