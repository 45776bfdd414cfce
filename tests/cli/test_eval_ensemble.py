"""`mmzoo eval --ensemble`: what it prints, and how it is asked for."""

from __future__ import annotations

import json
import shutil


def test_members_and_the_ensemble_are_printed(mmzoo, trained_run, tmp_path):
    for name in ("a", "b"):
        shutil.copytree(trained_run.directory, tmp_path / name)
    done = mmzoo("eval", "a", "b", "--ensemble", "average", "--device", "cpu")
    assert done.code == 0
    accuracy = trained_run.metrics()["test"]["digit"]["accuracy"]
    lines = done.out.splitlines()
    assert lines[0] == "test: 359 examples of digits, the average of 2 runs"
    assert lines[2] == "  digit: accuracy"
    for line, name in zip(lines[3:6], ("a", "b", "the average"), strict=True):
        assert line.split("  ")[2] == name
        assert f"{100 * accuracy:.1f} % (95 % CI " in line
    assert "The average is as good as its best member, a, on every one of the examples." in done.out
    assert lines[-1] == "Metrics and predictions: runs/ensembles/001"
    again = mmzoo("eval", "a", "b", "--ensemble", "vote", "--json", "--output", "mine")
    written = {
        name: json.loads((tmp_path / "mine" / f"{name}.json").read_text())
        for name in ("metrics", "ensemble")
    }
    assert again.document == {**written["metrics"], "ensemble": written["ensemble"]}


def test_how_several_become_one_is_said(mmzoo):
    assert (
        "Several runs are evaluated together: say how by --ensemble." in mmzoo("eval", "a", "b").err
    )
    assert "Did you mean 'stacking'?" in mmzoo("eval", "a", "b", "--ensemble", "stack").err
    assert "--output is for ensembles" in mmzoo("eval", "a", "--output", "mine").err
    assert (
        "are of one run, not of an ensemble"
        in mmzoo("eval", "a", "b", "--ensemble", "vote", "--embeddings").err
    )
