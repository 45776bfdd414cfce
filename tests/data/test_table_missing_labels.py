"""Tables with missing labels."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from frames import splits_of

from mmzoo.config import Config, load_config
from mmzoo.data import Frame
from mmzoo.errors import ConfigError, DataError
from mmzoo.preprocessing import fit_config, load_frame

ROWS = 60


def cell(row: int, column: str) -> str:
    """Every third row has no kind, every fourth no price, every fifth no tags."""
    if row % {"kind": 3, "price": 4, "tags": 5}[column] == 0 and row:
        return ""
    return {"kind": "ab"[row % 2], "price": str(row), "tags": ("x|y", "y")[row % 2]}[column]


def table(folder: Path, **rows: str) -> Path:
    """A CSV file; `row7="1,,,"` writes a row otherwise."""
    lines = ["text,kind,price,tags"]
    lines += [
        rows.get(f"row{row}", f"word{row}," + ",".join(cell(row, c) for c in HEADS))
        for row in range(ROWS)
    ]
    path = folder / "table.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


HEADS = {
    "kind": {"type": "classification"},
    "price": {"type": "regression"},
    "tags": {"type": "multilabel"},
}


def config(path: Path, missing: str = "ignore", heads=HEADS, **source) -> Config:
    return load_config(
        {
            "name": "table",
            "source": {
                "type": "table",
                "path": str(path),
                "split": {"validation": 0.2, "test": 0.2},
                **source,
            },
            "inputs": {"text": {"type": "text", "encoder": {"type": "embedding"}}},
            "heads": {name: {**head, "missing": missing} for name, head in heads.items()},
        }
    ).with_columns()


def load(config: Config) -> Frame:
    return load_frame(config)


def test_missing_labels_are_marked(tmp_path):
    path = table(tmp_path, row0="word0,a,,", row30="word30,,1,y")
    data = load(config(path))
    heads = config(path).heads
    assert sum(data.examples(split) for split in splits_of(data)) == ROWS
    for split, columns in splits_of(data).items():
        lines = [path.read_text().splitlines()[number] for number in data.row_names[split]]
        assert columns["tags"].dtype == np.int8
        for name, place in (("kind", 1), ("price", 2), ("tags", 3)):
            expected = [line.split(",")[place] != "" for line in lines]
            assert heads[name].labelled(columns[name]).tolist() == expected, (split, name)
    assert data.class_names == {"kind": ("a", "b"), "tags": ("x", "y")}


def test_every_split_has_rows_with_each_class_and_without(tmp_path):
    data = load(config(table(tmp_path, row0="word0,a,1,x")))
    for columns in splits_of(data).values():
        assert set(columns["kind"].tolist()) == {-1, 0, 1}


def test_heads_are_fitted_to_existing_labels(tmp_path):
    complete, data = config(table(tmp_path, row0="word0,a,1,x")), None
    data = load(complete)
    fitted, _ = fit_config(complete, data)
    prices = splits_of(data)["train"]["price"]
    assert np.isnan(prices).any()
    assert fitted.heads["price"].mean == pytest.approx((np.nanmean(prices),))
    assert fitted.heads["kind"].class_names == ("a", "b")


def test_a_row_without_any_label_is_bad(tmp_path):
    path = table(tmp_path, row7="word7,,,")
    with pytest.raises(DataError, match="row 8: its `kind` and `price` and `tags` are empty"):
        load(config(path))
    data = load(config(path, on_bad_row="skip"))
    assert [row.file for row in data.skipped] == ["row 8"]
    only = {"kind": HEADS["kind"]}
    with pytest.raises(DataError, match="row 4: its `kind` is empty"):
        load(config(path, heads=only))


def test_by_default_the_message_explains_how_to_ignore_them(tmp_path):
    path = table(tmp_path)
    with pytest.raises(DataError, match=r"its `kind` is empty; with `missing: ignore` in its head"):
        load(config(path, missing="error"))


def test_a_single_row_without_a_class_need_not_be_in_every_split(tmp_path):
    path = tmp_path / "one.csv"
    lines = [f"word{row},{'' if row == 5 else 'ab'[row % 2]},{row}" for row in range(20)]
    path.write_text("\n".join(["text,kind,price", *lines]) + "\n")
    heads = {name: HEADS[name] for name in ("kind", "price")}
    for source in ({}, {"split": {"group": "text", "validation": 0.2, "test": 0.2}}):
        data = load(config(path, heads=heads, **source))
        lacking = sum((columns["kind"] < 0).sum() for columns in splits_of(data).values())
        assert lacking == 1


def test_labels_missing_from_training_are_found_beside_empty_cells(tmp_path):
    """A row without labels is not reported as one with an unknown label."""
    path = tmp_path / "split.csv"
    rows = [
        "a,x,1,train",
        "b,y,1,train",
        "c,,1,train",
        "d,x,1,validation",
        "e,z,1,test",
        "f,,1,test",
    ]
    path.write_text("\n".join(["text,tags,price,split", *rows]) + "\n")
    heads = {name: HEADS[name] for name in ("tags", "price")}
    with pytest.raises(DataError) as error:
        load(config(path, heads=heads, split={"column": "split"}))
    assert "row 5: its `tags` has label 'z', which no training row has" in str(error.value)
    assert "row 6" not in str(error.value)


def test_a_training_split_without_labels_is_refused(tmp_path):
    path = tmp_path / "none.csv"
    rows = ["a,,1,train", "b,,1,train", "c,2,1,validation", "d,3,1,test"]
    path.write_text("\n".join(["text,size,price,split", *rows]) + "\n")
    heads = {"size": {"type": "regression"}, "price": {"type": "regression"}}
    complete = config(path, heads=heads, split={"column": "split"})
    with pytest.raises(DataError, match=r"heads.size, .*: no training row has a label"):
        fit_config(complete, load(complete))


def test_mixing_needs_all_labels(tmp_path):
    tree = json.loads(config(table(tmp_path)).model_dump_json())
    tree["train"]["mixing"] = {"type": "mixup"}
    with pytest.raises(ConfigError, match=r"cannot be combined with heads.kind.missing: ignore"):
        load_config(tree)
