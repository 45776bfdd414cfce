"""Contribution of each input: a large one for the clue, none for the noise."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest

from mmzoo.cli.comparison_text import comparison_text
from mmzoo.cli.main_command import main
from mmzoo.errors import DataError, RunError
from mmzoo.evaluation.comparison import Comparison, ComparisonRow, comparison_from_json
from mmzoo.evaluation.evaluate import evaluate_model
from mmzoo.evaluation.evaluate_run import evaluate_run
from mmzoo.evaluation.input_weights import learned_input_weights, mean_input_weights
from mmzoo.evaluation.modality_ablation import (
    SHUFFLES,
    ablations_of,
    subset_scores,
    subsets_of,
    trained_missing,
)
from mmzoo.evaluation.modality_comparison import (
    ablation_warning,
    best_single,
    compare_modalities,
    input_findings,
    subset_name,
    unimodal_warning,
    weights_notes,
)
from mmzoo.evaluation.robustness import compare_robustness
from mmzoo.fusion import Attention, Decision, Gated, Weighted
from mmzoo.metrics import PairedDifference, metric_info
from mmzoo.model import build_model
from mmzoo.preprocessing import load_frame, transform
from mmzoo.runs import Run
from mmzoo.trained_model import load_network

INPUTS = ("clue", "noise")
ACCURACY, ERROR = metric_info("accuracy"), metric_info("mean_absolute_error")


def test_all_non_empty_subsets_are_listed():
    assert subsets_of("ab") == [("a",), ("b",), ("a", "b")]
    assert [len(subsets_of("abcde"[:count])) for count in range(1, 6)] == [1, 3, 7, 15, 31]
    assert len(set(subsets_of("abcde"))) == 31


def test_many_inputs_use_selected_subsets():
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
    assert subset_name(tuple(kept), "abcd") == words


def test_every_head_needs_the_informative_input_only(compared_run):
    found = compared_run.modalities
    assert found.details["inputs"] == ["clue", "noise"]
    metrics = {
        "colour": "accuracy",
        "warm": "accuracy",
        "tags": "subset_accuracy",
        "price": "mean_absolute_error",
    }
    assert {head: found.info(head).name for head in found.heads} == metrics
    for head, metric in metrics.items():
        complete = found.row(head, "all")
        assert complete.value == pytest.approx(compared_run.metrics[head][metric])
        assert complete.interval[0] <= complete.value <= complete.interval[1]
        assert [(row.variant, row.condition) for row in found.of_head(head)] == [
            ("all", ""),
            ("noise alone", "absent"),
            ("noise alone", "shuffled"),
            ("clue alone", "absent"),
            ("clue alone", "shuffled"),
            (found.info(head).baseline_label, ""),
        ]
        for condition in ("absent", "shuffled"):
            noise, clue = (
                found.row(head, f"{name} alone", condition) for name in ("noise", "clue")
            )
            assert noise.verdict == "worse"
            assert noise.lead.low > 0.2
            assert clue.lead.low <= 0 <= clue.lead.high or head == "price"
            assert noise.difference == pytest.approx(noise.value - complete.value)
        assert found.best[head] == "clue"
        assert found.reference[head] == "all"


def test_findings_and_warnings_are_sentences(compared_run):
    found = compared_run.modalities
    clue, noise, fusion = found.findings["colour"]
    lead = found.row("colour", "noise alone", "absent").lead
    interval = ACCURACY.difference_interval_text(lead.low, lead.high)
    assert clue == f"clue adds {ACCURACY.difference_text(lead.difference)}, 95 % CI {interval}"
    assert noise == "noise makes no clear difference (0.0 points, 95 % CI 0.0 to 0.0)"
    assert fusion == (
        "the fusion does not beat clue alone (difference 0.0 points, 95 % CI 0.0 to 0.0)"
    )
    assert any(
        warning.endswith(
            "The fusion does not beat its best single input, clue. To compare it with a model "
            "trained on that input alone, run `mmzoo train CONFIG --baselines`."
        )
        for warning in found.warnings
    )
    assert found.findings["price"][0].startswith("clue reduces the mean absolute error by ")


WORSE, NOTHING, BETTER = (
    PairedDifference(-0.244, -0.3, -0.2),
    PairedDifference(0.0, -0.01, 0.01),
    PairedDifference(0.469, 0.45, 0.488),
)


def ablation(absent=None, clue_shuffled=BETTER, noise_shuffled=NOTHING):
    """A model that was trained with missing noise only."""
    found = {("shuffled", ("noise",)): clue_shuffled, ("shuffled", ("clue",)): noise_shuffled}
    return found if absent is None else {("absent", ("noise",)): absent, **found}


@pytest.mark.parametrize(
    ("absent", "finding", "warning"),
    [
        (
            WORSE,
            "clue hurts: without it the model is better by 24.4 points, 95 % CI 20.0 to 30.0",
            "The fusion does not beat noise alone. To compare it with a model trained on that "
            "input alone, run `mmzoo train CONFIG --baselines`.",
        ),
        (
            BETTER,
            "clue adds 46.9 points, 95 % CI 45.0 to 48.8",
            "This model was never trained to work with clue alone. To compare the fusion with "
            "that, run `mmzoo train CONFIG --baselines`.",
        ),
    ],
)
def test_only_one_optional_input(absent, finding, warning):
    found = ablation(absent)
    assert best_single(INPUTS, found) == "noise"
    assert input_findings(INPUTS, found, ACCURACY) == [
        finding,
        "shuffling noise makes no clear difference (0.0 points, 95 % CI -1.0 to 1.0)",
    ]
    assert ablation_warning(INPUTS, found) == warning


@pytest.mark.parametrize(
    ("info", "findings"),
    [
        (
            ACCURACY,
            [
                "shuffling clue lowers the accuracy by 46.9 points, 95 % CI 45.0 to 48.8",
                "shuffling noise raises the accuracy by 24.4 points, 95 % CI 20.0 to 30.0",
            ],
        ),
        (
            ERROR,
            [
                "shuffling clue raises the mean absolute error by 0.469, 95 % CI 0.45 to 0.488",
                "shuffling noise lowers the mean absolute error by 0.244, 95 % CI 0.2 to 0.3",
            ],
        ),
    ],
)
def test_shuffling_shows_reliance_and_not_value(info, findings):
    found = ablation(noise_shuffled=WORSE)
    assert input_findings(INPUTS, found, info) == findings
    assert best_single(INPUTS, found) is None
    assert ablation_warning(INPUTS, found) == (
        "Shuffling shows how much this model relies on an input, not what the input is worth. To "
        "compare the fusion with each input alone, run `mmzoo train CONFIG --baselines`."
    )


def baselines_of(metrics):
    """A comparison with unimodal models for the head `colour` only."""
    rows = [
        ComparisonRow("colour", "clue + noise", "accuracy", metrics["colour"]["accuracy"]),
        ComparisonRow("colour", "clue", "accuracy", 0.8, (0.7, 0.9), -0.159, (-0.18, -0.14)),
        ComparisonRow("colour", "noise", "accuracy", 0.4, (0.3, 0.5), -0.5, (-0.6, -0.4)),
    ]
    return Comparison(
        kind="baselines",
        title="Fusion compared with each input alone",
        split="test",
        examples=160,
        rows=tuple(rows),
        reference={"colour": "clue + noise"},
        best={"colour": "clue"},
        findings={"colour": ["the fusion beats clue alone by 15.9 points, 95 % CI 14.0 to 18.0"]},
    )


def test_unimodal_baselines_have_a_finding(clue_run, compared_run):
    network, config = load_network(clue_run)
    data = transform(config, load_frame(config), clue_run.preprocessing())
    network.model.compile(**config.objective.compile_arguments(config.heads, config.soft_targets))
    evaluation = evaluate_model(network.model, config, data, "test")
    found = compare_modalities(
        network, config, data, evaluation, baselines_of(compared_run.metrics)
    )
    verdict = (
        "compared with models trained on one input each, the fusion beats clue alone by 15.9 "
        "points, 95 % CI 14.0 to 18.0"
    )
    assert found.findings["colour"][-1] == verdict
    assert verdict in " ".join(comparison_text(found).split())
    trained = found.row("colour", "clue alone", "trained alone")
    assert (trained.value, trained.difference) == (0.8, -0.159)
    assert found.findings["warm"] == compared_run.modalities.findings["warm"]
    assert not any(warning.startswith("colour") for warning in found.warnings)
    assert unimodal_warning("clue", NOTHING) == (
        "The fusion does not beat a model trained on clue alone."
    )


@pytest.mark.slow
def test_baselines_count_only_for_the_best_weights_on_their_split(clue_run, compared_run, tmp_path):
    run = Run(shutil.copytree(clue_run.directory, tmp_path / "run"))
    run.write_baselines(baselines_of(compared_run.metrics).as_json())

    def is_trained_unimodal(split, checkpoint):
        how = {"device": "cpu", "modalities": True}
        found = evaluate_run(run, split=split, checkpoint=checkpoint, **how).modalities
        verdict = found.findings["colour"][-1]
        assert verdict in (run.evaluation(split) / "modalities.html").read_text()
        return verdict.startswith("compared with models trained on one input each")

    assert is_trained_unimodal("test", "best")
    assert not is_trained_unimodal("validation", "best")
    assert not is_trained_unimodal("test", "last")


def test_an_interval_is_the_same_in_every_comparison(compared_run):
    """The bootstrap draws equal examples although every input is shuffled separately."""
    for head in compared_run.modalities.heads:
        complete, clean = (
            compared_run.modalities.row(head, "all"),
            compared_run.robustness.row(head, "none"),
        )
        assert complete.value == pytest.approx(clean.value, rel=1e-5)
        assert complete.interval == pytest.approx(clean.interval, rel=1e-5)


def test_the_files_have_the_comparison(clue_run, compared_run):
    folder = clue_run.evaluation("test")
    for found in compared_run.comparisons:
        written = json.loads((folder / f"{found.kind}.json").read_text())
        expected = json.loads(json.dumps(found.as_json()))
        assert {key: written[key] for key in expected} == expected
        assert (folder / f"{found.kind}.png").read_bytes().startswith(b"\x89PNG")
        page = (folder / f"{found.kind}.html").read_text()
        for head in found.heads:
            assert all(f"<li>{finding}</li>" in page for finding in found.findings[head])
            assert page.count(f"<h3><bdi>{head}</bdi>") == 1
        assert page.count("<tr>") == len(found.rows) + len(found.heads)
        assert "<script" not in page


def test_shuffling_moves_every_value(clue_run):
    """With one example per colour, the clue of another example is always wrong."""
    network, config = load_network(clue_run)
    data = transform(config, load_frame(config), clue_run.preprocessing())
    test = data.splits["test"]
    three = [int(np.flatnonzero(test["colour"] == one)[0]) for one in range(3)]
    data.splits["test"] = {name: values[three] for name, values in test.items()}
    scores = subset_scores(network, config, data, "test")["colour"]["shuffled"]
    assert scores[("clue", "noise")].tolist() == [1, 1, 1]
    assert scores[("clue",)].tolist() == [1, 1, 1]
    assert scores[("noise",)].tolist() == [0, 0, 0]
    data.splits["test"] = {name: values[three[:1]] for name, values in test.items()}
    with pytest.raises(DataError, match="has only one example; shuffling inputs needs two or more"):
        subset_scores(network, config, data, "test")


@pytest.mark.parametrize("size", [1, 2])
@pytest.mark.slow
def test_batches_have_at_least_two_examples(clue_run, size):
    network, config = load_network(clue_run)
    config = config.replace(train=config.train.replace(evaluation_batch_size=size))
    data = transform(config, load_frame(config), clue_run.preprocessing())
    data.splits["test"] = {name: column[:7] for name, column in data.splits["test"].items()}
    scores = subset_scores(network, config, data, "test")["colour"]["shuffled"]
    assert scores[("clue", "noise")].tolist() == [1] * 7
    assert scores[("noise",)].mean() < 1


def test_unlabelled_examples_do_not_count_for_the_head(clue_run):
    network, config = load_network(clue_run)
    data = transform(config, load_frame(config), clue_run.preprocessing())
    test = data.splits["test"] = {name: column[:9] for name, column in data.splits["test"].items()}
    test["colour"] = np.where(np.arange(9) < 5, test["colour"], -1)
    relaxed = config.heads["colour"].replace(missing="ignore")
    config = config.replace(heads={**config.heads, "colour": relaxed})
    scores = subset_scores(network, config, data, "test")
    assert {len(values) for way in scores["colour"].values() for values in way.values()} == {5}
    assert {len(values) for way in scores["warm"].values() for values in way.values()} == {9}
    assert scores["colour"]["shuffled"][("clue", "noise")].tolist() == [1] * 5


def test_a_head_without_any_label_is_left_out(clue_run):
    network, config = load_network(clue_run)
    data = transform(config, load_frame(config), clue_run.preprocessing())
    test = data.splits["test"] = {name: column[:9] for name, column in data.splits["test"].items()}
    test["colour"] = np.full(9, -1)
    relaxed = config.heads["colour"].replace(missing="ignore")
    config = config.replace(heads={**config.heads, "colour": relaxed})
    model = network.model
    model.compile(**config.objective.compile_arguments(config.heads, config.soft_targets))
    evaluation = evaluate_model(model, config, data, "test")
    for compare in (compare_modalities, compare_robustness):
        found = compare(network, config, data, evaluation)
        assert found.heads == ["warm", "tags", "price"]


def test_trained_missing_depends_on_training_and_not_on_the_split(clue_run):
    network, config = load_network(clue_run)
    assert trained_missing(network, config) == {"clue", "noise"}
    network.model.get_layer("noise_missing").set_weights([np.zeros(8)])
    assert trained_missing(network, config) == {"clue"}
    data = transform(config, load_frame(config), clue_run.preprocessing())
    test = data.splits["test"] = {name: column[:9] for name, column in data.splits["test"].items()}
    test[config.presence["noise"]] = np.arange(9) > 0
    scores = subset_scores(network, config, data, "test")["colour"]
    assert list(scores["absent"]) == [("noise",), ("clue", "noise")]


def test_required_inputs_are_only_shuffled():
    ablations = ablations_of(INPUTS, {"noise"})
    assert [one.subset for one in ablations if one.condition == "absent"] == [("clue",)]
    assert len([one for one in ablations if one.subset == ("noise",)]) == SHUFFLES


def test_a_single_input_is_an_early_error(trained_run):
    with pytest.raises(RunError) as caught:
        evaluate_run(trained_run, split="test", checkpoint="best", device="cpu", modalities=True)
    assert str(caught.value) == (
        f"{trained_run.directory}: has only one input, image: --modalities measures what each of "
        "several inputs contributes. --robustness measures how robust the model is to a corrupted "
        "one."
    )


def test_fusion_weights_are_in_the_notes(clue_run):
    config = clue_run.config()
    data = transform(config, load_frame(config), clue_run.preprocessing())
    gated = config.replace(fusion=Gated())
    by_head = mean_input_weights(build_model(gated), gated, data, "test")
    assert list(by_head) == [""]
    weights = by_head[""]
    assert list(weights) == ["clue", "noise"]
    assert sum(weights.values()) == pytest.approx(1, abs=1e-5)
    weighted = config.replace(fusion=Weighted())
    equal = learned_input_weights(build_model(weighted), weighted)
    own = {"colour": {"clue": 0.75, "noise": 0.25}}
    assert weights_notes({**equal, **own}, by_head) == [
        "Learned fusion weights: clue 0.50, noise 0.50.",
        "Learned fusion weights for colour: clue 0.75, noise 0.25.",
        f"Mean fusion weights over the examples: clue {weights['clue']:.2f}, "
        f"noise {weights['noise']:.2f}.",
    ]


def test_unshared_heads_have_their_own_fusion_weights(clue_run):
    config = clue_run.config()
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
@pytest.mark.slow
def test_unshared_heads_weigh_examples_independently(clue_run, fusion):
    config = clue_run.config()
    heads = {name: config.heads[name] for name in ("colour", "price")}
    config = config.replace(share=False, heads=heads, fusion=fusion)
    data = transform(config, load_frame(config), clue_run.preprocessing())
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


@pytest.mark.slow
def test_the_command_prints_both_comparisons(clue_run, compared_run, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["eval", str(clue_run.directory), "--modalities", "--robustness", "--device", "cpu"])
    assert ended.value.code == 0
    out = capsys.readouterr().out
    for found in compared_run.comparisons:
        assert comparison_text(found) in out
    folder = clue_run.evaluation("test")
    assert out.splitlines()[-2:] == [
        f"Contribution of each input: {folder}/modalities.html",
        f"Robustness to corrupted inputs: {folder}/robustness.html",
    ]


@pytest.mark.slow
def test_json_has_both(clue_run, compared_run, capsys):
    with pytest.raises(SystemExit):
        main(["eval", str(clue_run.directory), "--modalities", "--robustness", "--json"])
    printed = json.loads(capsys.readouterr().out)
    assert list(printed) == ["test", "modalities", "robustness"]
    assert printed["test"] == compared_run.metrics
    for found in compared_run.comparisons:
        assert printed[found.kind] == json.loads(json.dumps(found.as_json()))
        assert comparison_from_json(printed[found.kind]).as_json() == printed[found.kind]
