"""Search and zero-shot classification against cosines by numpy."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from catalogue_run import NO_WORDS, ROWS, SIDES, Catalogue
from click.testing import CliRunner

import mmzoo
from mmzoo.cli.main_command import cli
from mmzoo.errors import DataError, MmzooError, RunError
from mmzoo.retrieval.vector_index import VectorIndex
from mmzoo.runs import Run
from mmzoo.trained_model import load_model


@pytest.fixture(scope="module")
def index(catalogue: Catalogue) -> VectorIndex:
    return mmzoo.embed(catalogue.run, data=catalogue.table, device="cpu")


def printed(*words: str) -> str:
    result = CliRunner().invoke(cli, [*words, "--device", "cpu"])
    assert result.exit_code == 0, result.output
    return result.stdout


def test_a_text_finds_the_nearest_photos(catalogue, index, tmp_path) -> None:
    path = tmp_path / "index.npz"
    index.write(path)
    command = ("search", str(catalogue.run.directory), "--index", str(path))
    rows = json.loads(printed(*command, "--text", "right grey", "--top", "4", "--json"))
    vectors = catalogue.vectors()
    cosines = vectors[:, 0] @ vectors[1, 1]
    order = np.argsort(-cosines)[:4]
    assert [row["id"] for row in rows] == [f"P{one}" for one in order]
    assert [row["rank"] for row in rows] == [1, 2, 3, 4]
    np.testing.assert_allclose([row["similarity"] for row in rows], cosines[order], atol=1e-5)
    table = printed(*command, "--text", "right grey", "--top", "1")
    assert f"P{order[0]}" in table
    assert f"{cosines[order[0]]:.3f}" in table


def test_a_photo_finds_words_and_rows_without_them_are_left_out(catalogue, index) -> None:
    found = mmzoo.search(catalogue.run, index, catalogue.photos[0], top=ROWS, device="cpu")
    vectors = catalogue.vectors()
    cosines = vectors[:, 1] @ vectors[0, 0]
    assert len(found) == ROWS - 1
    assert f"P{NO_WORDS}" not in {row["id"] for row in found}
    expected = np.sort(cosines[~np.isnan(cosines)])[::-1]
    np.testing.assert_allclose([row["similarity"] for row in found], expected, atol=1e-5)


def test_the_target_can_be_the_input_of_the_query(catalogue, index) -> None:
    found = mmzoo.search(
        catalogue.run, index, catalogue.photos[7], target="photo", top=1, device="cpu"
    )
    assert found[0]["id"] == "P7"
    assert found[0]["similarity"] == pytest.approx(1, abs=1e-5)


@pytest.mark.slow
def test_features_of_other_runs_can_be_searched(trained_run: Run, tmp_path: Path) -> None:
    from PIL import Image

    random = np.random.RandomState(0)
    photos = [tmp_path / f"{number}.png" for number in range(5)]
    for path in photos:
        Image.fromarray(random.randint(0, 255, (8, 8)).astype(np.uint8)).save(path)
    index = mmzoo.embed(trained_run, photos, device="cpu")
    found = mmzoo.search(trained_run, index, photos[3], device="cpu")
    assert found[0] == {
        "rank": 1,
        "similarity": pytest.approx(1, abs=1e-5),
        "file": str(photos[3]),
    }
    assert len(found) == 5


def test_what_does_not_belong_together_is_refused(catalogue, index, trained_run) -> None:
    of_other = mmzoo.embed(trained_run, split="test", device="cpu")
    for run, other in ((catalogue.run, of_other), (trained_run, replace(index, head=""))):
        with pytest.raises(DataError, match=r"not comparable with those of .*: other weights"):
            mmzoo.search(run, other, text="left", device="cpu")
    with pytest.raises(DataError, match="the index has no vectors of 'word'; did you mean 'words'"):
        mmzoo.search(catalogue.run, index, text="left", target="word", device="cpu")
    only_words = replace(index, vectors={"words": index.vectors["words"]})
    found = mmzoo.search(catalogue.run, only_words, text="left dark", device="cpu")
    assert found[0]["words"] == "left dark"


def test_the_command_line_wants_one_query() -> None:
    for words in ((), ("--text", "a", "--query", "b.png")):
        command = ["search", "runs/x", "--index", "x.npz", *words]
        result = CliRunner().invoke(cli, command)
        assert result.exit_code == 2
        assert "Expected one of --query FILE and --text TEXT" in result.output


# Zero-shot classification.

DESCRIPTIONS = ("left dark", "right grey", "top dark")


def shares(catalogue: Catalogue, classes: np.ndarray) -> np.ndarray:
    """The softmax of the cosines of all photos over the learned temperature."""
    scale, _ = load_model(catalogue.run).get_layer("pair").scale_and_bias().numpy()
    logits = scale * catalogue.vectors()[:, 0] @ classes.T
    found = np.exp(logits)
    return found / found.sum(axis=1, keepdims=True)


def words_of(index: VectorIndex, *texts: str) -> np.ndarray:
    given = list(index.given["words"])
    return np.stack([index.vectors["words"][given.index(text)] for text in texts])


def test_descriptions_classify_photos(catalogue, index) -> None:
    found = mmzoo.zero_shot(
        catalogue.run, catalogue.photos, classes=DESCRIPTIONS, probabilities=True, device="cpu"
    )
    expected = shares(catalogue, words_of(index, *DESCRIPTIONS))
    best = expected.argmax(axis=1)
    assert found["class"] == [DESCRIPTIONS[one] for one in best]
    np.testing.assert_allclose(found["class_probability"], expected.max(axis=1), atol=1e-4)
    for place, name in enumerate(DESCRIPTIONS):
        np.testing.assert_allclose(
            found[f"class_{name}_probability"], expected[:, place], atol=1e-4
        )


def test_several_descriptions_of_a_class_are_averaged(catalogue, index) -> None:
    classes = {"left": ["left dark", "left grey"], "right": "right grey"}
    found = mmzoo.zero_shot(catalogue.run, catalogue.photos, classes=classes, top=2, device="cpu")
    left = words_of(index, "left dark", "left grey").mean(axis=0)
    vectors = np.stack([left / np.linalg.norm(left), words_of(index, "right grey")[0]])
    expected = shares(catalogue, vectors)
    assert found["class"] == [("left", "right")[one] for one in expected.argmax(axis=1)]
    np.testing.assert_allclose(found["class_2_probability"], expected.min(axis=1), atol=1e-4)


def test_the_command_line_reads_classes_of_a_file(catalogue, tmp_path) -> None:
    lines = tmp_path / "classes.txt"
    lines.write_text("left dark\n\nright grey\ntop dark\n")
    command = ("predict", str(catalogue.run.directory), "--classes", str(lines))
    files = [str(path) for path in catalogue.photos[:4]]
    rows = json.loads(printed(*command, *files, "--json"))
    api = mmzoo.zero_shot(catalogue.run, catalogue.photos[:4], classes=DESCRIPTIONS, device="cpu")
    assert [row["class"] for row in rows] == api["class"]
    assert [row["file"] for row in rows] == files
    of_table = json.loads(printed(*command, "--data", str(catalogue.table), "--json"))
    assert [row["class"] for row in of_table[:4]] == api["class"]
    assert of_table[1]["id"] == "P1"


def test_classes_can_be_rows_of_a_table_and_examples_of_any_input(catalogue, index) -> None:
    """One photo for each class, to classify texts."""
    table = catalogue.folder / "examples.csv"
    table.write_text(
        "class,photo\n" + "".join(f"{side},photos/0{row}.png\n" for row, side in enumerate(SIDES))
    )
    found = mmzoo.zero_shot(catalogue.run, texts=["left dark"], classes=table, device="cpu")
    vectors = catalogue.vectors()
    best = (vectors[:3, 0] @ vectors[0, 1]).argmax()
    assert found["class"] == [SIDES[best]]


def test_words_that_the_model_does_not_know_are_warned_about(catalogue, messages) -> None:
    classes = ["zebra", "giraffe"]
    found = mmzoo.zero_shot(catalogue.run, catalogue.photos[0], classes=classes, device="cpu")
    assert found["class_probability"] == [pytest.approx(0.5)]
    assert any("'zebra' and 'giraffe' have the same vector" in one for one in messages)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"classes": ["left"]}, DataError, "expected two classes or more, got 1"),
        ({"classes": ["left", "left"]}, DataError, "the class 'left' is described twice"),
        ({"classes": Path("no.txt")}, OSError, "no.txt"),
    ],
)
def test_classes_that_cannot_be_used_are_refused(
    catalogue, options: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        mmzoo.zero_shot(catalogue.run, catalogue.photos[0], device="cpu", **options)


def test_other_runs_and_tables_are_refused(catalogue, trained_run, tmp_path) -> None:
    with pytest.raises(RunError, match="has no contrastive head, which zero-shot"):
        mmzoo.zero_shot(trained_run, catalogue.photos[0], classes=["a", "b"], device="cpu")
    table = tmp_path / "classes.csv"
    table.write_text("name,words\na,left dark\nb,right grey\n")
    with pytest.raises(MmzooError, match=r"expected a column `class`.*got name, words"):
        mmzoo.zero_shot(catalogue.run, catalogue.photos[0], classes=table, device="cpu")
    for words, message in (
        (["--input", "photo"], "--input is for --classes"),
        (["--classes", "x.txt", "--data", "a.csv", "--keep-inputs"], "--keep-inputs cannot"),
    ):
        files = [] if "--data" in words else ["a.png"]
        result = CliRunner().invoke(cli, ["predict", "runs/x", *files, *words])
        assert result.exit_code == 2
        assert message in result.output
