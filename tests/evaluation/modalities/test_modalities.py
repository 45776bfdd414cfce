"""What inputs are worth: a clue is worth much and noise nothing, in figures, words and files."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace

import numpy as np
import pytest

from mmzoo.cli.main import main
from mmzoo.cli.modality_text import modalities_text
from mmzoo.errors import DataError, RunError
from mmzoo.evaluation.evaluate import evaluate_model
from mmzoo.evaluation.evaluate_run import evaluate_run
from mmzoo.evaluation.modalities.as_json import modalities_json
from mmzoo.evaluation.modalities.input_weights import learned_input_weights, mean_input_weights
from mmzoo.evaluation.modalities.modalities import measured_modalities
from mmzoo.evaluation.modalities.subset_scores import (
    SHUFFLES,
    done_without,
    passes_of,
    subset_scores,
)
from mmzoo.evaluation.modalities.subsets import subset_words, subsets_of
from mmzoo.evaluation.modalities.words import notes, sentences, warnings, weights_sentences
from mmzoo.evaluation.robustness.robustness import measured_robustness
from mmzoo.examples import load_data, prepare
from mmzoo.fusion import Attention, Decision, Gated, Weighted
from mmzoo.metrics import PairedDifference
from mmzoo.model import build_model
from mmzoo.runs import Run
from mmzoo.trained import load_network


def test_subsets_are_those_of_a_set_without_the_empty_one():
    assert subsets_of("ab") == [("a",), ("b",), ("a", "b")]
    assert [len(subsets_of("abcde"[:count])) for count in range(1, 6)] == [1, 3, 7, 15, 31]
    assert len(set(subsets_of("abcde"))) == 31


def test_of_many_inputs_only_some_subsets_are_taken():
    assert subsets_of("abcdef") == [
        *[(one,) for one in "abcdef"],
        *[tuple("abcdef".replace(one, "")) for one in "fedcba"],
        tuple("abcdef"),
    ]


@pytest.mark.parametrize(
    ("kept", "words"),
    [("a", "a alone"), ("ab", "a + b"), ("abc", "all but d"), ("abcd", "all")],
)
def test_subsets_have_names(kept, words):
    assert subset_words(tuple(kept), "abcd") == words


def test_every_head_is_right_by_the_clue_and_not_by_the_noise(guessed):
    found = guessed.modalities
    assert found.inputs == ("clue", "noise")
    metrics = {
        "colour": "accuracy",
        "warm": "accuracy",
        "tags": "subset_accuracy",
        "price": "mean_absolute_error",
    }
    assert {head.name: head.scale.metric for head in found.heads} == metrics
    for head in found.heads:
        assert head.examples == 160
        for way in ("absent", "shuffled"):
            measures, added = head.measures[way], head.added[way]
            whole = measures[("clue", "noise")]
            assert whole.value == pytest.approx(guessed.metrics[head.name][head.scale.metric])
            assert whole.low <= whole.value <= whole.high
            assert list(measures) == [("clue",), ("noise",), ("clue", "noise")]
            assert added["clue"].low > 0.2, (head.name, way)
            assert added["noise"].low <= 0 <= added["noise"].high or head.name == "price"
            assert head.best[way].name == "clue"
            assert head.best[way].gain == added["noise"]


def test_intervals_of_a_gain_are_those_of_pairs(guessed):
    """All but the noise is right where all is, nearly: neither is as sure as their difference."""
    colour = guessed.modalities.heads[0]
    alone = colour.measures["shuffled"][("noise",)]
    gain = colour.added["shuffled"]["clue"]
    whole = colour.measures["shuffled"][("clue", "noise")]
    assert gain.difference == pytest.approx(whole.value - alone.value)
    assert gain.high - gain.low <= 1.01 * (alone.high - alone.low + whole.high - whole.low)


def test_it_is_said_in_words(guessed):
    colour, *_, price = guessed.modalities.heads
    clue, noise, fusion = sentences(colour)
    gain = colour.added["absent"]["clue"]
    by, low, high = map(colour.scale.difference, gain)
    assert clue == f"clue adds {by} points, 95 % CI {low} to {high}"
    assert noise == "noise adds nothing that shows (difference 0.0 points, 95 % CI 0.0 to 0.0)"
    assert fusion == (
        "the fusion does not beat clue alone (difference 0.0 points, 95 % CI 0.0 to 0.0)"
    )
    assert warnings(colour) == [
        "The fusion does not beat its best single input, clue. See what it is worth to a model of "
        "its own: `mmzoo train CONFIG --baselines`."
    ]
    off = price.added["absent"]["clue"]
    assert sentences(price)[0] == (
        f"clue takes {off.difference:.3g} off the mean absolute error, "
        f"95 % CI {off.low:.3g} to {off.high:.3g}"
    )


WORSE, NOTHING, BETTER = (
    PairedDifference(-0.244, -0.3, -0.2),
    PairedDifference(0.0, -0.01, 0.01),
    PairedDifference(0.469, 0.45, 0.488),
)


def only_absent(head, gain):
    """As a model has it that learned to do without the clue, and not without the noise."""
    absent = {"absent": {"clue": gain}}, {"absent": {"noise": gain}}
    added, alone = ({"shuffled": {"clue": BETTER, "noise": NOTHING}, **one} for one in absent)
    return replace(head, added=added, alone=alone)


def test_where_one_input_only_may_be_absent_sentences_agree(guessed):
    colour = guessed.modalities.heads[0]
    by = "24.4 points, 95 % CI 20.0 to 30.0"
    harmful = only_absent(colour, WORSE)
    other_noise = (
        "with the noise of other examples, no difference shows (0.0 points, 95 % CI -1.0 to 1.0)"
    )
    assert sentences(harmful) == [
        f"clue does harm: without it the model is better by {by}",
        other_noise,
        f"the fusion is worse than noise alone by {by}",
    ]
    [warning] = warnings(harmful)
    assert warning.startswith("The fusion does not beat noise alone. See what")
    useful = only_absent(colour, BETTER)
    by = "46.9 points, 95 % CI 45.0 to 48.8"
    assert sentences(useful) == [
        f"clue adds {by}",
        other_noise,
        f"the fusion beats noise alone by {by}",
    ]
    assert warnings(useful) == [
        "This model never learned to do with clue alone: whether the fusion beats that, "
        "`mmzoo train CONFIG --baselines` finds out."
    ]


def shuffled_only(head, *gains):
    of_clue, of_noise = gains
    added, alone = {"clue": of_clue, "noise": of_noise}, {"clue": of_noise, "noise": of_clue}
    measures = {"shuffled": head.measures["shuffled"]}
    return replace(head, measures=measures, added={"shuffled": added}, alone={"shuffled": alone})


def test_shuffling_alone_says_what_the_model_leans_on_and_not_what_an_input_is_worth(guessed):
    colour, *_, price = guessed.modalities.heads
    leaning = shuffled_only(colour, BETTER, WORSE)
    assert sentences(leaning) == [
        "with the clue of other examples, the accuracy is lower by 46.9 points, "
        "95 % CI 45.0 to 48.8",
        "with the noise of other examples, the accuracy is higher by 24.4 points, "
        "95 % CI 20.0 to 30.0",
    ]
    price = shuffled_only(price, BETTER, WORSE)
    assert sentences(price) == [
        "with the clue of other examples, the mean absolute error is higher by 0.469, "
        "95 % CI 0.45 to 0.488",
        "with the noise of other examples, the mean absolute error is lower by 0.244, "
        "95 % CI 0.2 to 0.3",
    ]
    found = replace(guessed.modalities, heads=(leaning, price))
    assert notes(found) == [
        "Shuffling says what this model leans on, and not what an input is worth: whether the "
        "fusion beats an input alone, `mmzoo train CONFIG --baselines` finds out."
    ]
    text = modalities_text(found)
    assert text.count("--baselines") == 1
    assert text.index("--baselines") < text.index("Shuffled: ")


def test_a_note_on_some_heads_names_them(guessed):
    colour, warm, *_ = guessed.modalities.heads
    found = replace(guessed.modalities, heads=(only_absent(colour, BETTER), warm))
    assert [note.partition(":")[0] for note in notes(found)] == ["colour", "warm"]


def test_models_that_were_trained_on_one_input_each_have_the_verdict(guess_run, guessed):
    network, config = load_network(guess_run)
    data = prepare(config, load_data(config), guess_run.preprocessing())
    network.model.compile(**config.objective.compile_arguments(config.heads, config.soft_targets))
    evaluation = evaluate_model(network.model, config, data, "test")
    gain = {"difference": 0.159, "ci95": [0.14, 0.18], "examples": 160}
    by = "15.9 points, 95 % CI 14.0 to 18.0"
    colour = {
        "best_input": "clue",
        "gains": {"clue": gain, "noise": {**gain, "difference": 0.5}},
        "sentence": f"colour: the fusion beats clue alone by {by}",
    }
    none = {"best_input": None, "gains": {}, "sentence": "warm: tested on other examples"}
    baselines = {"split": "test", "heads": {"colour": colour, "warm": none}}
    found = measured_modalities(network, config, data, evaluation, baselines)
    first, second, *_ = found.heads
    *_, verdict = sentences(first)
    assert verdict == (
        f"held against models trained on one input each, the fusion beats clue alone by {by}"
    )
    assert warnings(first) == []
    assert sentences(second) == sentences(guessed.modalities.heads[1])
    written = modalities_json(found)["heads"]
    assert written["colour"]["over_trained_alone"] == {
        "input": "clue",
        "difference": 0.159,
        "ci95": [0.14, 0.18],
    }
    assert written["warm"]["over_trained_alone"] is None
    assert verdict in " ".join(modalities_text(found).split())
    lost = replace(first, trained_alone=replace(first.trained_alone, gain=NOTHING))
    assert warnings(lost) == ["The fusion does not beat a model that was trained on clue alone."]


def test_the_verdict_of_baselines_is_of_the_best_weights_on_the_split_they_were_tested_on(
    guess_run, guessed, tmp_path
):
    run = Run(shutil.copytree(guess_run.directory, tmp_path / "run"))
    entry = {"parameters": 1, "seconds": 1.0, "metrics": guessed.metrics}
    colour = {
        "metric": "accuracy",
        "best_input": "clue",
        "gains": {"clue": {"difference": 0.159, "ci95": [0.14, 0.18], "examples": 160}},
        "sentence": "colour: the fusion beats clue alone by 15.9 points, 95 % CI 14.0 to 18.0",
    }
    inputs = {name: {"run": f"baselines/{name}", **entry} for name in ("clue", "noise")}
    run.write_baselines(
        {"split": "test", "fusion": entry, "inputs": inputs, "heads": {"colour": colour}}
    )

    def trained_alone(split, checkpoint):
        how = {"device": "cpu", "modalities": True}
        found = evaluate_run(run, split=split, checkpoint=checkpoint, **how).modalities
        *_, verdict = sentences(found.heads[0])
        assert verdict in (run.evaluation(split) / "modalities.html").read_text()
        return found.heads[0].trained_alone

    assert trained_alone("test", "best").gain == PairedDifference(0.159, 0.14, 0.18)
    assert trained_alone("validation", "best") is None
    assert trained_alone("test", "last") is None


def test_an_interval_is_the_same_whatever_asks_for_it(guessed):
    """The same drawn examples, though inputs are shuffled in an order of their own."""
    for head in guessed.modalities.heads:
        whole = head.measures["shuffled"][("clue", "noise")]
        curve = next(one for one in guessed.robustness.curves if one.head == head.name)
        assert whole == pytest.approx(curve.whole, rel=1e-5)


def test_files_are_left_with_the_same_figures(guess_run, guessed):
    folder = guess_run.evaluation("test")
    written = json.loads((folder / "modalities.json").read_text())
    figures = json.loads(json.dumps(modalities_json(guessed.modalities)))
    assert {key: written[key] for key in figures} == figures
    colour = written["heads"]["colour"]
    assert [entry["inputs"] for entry in colour["subsets"]] == [
        ["clue"],
        ["noise"],
        ["clue", "noise"],
    ]
    assert colour["adds"]["shuffled"]["clue"]["difference"] > 0.2
    assert (folder / "modalities.png").read_bytes().startswith(b"\x89PNG")
    page = (folder / "modalities.html").read_text()
    assert "the fusion does not beat clue alone" in page.lower()
    assert "--baselines" in page
    assert "<script" not in page


def test_no_example_keeps_the_value_that_is_shuffled_away(guess_run):
    """With one example of each colour, the clue of any other is always wrong."""
    network, config = load_network(guess_run)
    data = prepare(config, load_data(config), guess_run.preprocessing())
    test = data.splits["test"]
    three = [int(np.flatnonzero(test["colour"] == one)[0]) for one in range(3)]
    data.splits["test"] = {name: values[three] for name, values in test.items()}
    scores = subset_scores(network, config, data, "test")["colour"]["shuffled"]
    assert scores[("clue", "noise")].tolist() == [1, 1, 1]
    assert scores[("clue",)].tolist() == [1, 1, 1]
    assert scores[("noise",)].tolist() == [0, 0, 0]
    data.splits["test"] = {name: values[three[:1]] for name, values in test.items()}
    with pytest.raises(DataError, match="has 1 example; to shuffle its inputs takes two or more"):
        subset_scores(network, config, data, "test")


@pytest.mark.parametrize("size", [1, 2])
def test_batches_have_two_examples_or_more_however_small_they_are_to_be(guess_run, size):
    network, config = load_network(guess_run)
    config = config.replace(train=config.train.replace(evaluation_batch_size=size))
    data = prepare(config, load_data(config), guess_run.preprocessing())
    data.splits["test"] = {name: column[:7] for name, column in data.splits["test"].items()}
    scores = subset_scores(network, config, data, "test")["colour"]["shuffled"]
    assert scores[("clue", "noise")].tolist() == [1] * 7
    assert scores[("noise",)].mean() < 1


def test_examples_without_a_label_do_not_count_for_its_head(guess_run):
    network, config = load_network(guess_run)
    data = prepare(config, load_data(config), guess_run.preprocessing())
    test = data.splits["test"] = {name: column[:9] for name, column in data.splits["test"].items()}
    test["colour"] = np.where(np.arange(9) < 5, test["colour"], -1)
    lenient = config.heads["colour"].replace(missing="ignore")
    config = config.replace(heads={**config.heads, "colour": lenient})
    scores = subset_scores(network, config, data, "test")
    assert {len(values) for way in scores["colour"].values() for values in way.values()} == {5}
    assert {len(values) for way in scores["warm"].values() for values in way.values()} == {9}
    assert scores["colour"]["shuffled"][("clue", "noise")].tolist() == [1] * 5


def test_a_head_without_any_label_is_left_out(guess_run):
    network, config = load_network(guess_run)
    data = prepare(config, load_data(config), guess_run.preprocessing())
    test = data.splits["test"] = {name: column[:9] for name, column in data.splits["test"].items()}
    test["colour"] = np.full(9, -1)
    lenient = config.heads["colour"].replace(missing="ignore")
    config = config.replace(heads={**config.heads, "colour": lenient})
    model = network.model
    model.compile(**config.objective.compile_arguments(config.heads, config.soft_targets))
    evaluation = evaluate_model(model, config, data, "test")
    found = measured_modalities(network, config, data, evaluation)
    assert [head.name for head in found.heads] == ["warm", "tags", "price"]
    curves = measured_robustness(network, config, data, evaluation).curves
    assert list(dict.fromkeys(curve.head for curve in curves)) == ["warm", "tags", "price"]


def test_what_a_model_does_without_is_what_it_has_learned_and_not_what_the_split_lacks(guess_run):
    network, config = load_network(guess_run)
    assert done_without(network, config) == {"clue", "noise"}
    network.model.get_layer("noise_missing").set_weights([np.zeros(8)])
    assert done_without(network, config) == {"clue"}
    data = prepare(config, load_data(config), guess_run.preprocessing())
    test = data.splits["test"] = {name: column[:9] for name, column in data.splits["test"].items()}
    test[config.presence["noise"]] = np.arange(9) > 0
    scores = subset_scores(network, config, data, "test")["colour"]
    assert list(scores["absent"]) == [("noise",), ("clue", "noise")]


def test_inputs_that_the_model_cannot_do_without_are_only_shuffled(guess_run):
    passes = passes_of(guess_run.config(), {"noise"})
    assert [one.kept for one in passes if one.way == "absent"] == [("clue",)]
    assert len([one for one in passes if one.kept == ("noise",)]) == SHUFFLES


def test_one_input_alone_is_refused_at_once(trained_run):
    with pytest.raises(RunError) as caught:
        evaluate_run(trained_run, split="test", checkpoint="best", device="cpu", modalities=True)
    assert str(caught.value) == (
        f"{trained_run.directory}: has one input only, image: --modalities says what each of "
        "several is worth. --robustness says how the model bears a worse one."
    )


def test_weights_of_a_fusion_are_told(guess_run, guessed):
    found = guessed.modalities
    assert weights_sentences(found) == []  # Of a concatenation.
    config = guess_run.config()
    data = prepare(config, load_data(config), guess_run.preprocessing())
    gated = config.replace(fusion=Gated())
    by_head = mean_input_weights(build_model(gated), gated, data, "test")
    assert list(by_head) == [""]
    weights = by_head[""]
    assert list(weights) == ["clue", "noise"]
    assert sum(weights.values()) == pytest.approx(1, abs=1e-5)
    assert weights_sentences(replace(found, mean_weights=by_head)) == [
        f"The fusion weighs by example; on average, clue {weights['clue']:.2f}, "
        f"noise {weights['noise']:.2f}."
    ]
    weighted = config.replace(fusion=Weighted())
    equal = learned_input_weights(build_model(weighted), weighted)
    assert weights_sentences(replace(found, learned_weights=equal)) == [
        "The fusion has learned to weigh clue 0.50, noise 0.50."
    ]
    own = {"colour": {"clue": 0.75, "noise": 0.25}}
    assert weights_sentences(replace(found, learned_weights=own)) == [
        "The fusion has learned to weigh for colour clue 0.75, noise 0.25."
    ]


def test_where_heads_share_nothing_each_has_weights_of_its_own(guess_run):
    config = guess_run.config()
    heads = {name: config.heads[name] for name in ("colour", "price")}
    config = config.replace(share=False, heads=heads)
    for fusion, layers in (
        (Weighted(), ("fusion_weights", "fusion_weights-price")),
        (Decision(combine="weighted"), ("colour", "price")),
    ):
        weighted = config.replace(fusion=fusion)
        model = build_model(weighted)
        for name, towards_clue in zip(layers, (3.0, -3.0), strict=True):
            model.get_layer(name).set_weights([np.array([towards_clue, 0.0])])
        found = learned_input_weights(model, weighted)
        assert list(found) == ["colour", "price"]
        assert found["colour"]["clue"] == pytest.approx(1 / (1 + np.exp(-3)), abs=1e-5)
        assert found["price"]["clue"] == pytest.approx(1 / (1 + np.exp(3)), abs=1e-5)


@pytest.mark.parametrize("fusion", [Gated(), Attention()], ids=lambda fusion: fusion.type)
def test_where_heads_share_nothing_each_weighs_examples_for_itself(guess_run, fusion):
    config = guess_run.config()
    heads = {name: config.heads[name] for name in ("colour", "price")}
    config = config.replace(share=False, heads=heads, fusion=fusion)
    data = prepare(config, load_data(config), guess_run.preprocessing())
    model = build_model(config)
    if fusion.type == "gated":  # The second half of the scores is that of the second input.
        scores = model.get_layer("fusion_gate_scores-price")
        kernel, bias = scores.get_weights()
        bias[len(bias) // 2 :] = 20.0
        scores.set_weights([kernel, bias])
    found = mean_input_weights(model, config, data, "test")
    assert list(found) == ["colour", "price"]
    assert all(sum(weights.values()) == pytest.approx(1, abs=1e-5) for weights in found.values())
    assert found["price"] != found["colour"]
    if fusion.type == "gated":
        assert found["price"]["noise"] > 0.99 > found["colour"]["noise"]


def test_the_command_prints_the_same(guess_run, guessed, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["eval", str(guess_run.directory), "--modalities", "--robustness", "--device", "cpu"])
    assert ended.value.code == 0
    lines = capsys.readouterr().out.splitlines()
    rows = [re.split(r" {2,}", line.strip()) for line in lines]
    of_inputs = rows[lines.index("What the inputs are worth, on test:") :]
    for head in guessed.modalities.heads:
        assert [f"{head.name}: {head.scale.label}", "absent", "95 % CI", "shuffled", "95 % CI"] in (
            of_inputs
        )
        for kept, words in (
            (("clue", "noise"), "all"),
            (("noise",), "noise alone"),
            (("clue",), "clue alone"),
        ):
            figures = [
                text
                for way in ("absent", "shuffled")
                for one in [head.measures[way][kept]]
                for text in (
                    head.scale.text(one.value),
                    f"{head.scale.number(one.low)} to {head.scale.number(one.high)}",
                )
            ]
            assert [words, *figures] in of_inputs
        for sentence in sentences(head):
            assert f"    {sentence}" in lines
    for curve in guessed.robustness.curves:
        values = [curve.scale.text(one.value) for one in (curve.whole, *curve.measures)]
        assert [curve.scale.label, *values] in rows
        assert f"    {curve.sentence()}" in lines
    assert lines[-1] == f"Worse inputs: {guess_run.evaluation('test')}/robustness.html"


def test_json_has_both(guess_run, guessed, capsys):
    with pytest.raises(SystemExit):
        main(["eval", str(guess_run.directory), "--modalities", "--robustness", "--json"])
    printed = json.loads(capsys.readouterr().out)
    assert list(printed) == ["test", "modalities", "robustness"]
    assert printed["test"] == guessed.metrics
    assert printed["modalities"] == json.loads(json.dumps(modalities_json(guessed.modalities)))
    assert printed["robustness"] == json.loads(json.dumps(guessed.robustness.as_json()))
