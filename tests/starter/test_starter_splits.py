"""Splits of starter configs: by a column, by folds, or by shares that keep groups together."""

from __future__ import annotations

import polars
import pytest
from PIL import Image

from mmzoo.config import load_config
from mmzoo.preprocessing import load_frame
from mmzoo.starter.starter_config import starter_config

ROWS = 120
KINDS = [("cup", "hat", "bag")[n % 3] for n in range(ROWS)]


def planned(tmp_path, monkeypatch, **columns):
    monkeypatch.chdir(tmp_path)
    colours = [("red", "blue", "green", "grey")[n * 7 % 11 % 4] for n in range(ROWS)]
    frame = polars.DataFrame({"kind": KINDS, "colour": colours, **columns})
    frame.write_csv("products.csv")
    plan, text = starter_config(tmp_path / "products.csv", "kind", None)
    (tmp_path / "products.yaml").write_text(text)
    return plan, load_config("products.yaml").with_columns()


def test_a_column_of_split_names_is_used(tmp_path, monkeypatch):
    part = ["train"] * 80 + ["Dev"] * 20 + ["TEST"] * 20
    plan, config = planned(tmp_path, monkeypatch, part=part)
    assert config.source.split.column == "part"
    assert plan.warnings == ()


@pytest.mark.parametrize(
    ("name", "others", "why"),
    [
        ("a", ["dev", "eval"], "'eval' is not train, validation or test"),
        ("subset", ["holdout"], "'holdout' is not train, validation or test"),
        ("a", ["dev", "test", None], "24 cells are empty"),
    ],
)
def test_a_column_with_some_split_names_is_left_out_with_a_warning(
    tmp_path, monkeypatch, name, others, why
):
    words = ["train", "train", *others, *["train"] * (3 - len(others))]
    column = [words[n % 5] for n in range(ROWS)]
    plan, config = planned(tmp_path, monkeypatch, **{name: column})
    assert plan.left_out[name] == f"it seems to name splits, but {why}"
    assert plan.warnings == (
        f"{name}: it seems to name splits, but {why}. Rows are split without it; fix the column "
        "to use it.",
    )
    assert config.source.split.column is None
    load_frame(config)


def test_a_city_named_train_is_a_category(tmp_path, monkeypatch):
    place = [("train", "bus", "car")[n % 4 % 3] for n in range(ROWS)]
    plan, config = planned(tmp_path, monkeypatch, seen_in=place)
    assert config.inputs["table"].columns["seen_in"] == "category"
    assert plan.warnings == ()


def test_rows_without_a_group_are_left_out(tmp_path, monkeypatch):
    patients = [f"p{n // 4}" if n % 20 else None for n in range(ROWS)]
    _, config = planned(tmp_path, monkeypatch, patient=patients)
    assert config.source.split.group == "patient"
    assert config.source.on_bad_row == "skip"
    data = load_frame(config)
    assert data.table.height == ROWS - 6


def test_optional_photos_are_not_groups(tmp_path, monkeypatch):
    for number in range(30):
        Image.new("RGB", (20, 20), (number, 0, 0)).save(tmp_path / f"{number}.png")
    photos = [f"{n // 4}.png" if n % 20 else None for n in range(ROWS)]
    _, config = planned(tmp_path, monkeypatch, photo=photos)
    assert config.inputs["photo"].missing == "learned"
    assert config.source.split.group is None
    data = load_frame(config)
    assert data.table.height == ROWS
    _, config = planned(tmp_path, monkeypatch, photo=[f"{n // 4}.png" for n in range(ROWS)])
    assert config.source.split.group == "photo"
