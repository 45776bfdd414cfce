"""Each table that a run is evaluated on has its own folder in the run."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mmzoo.evaluation.evaluation_data import other_data_name, record_data
from mmzoo.runs import Run


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run(tmp_path / "run")


def evaluated(run: Run, data: Path) -> str:
    name = other_data_name(run, data)
    record_data(run.evaluation(name), data)
    return name


def test_tables_of_equal_names_have_separate_folders(run: Run, tmp_path: Path) -> None:
    paths = [tmp_path / "a" / "new.csv", tmp_path / "b" / "new.csv", tmp_path / "a" / "new.tsv"]
    names = ["data_new", "data_new_2", "data_new_3"]
    assert [evaluated(run, path) for path in paths] == names
    assert [evaluated(run, path) for path in reversed(paths)] == names[::-1]


def test_the_same_table_by_another_path_has_the_same_folder(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "link.csv").symlink_to("new plants.csv")
    paths = ["new plants.csv", tmp_path / "new plants.csv", "link.csv"]
    assert [evaluated(run, Path(path)) for path in paths] == ["data_new_plants"] * 3


def test_unrecorded_folders_are_not_guessed(run: Run, tmp_path: Path) -> None:
    run.evaluation("data_new").mkdir(parents=True)
    assert evaluated(run, tmp_path / "new.csv") == "data_new_2"
    (run.evaluation("data_new_2") / "data.json").write_text("[1")
    assert evaluated(run, tmp_path / "new.csv") == "data_new_3"


def test_any_table_name_gives_a_valid_folder(run: Run, tmp_path: Path) -> None:
    assert evaluated(run, tmp_path / "数据.csv") == "data__"
    assert evaluated(run, tmp_path / "價格.csv") == "data___2"
    assert evaluated(run, Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.csv"))) == "data___3"
