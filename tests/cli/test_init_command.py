"""`mmzoo init`: from a table or a folder to a config that trains as it is."""

from __future__ import annotations

import json
import wave
from pathlib import Path

import numpy as np
import polars
import pytest
from PIL import Image

from mmzoo.config import load_config
from mmzoo.preprocessing import fit_config, load_frame

ROWS = 60
RANDOM = np.random.RandomState(0)
COLOURS = ("red", "green", "blue")


def write_sounds(folder: Path) -> None:
    """Tones of half a second: low for even numbers, high for odd ones."""
    folder.mkdir(exist_ok=True)
    for number in range(ROWS):
        pitch = (220, 1760)[number % 2] * (1 + number / 600)
        samples = np.sin(2 * np.pi * pitch * np.arange(4_000) / 8_000) * 8_000
        with wave.open(str(folder / f"{number}.wav"), "wb") as file:
            file.setparams((1, 2, 8_000, 4_000, "NONE", ""))
            file.writeframes(samples.astype("<i2").tobytes())


def write_pictures(folder: Path) -> None:
    """Pictures of one colour, by number, in the order of COLOURS; each a little different."""
    folder.mkdir(exist_ok=True)
    for number in range(ROWS):
        colour = [40, 40, 40]
        colour[number % 3] = 150 + number
        Image.new("RGB", (16 + number % 2, 16), tuple(colour)).save(folder / f"{number}.png")


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """A table with a column of every kind."""
    write_sounds(tmp_path / "sounds")
    write_pictures(tmp_path / "pictures")
    numbers = np.arange(ROWS)
    size = np.random.RandomState(0).normal(size=ROWS)
    frame = polars.DataFrame(
        {
            "article_id": numbers * 7919 % 1009,
            "picture": [f"pictures/{n}.png" for n in numbers],
            "sound": [f"sounds/{n}.wav" for n in numbers],
            "what is said": [
                f"this one, number {n}, looks {COLOURS[n % 3]} to me and to {n % 7} others"
                for n in numbers
            ],
            "size": [None if n % 11 == 0 else f"{value:.4f}" for n, value in enumerate(size)],
            "shop": [("north", "south")[n % 5 % 2] for n in numbers],
            "bought": [f"2024-0{1 + n % 9}-1{n % 10}" for n in numbers],
            "colour": [COLOURS[n % 3] for n in numbers],
            "colour code": [n % 3 for n in numbers],
            "price": [f"{12 + n % 3 + value / 4:.3f}" for n, value in enumerate(size)],
            "mood": [
                ("good", "bad")[n * 7 % 11 % 2] if n > 2 else f"rare {n // 2}" for n in numbers
            ],
            "pitch": [("low", "high")[n % 2] for n in numbers],
            "tags": ["|".join((COLOURS[n % 3], *(["old"] * (n % 2)))) for n in numbers],
        }
    )
    frame.write_csv(tmp_path / "shop.csv")
    return tmp_path / "shop.csv"


def column_lines(done) -> dict[str, str]:
    """Column name -> what `init` printed about it."""
    return {line.split("  ")[0]: line for line in done.err.splitlines()}


def test_the_type_of_every_column_is_inferred(mmzoo, table):
    done = mmzoo("init", "shop.csv", "--target", "colour", "--output", "shop.yaml")
    assert done.code == 0, done.err
    kinds = {
        "article_id": "left out",
        "picture": "image",
        "sound": "audio",
        "what is said": "text",
        "size": "number",
        "shop": "category",
        "bought": "date",
        "colour": "target: classification",
        "colour code": "left out",
        "price": "number",
        "pitch": "category",
        "tags": "left out",  # Their first is the colour.
    }
    message = column_lines(done)
    assert {name: kind in message[name] for name, kind in kinds.items()} == dict.fromkeys(
        kinds, True
    )
    assert "mmzoo train shop.yaml" in done.out
    config = load_config(table.with_name("shop.yaml"))
    assert {name: spec.type for name, spec in config.inputs.items()} == {
        "picture": "image",
        "sound": "audio",
        "what_is_said": "text",
        "table": "tabular",
    }
    assert config.inputs["what_is_said"].column == "what is said"
    assert config.inputs["picture"].shape == (16, 16, 3)
    assert (config.inputs["sound"].rate, config.inputs["sound"].seconds) == (8_000, 0.5)
    text = table.with_name("shop.yaml").read_text()
    assert "#   article_id: its name is that of an identifier" in text
    assert "#   colour code: it is one-to-one with colour" in text
    assert max(map(len, text.splitlines())) <= 100


def test_without_output_the_config_goes_to_stdout(mmzoo, table, tmp_path):
    done = mmzoo("init", "shop.csv", "--target", "colour")
    (tmp_path / "saved.yaml").write_text(done.out)
    assert load_config(tmp_path / "saved.yaml").name == "shop"
    assert "inferred type" in done.err


TRAININGS = {
    "tabular": ("size,shop,bought,price", "price"),
    "rare classes": ("size,shop,mood", "mood"),
    "category": ("size,shop,bought,pitch", "pitch"),
    "labels": ("what is said,tags", "tags"),
    "everything": ("picture,sound,what is said,size,shop,colour,price", "colour,price"),
}


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [pytest.param(n, marks=pytest.mark.ci if n == "rare classes" else ()) for n in TRAININGS],
)
def test_a_starter_config_trains_as_it_is(mmzoo, table, name):
    columns, target = TRAININGS[name]
    polars.read_csv(table, infer_schema=False).select(columns.split(",")).write_csv("some.csv")
    done = mmzoo("init", "some.csv", "--target", target, "--output", "some.yaml")
    assert done.code == 0, done.err
    done = mmzoo("train", "some.yaml", "--set", "train.epochs=2", "--json")
    assert done.code == 0, done.err
    assert set(done.document["metrics"]["test"]) >= set(target.split(","))
    assert "left out" not in done.err


@pytest.mark.slow
@pytest.mark.parametrize("media", ["pictures", "sounds"])
def test_a_folder_of_class_folders_trains_as_it_is(mmzoo, tmp_path, media):
    (write_pictures if media == "pictures" else write_sounds)(tmp_path / media)
    for file in list((tmp_path / media).iterdir()):
        place = tmp_path / media / ("ann's", "bob's")[int(file.stem) % 2]
        place.mkdir(exist_ok=True)
        file.rename(place / file.name)
    done = mmzoo("init", media, "--output", f"{media}.yaml")
    assert done.code == 0, done.err
    assert load_config(f"{media}.yaml").heads["kind"].type == "binary"
    done = mmzoo("train", f"{media}.yaml", "--set", "train.epochs=1", "--json")
    assert done.code == 0, done.err
    assert done.document["metrics"]["test"]["examples"] == 12


def test_a_column_of_splits_is_used(mmzoo, tmp_path):
    splits = ["train"] * 40 + ["dev"] * 10 + ["Test"] * 10
    frame = {"x": range(5, 65), "set": splits, "y": ["a", "b"] * 30}
    polars.DataFrame(frame).write_csv(tmp_path / "t.csv")
    mmzoo("init", "t.csv", "--target", "y", "--output", "t.yaml")
    assert load_config("t.yaml").source.split.column == "set"


def test_rows_with_the_same_file_stay_together(mmzoo, tmp_path):
    write_pictures(tmp_path / "pictures")
    frame = {
        "photo": [f"pictures/{n // 2}.png" for n in range(ROWS)],
        "y": [n % 2 for n in range(ROWS)],
    }
    polars.DataFrame(frame).write_csv(tmp_path / "t.csv")
    mmzoo("init", "t.csv", "--target", "y", "--output", "t.yaml")
    assert load_config("t.yaml").source.split.group == "photo"


@pytest.mark.parametrize(
    ("name", "write", "message"),
    [
        ("t.csv", lambda text: text.replace(",", ";").encode(), "separator: ;"),
        ("t.tsv", lambda text: text.replace(",", "\t").encode(), "t.tsv"),
        ("t.csv", lambda text: text.encode("utf-16"), "encoding: utf-16"),
        ("t.csv", lambda text: text.encode("windows-1252"), "encoding: cp1252"),
        (
            "t.csv",
            lambda text: text.replace("\n7.5", "\nn/a").encode(),
            "missing_values: {x: [n/a]}",
        ),
        ("t.csv", lambda text: text.replace("\n7.5", "\n").encode(), "t.csv"),
        ("t.csv", lambda text: text.replace("\n7.5,", "\n7.5").encode(), "on_bad_row: skip"),
        ("t.csv", lambda text: text.replace("8.5,größe", "8.5,").encode(), "on_bad_row: skip"),
    ],
)
def test_the_format_of_a_table_is_inferred(mmzoo, tmp_path, name, write, message):
    rows = [f"{n}.5,{('größe', 'farbe')[n % 2]}" for n in range(ROWS)]
    (tmp_path / name).write_bytes(write("\n".join(["x,y", *rows]) + "\n"))
    done = mmzoo("init", name, "--target", "y", "--output", "t.yaml")
    assert done.code == 0, done.err
    assert message in (tmp_path / "t.yaml").read_text()
    config = load_config("t.yaml").with_columns()
    data = load_frame(config)
    assert data.examples("test") in (11, 12)
    assert data.class_names == {"y": ("farbe", "größe")}
    assert fit_config(config, data)


def test_names_that_yaml_or_mmzoo_would_misread(mmzoo, tmp_path):
    names = ["yes", "a: b", "#1", "größe, cm", "1e3", "data", "loss", "x" * 90]
    frame = {name: RANDOM.normal(size=ROWS) for name in names}
    text = [f"words that differ, number {n} of them" for n in range(ROWS)]
    polars.DataFrame({**frame, "inputs": text, "no": text[::-1], "loss 2": frame["yes"]}).write_csv(
        tmp_path / "t.csv"
    )
    done = mmzoo("init", "t.csv", "--target", "loss", "--output", "123 größe.yaml")
    assert done.code == 0, done.err
    config = load_config("123 größe.yaml")
    assert list(config.heads) == ["loss_2"]
    assert {"inputs", "no", "table"} == set(config.inputs)
    assert "größe, cm" in config.inputs["table"].columns


MISTAKES = {
    "no target": (
        ["shop.csv"],
        "which column is to be predicted? Name it by --target COLUMN",
    ),
    "likely targets": (["shop.csv"], "Likely ones: price, tags, "),
    "unknown": (["shop.csv", "--target", "colur"], "no such column in shop.csv; did you mean 'col"),
    "one of two": (["shop.csv", "--target", "colour,prise"], "--target prise: there is no such"),
    "twice": (["shop.csv", "--target", "price,price"], "each column once"),
    "an id": (["shop.csv", "--target", "what is said"], "looks like an identifier"),
    "a date": (["shop.csv", "--target", "bought"], "its cells are dates"),
    "no file": (["shp.csv", "--target", "x"], "did you mean 'shop.csv'?"),
    "of a folder": (["pictures", "--target", "x"], "the target is the names of its class folders"),
    "not a table": (["pictures/1.png", "--target", "x"], ".csv"),
    "nothing": (["", "--target", "x"], "expected the path of a table or folder"),
    "not yaml": (["shop.csv", "--target", "price", "--output", "a.txt"], "ends in .yaml"),
    "there already": (["shop.csv", "--target", "price", "--output", "old.yaml"], "--force"),
    "no column left": (["lonely.csv", "--target", "y"], "no column is left to predict from"),
    "no rows": (["empty.csv", "--target", "y"], "there are no rows"),
    "ragged": (["ragged.csv", "--target", "b"], "2 of 3 rows do not match the header"),
    "always the same": (["lonely.csv", "--target", "same"], "it is 'x' in every row"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes_are_reported_in_one_message(mmzoo, table, tmp_path, name):
    arguments, message = MISTAKES[name]
    (tmp_path / "old.yaml").write_text("name: old\n")
    lonely = {"y": ["a", "b"] * 30, "z": ["A", "B"] * 30, "same": ["x"] * 60}
    polars.DataFrame(lonely).write_csv(tmp_path / "lonely.csv")
    (tmp_path / "empty.csv").write_text("x,y\n")
    (tmp_path / "ragged.csv").write_text("a,b\n1,2\n3\n4,5,6\n")
    before = sorted(tmp_path.iterdir())
    done = mmzoo("init", *arguments)
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith("Error: ")
    assert message in done.err
    assert sorted(tmp_path.iterdir()) == before
    assert (tmp_path / "old.yaml").read_text() == "name: old\n"


@pytest.mark.parametrize("words", [["colour"], ["--label", "colour"]])
def test_a_target_without_its_option_is_suggested(mmzoo, table, words):
    done = mmzoo("init", "shop.csv", *words)
    assert (done.code, done.out) == (2, "")
    assert "Did you mean '--target" in done.err


def test_force_replaces_a_file(mmzoo, table, tmp_path):
    (tmp_path / "old.yaml").write_text("name: old\n")
    done = mmzoo("init", "shop.csv", "--target", "price", "--output", "old.yaml", "--force")
    assert done.code == 0
    assert load_config("old.yaml").name == "shop"


def test_unreadable_files_are_warned_about(mmzoo, table, tmp_path):
    for number in range(5):
        (tmp_path / "pictures" / f"{number}.png").write_bytes(b"no picture")
    done = mmzoo("init", "shop.csv", "--target", "colour", "--output", "shop.yaml")
    assert done.code == 0
    assert "Warning: 5 of 60 sampled files of picture cannot be read, such as" in done.err
    config = load_config("shop.yaml")
    assert set(config.inputs) == {"picture", "sound", "what_is_said", "table"}
    assert config.source.on_bad_row == "skip"
    assert (
        "# 5 of 60 sampled files of picture cannot be read" in (tmp_path / "shop.yaml").read_text()
    )


def test_inputs_with_empty_cells_become_optional(mmzoo, table, tmp_path):
    frame = polars.read_csv(table)
    rows = polars.int_range(ROWS)
    frame.with_columns(
        polars.when(rows % every == 1).then(None).otherwise(polars.col(name)).alias(name)
        for name, every in (("picture", 4), ("what is said", 6))
    ).write_csv(table)
    done = mmzoo("init", "shop.csv", "--target", "colour", "--output", "shop.yaml")
    assert done.code == 0
    config = load_config("shop.yaml").with_columns()
    missing = {name: spec.missing for name, spec in config.inputs.items()}
    assert missing["picture"] == missing["what_is_said"] == "learned"
    assert missing["sound"] == "error"
    assert "# 15 of 60 cells are empty" in (tmp_path / "shop.yaml").read_text()
    assert config.source.on_bad_row == "error"  # No row is left out for them.
    data = load_frame(config)
    assert sum(data.examples(split) for split in data.splits) == ROWS


def test_an_only_input_with_empty_cells_is_not_optional(mmzoo, tmp_path):
    texts = [f"some words on {n} and {n % 7} more" if n % 5 else "" for n in range(ROWS)]
    rows = {"said": texts, "kind": ["ab"[n % 2] for n in range(ROWS)]}
    polars.DataFrame(rows).write_csv(tmp_path / "one.csv")
    assert mmzoo("init", "one.csv", "--target", "kind", "--output", "one.yaml").code == 0
    assert load_config("one.yaml").inputs["said"].missing == "empty"


def test_few_rows_and_identifiers_as_targets_are_warned_about(mmzoo, tmp_path):
    rows = {"patient_id": [n * 7919 % 1009 for n in range(40)], "x": [n / 7 for n in range(40)]}
    polars.DataFrame(rows).write_csv(tmp_path / "few.csv")
    done = mmzoo("init", "few.csv", "--target", "patient_id")
    assert done.code == 0
    assert "Warning: patient_id: its name is that of an identifier" in done.err
    assert "Warning: 40 rows are few" in done.err


def test_columns_of_unsupported_number_formats_are_left_out(mmzoo, tmp_path):
    """They are neither read nor mistaken for categories, text or lists of labels."""
    numbers = range(1_000, 1_200)
    frame = {
        "cost": [f"{n:,}.50" for n in numbers],
        "preis": [f"{n % 97},{n % 89:02d} €" for n in numbers],
        "am": [f"{n % 28 + 1:02d}.{n % 12 + 1:02d}.2024" for n in numbers],
        "x": [n / 7 for n in numbers],
        "Größe": [n * 37 % 101 / 3 for n in numbers],
    }
    polars.DataFrame(frame).write_csv(tmp_path / "kosten.csv")
    done = mmzoo("init", "kosten.csv", "--target", "Größe")
    assert done.code == 0
    assert "  Grosse:\n" in done.out
    assert "decimal: '.'" in done.out or 'decimal: "."' in done.out or "decimal: ." in done.out
    assert "Warning: cost: '1,000.50' is read as 1000.50: `decimal: " in done.err
    assert "preis: numbers such as '30,21 €': write them as 30.21 to use them" in done.out
    assert "am: dates such as '21.05.2024': write them like 2024-12-31 to use them" in done.out
    for target in ("preis", "am"):
        done = mmzoo("init", "kosten.csv", "--target", target)
        assert (done.code, done.out) == (1, "")
        assert f"Error: --target {target}: its cells are " in done.err


def test_rows_with_a_non_numeric_cell_are_skipped(mmzoo, tmp_path):
    frame = {
        "price": [f"{n * 7 % 101 / 3:.2f}" if n != 7 else "about 12" for n in range(ROWS)],
        "colour": [COLOURS[n * 5 % 7 % 3] for n in range(ROWS)],
        "tags": [("a;b", "a", "b", "b;c")[n % 4] for n in range(ROWS)],
    }
    polars.DataFrame(frame).write_csv(tmp_path / "t.csv")
    done = mmzoo("init", "t.csv", "--target", "tags", "--output", "t.yaml")
    assert done.code == 0, done.err
    text = (tmp_path / "t.yaml").read_text()
    assert "on_bad_row: skip  # 1 cell of price cannot be parsed, such as 'about 12'" in text
    assert "separator: ;\n" in text
    config = load_config("t.yaml").with_columns()
    assert config.heads["tags"].separator == ";"
    data = load_frame(config)
    assert sum(data.examples(split) for split in data.splits) == ROWS - 1
    assert data.class_names == {"tags": ("a", "b", "c")}


def test_each_target_has_its_own_separator(mmzoo, tmp_path):
    frame = {
        "price": [f"{n * 7 % 101 / 3:.2f}" for n in range(ROWS)],
        "tags": [("a;b", "a", "b", "b;c")[n % 4] for n in range(ROWS)],
        "colours": [("red, blue", "red", "blue", "green,red")[n * 3 % 4] for n in range(ROWS)],
        "shapes": ["['round', 'flat, wide']" if n % 3 else "['round']" for n in range(ROWS)],
    }
    polars.DataFrame(frame).write_csv(tmp_path / "t.csv")
    done = mmzoo("init", "t.csv", "--target", "tags,colours,shapes", "--output", "t.yaml")
    assert done.code == 0, done.err
    data = load_frame(load_config("t.yaml").with_columns())
    assert data.class_names == {
        "tags": ("a", "b", "c"),
        "colours": ("blue", "green", "red"),
        "shapes": ("flat, wide", "round"),
    }


def test_all_rows_of_a_large_table_are_read(mmzoo, tmp_path):
    """The only counterexample to target leakage may be in the last row."""
    rows = 100_000
    frame = {
        "text": [f"sentence number {n} of many, said by nobody" for n in range(rows)],
        "x": RANDOM.normal(size=rows),
        "y": RANDOM.randint(0, 5, rows),
    }
    *before, last = frame["y"].tolist()
    frame["same but once"] = [f"class {n}" for n in [*before, (last + 1) % 5]]
    polars.DataFrame(frame).write_parquet(tmp_path / "t.parquet")
    done = mmzoo("init", "t.parquet", "--target", "y")
    assert done.code == 0
    assert "100,000 rows" in done.out
    assert "same but once: category" in done.out


def test_json_lines_with_lists_of_labels(mmzoo, tmp_path):
    lines = [
        json.dumps({"text": f"a few words, {n} of them", "tags": [["x"], ["x", "y"], []][n % 3]})
        for n in range(ROWS)
    ]
    (tmp_path / "t.jsonl").write_text("\n".join(lines))
    done = mmzoo("init", "t.jsonl", "--target", "tags", "--output", "t.yaml")
    assert done.code == 0, done.err
    assert load_config("t.yaml").heads["tags"].type == "multilabel"
