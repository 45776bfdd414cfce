"""Config heads, results.csv, results.md and zoo.md agree, and runs are collected into rows."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections import defaultdict
from dataclasses import replace
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import pytest
import yaml

from mmzoo.runs import Run

ROOT = Path(__file__).parents[1]
CONFIGS = sorted(ROOT.glob("configs/*.yaml"))


@pytest.fixture(scope="module", autouse=True)
def scripts() -> Any:
    """Adds the folder of scripts to the import path."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT / "scripts"))
        yield


@pytest.fixture(scope="module")
def reproduce(scripts: None) -> ModuleType:
    """scripts/reproduce as a module."""
    loader = SourceFileLoader("reproduce", str(ROOT / "scripts" / "reproduce"))
    spec = spec_from_loader("reproduce", loader)
    assert spec
    module = module_from_spec(spec)
    loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def every_row(scripts: None) -> list[Any]:
    """The rows of results.csv."""
    from results_table import read_results

    return read_results()


@pytest.fixture(scope="module")
def rows(every_row: list[Any]) -> dict[str, list[Any]]:
    """The rows of configs as they are, by config."""
    found = defaultdict(list)
    for row in every_row:
        if not row.variant:
            found[row.config].append(row)
    return found


# Figures that are written in several places.


class Head(NamedTuple):
    """The results in the head of a config."""

    figures: list[str]
    seeds: int | None
    values: list[str]
    seconds: int | None


def read_head(path: Path) -> Head | None:
    """Parses a head; None if it says that nothing was measured."""
    lines = path.read_text(encoding="utf-8").splitlines()
    head = " ".join(line[1:].strip() for line in lines if line.startswith("#"))
    pattern = (
        r"([\d.]+\d) % (?:test accuracy|right class at rank 1)|"
        r"(?:absolute|squared) error ([\d.]+\d)|ELBO of (-?[\d.]+\d) nats"
    )
    figures = re.findall(pattern, head)
    if not figures:
        assert "not measured" in head, f"{path.name}: its head has no figure"
        return None
    one = r"(?:\d+(?:, | and )?)+"
    seeds = None
    if counted := re.search(r"of (\d+) seeds", head):
        seeds = int(counted[1])
    elif listed := re.search(rf"seeds? ({one})", head):
        seeds = len(re.findall(r"\d+", listed[1]))
    values = re.search(r"seeds: ((?:[\d.]+(?:, | and )?)+) %", head)
    seconds = re.search(r"(\d+) seconds on 1 CPU core", head)
    return Head(
        [accuracy or error or elbo for accuracy, error, elbo in figures],
        seeds,
        re.findall(r"[\d.]+\d", values[1]) if values else [],
        int(seconds[1]) if seconds else None,
    )


def agree(quoted: str, row: Any, value: float) -> bool:
    """Whether a figure in a text equals a value of a row, to the digits of the text."""
    from results_page import is_share

    digits = len(quoted.partition(".")[2])
    return abs(float(quoted) - value * (100 if is_share(row) else 1)) <= 0.5 * 10**-digits + 1e-9


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_a_head_agrees_with_the_table(path, rows):
    head = read_head(path)
    if head is None:
        assert path.stem not in rows
        return
    assert path.stem in rows, "no row: train it by scripts/reproduce, or collect its runs"
    first, *others = rows[path.stem]
    if others:  # With several heads, their figures stand in some order.
        for row in (first, *others):
            assert any(agree(figure, row, row.mean) for figure in head.figures), row.metric
    else:
        assert agree(head.figures[0], first, first.mean), f"{head.figures[0]}, not {first.mean}"
    assert head.seeds == len(first.seeds)
    if head.seconds is not None:
        assert head.seconds == round(first.seconds)
    if head.values:
        assert len(head.values) == len(first.values)
        for quoted, value in zip(head.values, first.values, strict=True):
            assert agree(quoted, first, value)


ALONE = ("image alone", "audio alone")
"""Variants quoted in the heads of all av_digits configs."""


def test_heads_agree_with_the_table_on_variants(every_row):
    """Single inputs are in the table once, for all fusions of them."""
    from results_page import CLEAN

    for path in CONFIGS:
        head = path.read_text(encoding="utf-8").partition("\nname:")[0]
        for row in every_row:
            single = (
                row.variant in ALONE
                and path.stem.startswith("av_digits_")
                and path.stem not in CLEAN
            )
            if single or (row.variant and row.config == path.stem and row.variant not in ALONE):
                quoted = re.search(rf"{row.variant}\D*? ([\d.]+) %", head)
                if quoted is None:
                    assert "not measured" in head, f"{path.name} says nothing of {row.variant}"
                else:
                    assert agree(quoted[1], row, row.mean), (path.name, row.variant, row.mean)


def test_the_pages_are_up_to_date(every_row):
    """After a change to a head or to results.csv: scripts/reproduce --only-collect."""
    from results_page import PAGE, page
    from results_zoo import PAGE as ZOO
    from results_zoo import zoo

    assert PAGE.read_text(encoding="utf-8") == page(every_row)
    assert ZOO.read_text(encoding="utf-8") == zoo(every_row)


def test_the_zoo_has_time_and_result_of_every_measured_config(every_row):
    from results_zoo import PAGE

    measured = {row.config for row in every_row if not row.variant}
    cells = re.findall(r"^\| `(\w+)` \|.*\| ([^|]+) \| ([^|]+) \|$", PAGE.read_text(), re.MULTILINE)
    assert [name for name, *_ in cells if name in measured] != []
    assert len(cells) == len(CONFIGS)
    for name, result, time in cells:
        assert (result != "-") == (name in measured), name
        assert time != "-" or name not in measured, name


def test_the_table_round_trips(every_row, tmp_path):
    from results_table import TABLE, write_results

    write_results(every_row, tmp_path / "again.csv")
    assert (tmp_path / "again.csv").read_text() == TABLE.read_text()


def test_means_and_stds_are_correct(every_row):
    import numpy as np

    for row in every_row:
        assert row.mean == pytest.approx(np.mean(row.values), rel=1e-5)
        assert len(row.values) == len(row.seeds) * (row.folds or 1)
        if row.std is None:
            assert len(row.values) == 1
        else:
            assert row.std == pytest.approx(np.std(row.values, ddof=1), rel=1e-4)


# From runs to rows.


@pytest.fixture
def folder(trained_run: Run, tiny, tmp_path, monkeypatch) -> Path:
    """A folder of runs: of `tiny` with seeds 0 and 1, the second a copy of the first."""
    import results_runs

    configs = tmp_path / "configs"
    configs.mkdir()
    text = f"# A net.\n#   mmzoo train configs/tiny.yaml\n{yaml.safe_dump(tiny)}"
    (configs / "tiny.yaml").write_text(text)
    monkeypatch.setattr(results_runs, "CONFIGS", configs)
    for seed in (0, 1):
        run = Run(Path(shutil.copytree(trained_run.directory, tmp_path / f"runs/tiny/{seed}")))
        metrics = run.metrics()
        metrics["test"]["digit"]["accuracy"] = (0.9, 0.8)[seed]
        run.write_metrics(metrics)
        change(run, "seed", seed)
        change(run, "git_commit", "0123456789abcdef+")
    return tmp_path / "runs"


def change(run: Run, key: str, value: Any) -> None:
    run.write_environment({**run.environment(), key: value})


def collect(folder: Path) -> tuple[list[Any], list[str]]:
    from results_runs import collected

    quoted: list[str] = []
    return collected(folder, ["tiny"], quoted.append), quoted


def test_the_seeds_of_a_config_become_a_row(folder, trained_run):
    [row], quoted = collect(folder)
    trained = trained_run.environment()["trained"]
    assert quoted == []
    assert (row.config, row.variant, row.inputs, row.data) == ("tiny", "", "image", "digits")
    assert (row.metric, row.seeds, row.folds, row.values) == ("accuracy", (0, 1), None, (0.9, 0.8))
    assert row.mean == pytest.approx(0.85)
    assert row.std == pytest.approx(0.1 / 2**0.5)
    assert row.parameters == trained["parameters"]
    assert row.seconds == pytest.approx(trained["seconds"])
    assert row.commit == "012345678+"
    assert row.machine.endswith(" threads")
    assert row.date == trained["date"][:10]


def test_an_elbo_has_its_own_row(folder):
    for seed, elbo in zip("01", (-90.0, -92.0), strict=True):
        run = Run(folder / "tiny" / seed)
        metrics = run.metrics()
        metrics["test"]["fusion"] = {"elbo": elbo, "kl": 20.0}
        run.write_metrics(metrics)
    rows, _ = collect(folder)
    assert [(row.metric, row.mean) for row in rows] == [
        ("accuracy", pytest.approx(0.85)),
        ("elbo", -91.0),
    ]


def test_unfinished_runs_do_not_count(folder):
    Run(folder / "tiny" / "1").metrics_file.unlink()
    (folder / "tiny" / "2").mkdir()
    [row], _ = collect(folder)
    assert row.seeds == (0,)
    assert row.std is None


def test_values_missing_from_a_run_are_empty(folder):
    for seed in "01":
        run = Run(folder / "tiny" / seed)
        environment = run.environment()
        del environment["trained"]
        run.write_environment({**environment, "git_commit": None})
    [row], _ = collect(folder)
    assert (row.parameters, row.seconds, row.commit, row.date) == (None, None, "", "")


@pytest.mark.parametrize(
    ("key", "value", "quoted"),
    [
        ("seed", 7, "was trained with seed 7"),
        ("requested", {"train.epochs": 2}, "was trained with train.epochs 2, not 3"),
        (
            "data",
            {"name": "digits", "fallback_for": "mnist", "fingerprint": "0"},
            "was trained on digits instead of mnist",
        ),
    ],
)
def test_runs_of_other_experiments_are_left_out(folder, key, value, quoted):
    change(Run(folder / "tiny" / "1"), key, value)
    found, [reason] = collect(folder)
    assert found == []
    assert reason == f"{folder}/tiny: skipped: {folder}/tiny/1 {quoted}"


def test_folds_of_a_seed_count_once_complete(folder):
    shutil.move(folder / "tiny" / "0", folder / "first")
    shutil.rmtree(folder / "tiny" / "1")
    for fold in (1, 2):
        run = Run(Path(shutil.copytree(folder / "first", folder / f"tiny/0/{fold:03d}")))
        requested = run.environment()["requested"]
        change(run, "requested", requested | {"source.fold.index": fold, "source.fold.of": 2})
        if fold == 1:
            assert collect(folder) == ([], [])
    [row], _ = collect(folder)
    assert (row.seeds, row.folds, row.values) == ((0,), 2, (0.9, 0.9))
    assert row.seconds == pytest.approx(2 * run.environment()["trained"]["seconds"])


def test_variants_and_unimodal_baselines_have_their_own_rows(folder):
    shutil.copytree(folder / "tiny", folder / "tiny@wide")
    for seed in "01":
        run = Run(folder / "tiny" / seed)
        change(Run(folder / "tiny@wide" / seed), "requested", {"train.epochs": 9})
        shutil.copytree(folder / "tiny@wide" / seed, run.baseline("image").directory)
    found, quoted = collect(folder)
    assert quoted == []
    assert [row.variant for row in found] == ["", "image alone", "wide"]


def test_rows_without_runs_stay_unless_their_config_is_gone(folder, reproduce, monkeypatch, capsys):
    from results_table import read_results, write_results

    monkeypatch.setattr(reproduce, "CONFIGS", folder.parent / "configs")
    [now], _ = collect(folder)
    other = replace(now, metric="other", values=(1.0,), mean=1.0)
    table, page = folder.parent / "results.csv", folder.parent / "results.md"
    write_results([replace(now, mean=0.1), other, replace(now, config="gone")], table)

    zoo = folder.parent / "zoo.md"
    reproduce.update(folder, ["tiny"], table, page, zoo)

    assert [(row.metric, row.mean) for row in read_results(table)] == [
        ("accuracy", pytest.approx(0.85)),
        ("other", 1.0),
    ]
    assert capsys.readouterr().err == "gone: dropped: the config no longer exists\n"
    assert "| `tiny` | digits | accuracy | 85.00 % | 7.07 % | 0, 1 |" in page.read_text()
    assert "| `tiny` | A net | digits | 85.00 % ± 7.07, other 1 ± 0.071 | - |" in zoo.read_text()

    Run(folder / "tiny" / "1").metrics_file.unlink()
    before = table.read_text()
    reproduce.update(folder, ["tiny"], table, page, zoo)
    assert table.read_text() == before
    assert "tiny: 1 values, but 2 in the table: table unchanged" in capsys.readouterr().err


def test_fusions_are_listed_beside_unimodal_baselines(folder):
    from results_page import page

    [row], _ = collect(folder)
    sides = replace(row, data="av_digits")
    fused = replace(sides, config="both", inputs="image + audio", mean=0.95)
    worse = replace(fused, config="worse", mean=0.9)
    single = replace(fused, config="both", variant="audio alone", inputs="audio", mean=0.8)
    text = page([worse, single, fused, replace(sides, mean=0.7)])
    assert "## Image" not in text
    [table] = re.findall(r"### Written and spoken digits\n\n(.+)", text, re.DOTALL)
    assert re.findall(r"^\| (`.+?) \|", table, re.MULTILINE) == [
        "`both`, audio alone",
        "`tiny`",
        "`both`",
        "`worse`",
    ]
    assert (
        "The best fusion, `both`, is 15.0 points above the best single input, "
        "`both`, audio alone.\n"
    ) in table


# The trainings.


def arguments(reproduce, monkeypatch, *words: str) -> Any:
    monkeypatch.setattr(sys, "argv", ["reproduce", *words])
    return reproduce.parsed()


def test_the_command_of_a_retry_equals_the_first(tmp_path, reproduce, monkeypatch):
    requested: list[list[str]] = []

    def run(command, **rest):
        requested.append(command[3:])
        return subprocess.CompletedProcess(command, 1)

    monkeypatch.setattr(subprocess, "run", run)
    words = ["mr_cnn", "digits_cnn", "image_cnn_224", "--runs", str(tmp_path), "--seeds", "4"]
    (tmp_path / "digits_cnn" / "4").mkdir(parents=True)
    failed = list(reproduce.train_all(arguments(reproduce, monkeypatch, *words)))
    assert failed == [*(f"mr_cnn/4/{fold:03d}" for fold in range(1, 11)), "digits_cnn/4"]
    config = str(ROOT / "configs" / "mr_cnn.yaml")
    run_in = ["--run", f"{tmp_path}/mr_cnn/4/001"]
    assert requested[0] == ["train", config, *run_in, "--set", "train.seed=4", "--fold", "1/10"]
    assert len(requested) == 11
    assert requested[-1][2:5] == ["--run", f"{tmp_path}/digits_cnn/4", "--resume"]


def test_each_variant_has_its_own_folder(reproduce):
    name = reproduce.folder_name
    assert name("digits_cnn", [], None) == "digits_cnn"
    assert name("digits_cnn", ["train.epochs=1"], None) == "digits_cnn@train.epochs=1"
    assert name("digits_cnn", ["train.epochs=1"], "short") == "digits_cnn@short"
    assert name("image_cnn_224", ["source.path=/a/b"], None) == "image_cnn_224"
    with pytest.raises(SystemExit, match="give a --variant"):
        name("digits_cnn", ["source.path=/a/b"], None)


def test_an_encoder_starts_from_the_run_of_the_same_seed(reproduce):
    assert reproduce.starts("digits_cnn", Path("out"), 2) == []
    expected = ["inputs.image.encoder.path=out/fashion_cae/2"]
    assert reproduce.starts("fashion_cae_probe", Path("out"), 2) == expected


@pytest.mark.parametrize(
    ("words", "quoted"),
    [
        (["mnist_cn"], "no such config: mnist_cn; there are: "),
        (["--variant", "x"], "--variant needs --set: it names the changed config"),
        (["--only-collect", "--set", "a=1"], "--only-collect trains nothing, so it takes no --set"),
    ],
)
def test_wrong_arguments_are_reported(reproduce, monkeypatch, capsys, words, quoted):
    with pytest.raises(SystemExit) as caught:
        arguments(reproduce, monkeypatch, *words)
    assert caught.value.code == 2
    assert quoted in capsys.readouterr().err


@pytest.mark.slow
def test_results_are_collected_after_training(reproduce, monkeypatch, tmp_path):
    words = ["digits_cnn", "--runs", str(tmp_path / "runs"), "--seeds", "0", "1"]
    short = [*words, "--set", "train.epochs=1", "--variant", "short"]
    requested = arguments(reproduce, monkeypatch, *short)
    assert list(reproduce.train_all(requested)) == []
    outputs = [tmp_path / name for name in ("results.csv", "results.md", "zoo.md")]
    reproduce.update(requested.runs, requested.configs, *outputs)
    from results_table import read_results

    [row] = read_results(tmp_path / "results.csv")
    assert (row.config, row.variant, row.seeds) == ("digits_cnn", "short", (0, 1))
    assert row.parameters == 21_674
    run = tmp_path / "runs" / "digits_cnn@short" / "0"
    assert row.values[0] == pytest.approx(
        json.loads((run / "metrics.json").read_text())["test"]["digit"]["accuracy"], abs=1e-6
    )
    monkeypatch.setattr(subprocess, "run", pytest.fail)  # All is done.
    assert list(reproduce.train_all(requested)) == []
