"""What a column is taken as."""

from __future__ import annotations

import datetime

import polars
import pytest

from mmzoo.starter.cells import look
from mmzoo.starter.kinds import judge, name_parts
from mmzoo.starter.target import judge_target

ROWS = 300
SENTENCES = [f"the {n}th of many sentences, said in {n % 7} ways" for n in range(ROWS)]


def kind_of(values, name="column", words=frozenset()):
    return judge(look(polars.Series(name, values, strict=False)), words).kind


@pytest.mark.parametrize(
    ("kind", "values"),
    {
        "number": [str(n / 7) for n in range(ROWS)],
        "category": [("red", "green", "blue")[n % 3] for n in range(ROWS)],
        "text": SENTENCES,
        "date": [f"2024-{1 + n % 12:02d}-{1 + n % 28:02d}" for n in range(ROWS)],
        "datetime": [f"2024-01-01T{n % 24:02d}:{n % 60:02d}:00" for n in range(ROWS)],
        "image": [f"photos/{n}.JPG" for n in range(ROWS)],
        "audio": [f"{n}.wav" for n in range(ROWS)],
    }.items(),
)
def test_a_kind_is_known_by_the_cells(kind, values):
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
        ("left out", "price", [str(n / 3) for n in range(ROWS)] + ["about 12 €"]),
        # A few codes for kinds of things are categories, whatever their column is called.
        ("number", "colour_id", [str(n % 5) for n in range(ROWS)]),
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
def test_names_and_types_count_too(kind, name, values):
    assert kind_of(values, name) == kind


def test_a_split_is_known_by_its_words():
    values = ["train", "Train", "test", "val"] * 20
    assert kind_of(values, "set", frozenset({"train", "test", "val"})) == "split"
    assert kind_of(["plane", "train"] * 20, "vehicle", frozenset({"plane", "train"})) == "category"


def test_the_reason_names_what_keeps_numbers_from_being_such():
    cells = look(polars.Series("price", [*map(str, range(5, 400)), "12 €"]))
    assert "'12 €'" in judge(cells, frozenset()).why


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
def test_names_have_parts(name, parts):
    assert name_parts(name) == parts


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
def test_the_head_is_known_by_the_targets_values(head, values):
    column = polars.Series("target", values)
    assert judge_target(column, look(column)).head["type"] == head


def test_classes_of_a_single_row_are_named():
    column = polars.Series("target", ["a", "b"] * 20 + ["once"])
    assert judge_target(column, look(column)).rare == ("once",)
