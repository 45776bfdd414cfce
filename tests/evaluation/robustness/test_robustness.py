"""How a model bears worse inputs: the clue matters, the noise does not, and it is all written."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import numpy as np
import pytest

from mmzoo.config import load_config
from mmzoo.evaluation.evaluate import evaluate_model
from mmzoo.evaluation.modalities.subset_scores import subset_scores
from mmzoo.evaluation.robustness.robustness import measured_robustness
from mmzoo.examples import fit_config, load_data, prepare
from mmzoo.metrics import PairedDifference
from mmzoo.model import build_network
from mmzoo.trained import load_network


def curves_of(found):
    return {(curve.head, curve.input): curve for curve in found.curves}


def test_there_is_a_curve_for_each_head_and_way(guessed):
    heads = ["colour", "warm", "tags", "price"]
    assert list(curves_of(guessed.robustness)) == [
        (head, name) for head in heads for name in ("clue", "noise")
    ]
    for curve in guessed.robustness.curves:
        assert curve.degradation.name == "dropped words"
        assert len(curve.measures) == len(curve.falls) == 5


def test_a_worse_clue_is_felt_and_worse_noise_is_not(guessed):
    curves = curves_of(guessed.robustness)
    for head in ("colour", "warm", "tags"):
        clue, noise = curves[head, "clue"], curves[head, "noise"]
        assert clue.whole.value == pytest.approx(guessed.metrics[head][clue.scale.metric])
        values = [clue.whole.value, *(one.value for one in clue.measures)]
        assert values == sorted(values, reverse=True)
        assert clue.falls[-1].low > 0.1
        assert abs(noise.falls[-1].difference) < 0.05
        for one, fall in zip(clue.measures, clue.falls, strict=True):
            assert one.low <= one.value <= one.high
            assert fall.difference == pytest.approx(clue.whole.value - one.value)
    errors = [one.value for one in curves["price", "clue"].measures]
    assert errors[-1] > errors[0] > 0
    assert curves["price", "clue"].falls[-1].low > 1  # Of an error, more is worse.


def test_it_is_said_from_where_on_it_is_worse(guessed):
    curves = curves_of(guessed.robustness)
    clue = curves["colour", "clue"]
    first = next(
        place
        for place in range(len(clue.falls))
        if all(fall.low > 0 for fall in clue.falls[place:])
    )
    fall = clue.falls[first]
    by, low, high = map(clue.scale.difference, fall)
    assert clue.sentence() == (
        f"worse from {clue.degradation.steps[first]:g} (share) on: there by {by} points, "
        f"95 % CI {low} to {high}"
    )
    assert curves["colour", "noise"].sentence() == (
        "no worse within these steps, as far as the examples show"
    )


WORSE, BETTER = PairedDifference(0.2, 0.1, 0.3), PairedDifference(-0.2, -0.3, -0.1)
NOTHING = PairedDifference(0.0, -0.1, 0.1)


@pytest.mark.parametrize(
    ("falls", "said"),
    [
        ([WORSE, NOTHING, WORSE, WORSE, WORSE], "worse from 0.4 (share) on: there by 20.0 points"),
        (
            [WORSE, BETTER, NOTHING, BETTER, WORSE],
            "worse from 0.8 (share) on: there by 20.0 points",
        ),
        (
            [WORSE, NOTHING, WORSE, WORSE, NOTHING],
            "worse at 0.1, 0.4, 0.6 (share), but not shown to be at the last step",
        ),
        ([BETTER] * 5, "no worse within these steps"),
    ],
)
def test_it_is_worse_from_a_step_on_only_where_it_is_at_all_later_ones(guessed, falls, said):
    curve = replace(guessed.robustness.curves[0], falls=tuple(falls))
    assert curve.sentence().startswith(said)


def test_files_are_left_with_the_same_figures(guess_run, guessed):
    folder = guess_run.evaluation("test")
    written = json.loads((folder / "robustness.json").read_text())
    figures = json.loads(json.dumps(guessed.robustness.as_json()))
    assert {key: written[key] for key in figures} == figures
    first = written["curves"][0]
    assert (first["head"], first["input"], first["unit"]) == ("colour", "clue", "share")
    assert [step["step"] for step in first["steps"]] == [0.1, 0.2, 0.4, 0.6, 0.8]
    assert (folder / "robustness.png").read_bytes().startswith(b"\x89PNG")


def test_the_page_has_every_step_of_every_curve(guess_run, guessed):
    page = (guess_run.evaluation("test") / "robustness.html").read_text()
    sections = page.split("<section>")[2:]
    assert len(sections) == 4  # One for each head, with a table for each curve.
    tables = [table for section in sections for table in section.split("<h3>")[1:]]
    for curve, table in zip(guessed.robustness.curves, tables, strict=True):
        assert table.startswith(f"{curve.input}: dropped words</h3>")
        assert f"<p>{curve.sentence()}</p>" in table
        [titles, nothing, *steps] = [
            re.findall(r"<t[hd]>(.*?)</t[hd]>", row) for row in re.findall(r"<tr>(.*?)</tr>", table)
        ]
        assert titles == ["share", curve.scale.label, "95 % CI", "worse by", "95 % CI"]
        assert nothing == ["none", *measured(curve, curve.whole), "", ""]
        assert steps == [
            [
                f"{step:g}",
                *measured(curve, one),
                curve.scale.difference_text(fall.difference),
                f"{curve.scale.difference(fall.low)} to {curve.scale.difference(fall.high)}",
            ]
            for step, one, fall in zip(
                curve.degradation.steps, curve.measures, curve.falls, strict=True
            )
        ]
    assert 'src="data:image/png;base64,' in page
    assert "<script" not in page


def measured(curve, one):
    number = curve.scale.number
    return [curve.scale.text(one.value), f"{number(one.low)} to {number(one.high)}"]


def test_examples_without_a_label_do_not_count_for_its_head(guess_run):
    network, config = load_network(guess_run)
    data = prepare(config, load_data(config), guess_run.preprocessing())
    test = {name: column[:9] for name, column in data.splits["test"].items()}
    data.splits["test"] = test
    evaluation = evaluate_model(network.model, config, data, "test")
    colours = np.where(np.arange(9) < 5, test["colour"], -1)
    evaluation = replace(evaluation, labels={**evaluation.labels, "colour": colours})
    lenient = config.heads["colour"].replace(missing="ignore")
    config = config.replace(heads={**config.heads, "colour": lenient})
    curve = measured_robustness(network, config, data, evaluation).curves[0]
    assert curve.whole.value == 1
    assert {round(5 * one.value, 6) for one in curve.measures} <= {0, 1, 2, 3, 4, 5}


def test_inputs_of_every_modality_can_be_left_out_and_made_worse():
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
    data = load_data(config)
    config, preprocessing = fit_config(config, data)
    data = prepare(config, data, preprocessing)
    network = build_network(config)
    model = network.model
    model.compile(**config.objective.compile_arguments(config.heads, config.soft_targets))
    evaluation = evaluate_model(model, config, data, "test")
    robust = measured_robustness(network, config, data, evaluation)
    assert [(curve.input, curve.degradation.name) for curve in robust.curves] == [
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
    whole = scores["shuffled"][tuple(inputs)].mean()
    assert whole == pytest.approx(evaluation.metrics["kind"]["accuracy"])


def test_rows_of_which_no_cell_is_left_are_absent_as_in_training():
    """Told what stands in for absent facts means the wrong class, and all else the right one."""
    facts = {"type": "tabular", "columns": {"age": "number", "city": "category"}}
    inputs = {
        "facts": {**facts, "modality_dropout": 0.3},
        "title": {"type": "text", "length": 3, "encoder": {"type": "embedding", "dim": 2}},
    }
    heads = {"kind": {"type": "classification", "classes": 2}}
    source = {"type": "synthetic", "rows": 2000}
    config = load_config({"name": "facts", "source": source, "inputs": inputs, "heads": heads})
    config = config.with_columns()
    data = load_data(config)
    config, preprocessing = fit_config(config, data)
    data = prepare(config, data, preprocessing)
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
    cells, noise, words = measured_robustness(network, config, data, evaluation).curves
    assert cells.whole.value == 1
    for share, measure in zip(cells.degradation.steps, cells.measures, strict=True):
        assert measure.value == pytest.approx(1 - share**2, abs=0.1)
    assert {one.value for one in noise.measures} == {1}
    assert {one.value for one in words.measures} == {1}  # Words that are not known are words.
