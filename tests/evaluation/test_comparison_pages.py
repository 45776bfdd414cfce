"""Comparison pages are kept and linked as long as the same weights are evaluated."""

from __future__ import annotations

import json
import re
import shutil

import pytest

from mmzoo import evaluate
from mmzoo.model import build_network
from mmzoo.runs import Run
from mmzoo.trained_model import load_network
from mmzoo.weights import save_weights

FILES = [
    f"{name}.{kind}" for name in ("modalities", "robustness") for kind in ("html", "json", "png")
]


@pytest.fixture
def own_clue_run(clue_run, compared_run, tmp_path):
    """A copy of the run with all comparisons of its inputs."""
    return Run(shutil.copytree(clue_run.directory, tmp_path / "run"))


def links(run):
    page = (run.evaluation("test") / "report.html").read_text()
    return re.findall(r'<a href="([^"]*)">([^<]*)</a>', page)


def files(run):
    return sorted(path.name for path in run.evaluation("test").iterdir() if path.name in FILES)


@pytest.mark.slow
def test_report_and_comparisons_link_to_each_other(clue_run, compared_run):
    assert links(clue_run) == [
        ("modalities.html", "Contribution of each input"),
        ("robustness.html", "Robustness"),
    ]
    for name in ("modalities", "robustness"):
        page = (clue_run.evaluation("test") / f"{name}.html").read_text()
        assert '<a href="report.html">the report</a>' in page
        assert "checkpoint <bdi>best</bdi>" in page
        written = json.loads((clue_run.evaluation("test") / f"{name}.json").read_text())
        assert written["checkpoint"] == "best"
        assert written["fingerprint"] == clue_run.environment()["data"]["fingerprint"]


@pytest.mark.slow
def test_comparisons_stay_for_the_same_weights_only(own_clue_run):
    evaluate(own_clue_run, device="cpu")
    assert files(own_clue_run) == FILES
    assert [file for file, _ in links(own_clue_run)] == ["modalities.html", "robustness.html"]
    model = load_network(own_clue_run)[0].model
    model.get_layer("price").bias.assign_add([1.0])
    other = own_clue_run.directory / "checkpoints" / "other.weights.h5"
    save_weights(model, other)
    evaluate(own_clue_run, checkpoint=other, device="cpu")
    assert files(own_clue_run) == []
    assert links(own_clue_run) == []


@pytest.mark.slow
def test_comparisons_are_requested_by_name_in_python(own_clue_run):
    shutil.rmtree(own_clue_run.evaluation("test"))
    evaluate(own_clue_run, device="cpu", modalities=True, robustness=True)
    assert files(own_clue_run) == FILES
    assert len(links(own_clue_run)) == 2


@pytest.mark.slow
def test_learned_weights_of_the_losses_are_in_the_report(own_clue_run):
    config = own_clue_run.config()
    config = config.replace(objective=config.objective.replace(weights="uncertainty"))
    own_clue_run.write_config(config)
    model = build_network(config).model
    model.get_layer("loss.weights").log_variances.assign([0.0, 1.0, -1.0, 2.0])
    save_weights(model, own_clue_run.best_weights)
    evaluate(own_clue_run, device="cpu")
    page = (own_clue_run.evaluation("test") / "report.html").read_text()
    learned = re.findall(r"<dt>learned loss weight</dt><dd><bdi>(.*?)</bdi></dd>", page)
    assert learned == [
        "1",
        "0.3679",
        "2.718",
        "0.06767",
    ]  # Of numbers, half of one over a variance.
