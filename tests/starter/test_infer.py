"""Column inference: the inferred type and role of each column of a table."""

from __future__ import annotations

import datetime
import re
from typing import Annotated, Literal

import polars
import pytest

import mmzoo.modalities
from mmzoo.data.column_profile import profile_column
from mmzoo.data.column_types import name_words
from mmzoo.errors import DataError
from mmzoo.modalities.base_input import BaseInput
from mmzoo.modalities.suggestion import Suggestion
from mmzoo.modalities.tabular import Tabular
from mmzoo.modalities.tabular.cell_parsing import infer_column_kind
from mmzoo.modalities.text import Text
from mmzoo.starter.infer import infer_column
from mmzoo.starter.target import infer_target

ROWS = 300
SENTENCES = [f"the {n}th of many sentences, said in {n % 7} ways" for n in range(ROWS)]


def kind_of(values, name="column"):
    return infer_column(polars.Series(name, values, strict=False), "nowhere").kind


@pytest.mark.parametrize(
    ("kind", "values"),
    {
        "number": [str(n / 7) for n in range(ROWS)],
        "category": [("red", "green", "blue")[n % 3] for n in range(ROWS)],
        "text": SENTENCES,
        "date": [f"2024-{1 + n % 12:02d}-{1 + n % 28:02d}" for n in range(ROWS)],
        "datetime": [f"2024-01-01T{n % 24:02d}:{n % 60:02d}:00" for n in range(ROWS)],
    }.items(),
)
def test_types_are_inferred_from_cells(kind, values):
    assert kind_of(values) == kind
    assert kind_of(["", None, "  ", *values]) == kind


@pytest.mark.parametrize(
    ("kind", "name", "values"),
    [
        ("left out", "a", [None] * ROWS),
        ("left out", "a", ["same"] * ROWS),
        ("left out", "a", [f"{n * 7919:08x}" for n in range(ROWS)]),
        ("left out", "row", [str(n) for n in range(ROWS)]),
        ("left out", "productId", [str(n * 17 % 1009) for n in range(ROWS)]),
        ("left out", "Unnamed: 0", [str(n + 4) for n in range(ROWS)]),
        ("left out", "a", [f"scan{n}.tiff" for n in range(ROWS)]),
        ("left out", "a", [{"x": n} for n in range(ROWS)]),
        ("left out", "a", [[n % 3] for n in range(ROWS)]),
        ("number", "price", [str(n / 3) for n in range(ROWS)] + ["about 12 €"]),
        ("left out", "price", [str(n / 3) for n in range(ROWS)] + ["about 12 €"] * 20),
        ("category", "rooms", [*"1234" * 50, "5+"]),
        # A few codes for kinds of things are categories, whatever their column is called.
        ("category", "colour_id", [str(n % 5) for n in range(ROWS)]),
        ("category", "zipcode", [20_000 + n % 70 for n in range(ROWS)]),
        ("category", "areaCode", [str(n % 40 + 100) for n in range(ROWS)]),
        ("category", "account", [1582218195625938900 + n % 5 for n in range(ROWS)]),
        ("category", "account", [str(1582218195625938900 + n % 5) for n in range(ROWS)]),
        ("number", "time_ns", [1582218195625938900 + n * 7919 for n in range(ROWS)]),
        ("category", "postcode", [f"{n % 50:05d}" for n in range(ROWS)]),
        ("category", "yes", [True, False] * ROWS),
        ("category", "question", ["is it red or is it not?", "is it blue or is it not?"] * ROWS),
        ("text", "title", ["吾輩は猫である名前はまだ無い" + str(n) for n in range(ROWS)]),
        ("group", "patient_id", [str(n % 60) for n in range(ROWS)]),
        ("category", "speaker", ["ann", "bob"] * ROWS),
        ("fold", "cv_fold", [str(n % 10) for n in range(ROWS)]),
        ("number", "n", list(range(5, 5 + ROWS, 1))),
        ("number", "x", [float("nan"), *(n / 7 for n in range(ROWS))]),
        ("date", "d", [datetime.date(2024, 1, 1 + n % 28) for n in range(ROWS)]),
        ("datetime", "d", [datetime.datetime(2024, 1, 1, n % 24) for n in range(ROWS)]),
    ],
)
def test_types_are_inferred_from_names_and_dtypes(kind, name, values):
    assert kind_of(values, name) == kind


def test_split_columns_are_recognized_by_their_values():
    values = ["train", "Train", "test", "val"] * 20
    assert kind_of(values, "set") == "split"
    assert kind_of(["plane", "train"] * 20, "vehicle") == "category"


def test_the_reason_names_cells_that_are_not_numbers():
    column = polars.Series("rooms", [*"1234" * 50, "5+"])
    assert "not numbers, because of '5+'" in infer_column(column, "nowhere").reason


@pytest.mark.parametrize("suffix", ["JPG", "wav"])
def test_file_paths_are_recognized_by_their_suffixes(suffix):
    paths = [f"media/{n}.{suffix}" for n in range(ROWS)]
    column = polars.Series("file", paths)
    inferred = infer_column(column, "nowhere")
    assert (inferred.profile.type, inferred.role) == ("file", "left out")
    assert inferred.reason.startswith("none of 300 sampled files can be read below nowhere")


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("number", [*map(str, range(2_000)), *["x"] * 50]),
        ("category", [*map(str, range(2_000)), *["x"] * 200]),
        ("date", [*["2024-01-31", "2024-02-29"] * 40, "soon"]),
        ("datetime", ["2024-01-31", "2024-02-29T10:00"] * 40),
        ("number", ["n/a", "-", "1.5", "2"] * 10),
        ("number", ["007", "042"] * 10),
        ("category", ["red", "2"] * 10),
    ],
)
def test_init_and_train_infer_the_same_types(kind, values):
    """Training resolves the tabular kind auto to the type that init profiles."""
    assert infer_column_kind(polars.Series(values)) == kind
    profile = profile_column(polars.Series("x", values))
    assert (profile.type if profile.type != "identifier" else "category") == kind


def test_another_modality_can_claim_a_column(monkeypatch):
    class Series(BaseInput):
        type: Literal["series"] = "series"

        @classmethod
        def suggest(cls, column):
            if column.sample.str.contains(r"^[0-9. ]+$").all():
                fields = {"type": "series", "encoder": {"type": "mlp"}}
                return Suggestion(fields, specific=True)
            return None

    monkeypatch.setattr(mmzoo.modalities, "Input", Annotated[Text | Tabular | Series, "type"])
    series = [f"{n}.5 1 2 3 {n}" for n in range(ROWS)]
    assert kind_of(series) == "series"
    assert kind_of(SENTENCES) == "text"


@pytest.mark.parametrize(
    ("name", "parts"),
    {
        "patientId": ["patient", "id"],
        "Patient ID": ["patient", "id"],
        "x": ["x"],
        "": [""],
        "größe_cm": ["größe", "cm"],
    }.items(),
)
def test_names_are_split_into_words(name, parts):
    assert name_words(name) == parts


@pytest.mark.parametrize(
    ("head", "values"),
    [
        ("binary", ["yes", "no"] * 50),
        ("binary", [True, False] * 50),
        ("binary", ["0", "1"] * 50),
        ("classification", ["a", "b", "c"] * 50),
        ("classification", [n % 10 for n in range(200)]),
        ("classification", [float(n % 3) for n in range(200)]),
        ("classification", ["New York, USA", "Paris, France", "Rome, Italy"] * 50),
        ("regression", [n / 3 for n in range(200)]),
        ("regression", [str(n) for n in range(200)]),
        ("multilabel", ["red|big", "red", "big", "small|red", "blue|small", "blue"] * 40),
        ("multilabel", [["red"], ["red", "big"], []] * 40),
    ],
)
def test_the_head_is_inferred_from_target_values(head, values):
    assert infer_target(polars.Series("target", values)).head["type"] == head


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        (
            [str(n % 9 + 1) for n in range(59)] + ["$5"],
            "but 1 are numbers such as '$5': write them",
        ),
        (["2.155", "987"] * 30, "its cells are numbers such as '2.155': write them as 2155"),
    ],
)
def test_a_target_of_numbers_in_two_formats_is_refused(cells, message):
    with pytest.raises(DataError, match=re.escape(message)):
        infer_target(polars.Series("price", cells))
