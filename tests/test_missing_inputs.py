"""Missing inputs: from the cells of a table to evaluation and prediction."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from PIL import Image

from mmzoo.batches import evaluation_batches, training_batches
from mmzoo.config import Config, load_config
from mmzoo.data.frame import Frame
from mmzoo.decoded_files import cache_decoded
from mmzoo.devices import prepare_devices
from mmzoo.errors import ConfigError, DataError
from mmzoo.evaluation.embeddings import embed
from mmzoo.evaluation.evaluate import evaluate_model
from mmzoo.evaluation.evaluate_run import evaluate
from mmzoo.inspection.inspect import inspect
from mmzoo.inspection.report_text import report_text
from mmzoo.missing_values import missing_notes, presence_masks
from mmzoo.model import build_network
from mmzoo.model_summary import summarize
from mmzoo.order import TrainingOrder
from mmzoo.prediction import predict
from mmzoo.preprocessing import fit_config, load_frame, load_rows, transform
from mmzoo.runs import Run
from mmzoo.trained_model import load_trained
from mmzoo.training.frozen_features import cache_frozen_features
from mmzoo.training.train import train
from mmzoo.visualization.augmented_examples import draw_augmented_examples

ROWS = 40
ABSENT = {"photo": 5, "sound": 4, "title": 4, "facts": 8}
"""The input is missing in every n-th row."""
INPUTS: dict[str, dict[str, Any]] = {
    "photo": {
        "type": "image",
        "shape": [6, 6, 1],
        "missing": "learned",
        "encoder": {"type": "cnn", "filters": [2], "padding": "same"},
    },
    "sound": {
        "type": "audio",
        "rate": 8_000,
        "seconds": 0.1,
        "missing": "learned",
        "encoder": {"type": "cnn", "filters": [2]},
    },
    "title": {
        "type": "text",
        "length": "auto",
        "missing": "learned",
        "encoder": {"type": "embedding", "dim": 2},
    },
    "facts": {
        "type": "tabular",
        "columns": {"size": "number", "city": "category"},
        "modality_dropout": 0.2,
        "encoder": {"type": "mlp", "units": [2]},
    },
}


def is_missing(name: str, row: int) -> bool:
    return row % ABSENT[name] == list(ABSENT).index(name)


def cells(folder: Path) -> dict[str, list[Any]]:
    """The columns of the table; writes its files."""
    import soundfile

    random = np.random.RandomState(0)
    for row in range(ROWS):
        pixels = random.randint(0, 256, (6, 6)).astype("uint8")
        Image.fromarray(pixels).save(folder / f"{row}.png")
        soundfile.write(folder / f"{row}.wav", random.uniform(-1, 1, 800), 8_000)
    return {
        "photo": ["" if is_missing("photo", row) else f"{row}.png" for row in range(ROWS)],
        "sound": ["" if is_missing("sound", row) else f"{row}.wav" for row in range(ROWS)],
        "title": [
            "..." if is_missing("title", row) else f"a title of {row}" for row in range(ROWS)
        ],
        "size": ["" if is_missing("facts", row) else str(row) for row in range(ROWS)],
        "city": ["" if is_missing("facts", row) else "ab"[row % 2] for row in range(ROWS)],
        "kind": [row % 2 for row in range(ROWS)],
    }


def write(folder: Path, columns: Mapping[str, list[Any]], name: str = "rows.csv") -> Path:
    pl.DataFrame(columns, strict=False).write_csv(folder / name)
    return folder / name


@pytest.fixture
def columns(tmp_path) -> dict[str, list[Any]]:
    return cells(tmp_path)


def config(path: Path, changes: Mapping[str, Any] | None = None, **fields: Any) -> Config:
    inputs = {name: {**one, **(changes or {}).get(name, {})} for name, one in INPUTS.items()}
    return load_config(
        {
            "name": "lacking",
            "source": {"type": "table", "path": str(path)},
            "inputs": {name: one for name, one in inputs.items() if one.get("type")},
            "heads": {"kind": {"type": "binary"}},
            "train": {"epochs": 1, "batch_size": 16},
            **fields,
        }
    ).with_columns()


def present(data: Frame, name: str) -> np.ndarray:
    """Which rows have an input, in the order of the table."""
    masks = presence_masks(data, name)
    names = np.concatenate([data.row_names[split] for split in masks])
    return np.concatenate(list(masks.values()))[np.argsort(names)]


def expected(name: str) -> list[bool]:
    return [not is_missing(name, row) for row in range(ROWS)]


def test_presence_columns_mark_available_inputs(tmp_path, columns):
    spec = config(write(tmp_path, columns))
    data = load_frame(spec)
    assert set(spec.presence) == set(INPUTS)
    for name in spec.presence:
        there = present(data, name)
        assert there.dtype == bool
        assert there.tolist() == expected(name)
    assert sum("is missing in" in note for note in data.notes) == len(INPUTS)
    [photo] = [note for note in data.notes if note.startswith("inputs.photo is missing")]
    count = (~presence_masks(data, "photo")["train"]).sum()
    assert photo.startswith(
        f"inputs.photo is missing in {count} of {data.examples('train')} train examples"
    )
    assert " test examples" in photo
    lacking = data.rows["test"][~presence_masks(data, "photo")["test"]]
    [photo, *_] = missing_notes(data.drop(lacking.tolist()), {"photo": spec.presence["photo"]})
    assert " test examples" not in photo


def test_missing_inputs_are_neutral_in_batches(tmp_path, columns):
    spec = config(write(tmp_path, columns))
    data = load_frame(spec)
    spec, preprocessing = fit_config(spec, data)
    data = transform(spec, data, preprocessing)
    kept = cache_decoded(spec, data, ["train"])
    for columns_of_split in (data.splits["train"], kept.splits["train"]):
        for (batch,) in evaluation_batches(spec, columns_of_split, labelled=False):
            for name, empty in {"photo": 0, "sound": 0}.items():
                absent = batch[f"{name}_present"].numpy() == 0
                assert (batch[name].numpy()[absent] == empty).all()
                assert (batch[name].numpy()[~absent] != empty).any()
            texts = batch["title"].numpy()[batch["title_present"].numpy() == 0]
            assert (texts[:, 0] == 1).all()
            assert (texts[:, 1:] == 0).all()


@pytest.mark.slow
def test_placeholders_of_missing_inputs_train_nothing(tmp_path, columns):
    """Batches, batch norm statistics and everything else are equal."""
    relaxed = {"augment": [{"type": "brightness"}], "missing_files": "absent"}
    others = {
        **columns,
        "photo": [path or f"lost{row}.png" for row, path in enumerate(columns["photo"])],
        "title": ["" if title == "..." else title for title in columns["title"]],
    }

    def batches(name: str, table: Mapping[str, list[Any]]) -> list[Any]:
        spec = config(write(tmp_path, table, name), {"photo": relaxed})
        data = load_frame(spec)
        spec, preprocessing = fit_config(spec, data)
        train = transform(spec, data, preprocessing).splits["train"]
        order = TrainingOrder(0, len(train["kind"]), 16)
        return list(training_batches(spec, train, order, 0, 4).as_numpy_iterator())

    pairs = zip(batches("one.csv", columns), batches("other.csv", others), strict=True)
    for (one, labels), (other, same_labels) in pairs:
        np.testing.assert_array_equal(labels["kind"], same_labels["kind"])
        assert one.keys() == other.keys()
        for name, values in one.items():
            np.testing.assert_array_equal(values, other[name], err_msg=name)


def test_missing_values_are_excluded_from_fitting(tmp_path, columns):
    columns["title"] = [
        "" if row % 10 else "seven words are in this title " + "abc"[row % 3] for row in range(ROWS)
    ]
    spec = config(write(tmp_path, columns))
    fitted, _ = fit_config(spec, load_frame(spec))
    # With 95 % of all rows it would be a length of one or less.
    assert fitted.inputs["title"].length == 7


def test_a_row_without_any_input_is_bad(tmp_path, columns):
    for column in ("photo", "sound", "title", "size", "city"):
        columns[column][7] = ""
    spec = config(write(tmp_path, columns))
    with pytest.raises(DataError) as caught:
        load_frame(spec)
    assert "row 8: all inputs are missing (photo, sound, title, facts)" in str(caught.value)
    skipping = spec.replace(source=spec.source.replace(on_bad_row="skip"))
    data = load_frame(skipping)
    assert [row.file for row in data.skipped] == ["row 8"]
    assert len(present(data, "photo")) == ROWS - 1


def test_a_row_without_input_because_of_a_missing_file_names_it(tmp_path, columns):
    spec = config(write(tmp_path, columns), {"photo": {"missing_files": "absent"}})
    rows = write(tmp_path, {"photo": ["no/such.png"]}, "elsewhere.csv")
    with pytest.raises(DataError, match="row 1: all inputs are missing") as caught:
        load_rows(spec, str(rows), "data", labelled=False)
    assert "`photo`: 1 of its files do not exist, such as 'no/such.png' in" in str(caught.value)


def test_an_input_missing_from_all_training_rows_is_an_error(tmp_path, columns):
    columns["photo"] = [""] * ROWS
    spec = config(write(tmp_path, columns))
    with pytest.raises(DataError, match=r"inputs\.photo: all 32 training examples of"):
        load_frame(spec)
    _, found = inspect(spec)
    assert [error for error in found.errors if error.startswith("inputs.photo: all 32")]


def test_missing_files_can_be_missing_inputs(tmp_path, columns):
    path = write(tmp_path, columns)
    (tmp_path / "7.png").unlink()
    with pytest.raises(DataError, match=r"row 8: its `photo` is '7\.png': there is no such file"):
        load_frame(config(path))
    relaxed = config(path, {"photo": {"missing_files": "absent"}})
    data = load_frame(relaxed)
    there = expected("photo")
    there[7] = False
    assert present(data, "photo").tolist() == there
    assert any("1 of its files do not exist, such as '7.png'" in note for note in data.notes)
    (tmp_path / "8.png").unlink()
    assert load_frame(relaxed).fingerprint != data.fingerprint


def test_damaged_files_are_always_bad_rows(tmp_path, columns):
    (tmp_path / "7.png").write_bytes(b"no picture")
    spec = config(write(tmp_path, columns), {"photo": {"missing_files": "absent"}})
    with pytest.raises(DataError, match=r"row 8: its `photo`, 7.png: not an image"):
        load_frame(spec)


def test_complete_data_are_unaffected(tmp_path, columns):
    columns["photo"] = [f"{row}.png" for row in range(ROWS)]
    path = write(tmp_path, columns)
    strict = {"photo": {"missing": "error"}}
    given, may = load_frame(config(path, strict)), load_frame(config(path))
    assert given.fingerprint == may.fingerprint


def test_a_single_input_cannot_be_missing(tmp_path, columns):
    others = {name: {"type": None} for name in INPUTS if name != "title"}
    spec = config(write(tmp_path, columns), others)
    assert spec.presence == {}
    with pytest.raises(DataError, match="its only input, title, is missing"):
        load_frame(spec)


@pytest.mark.parametrize(
    ("changes", "path", "message"),
    [
        ({"photo": {"missing": "error", "modality_dropout": 0.5}}, "inputs.photo", "`missing: lea"),
        ({"photo": {"missing": "error", "missing_files": "absent"}}, "missing_files", "`missing:"),
        ({"facts": {"missing": "error"}}, "inputs.facts.modality_dropout", "`missing: learned`"),
        (
            {"title": {"type": None}, "photo": {"type": None}, "sound": {"type": None}},
            "inputs.facts.modality_dropout",
            "expected none for the only input",
        ),
    ],
)
def test_incompatible_options_are_refused(changes, path, message):
    with pytest.raises(ConfigError) as caught:
        config(Path("rows.csv"), changes)
    assert path in str(caught.value)
    assert message in str(caught.value)


def test_missing_inputs_exclude_mixing():
    two = {"title": {"type": None}, "sound": {"type": None}, "facts": {"type": None}}
    inputs = {"photo": INPUTS["photo"], "other": {**INPUTS["photo"], "missing": "error"}}
    with pytest.raises(ConfigError, match=r"combined with inputs\.photo\.missing: learned"):
        config(Path("rows.csv"), two, inputs=inputs, train={"mixing": {"type": "mixup"}})


@pytest.mark.slow
def test_check_data_counts_missing_inputs(tmp_path, columns):
    spec = config(write(tmp_path, columns))
    _, found = inspect(spec)
    assert found.errors == []
    assert sum(found.absent["photo"].values()) == ROWS // ABSENT["photo"]
    assert "missing inputs" in report_text(found)
    assert "photo_missing" in [walk.name for walk in found.network]


@pytest.mark.slow
def test_cached_features_support_missing_inputs(tmp_path, columns):
    frozen = {"type": "squeezenet", "weights": "none"}
    changes = {
        "photo": {"shape": [32, 32, 3], "modality_dropout": 0.4, "encoder": frozen},
        "sound": {"type": None},
    }
    train_fields = {"batch_size": 16, "frozen_features": {"keep": "memory"}}
    spec = config(write(tmp_path, columns), changes, train=train_fields)
    data = load_frame(spec)
    spec, preprocessing = fit_config(spec, data)
    data = transform(spec, data, preprocessing)
    network = build_network(spec)
    training_inputs = cache_frozen_features(network, spec, data, prepare_devices("cpu", spec.train))
    order = TrainingOrder(0, data.examples("train"), 16)
    complete = training_batches(spec, data.splits["train"], order, 0, 4).as_numpy_iterator()
    kept = training_batches(
        spec, training_inputs.data.splits["train"], order, 0, 4
    ).as_numpy_iterator()
    for (inputs, _), (of_features, _) in zip(complete, kept, strict=True):
        assert of_features["photo"].ndim == 2
        np.testing.assert_array_equal(inputs["photo_present"], of_features["photo_present"])
        message = network.model(inputs, training=False)["kind"].numpy()
        np.testing.assert_allclose(
            training_inputs.model(of_features)["kind"].numpy(), message, atol=1e-5
        )


def test_synthetic_examples_have_all_inputs(tmp_path):
    spec = config(tmp_path / "none.csv").smoke().with_columns()
    data = load_frame(spec)
    for name in spec.presence:
        assert presence_masks(data, name)["train"].all()


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Run:
    """A training on the table, of one epoch."""
    folder = tmp_path_factory.mktemp("lacking")
    path = write(folder, cells(folder))
    return train(config(path), run=folder / "run")


def test_prediction_rows_can_miss_cells_and_columns(run, tmp_path):
    folder = run.directory.parent
    shutil.copy(folder / "1.png", tmp_path)
    rows = {"id": ["x", "y"], "photo": ["1.png", ""], "title": ["a title of 3", "a title of 3"]}
    message = predict(run, data=write(tmp_path, rows))
    assert message["id"] == ["x", "y"]
    complete = {**rows, "sound": ["", ""], "size": ["", ""], "city": ["", ""]}
    same = predict(run, data=write(tmp_path, complete, "whole.csv"))
    assert same["kind_probability"] == message["kind_probability"]
    assert same["kind_probability"][0] != same["kind_probability"][1]


def test_prediction_rows_cannot_miss_everything(run, tmp_path):
    with pytest.raises(DataError, match="has no column `photo`"):
        predict(run, data=write(tmp_path, {"id": ["x"]}))
    with pytest.raises(DataError, match="row 1: all inputs are missing"):
        predict(run, data=write(tmp_path, {"id": ["x"], "title": [""]}, "empty.csv"))


def test_single_files_are_refused_and_the_table_is_explained(run):
    with pytest.raises(DataError, match="may be missing for photo, sound, title, facts"):
        predict(run, [run.directory.parent / "1.png"])


def test_a_single_file_of_the_wrong_input_is_refused(tmp_path):
    titles = [f"a title of {row}" for row in range(ROWS)]
    table = write(tmp_path, {"title": titles, "kind": [row % 2 for row in range(ROWS)]})
    others = {name: {"type": None} for name in INPUTS if name != "title"}
    run = train(config(table, others), run=tmp_path / "run")
    full, empty = tmp_path / "full.txt", tmp_path / "empty.txt"
    full.write_text("a title of 3")
    empty.write_text("...")
    assert len(predict(run, [full])["kind"]) == 1
    with pytest.raises(DataError, match=r"empty\.txt: its only input, title, is missing"):
        predict(run, [full, empty])


@pytest.mark.slow
def test_other_data_with_missing_inputs_are_evaluated(run, tmp_path):
    columns = {"title": ["a title of 3", "a title of 4"], "kind": [1, 0]}
    assert evaluate(run, data=write(tmp_path, columns))["examples"] == 2
    metrics = evaluate(run, split="test")
    assert metrics["kind"] == run.metrics()["test"]["kind"]


@pytest.mark.slow
def test_visualizations_mark_missing_inputs(run, tmp_path):
    spec = run.config()
    data = load_frame(spec)
    data = transform(spec, data, run.preprocessing())
    model, _ = load_trained(run)
    evaluation = evaluate_model(model, spec, data, "train")
    points = embed(model, spec, data, run.preprocessing(), evaluation)
    there = data.splits["train"][spec.presence["title"]]
    assert [text == "(absent)" for text in points.columns["title"]] == (~there).tolist()
    assert "photo_missing" in str(summarize(run.directory))

    path = tmp_path / "lacking.yaml"
    path.write_text(json.dumps(run.config().model_dump(mode="json")))
    drawing = draw_augmented_examples(path, (), rows=16, epochs=1, output=tmp_path / "v.png")
    assert "(absent)" in drawing.text
