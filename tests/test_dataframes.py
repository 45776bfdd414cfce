"""Tables in memory: DataFrames and arrays are trained on, evaluated and predicted like files."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas
import polars
import pytest

import mmzoo
from mmzoo.cli import main
from mmzoo.data.in_memory import to_dataframe
from mmzoo.errors import DataError
from mmzoo.preprocessing import load_frame, load_rows, transform
from mmzoo.runs import Run

WORDS = ("fine", "dull", "long")
TEXTS = [f"a {WORDS[n % 3]} film number {n % 7}" for n in range(60)]
LABELS = [("+", "-", "=x")[n % 3] for n in range(60)]
TABLE = polars.DataFrame({"id": range(60), "text": TEXTS, "label": LABELS})
CONFIG = {
    "name": "films",
    "inputs": {"text": {"type": "text", "length": 6, "encoder": {"type": "embedding", "dim": 4}}},
    "heads": {"label": {"type": "classification"}},
    "train": {"epochs": 2, "batch_size": 16, "optimizer": {"type": "adam", "learning_rate": 0.1}},
}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("films"))
        config = {**CONFIG, "source": {"type": "table", "path": "x.csv", "on_bad_row": "skip"}}
        yield mmzoo.train(config, TABLE, run="run")


def test_a_run_on_a_dataframe_can_be_evaluated_again(run):
    source = run.config().source
    assert source.path.startswith("runs/tables/data_")
    assert source.on_bad_row == "skip"
    assert polars.read_parquet(source.path).equals(TABLE)
    assert mmzoo.evaluate(run) == run.metrics()["test"]


@pytest.mark.parametrize(
    "form",
    [
        pandas.DataFrame,
        *(pytest.param(form, marks=pytest.mark.slow) for form in (dict, polars.DataFrame)),
    ],
)
def test_tables_in_memory_are_read_like_files(run, form):
    TABLE.write_parquet("films.parquet")
    data = form({"id": TABLE["id"].to_list(), "text": TEXTS, "label": LABELS})
    assert run.predict(data=data) == run.predict(data="films.parquet")
    found, from_file = (mmzoo.evaluate(run, data=one) for one in (data, "films.parquet"))
    assert found | {"data": ""} == from_file | {"data": ""}


@pytest.mark.parametrize(
    "text",
    [
        pandas.Series(TEXTS, dtype=object),
        pandas.Series(TEXTS, dtype="string"),
        pandas.Series(TEXTS, index=range(60, 0, -1)),
        pandas.Categorical(TEXTS),
        np.array(TEXTS),
        tuple(TEXTS),
    ],
)
def test_texts_of_any_dtype_are_texts(run, text):
    expected = run.predict(data=TABLE[["text"]])
    assert run.predict(data={"text": text}) == expected
    assert run.predict(data=pandas.DataFrame({"text": text})) == expected


def test_values_of_pandas_are_those_of_polars():
    """Whatever marks a missing one, and however the rows are numbered."""
    times = ["2024-02-29T12:00:00", None]
    frame = pandas.DataFrame(
        {
            "float": [1.5, np.nan],
            "int": pandas.array([1, None], dtype="Int64"),
            "bool": pandas.array([True, None], dtype="boolean"),
            "object": [None, "a"],
            "string": pandas.array(["a", pandas.NA], dtype="string"),
            "category": pandas.Categorical(["b", None]),
            "time": pandas.to_datetime(times),
            7: [1, 2],
        },
        index=[5, 5],
    )
    table = to_dataframe(frame)
    assert table.columns == [*frame.columns[:-1], "7"]
    assert table.drop("time").rows() == [
        (1.5, 1, True, None, "a", "b", 1),
        (None, None, None, "a", None, None, 2),
    ]
    assert table["time"].to_list() == [datetime(2024, 2, 29, 12), None]


@pytest.mark.parametrize(
    "values",
    [
        ["a", float("nan"), None],
        np.array(["a", np.nan, None], dtype=object),
        pandas.Series(["a", np.nan, None]),
        pandas.Categorical(["a", None, None]),
    ],
)
def test_missing_values_are_null(values):
    assert to_dataframe({"x": values})["x"].to_list() == ["a", None, None]


def test_a_table_in_memory_is_resumed_from_python(run, tmp_path, capsys):
    """The command line, which has no such table, says how."""
    path = tmp_path / "films.yaml"
    advice = (
        "It was trained from Python on a table in memory. Continue it with `mmzoo.train(config, "
        "data, run='run', resume=True)`, or with `mmzoo train run/config.yaml --resume --run run`."
    )

    def resume(config):
        path.write_text(json.dumps(config))
        with pytest.raises(SystemExit) as ended:
            main(["train", str(path), "--resume", "--run", "run"])
        assert ended.value.code == 1
        return capsys.readouterr().err

    assert resume(CONFIG) == f"Error: run: {advice}\n"
    config = {**CONFIG, "source": {"type": "table", "path": "films.csv", "on_bad_row": "skip"}}
    error = resume(config)
    assert "run: was trained with another config: " in error
    assert error.endswith(f"{advice}\n")
    metrics = run.metrics()
    assert mmzoo.train(config, TABLE, run="run", resume=True).metrics() == metrics


def test_the_model_of_a_run_makes_its_predictions(run):
    rows = run.predict(data=TABLE, probabilities=True, keep_inputs=True)
    assert list(rows)[:3] == ["id", "text", "label_given"]
    assert (rows["id"], rows["text"], rows["label_given"]) == (list(range(60)), TEXTS, LABELS)
    config = run.config()
    frame = load_rows(config, TABLE, "data", labelled=False)
    inputs = transform(config, frame, run.preprocessing()).splits["data"]
    probabilities = mmzoo.load_model(run).predict({"text": inputs["text"]}, verbose=0)["label"]
    names = config.heads["label"].class_names
    assert names == ("+", "-", "=x")
    for index, name in enumerate(names):
        column = rows[f"label_{name}_probability"]
        np.testing.assert_allclose(column, probabilities[:, index], rtol=1e-5)
    assert rows["label"] == [names[row.argmax()] for row in probabilities]


def test_texts_are_predicted_like_rows(run):
    rows = run.predict(texts=TEXTS[:4])
    assert rows["text"] == TEXTS[:4]
    assert rows["label"] == run.predict(data=TABLE[:4])["label"]
    assert mmzoo.predict(run, texts=TEXTS[0])["label"] == rows["label"][:1]


def test_commands(run, capsys):
    TABLE.write_csv("films.csv")

    def call(*arguments):
        with pytest.raises(SystemExit) as ended:
            main(["predict", "run", *arguments])
        return ended.value.code, *capsys.readouterr()

    code, out, _ = call("--text", TEXTS[0], "--text", TEXTS[1], "--json")
    assert (code, [row["text"] for row in json.loads(out)]) == (0, TEXTS[:2])
    code, _, err = call("films.csv")
    assert (code, err) == (
        1,
        "Error: films.csv: a table, not a file with one text; to predict for each row, use --data "
        "films.csv\n",
    )
    Path("films.txt").write_bytes(Path("films.csv").read_bytes())
    code, _, err = call("films.txt")
    assert (code, err) == (
        1,
        "Error: films.txt: it seems to be a table with a column `text`: rename it and use --data\n",
    )
    code, *_ = call(
        "--data", "films.csv", "--keep-inputs", "--probabilities", "--output", "out.csv"
    )
    assert code == 0
    written = polars.read_csv("out.csv")
    assert written["text"].to_list() == TEXTS
    assert written["label_given"].to_list()[:2] == ["+", "-"]
    assert set(written["label"]) <= {"+", "-", "=x"}
    shares = [f"label_{name}_probability" for name in ("+", "-", "=x")]
    np.testing.assert_allclose(written.select(shares).to_numpy().sum(axis=1), 1, rtol=1e-5)
    code, _, err = call("--data", "films.csv", "--top", "2", "--probabilities")
    assert (code, "--probabilities already has all classes" in err) == (2, True)
    code, _, err = call("--text", "x", "films.csv")
    assert (code, "FILES and --text cannot be combined" in err) == (2, True)


def test_files_that_cannot_be_read_are_skipped(run, tmp_path, capsys):
    (tmp_path / "a.txt").write_text(TEXTS[0])
    (tmp_path / "b.txt").write_bytes(b"\xff\xfe\xff")
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "c.txt").write_text(TEXTS[1])
    (tmp_path / "more" / "notes.md").write_text("no example")
    rows = run.predict([tmp_path, tmp_path / "none.txt"], on_bad_row="skip")
    assert rows["file"] == [str(tmp_path / "a.txt"), str(tmp_path / "more" / "c.txt")]
    assert rows["label"] == run.predict(texts=TEXTS[:2])["label"]
    assert "skipped 2 of 4 files that cannot be read" in capsys.readouterr().err
    with pytest.raises(DataError, match="2 of 4 files cannot be read"):
        run.predict([tmp_path, tmp_path / "none.txt"])
    with pytest.raises(DataError, match=r"b.txt: expected UTF-8 text"):
        run.predict([tmp_path / "b.txt"], on_bad_row="skip")
    (tmp_path / "more" / "c.txt").unlink()
    with pytest.raises(DataError, match=r"no files in it end in \.txt"):
        run.predict(tmp_path / "more")


def test_a_table_of_other_classes_is_the_wrong_table(run):
    other = TABLE.with_columns(label=polars.Series(["negative", "positive"] * 30))
    with pytest.raises(DataError) as caught:
        mmzoo.evaluate(run, data=other)
    assert str(caught.value) == (
        "the given data: all 60 rows have a `label` that the model does not know: 'negative', "
        "'positive'. It knows '+', '-', '=x'. Wrong table?"
    )


def test_arrays_are_images(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    random = np.random.RandomState(0)
    arrays = {
        "image": random.randint(0, 256, (30, 4, 5, 1)).astype("uint8"),
        "kind": np.arange(30) % 2,
    }
    config = {
        "name": "pixels",
        "inputs": {
            "image": {
                "type": "image",
                "shape": [4, 5, 1],
                "encoder": {"type": "cnn", "filters": [2]},
            }
        },
        "heads": {"kind": {"type": "classification"}},
        "train": {"epochs": 1},
    }
    model = mmzoo.build_model(config, arrays)
    assert model.output["kind"].shape == (None, 2)
    run = mmzoo.train(config, arrays)
    assert run == Run(run.directory)
    frame = load_frame(run.config())
    np.testing.assert_array_equal(frame.table["image"].to_numpy(), arrays["image"])
    rows = run.predict(data={"image": arrays["image"]})
    assert set(rows["kind"]) <= {"0", "1"}
    assert len(rows["kind"]) == 30


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"a": [1, 2], "b": [1]}, "its columns differ in length: a 2, b 1"),
        (polars.DataFrame({"a": []}), "it has no rows"),
        ([1, 2], "expected a path, a pandas or polars DataFrame, or a mapping"),
    ],
)
def test_values_that_are_not_tables_are_refused(data, message):
    with pytest.raises(DataError, match=message):
        to_dataframe(data)
