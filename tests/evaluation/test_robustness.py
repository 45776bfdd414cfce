"""Robustness curves: corrupting the clue degrades the metrics, corrupting the noise does not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mmzoo.config import load_config
from mmzoo.evaluation.evaluate import evaluate_model
from mmzoo.evaluation.modality_ablation import subset_scores
from mmzoo.evaluation.robustness import compare_robustness, robustness_finding
from mmzoo.metrics import PairedDifference, metric_info
from mmzoo.model import build_network
from mmzoo.preprocessing import fit_config, load_frame, transform
from mmzoo.trained_model import load_network

LEVELS = (0.1, 0.2, 0.4, 0.6, 0.8)


def curve(found, head, variant):
    return [row for row in found.of_head(head) if row.variant == variant]


def test_each_head_and_corruption_has_five_levels(compared_run):
    found = compared_run.robustness
    assert found.heads == ["colour", "warm", "tags", "price"]
    for head in found.heads:
        for name in ("clue", "noise"):
            rows = curve(found, head, name)
            assert [row.level for row in rows] == [*LEVELS]
            assert {(row.condition, row.unit) for row in rows} == {("dropped words", "share")}


def test_only_corrupting_the_informative_input_degrades(compared_run):
    found = compared_run.robustness
    for head in ("colour", "warm", "tags"):
        clean, clue, noise = (curve(found, head, name) for name in ("none", "clue", "noise"))
        complete = clean[0].value
        assert complete == pytest.approx(compared_run.metrics[head][found.info(head).name])
        values = [complete, *(row.value for row in clue)]
        assert values == sorted(values, reverse=True)
        assert clue[-1].lead.low > 0.1
        assert clue[-1].verdict == "worse"
        assert abs(noise[-1].difference) < 0.05
        for row in clue:
            assert row.interval[0] <= row.value <= row.interval[1]
            assert row.difference == pytest.approx(row.value - complete)
    errors = curve(found, "price", "clue")
    assert errors[-1].value > errors[0].value > 0
    assert errors[-1].difference_interval[0] > 1  # Higher errors are worse.
    assert errors[-1].verdict == "worse"


def test_findings_name_the_first_degraded_level(compared_run):
    clue, noise = compared_run.robustness.findings["colour"]
    assert clue.startswith("clue, dropped words: degrades from 0.")
    assert noise == "noise, dropped words: robust, no clear loss up to 0.8 (share)"


WORSE, BETTER = PairedDifference(0.2, 0.1, 0.3), PairedDifference(-0.2, -0.3, -0.1)
NOTHING = PairedDifference(0.0, -0.1, 0.1)


@pytest.mark.parametrize(
    ("ablation", "finding"),
    [
        (
            [WORSE, NOTHING, WORSE, WORSE, WORSE],
            "degrades from 0.4 (share) on, there by 20.0 points, 95 % CI 10.0 to 30.0",
        ),
        (
            [WORSE, BETTER, NOTHING, BETTER, WORSE],
            "degrades from 0.8 (share) on, there by 20.0 points, 95 % CI 10.0 to 30.0",
        ),
        (
            [WORSE, NOTHING, WORSE, WORSE, NOTHING],
            "degrades at 0.1, 0.4, 0.6 (share), but not clearly at the highest level",
        ),
        ([BETTER] * 5, "robust, no clear loss up to 0.8 (share)"),
    ],
)
def test_a_level_degrades_only_if_all_higher_levels_do(ablation, finding):
    assert robustness_finding(LEVELS, "share", ablation, metric_info("accuracy")) == finding


def test_unlabelled_examples_do_not_count_for_the_head(clue_run):
    network, config = load_network(clue_run)
    data = transform(config, load_frame(config), clue_run.preprocessing())
    test = {name: column[:9] for name, column in data.splits["test"].items()}
    data.splits["test"] = test
    evaluation = evaluate_model(network.model, config, data, "test")
    colours = np.where(np.arange(9) < 5, test["colour"], -1)
    evaluation = replace(
        evaluation,
        labels={**evaluation.labels, "colour": colours},
        scored={**evaluation.scored, "colour": colours >= 0},
    )
    relaxed = config.heads["colour"].replace(missing="ignore")
    config = config.replace(heads={**config.heads, "colour": relaxed})
    found = compare_robustness(network, config, data, evaluation)
    assert found.row("colour", "none").value == 1
    shares = {round(5 * row.value, 6) for row in curve(found, "colour", "clue")}
    assert shares <= {0, 1, 2, 3, 4, 5}


def test_inputs_of_every_modality_can_be_removed_and_corrupted():
    """Their encoders give one, two or three tensors."""
    inputs = {
        "photo": {"type": "image", "shape": [8, 8, 1], "encoder": {"type": "cnn", "filters": [2]}},
        "title": {"type": "text", "length": 5, "encoder": {"type": "embedding", "dim": 4}},
        "sound": {"type": "audio", "rate": 4000, "seconds": 0.3, "encoder": {"type": "gru"}},
        "facts": {"type": "tabular", "columns": {"age": "number", "city": "category"}},
    }
    heads = {"kind": {"type": "classification", "classes": 3}}
    source = {"type": "synthetic", "rows": 80}
    config = load_config({"name": "all", "source": source, "inputs": inputs, "heads": heads})
    config = config.with_columns()
    data = load_frame(config)
    config, preprocessing = fit_config(config, data)
    data = transform(config, data, preprocessing)
    network = build_network(config)
    model = network.model
    model.compile(**config.objective.compile_arguments(config.heads, config.soft_targets))
    evaluation = evaluate_model(model, config, data, "test")
    found = compare_robustness(network, config, data, evaluation)
    corruptions = dict.fromkeys((row.variant, row.condition) for row in found.rows if row.level)
    assert [*corruptions] == [
        ("photo", "noise"),
        ("photo", "blur"),
        ("title", "dropped words"),
        ("sound", "white noise"),
        ("facts", "missing cells"),
        ("facts", "noise"),
    ]
    scores = subset_scores(network, config, data, "test")["kind"]
    assert len(scores["shuffled"]) == 15
    assert scores["absent"] == {}
    complete = scores["shuffled"][tuple(inputs)].mean()
    assert complete == pytest.approx(evaluation.metrics["kind"]["accuracy"])


def test_rows_without_remaining_cells_count_as_missing():
    """A model that predicts the wrong class for missing facts only."""
    facts = {"type": "tabular", "columns": {"age": "number", "city": "category"}}
    inputs = {
        "facts": {**facts, "modality_dropout": 0.3},
        "title": {"type": "text", "length": 3, "encoder": {"type": "embedding", "dim": 2}},
    }
    heads = {"kind": {"type": "classification", "classes": 2}}
    source = {"type": "synthetic", "rows": 2000}
    config = load_config({"name": "facts", "source": source, "inputs": inputs, "heads": heads})
    config = config.with_columns()
    data = load_frame(config)
    config, preprocessing = fit_config(config, data)
    data = transform(config, data, preprocessing)
    data.splits["test"]["kind"][:] = 0
    network = build_network(config)
    model = network.model
    missing, head = model.get_layer("facts_missing"), model.get_layer("kind")
    [stand_in] = missing.get_weights()
    missing.set_weights([np.full_like(stand_in, 1e6)])
    kernel, bias = map(np.zeros_like, head.get_weights())
    kernel[: len(stand_in), 1] = 1
    bias[0] = 1e4
    head.set_weights([kernel, bias])
    model.compile(**config.objective.compile_arguments(config.heads, config.soft_targets))
    evaluation = evaluate_model(model, config, data, "test")
    found = compare_robustness(network, config, data, evaluation)
    cells, noise = (
        [row for row in curve(found, "kind", "facts") if row.condition == condition]
        for condition in ("missing cells", "noise")
    )
    assert found.row("kind", "none").value == 1
    for row in cells:
        assert row.value == pytest.approx(1 - row.level**2, abs=0.1)
    assert {row.value for row in noise} == {1}
    # Words that are not in the vocabulary are words.
    assert {row.value for row in curve(found, "kind", "title")} == {1}
