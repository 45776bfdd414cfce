"""Vectors of files, texts, tables and splits: those of the Keras model, in both file formats."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from catalogue_run import NO_WORDS, ROWS, Catalogue
from click.testing import CliRunner

import mmzoo
from mmzoo.cli.main_command import cli
from mmzoo.errors import DataError, MmzooError, RunError
from mmzoo.evaluation.evaluate_run import evaluate
from mmzoo.model_graph import head_inputs
from mmzoo.retrieval.vector_index import VectorIndex, read_index
from mmzoo.runs import Run
from mmzoo.trained_model import load_model


@pytest.fixture(scope="module")
def index(catalogue: Catalogue) -> VectorIndex:
    return mmzoo.embed(catalogue.run, data=catalogue.table, device="cpu")


def test_vectors_of_a_table_are_those_of_the_model(catalogue, index) -> None:
    assert list(index.vectors) == ["photo", "words"]
    expected = catalogue.vectors()
    for place, vectors in enumerate(index.vectors.values()):
        np.testing.assert_allclose(vectors, expected[:, place], atol=1e-6)
    missing = np.isnan(index.vectors["words"]).all(axis=1)
    assert np.flatnonzero(missing).tolist() == [NO_WORDS]
    assert list(index.given) == ["id", "photo", "words", "side"]
    assert list(index.given["id"])[:2] == ["P0", "P1"]


def test_files_and_texts_of_one_input_have_the_same_vectors(catalogue, index) -> None:
    for files in (catalogue.photos[:3], catalogue.folder / "photos"):
        found = catalogue.run.embed(files, device="cpu")
        count = len(found.given["file"])
        np.testing.assert_allclose(
            found.vectors["photo"], index.vectors["photo"][:count], atol=1e-6
        )
    texts = list(index.given["words"])[:3]
    found = mmzoo.embed(catalogue.run, texts=texts, device="cpu")
    assert found.given["text"] == texts
    np.testing.assert_allclose(found.vectors["words"], index.vectors["words"][:3], atol=1e-6)


def test_a_table_needs_only_the_column_of_the_input(catalogue, index, tmp_path) -> None:
    table = tmp_path / "words.csv"
    table.write_text("words\nleft dark\nright grey\n")
    found = mmzoo.embed(catalogue.run, data=table, input="words", device="cpu")
    np.testing.assert_allclose(found.vectors["words"], index.vectors["words"][:2], atol=1e-6)
    with pytest.raises(DataError, match="photo"):
        mmzoo.embed(catalogue.run, data=table, device="cpu")


def test_a_split_has_labels_and_gives_the_recall_of_eval(catalogue) -> None:
    found = mmzoo.embed(catalogue.run, split="test", device="cpu")
    table = pl.read_csv(catalogue.table)
    rows = [int(row) - 1 for row in found.given["row"]]
    assert found.given["side_true"] == table["side"][rows].to_list()
    there = ~np.isnan(found.vectors["words"][:, 0])
    cosines = found.vectors["photo"][there] @ found.vectors["words"][there].T
    ahead = (cosines > np.diag(cosines)[:, None] + 1e-6).sum(axis=1)
    equal = (np.abs(cosines - np.diag(cosines)[:, None]) <= 1e-6).sum(axis=1)
    recall = np.clip((1 - ahead) / equal, 0, 1).mean()
    metrics = evaluate(catalogue.run, device="cpu")["pair"]
    assert metrics["photo_to_words_recall_at_1"] == pytest.approx(recall)


@pytest.mark.parametrize("ending", ["npz", "parquet"])
def test_files_keep_vectors_and_rows(catalogue, index, tmp_path, ending) -> None:
    path = tmp_path / f"index.{ending}"
    command = ["embed", str(catalogue.run.directory), "--data", str(catalogue.table)]
    result = CliRunner().invoke(cli, [*command, "--output", str(path), "--device", "cpu"])
    assert result.exit_code == 0, result.output
    assert f"Wrote {ROWS} rows to {path}: photo (5 wide), words (5 wide)" in result.output
    again = read_index(path)
    assert (again.run, again.fingerprint, again.head) == (
        str(catalogue.run.directory),
        index.fingerprint,
        "pair",
    )
    for name, vectors in index.vectors.items():
        np.testing.assert_array_equal(again.vectors[name], vectors)
        assert again.vectors[name].dtype == np.float32
    words = [text or None for text in again.given["words"]]
    assert words == list(index.given["words"])
    assert {name: list(of) for name, of in again.given.items() if name != "words"} == {
        name: list(of) for name, of in index.given.items() if name != "words"
    }
    assert [one.name for one in tmp_path.iterdir()] == [path.name]
    if ending == "npz":
        with np.load(path, allow_pickle=False) as file:
            assert file["photo_vector"].shape == (ROWS, 5)
            assert file["id"][1] == "P1"
    else:
        assert pl.read_parquet(path)["photo_vector"].dtype == pl.Array(pl.Float32, 5)


def test_columns_of_other_types_are_written(index, tmp_path) -> None:
    given = {
        "number": [1.5, None, 3.0],
        "count": [1, 2, 3],
        "flag": [True, False, True],
        "list": [["a"], [], None],
        "photo_vector": ["x", "y", "z"],
        "file": ["1.png", "2.png", "3.png"],  # As an argument of numpy.savez.
    }
    small = replace(index, given=given, vectors={"photo": index.vectors["photo"][:3]})
    small.write(tmp_path / "a.npz")
    found = read_index(tmp_path / "a.npz")
    assert np.isnan(found.given["number"][1])
    assert found.given["count"] == [1, 2, 3]
    assert found.given["flag"] == [True, False, True]
    assert found.given["list"] == ['["a"]', "[]", ""]
    assert found.given["photo_vector_given"] == ["x", "y", "z"]
    assert found.given["file"] == given["file"]
    small.write(tmp_path / "a.parquet")
    found = read_index(tmp_path / "a.parquet")
    assert list(found.given["number"]) == given["number"]
    assert found.given["list"].to_list() == given["list"]


def test_other_runs_give_features(trained_run: Run) -> None:
    """Of the input of the head's last layer, and of the encoder."""
    fused = mmzoo.embed(trained_run, split="test", device="cpu")
    encoder = mmzoo.embed(trained_run, split="test", input="image", device="cpu")
    model = load_model(trained_run)
    assert list(fused.vectors) == ["fused"]
    [read] = head_inputs(model, ["digit"])
    assert fused.vectors["fused"].shape == (fused.rows, read.shape[-1])
    kernel, bias = model.get_layer("digit").get_weights()
    logits = fused.vectors["fused"] @ kernel + bias
    right = [str(one) for one in logits.argmax(axis=1)] == np.array(fused.given["digit_true"])
    assert right.mean() == pytest.approx(trained_run.metrics()["test"]["digit"]["accuracy"])
    np.testing.assert_array_equal(encoder.vectors["image"], fused.vectors["fused"])


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"texts": "x", "input": "foto"}, RunError, "unknown input 'foto' of heads.pair; did you"),
        (
            {"texts": "x", "head": "pairs"},
            RunError,
            "'pairs' is no contrastive head. There are: pa",
        ),
        ({"split": "tests"}, RunError, "unknown split 'tests'"),
        (
            {"files": "a.wav"},
            RunError,
            "no input reads such files: choose one with --input: photo ",
        ),
        ({}, DataError, "expected one of files, texts, a table and a split"),
    ],
)
def test_errors_say_what_there_is(catalogue, options, error, message) -> None:
    with pytest.raises(error) as found:
        mmzoo.embed(catalogue.run, device="cpu", **options)
    assert message in str(found.value)


def test_a_corrupt_photo_is_named_and_nothing_is_written(catalogue, tmp_path) -> None:
    broken = tmp_path / "broken.png"
    broken.write_bytes(catalogue.photos[0].read_bytes()[:60])
    output = tmp_path / "out.npz"
    result = CliRunner().invoke(
        cli,
        ["embed", str(catalogue.run.directory), str(broken), "--output", str(output)],
        standalone_mode=False,
    )
    assert isinstance(result.exception, MmzooError)
    assert "broken.png" in str(result.exception)
    assert [one.name for one in tmp_path.iterdir()] == ["broken.png"]


@pytest.mark.parametrize("ending", ["npz", "parquet"])
def test_damaged_and_foreign_files_are_refused(index, tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"index.{ending}"
    with pytest.raises(DataError, match="there is no such index; `mmzoo embed` writes one"):
        read_index(path)
    index.write(path)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(DataError, match="not an index that `mmzoo embed` wrote, or damaged"):
        read_index(path)
    if ending == "npz":
        np.savez(path, photo_vector=np.zeros((3, 2)))
    else:
        pl.DataFrame({"a": [1]}).write_parquet(path)
    with pytest.raises(DataError, match="not an index"):
        read_index(path)


def test_the_name_of_the_output_is_checked_first() -> None:
    words = ["embed", "no_run", "a.png", "--output", "x.csv"]
    result = CliRunner().invoke(cli, words, standalone_mode=False)
    assert "x.csv: expected a name that ends in .npz or .parquet" in str(result.exception)
