"""`mmzoo eval --ensemble`: output and usage."""

from __future__ import annotations

import json
import shutil

import pytest


@pytest.mark.slow
def test_members_and_the_ensemble_are_printed(mmzoo, trained_run, tmp_path):
    for name in ("a", "b"):
        shutil.copytree(trained_run.directory, tmp_path / name)
    done = mmzoo("eval", "a", "b", "--ensemble", "average", "--device", "cpu")
    assert done.code == 0
    accuracy = trained_run.metrics()["test"]["digit"]["accuracy"]
    lines = done.out.splitlines()
    assert lines[0] == "Average of 2 runs on test (359 examples):"
    assert lines[2] == "  digit: accuracy"
    for line, name in zip(lines[4:7], ("a", "b", "average"), strict=True):
        assert line.split()[:3] == [name, f"{100 * accuracy:.1f}", "%"]
    assert lines[6].endswith("  0.0 points  0.0 to 0.0  identical")
    assert "    the average is as good as its best member, a, on every example" in lines
    assert lines[-1] == "Metrics and predictions: runs/ensembles/001"
    again = mmzoo("eval", "a", "b", "--ensemble", "vote", "--json", "--output", "mine")
    written = {
        name: json.loads((tmp_path / "mine" / f"{name}.json").read_text())
        for name in ("metrics", "ensemble")
    }
    assert again.document == {**written["metrics"], "ensemble": written["ensemble"]}


def test_the_ensemble_method_is_printed(mmzoo):
    assert "To evaluate several runs together, add --ensemble" in mmzoo("eval", "a", "b").err
    assert "Did you mean 'stacking'?" in mmzoo("eval", "a", "b", "--ensemble", "stack").err
    assert (
        "need a single run, not an ensemble"
        in mmzoo("eval", "a", "b", "--ensemble", "vote", "--embeddings").err
    )
