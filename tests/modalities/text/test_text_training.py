"""A run on texts: its files and pages."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from mmzoo.errors import DataError, RunError
from mmzoo.evaluation.evaluate_run import evaluate_run
from mmzoo.model_summary import summarize
from mmzoo.runs import Run
from mmzoo.training.train import train

HOSTILE = "<script>alert(1)</script> | `_code_` &amp;"


def config(folder: Path) -> dict:
    return {
        "name": "opinions",
        "source": {
            "type": "table",
            "path": str(folder / "opinions.csv"),
            "split": {"column": "part"},
        },
        "inputs": {
            "opinion": {
                "type": "text",
                "punctuation": "keep",
                "html": "keep",
                "encoder": {"type": "embedding", "dim": 8, "units": []},
            }
        },
        "heads": {"mood": {"type": "classification"}},
        "train": {"epochs": 6, "optimizer": {"type": "adam", "learning_rate": 0.05}},
    }


def write_opinions(folder: Path) -> None:
    """Words determine the mood, except for two mislabelled rows in each split."""
    random = np.random.RandomState(0)
    fillers = ["film", "plot", "scene", "actor", "end", "star"]
    with (folder / "opinions.csv").open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["opinion", "mood", "part"])
        for part, count in (("train", 200), ("validation", 40), ("test", 40)):
            for row in range(count):
                mood = ("bad", "good")[row % 2]
                words = [
                    *random.choice(fillers, random.randint(1, 9)),
                    mood,
                    "never-seen" * (row == 6),
                ]
                random.shuffle(words)
                wrong = row < 2
                text = f"{HOSTILE} {mood}" if wrong else " ".join(words)
                rows.writerow([text, ("good", "bad")[row % 2] if wrong else mood, part])


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Run:
    folder = tmp_path_factory.mktemp("opinions")
    write_opinions(folder)
    return train(config(folder), run=folder / "run")


@pytest.fixture
def own(run, tmp_path) -> Run:
    return Run(Path(shutil.copytree(run.directory, tmp_path / "run")))


def test_words_are_learned(run):
    assert run.metrics()["test"]["mood"]["accuracy"] == 0.95  # All but those mislabelled.


def test_the_run_stores_the_vocabulary_as_text(run):
    path = run.directory / "preprocessing" / "opinion" / "vocabulary.txt"
    words = path.read_text(encoding="utf-8").splitlines()
    assert {"good", "bad", "film"} <= set(words)
    spec = run.config().inputs["opinion"]
    assert spec.vocabulary_size == len(words)
    assert run.preprocessing()["opinion"] == {path.name: path.read_text(encoding="utf-8")}


def test_no_note_if_all_words_are_known(run):
    log = run.log_file.read_text(encoding="utf-8")
    assert "opinions" in log
    assert "not in the vocabulary" not in log
    assert "0.0 %" not in log


def test_the_report_and_the_projector_show_texts(own):
    done = evaluate_run(own, split="test", checkpoint="best", device="cpu", embeddings=True)
    [head] = done.report.heads
    assert {caption.partition(" (")[0] for caption in head.mistakes.captions} == {
        "true good, predicted bad",
        "true bad, predicted good",
    }
    assert set(head.mistakes.texts["opinion"]) == {
        f"< script > alert ( 1 ) < / script > | ` _ code _ ` & amp ; {mood}"
        for mood in ("bad", "good")
    }
    page = done.page.read_text(encoding="utf-8")
    assert "&lt; script &gt; alert" in page
    assert "<script" not in page
    assert not (own.evaluation("test") / "mistakes.png").exists()
    [titles, *rows] = (own.logs / "embeddings" / "test" / "metadata.tsv").read_text().splitlines()
    assert titles.split("\t")[-1] == "opinion"
    assert len(rows) == 40
    assert done.metrics == own.metrics()["test"]


def test_tensorboard_shows_texts_verbatim(run):
    log = EventAccumulator(str(run.logs)).Reload()
    for tag, captions in (
        ("inputs/opinion", ("    good\n", "    bad\n")),
        (
            "mood/worst_mistakes/opinion",
            ("    true good, predicted bad (", "    true bad, predicted good ("),
        ),
    ):
        [event] = log.Tensors(tag)
        text = event.tensor_proto.string_val[0].decode()
        assert all(caption in text for caption in captions)
        assert all(line.startswith("    ") for line in text.split("\n") if line)


def test_the_model_is_summarized(run):
    summary = summarize(run.directory)
    spec = run.config().inputs["opinion"]
    assert summary.parameters == (spec.vocabulary_size + 2) * 8 + 2 * 8 + 2
    assert summary.flops is not None


@pytest.mark.parametrize(
    ("damage", "problem"),
    [
        (lambda text: text.replace("film\n", ""), "is not as it was written"),
        (lambda text: text.replace("film", "plot"), "is not as it was written"),
        (None, "is missing"),
    ],
)
def test_a_run_with_a_damaged_vocabulary_is_refused(own, damage, problem):
    path = own.directory / "preprocessing" / "opinion" / "vocabulary.txt"
    if damage is None:
        path.unlink()
    else:
        path.write_text(damage(path.read_text(encoding="utf-8")), encoding="utf-8")
    with pytest.raises(RunError) as raised:
        evaluate_run(own, split="test", checkpoint="best", device="cpu")
    assert str(raised.value).startswith(f"{path}: damaged: it {problem}")


def test_rows_without_text_are_refused_skipped_or_unknown(tmp_path):
    write_opinions(tmp_path)
    path = tmp_path / "opinions.csv"
    with path.open("a", encoding="utf-8") as file:
        file.write(",good,train\n... ,bad,test\n")
    tree = config(tmp_path)
    tree["train"]["epochs"] = 1
    tree["inputs"]["opinion"]["punctuation"] = "remove"
    with pytest.raises(DataError) as raised:
        train(tree, run=tmp_path / "refused")
    assert "  row 281: it has no text\n  row 282: its text has no words: text '... '" in str(
        raised.value
    )
    assert not (tmp_path / "refused").exists()
    tree["source"]["on_bad_row"] = "skip"
    skipped = train(tree, run=tmp_path / "skipped").metrics()["test"]["examples"]
    del tree["source"]["on_bad_row"]
    tree["inputs"]["opinion"]["missing"] = "empty"
    read = train(tree, run=tmp_path / "read").metrics()["test"]["examples"]
    assert (skipped, read) == (40, 41)
