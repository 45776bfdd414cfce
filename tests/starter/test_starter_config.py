"""Starter configs train as they are, or data is refused with the reason."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import polars
import pytest
import soundfile
from PIL import Image

from mmzoo.config import Config, load_config
from mmzoo.errors import DataError
from mmzoo.preprocessing import fit_config, load_frame
from mmzoo.starter.plan import Plan
from mmzoo.starter.starter_config import starter_config

RANDOM = np.random.RandomState(0)


@pytest.fixture(autouse=True)
def _working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def written(data: str, target: str | None = None) -> tuple[Plan, Config]:
    """The plan, and the config after it was written to a file and read again."""
    plan, text = starter_config(Path(data), target, None)
    Path("starter.yaml").write_text(text)
    return plan, load_config("starter.yaml").with_columns()


def error_message(data: str, target: str | None = None) -> str:
    with pytest.raises(DataError) as error:
        starter_config(Path(data), target, None)
    return str(error.value)


def classes_by_split(config: Config, column: str) -> dict[str, Counter[str]]:
    """Split -> class -> rows, as a training gets them."""
    frame = load_frame(config)
    fit_config(config, frame)
    names = frame.class_names[column]
    return {
        split: Counter(names[code] for code in frame.table[column].gather(rows).to_list())
        for split, rows in frame.rows.items()
    }


def write_table(kinds: list[str], **columns: list[object]) -> None:
    size = [f"{value:.4f}" for value in RANDOM.normal(size=len(kinds))]
    polars.DataFrame({"size": size, "kind": kinds, **columns}).write_csv("t.csv")


def write_images(folder: str, count: int, suffix: str = "png") -> None:
    Path(folder).mkdir(parents=True, exist_ok=True)
    for number in range(count):
        pixels = RANDOM.randint(0, 255, (8, 8, 3)).astype("uint8")
        Image.fromarray(pixels).save(f"{folder}/{number}.{suffix}")


# Tables


def test_rare_classes_stay_in_training_with_a_warning():
    write_table(["a", "b"] * 48 + ["once", "twice", "twice", "again"])
    plan, config = written("t.csv", "kind")
    assert plan.warnings == (
        "kind: 3 of its 5 classes have too few rows for three splits: 'again' (1 row), 'once' "
        "(1 row), 'twice' (2 rows). A class with one row is trained, but not validated or tested",
    )
    found = classes_by_split(config, "kind")
    assert {found["train"][name] for name in ("once", "again", "twice")} == {1}
    assert (found["test"]["twice"], found["test"]["once"], found["validation"]["twice"]) == (
        1,
        0,
        0,
    )


def test_classes_too_small_to_split_are_refused():
    write_table([f"c{n // 2}" for n in range(80)])
    assert error_message("t.csv", "kind") == (
        "--target kind: none of its 40 classes has three rows, one for each split: add rows, or "
        "choose a column whose values repeat"
    )


def test_rows_of_classes_only_in_test_are_skipped():
    write_table(["a", "b"] * 30, part=["train"] * 40 + ["val"] * 10 + ["test"] * 10)
    table = polars.read_csv("t.csv", infer_schema=False).to_dicts()
    table[-1]["kind"] = "new"
    polars.DataFrame(table).write_csv("t.csv")
    plan, config = written("t.csv", "kind")
    assert config.source.on_bad_row == "skip"
    [warning] = plan.warnings
    assert warning.startswith("1 row cannot be used, such as row 60: its `kind` has class 'new'")
    assert classes_by_split(config, "kind")["test"] == {"a": 5, "b": 4}


def test_texts_without_a_word_are_skipped():
    texts = [f"these are some words, number {n}" for n in range(60)]
    write_table(["a", "b"] * 30, words=[*texts[:-2], "!!!", "..."])
    plan, config = written("t.csv", "kind")
    assert any("2 rows cannot be used" in warning for warning in plan.warnings)
    assert (
        sum(load_frame(config).examples(split) for split in ("train", "validation", "test")) == 58
    )


def test_a_column_of_splits_as_a_target_is_warned_about():
    write_table(["a", "b"] * 30, split=["train"] * 40 + ["val"] * 10 + ["test"] * 10)
    plan, _ = written("t.csv", "split")
    assert any(
        one.startswith("split: it seems to be the split column, as its values are test, train, val")
        for one in plan.warnings
    )


def test_an_identifier_as_a_target_is_refused():
    write_table(["a", "b"] * 30, code=[f"{n * 7919:08x}" for n in range(60)])
    assert error_message("t.csv", "code") == (
        "--target code: looks like an identifier: 60 unique values in 60 rows, which are too many "
        "for classes, and they are not numbers. Choose a column whose values repeat."
    )


def test_media_root_is_found():
    write_images("shop/images", 60)
    table = {"photo": [f"{n}.png" for n in range(60)], "kind": ["a", "b"] * 30}
    polars.DataFrame(table).write_csv("shop/t.csv")
    _, config = written("shop/t.csv", "kind")
    assert config.source.media_root == "shop/images"
    assert sum(classes_by_split(config, "kind")["train"].values()) == 42


def test_files_that_are_not_found_are_an_error():
    write_table(["a", "b"] * 30, photo=[f"images\\{n}.png" for n in range(60)])
    assert error_message("t.csv", "kind") == (
        "t.csv: column photo: none of "
        f"60 sampled files can be read below {Path.cwd()}: images\\0.png: there is no such file; "
        "write / between folders. Fix the paths, or remove the column to predict without its files"
    )


def test_urls_and_unsupported_files_are_left_out_with_a_warning():
    write_images(".", 3)  # As converted copies of the first.
    write_table(
        ["a", "b"] * 30,
        link=[f"https://example.org/{n}.png" for n in range(60)],
        scan=[f"{n}.{'png' if n % 3 == 0 else 'tif'}" for n in range(60)],
    )
    plan, config = written("t.csv", "kind")
    assert list(config.inputs) == ["table"]
    assert [warning.split(",")[0] for warning in plan.warnings] == [
        f"link: none of 60 sampled files can be read below {Path.cwd()}: "
        "https://example.org/0.png: there is no such file: it is a URL",
        "scan: 67 % of its files are .tif",
    ]


@pytest.mark.parametrize("name", ["id", "photo"])
def test_file_names_without_a_suffix_are_explained(name):
    write_images("images", 60)
    write_table(["a", "b"] * 30, **{name: [f"{n}" for n in range(60)]})
    plan, _ = written("t.csv", "kind")
    assert plan.left_out[name] == (
        "its values are not quite paths of files: write images/0.png and so on"
    )


def test_cells_that_are_not_paths_are_named():
    write_images("images", 60)
    paths = [f"images/{n}.png" for n in range(60)]
    write_table(["a", "b"] * 30, photo=[*paths[:45], *(path[:-4] for path in paths[45:])])
    plan, _ = written("t.csv", "kind")
    assert plan.left_out["photo"] == (
        "75 % of its values are files by their suffix; fix the others, such as 'images/45'"
    )


# Folders


def test_a_class_of_one_file_stays_in_training():
    for name, count in (("red", 8), ("green", 8), ("once", 1)):
        write_images(f"photos/{name}", count)
    plan, config = written("photos")
    assert plan.warnings == (
        "photos: 1 of its 3 classes has too few files for three splits: 'once' (1 file). A class "
        "with one file is trained, but not validated or tested",
    )
    assert classes_by_split(config, "label")["train"]["once"] == 1


@pytest.mark.parametrize("count", [1, 2])
def test_classes_without_a_file_for_each_split_are_refused(count):
    for name in ("red", "green"):
        write_images(f"photos/{name}", count)
    assert error_message("photos") == (
        "photos: no class has 3 files, one for each split that is sampled: add files"
    )


def test_class_folders_without_files_are_refused():
    for name, count in (("red", 8), ("green", 8), ("empty", 0)):
        write_images(f"photos/{name}", count)
    assert "there are no training files in class folders: empty." in error_message("photos")


def test_folders_without_media_in_class_folders_are_ignored():
    for name in ("red", "green"):
        write_images(f"photos/{name}", 8)
    Path("photos/red/notes").mkdir()
    Path("photos/red/notes/a.xml").write_text("<a/>")
    _, config = written("photos")
    assert config.source.nested == "ignore"
    assert sum(classes_by_split(config, "label")["train"].values()) > 0
    write_images("photos/red/more", 3)
    _, config = written("photos")
    assert config.source.nested == "include"


def test_unsupported_files_are_counted():
    for name in ("red", "green"):
        write_images(f"photos/{name}", 5)
        write_images(f"photos/{name}/scans", 20, "tif")
    plan, config = written("photos")
    assert plan.warnings == (
        "photos: 40 of 50 files are left out, as the input `image` does not read them: 40 .tif. "
        "Convert them to use them",
    )
    assert sum(map(len, classes_by_split(config, "label").values())) == 6
    write_images("scans/red", 5, "tif")
    write_images("scans/green", 5, "tif")
    assert error_message("scans").endswith("but 10 .tif")


@pytest.mark.parametrize("suffix", [".jfif", ".jpe", ".JPEG"])
def test_rarer_suffixes_are_read(suffix):
    for name in ("red", "green"):
        write_images(f"photos/{name}", 5, "jpg")
        for path in Path(f"photos/{name}").iterdir():
            path.rename(path.with_suffix(suffix))
    _, config = written("photos")
    assert sum(map(len, classes_by_split(config, "label").values())) == 6


def test_ogg_files_of_all_suffixes_are_read():
    for name in ("high", "low"):
        Path("sounds", name).mkdir(parents=True)
        for number, suffix in enumerate((".opus", ".oga", ".ogg", ".opus")):
            subtype = "OPUS" if suffix == ".opus" else "VORBIS"
            path = f"sounds/{name}/{number}{suffix}"
            soundfile.write(path, np.zeros(4_800), 48_000, format="OGG", subtype=subtype)
    plan, config = written("sounds")
    assert plan.warnings == ("audio: 8 of 8 files are silent; for example high/0.opus",)
    assert config.inputs["audio"].type == "audio"
    found = classes_by_split(config, "label")
    assert sum((found[split] for split in found), Counter()) == {"high": 4, "low": 4}


def test_a_folder_of_tables_names_them():
    Path("texts").mkdir()
    for name in ("b.csv", "a.csv"):
        Path("texts", name).write_text("x,y\n1,2\n")
    assert error_message("texts") == (
        "texts: it is not a folder of class folders, but holds 2 tables: a.csv, b.csv. Give one: "
        "`mmzoo init texts/a.csv --target COLUMN`"
    )
    assert "give one of its tables, a.csv, b.csv, instead" in error_message("texts", "y")


@pytest.mark.parametrize(
    ("name", "message"),
    {
        "shp.csv": "shp.csv: there is no such file; did you mean 'shop.csv'?",
        "Shop.CSV ": "Shop.CSV : there is no such file; did you mean 'shop.csv'?",
        "other.csv": "other.csv: there is no such file",
        "none/shop.csv": "none/shop.csv: there is no such folder 'none'",
        "cfg.yaml": "cfg.yaml: a config, not a table; to train it: `mmzoo train cfg.yaml`",
        "empty.csv": "empty.csv is empty. Expected a table that begins with a header.",
        "book.xlsx": (
            "book.xlsx: it is an Excel file, which mmzoo does not read: save the sheet as CSV "
            "(File, Save as), then `mmzoo init book.csv`"
        ),
    }.items(),
)
def test_files_that_are_not_tables(name, message):
    Path("shop.csv").write_text("x,y\n1,2\n")
    Path("book.xlsx").write_bytes(b"PK")
    Path("empty.csv").touch()
    Path("cfg.yaml").touch()
    assert error_message(name, "y") == message


def test_paths_of_another_machine_are_found(monkeypatch):
    write_images("images", 12)
    paths = [f"/home/bob/pictures/{number}.png" for number in range(12)]
    write_table(["a", "b", "b"] * 4, photo=paths)
    plan, config = written("t.csv", "kind")
    assert config.source.media_root == "images"
    assert plan.warnings[-1] == (
        f"t.csv: `photo`: its absolute paths do not exist here; '{paths[0]}' is read as '0.png' in "
        f"{Path('images').resolve()}, and the others alike"
    )
    found = classes_by_split(config, "kind")
    assert sum(found.values(), Counter()) == {"a": 4, "b": 8}


def test_of_very_many_files_bad_ones_are_skipped(monkeypatch):
    monkeypatch.setattr("mmzoo.starter.starter_config._MAX_OPENED", 10)
    write_images("images", 12)
    write_table(["a", "b"] * 6, photo=[f"images/{number}.png" for number in range(12)])
    plan, config = written("t.csv", "kind")
    assert config.source.on_bad_row == "skip"
    assert plan.warnings[-1] == (
        "only some files of 12 rows were opened; others may be bad: `on_bad_row: skip` skips such "
        "rows"
    )


@pytest.mark.parametrize("cells", [["Caf\u00e9", "Cafe\u0301"], ["TRUE", "true"], ["1", "1.0"]])
def test_spellings_of_one_class_count_once_as_in_training(cells):
    write_table([*cells, "x"] * 10)
    plan, config = written("t.csv", "kind")
    assert config.heads["kind"].type == "binary"
    [(_, kind, reason)] = [column for column in plan.columns if column[0] == "kind"]
    assert (kind, reason) == ("target: binary", "2 classes")
    fit_config(config, load_frame(config))


def test_as_many_labels_as_combinations_are_labels_too():
    write_table(["a; b", "b;c", "a", "d; a"] * 10)
    _, config = written("t.csv", "kind")
    assert (config.heads["kind"].type, config.heads["kind"].separator) == ("multilabel", ";")
    write_table(["Paris, FR", "Lyon, FR", "Rome, IT", "Milan, IT"] * 10)
    assert written("t.csv", "kind")[1].heads["kind"].type == "classification"


def test_texts_without_spaces_are_texts():
    thai = [("อร่อยมาก" if number % 2 else "ไม่อร่อยเลย") + str(number) for number in range(40)]
    write_table(["a", "b", "b", "a"] * 10, comment=thai)
    _, config = written("t.csv", "kind")
    assert config.inputs["comment"].type == "text"
    assert config.inputs["comment"].tokens == "characters"


def test_errors_of_spreadsheets_are_missing_numbers():
    numbers = [f"{number / 7:.3f}" if number % 9 else "#N/A" for number in range(40)]
    write_table(["a", "b", "b", "a"] * 10, other=numbers)
    _, config = written("t.csv", "kind")
    assert config.source.missing_values == {"other": ("#N/A",)}
