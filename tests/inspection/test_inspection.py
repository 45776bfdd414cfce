"""Findings of `mmzoo check --data`."""

from __future__ import annotations

import numpy as np
import polars
import pytest
from frames import load_arrays
from PIL import Image

from mmzoo.config import load_config
from mmzoo.inspection import cost as cost_module
from mmzoo.inspection.data_report import DataReport, count_missing
from mmzoo.inspection.inspect import inspect
from mmzoo.inspection.report_text import report_text, step_time
from mmzoo.missing_values import missing_counts
from mmzoo.preprocessing import load_frame

ROWS = 60


def config_of(path, inputs, **source):
    """A config for a table whose column `set` has its splits and `y` the target."""
    return load_config(
        {
            "name": "inspected",
            "source": {"type": "table", "path": str(path), "split": {"column": "set"}, **source},
            "inputs": inputs,
            "heads": {"y": {"type": "classification"}},
            "train": {"epochs": 2, "batch_size": 16},
        }
    ).with_columns()


def found_in(config):
    return inspect(config)[1]


def write_table(path, **columns):
    splits = ["train"] * 40 + ["validation"] * 10 + ["test"] * 10
    target = [("a", "b")[n % 2] for n in range(ROWS)]
    polars.DataFrame({"y": target, "set": splits, **columns}).write_csv(path)
    return path


TABULAR = {"table": {"type": "tabular", "columns": {"x": "number", "z": "category"}}}
TEXT = {"text": {"type": "text", "length": 5, "encoder": {"type": "embedding", "dim": 4}}}
PICTURE = {
    "photo": {
        "type": "image",
        "shape": [8, 8, 3],
        "encoder": {"type": "cnn", "filters": [4], "padding": "same"},
    }
}


@pytest.fixture
def photos(tmp_path):
    """60 different images."""
    for number in range(ROWS):
        colour = (number, 255 - number, 3 * number)
        image_file = Image.new("RGB", (8, 8), colour)
        image_file.paste((255, 255, 255), (0, 0, 4, 4))
        image_file.save(tmp_path / f"{number}.png")
    return [f"{number}.png" for number in range(ROWS)]


def test_empty_cells_and_classes_are_counted_by_split(tmp_path):
    x = [None if n in (3, 4, 45) else n / 7 for n in range(ROWS)]
    z = [None if n == 55 else "pq"[n % 3 % 2] for n in range(ROWS)]
    path = write_table(tmp_path / "t.csv", x=x, z=z)
    found = found_in(config_of(path, TABULAR))
    assert found.examples == {"train": 40, "validation": 10, "test": 10}
    assert found.missing == {"x": {"train": 2, "validation": 1}, "z": {"test": 1}}
    assert found.classes == {
        "y": {
            "train": {"a": 20, "b": 20},
            "validation": {"a": 5, "b": 5},
            "test": {"a": 5, "b": 5},
        }
    }
    assert found.errors == []
    text = report_text(found)
    assert "t.csv     40          10    10" in text
    assert max(map(len, text.splitlines())) <= 80


def test_a_class_missing_from_a_split_is_a_warning(tmp_path):
    target = [("a", "b")[n % 2] if n < 50 else "a" for n in range(ROWS)]
    path = write_table(tmp_path / "t.csv", x=range(ROWS), z=["p", "q"] * 30, y=target)
    found = found_in(config_of(path, TABULAR))
    assert found.warnings == ["heads.y: 1 of 2 classes have no row in test: b"]


def test_all_configured_classes_are_counted_without_names(tmp_path):
    fields = config_of("t.csv", TABULAR).model_dump()
    fields |= {
        "source": {"type": "synthetic", "rows": 8},
        "heads": {"y": {"type": "classification", "classes": 30}},
    }
    found = found_in(load_config(fields).with_columns())
    assert {len(counts) for counts in found.classes["y"].values()} == {30}


def test_a_split_of_nearly_one_class_is_a_warning(tmp_path):
    target = ["b" if n in (1, 41, 51) else "a" for n in range(ROWS)]
    path = write_table(tmp_path / "t.csv", x=range(ROWS), z=["p", "q"] * 30, y=target)
    [warning] = found_in(config_of(path, TABULAR)).warnings
    assert "class imbalance: 97.5 % of the training rows are 'a'" in warning


def test_text_lengths_and_texts_in_two_splits_are_reported(tmp_path):
    texts = [f"this is text number {n} {'and more ' * (n % 3)}" for n in range(ROWS)]
    texts[52] = texts[7]
    path = write_table(tmp_path / "t.csv", text=texts)
    found = found_in(config_of(path, TEXT))
    train = found.lengths["text"]["train"]
    assert (train.unit, train.limit, train.percentiles["100"]) == ("words", 5, 9)
    assert train.cut == 26
    repeats = found.repeats["text"]["test"]
    assert (repeats.rows, repeats.pairs) == (1, (("row 53", "row 8"),))
    assert (
        "inputs.text: 1 test row is in the training split too (10.0 %), such as row 53, which "
        "equals row 8" in (found.warnings[0])
    )


def test_a_few_repeated_texts_are_not_leakage(tmp_path):
    path = write_table(tmp_path / "t.csv", text=["is it red or blue", "how many are there"] * 30)
    found = found_in(config_of(path, TEXT))
    assert found.repeats["text"]["test"].rows == 10
    assert found.warnings == []


@pytest.mark.slow
def test_copies_of_a_file_are_found_by_content(tmp_path, photos):
    (tmp_path / "59.png").write_bytes((tmp_path / "2.png").read_bytes())
    path = write_table(tmp_path / "t.csv", photo=photos)
    found = found_in(config_of(path, PICTURE))
    assert found.repeats["photo"]["test"].pairs == (("row 60", "row 3"),)
    assert "test scores will be too good" in found.warnings[0]


@pytest.mark.slow
def test_duplicates_need_all_inputs_equal_and_repeated_files_are_reported(tmp_path, photos):
    (tmp_path / "59.png").write_bytes((tmp_path / "2.png").read_bytes())
    # Prices recur; two of them in one row are no leak beside a photo.
    prices = {"x": [n % 7 for n in range(ROWS)], "z": ["p"] * ROWS}
    path = write_table(tmp_path / "t.csv", photo=photos, **prices)
    found = found_in(config_of(path, {**PICTURE, **TABULAR}))
    assert {name: of["test"].pairs for name, of in found.repeats.items()} == {
        "photo": (("row 60", "row 3"),)
    }
    assert [one for one in found.warnings if "training split" in one] == [
        "inputs.photo: the image of 1 test row is repeated in the training split (10.0 %), such as "
        "that of row 60 in row 3: test scores may be too good"
    ]
    prices["x"][59] = prices["x"][2]
    path = write_table(tmp_path / "t.csv", photo=photos, **prices)
    found = found_in(config_of(path, {**PICTURE, **TABULAR}))
    assert found.repeats["all inputs"]["test"].pairs == (("row 60", "row 3"),)
    assert "all inputs: 1 test row is in the training split too" in str(found.warnings)


def test_all_damaged_files_are_named_at_once(tmp_path, photos):
    content = (tmp_path / "5.png").read_bytes()
    (tmp_path / "5.png").write_bytes(content[:-30])
    (tmp_path / "44.png").write_bytes(b"no picture")
    (tmp_path / "58.png").unlink()
    path = write_table(tmp_path / "t.csv", photo=photos)
    found = found_in(config_of(path, PICTURE))
    assert [error.split(":")[:2] for error in found.errors] == [
        ["train", " row 6"],
        ["validation", " row 45"],
        ["test", " row 59"],
    ]
    assert "row 6: its `photo`, 5.png: the image is damaged" in found.errors[0]
    assert found.missing == {}  # They are not empty.
    assert found.examples == {"train": 39, "validation": 9, "test": 9}
    assert found.cost is not None
    skipping = found_in(config_of(path, PICTURE, on_bad_row="skip"))
    assert skipping.errors == []
    assert skipping.warnings == found.errors


def test_missing_files_are_not_empty_cells(tmp_path, photos):
    (tmp_path / "58.png").unlink()
    relaxed = {**PICTURE["photo"], "missing": "learned", "missing_files": "absent"}
    path = write_table(tmp_path / "t.csv", photo=["", *photos[1:]], text=["word"] * ROWS)
    config = config_of(path, {"photo": relaxed, **TEXT})
    raw = config.source.read(config.required_columns(), 0)
    found = DataReport()
    count_missing(config, raw, found)
    assert found.missing == {}
    data = load_frame(config)
    assert missing_counts(data, config.presence) == {
        "photo": {"train": 1, "validation": 0, "test": 1}
    }


@pytest.mark.slow
@pytest.mark.parametrize(
    ("names", "fusion", "kept", "fine_tune"),
    [
        (("photo",), {"type": "concat"}, ("photo",), {"epochs": 2}),
        (("left", "right"), {"type": "film", "blocks": 1}, ("right",), None),
    ],
)
def test_an_estimate_counts_cached_features_once(names, fusion, kept, fine_tune, monkeypatch):
    monkeypatch.setattr(cost_module, "_STEPS", 3)
    monkeypatch.setattr(cost_module, "_MIN_TIMINGS", 1)
    encoder = {"type": "squeezenet", "weights": "none"}
    photo = {"type": "image", "shape": [32, 32, 3], "encoder": encoder}
    config = load_config(
        {
            "name": "frozen",
            "source": {"type": "synthetic", "rows": 16},
            "inputs": dict.fromkeys(names, photo),
            "fusion": fusion,
            "heads": {"y": {"type": "classification", "classes": 2}},
            "train": {"batch_size": 4, "fine_tune": fine_tune},
        }
    ).with_columns()
    cost = found_in(config).cost
    assert cost.frozen == kept
    assert cost.once_seconds > 0
    assert (cost.fine_tune_seconds > 0) == (fine_tune is not None)
    assert cost.total_seconds == pytest.approx(
        cost.once_seconds + cost.epochs * cost.epoch_seconds + cost.fine_tune_seconds
    )


def test_the_shape_trace_goes_from_inputs_to_heads(tmp_path, photos):
    texts = [f"text number {n}" for n in range(ROWS)]
    path = write_table(tmp_path / "t.csv", photo=photos, text=texts)
    found = found_in(config_of(path, {**PICTURE, **TEXT}))
    assert [(step.name, step.output) for step in found.network] == [
        ("photo", "8 x 8 x 3"),
        ("photo_encoder", "64, tokens 16 x 4"),
        ("text", "?"),
        ("text_encoder", "4, tokens ? x 4"),
        ("concat", "68"),
        ("y", "2"),
    ]
    assert found.parameters == sum(step.parameters for step in found.network)
    assert found.cost.steps_per_epoch == 3
    assert found.cost.epoch_seconds > 3 * found.cost.step_seconds > 0
    assert found.cost.memory > 1e8


def test_encoders_that_cannot_be_built_are_named(tmp_path, photos, monkeypatch):
    path = write_table(tmp_path / "t.csv", photo=photos)
    config = config_of(path, PICTURE)
    encoder = type(config.inputs["photo"].encoder)

    def build(self, image):
        raise ValueError("kernel of 3 is larger than the map of 1.\n\nArguments received: ...")

    monkeypatch.setattr(encoder, "build", build)
    [error] = found_in(config).errors
    assert error == (
        "inputs.photo.encoder: it cannot be built: kernel of 3 is larger than the map of 1."
    )


@pytest.mark.slow
def test_numbers_are_compared_by_all_columns(tmp_path):
    x = [n / 7 for n in range(ROWS)]
    x[51] = x[6]
    z = ["pqr"[n % 3] for n in range(ROWS)]
    path = write_table(tmp_path / "t.csv", x=x, z=z)
    found = found_in(config_of(path, TABULAR))
    assert found.repeats["table"]["test"].pairs == (("row 52", "row 7"),)
    z[51] = "p" if z[51] != "p" else "q"
    path = write_table(tmp_path / "t.csv", x=x, z=z)
    assert found_in(config_of(path, TABULAR)).repeats == {}


def test_long_and_wide_names_fit_the_screen(tmp_path):
    classes = [f"{'漢字' * 30}{n % 24}" for n in range(ROWS)]
    path = write_table(tmp_path / "t.csv", x=range(ROWS), z=["p", "q"] * 30, y=classes)
    text = report_text(found_in(config_of(path, TABULAR)))
    from rich.cells import cell_len

    assert max(map(cell_len, text.splitlines())) <= 80
    assert "... 12 more" in text


def test_pixels_of_arrays_are_compared():
    config = load_config(
        {
            "name": "digits",
            "source": {"type": "dataset", "name": "digits"},
            "inputs": {"image": {**PICTURE["photo"], "shape": [8, 8, 1]}},
            "heads": {"digit": {"type": "classification"}},
        }
    ).with_columns()
    data = load_arrays(config)
    equal = np.isin(
        data.splits["test"]["image"].reshape(-1, 64).view("S64"),
        data.splits["train"]["image"].reshape(-1, 64).view("S64"),
    ).sum()
    found = found_in(config)
    assert sum(of["test"].rows for of in found.repeats.values() if "test" in of) == equal


def test_step_times_are_readable():
    times = [0.0163, 0.9994, 0.9996, 1.04, 1234.5]
    assert [step_time(one) for one in times] == ["16.3 ms", "999 ms", "1.0 s", "1.0 s", "1,234.5 s"]
