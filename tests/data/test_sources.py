"""Contract of all sources; importing them imports nothing heavy."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
from digit_files import make_digits
from frames import splits_of
from pydantic import TypeAdapter
from tfds_files import prepare

from mmzoo.column_spec import ColumnSpec
from mmzoo.data import Frame, Source, Synthetic


def av_digits(folder: Path, patch: pytest.MonkeyPatch) -> dict[str, Any]:
    make_digits(folder, patch)
    return {"pairs": {"train": 40, "validation": 20, "test": 20}}


def digits(folder: Path, patch: pytest.MonkeyPatch) -> dict[str, Any]:
    return {"name": "digits"}


def folder_of_classes(folder: Path, patch: pytest.MonkeyPatch) -> dict[str, Any]:
    for name in ("cat", "dog"):
        (folder / name).mkdir()
        for number in range(20):
            (folder / name / f"{number}.jpg").write_bytes(b"not looked at")
    return {"path": str(folder)}


def nothing(folder: Path, patch: pytest.MonkeyPatch) -> dict[str, Any]:
    return {}


def prepared(folder: Path, patch: pytest.MonkeyPatch) -> dict[str, Any]:
    prepare(folder)
    return {"name": "things", "data_dir": str(folder)}


def table(folder: Path, patch: pytest.MonkeyPatch) -> dict[str, Any]:
    lines = []
    for number in range(40):
        (folder / f"{number}.jpg").write_bytes(b"not looked at")
        lines.append(f"{number}.jpg,{'cat' if number % 2 else 'dog'}\n")
    (folder / "photos.csv").write_text("image,label\n" + "".join(lines))
    return {"path": str(folder / "photos.csv")}


SMALLEST = {
    "av_digits": av_digits,
    "dataset": digits,
    "folder": folder_of_classes,
    "synthetic": nothing,
    "table": table,
    "tfds": prepared,
}
"""Source type -> function that prepares a folder and returns fields that need no network."""

FAMILY = get_args(get_args(Source)[0])


def image(random: np.random.RandomState, rows: int) -> np.ndarray:
    return random.randint(0, 256, (rows, 8, 8, 1)).astype(np.uint8)


def label(random: np.random.RandomState, rows: int) -> np.ndarray:
    return random.randint(0, 10, rows)


def required(source: Any) -> dict[str, Any]:
    """The first column of each role; `image` and `label` if the source accepts any name."""
    roles = source.columns() or {"image": "input", "label": "target"}
    [first, *_] = [column for column, role in roles.items() if role == "input"]
    [second, *_] = [column for column, role in roles.items() if role == "target"]
    return {first: ColumnSpec("file", image), second: ColumnSpec("class", label)}


@pytest.fixture(params=FAMILY, ids=lambda source: source.__name__)
def source(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    kind = request.param.model_fields["type"].default
    found = TypeAdapter(Source).validate_python(
        {"type": kind} | SMALLEST[kind](tmp_path, monkeypatch)
    )
    assert isinstance(found, request.param)
    return found


def load(source: Any, seed: int = 0) -> Frame:
    if "seed" in type(source).model_fields:  # Of its own, so that all trainings have the same data.
        source = source.replace(seed=seed)
    return source.read(required(source), seed)  # type: ignore[no-any-return]


def test_three_splits_of_equally_long_columns(source: Any) -> None:
    data = load(source)
    assert list(splits_of(data)) == ["train", "validation", "test"]
    for split, columns in splits_of(data).items():
        assert list(columns) == list(required(source))
        assert {len(values) for values in columns.values()} == {data.examples(split)}
        assert data.examples(split) > 0
        inputs, labels = columns.values()
        assert inputs.dtype == np.uint8 or inputs.dtype == object
        assert inputs.shape[1:] == ((8, 8, 1) if inputs.dtype == np.uint8 else ())
        assert labels.dtype == np.int64


def test_only_required_columns_are_loaded(source: Any) -> None:
    data = source.read({"label": ColumnSpec("class", label)}, 0)
    assert [list(columns) for columns in splits_of(data).values()] == [["label"]] * 3


def test_the_seed_decides_everything(source: Any) -> None:
    first, again, other = load(source), load(source), load(source, seed=1)
    assert first.fingerprint == again.fingerprint != other.fingerprint
    for split, columns in splits_of(first).items():
        for column, values in columns.items():
            np.testing.assert_array_equal(values, splits_of(again)[split][column])
    inputs, _ = required(source)
    assert not np.array_equal(
        splits_of(first)["validation"][inputs], splits_of(other)["validation"][inputs]
    )


def test_the_policy_on_bad_rows_is_known(source: Any) -> None:
    assert source.on_bad_row == "error"
    assert load(source).skipped == ()


def test_named_rows_have_one_name_each(source: Any) -> None:
    data = load(source)
    for split, names in data.row_names.items():
        assert len(names) == data.examples(split)


def test_names_and_notes_are_text(source: Any) -> None:
    data = load(source)
    assert data.name
    assert len(data.fingerprint) == 64
    assert data.fallback_for is None
    assert all(data.notes)
    assert not any(note.endswith("\n") for note in data.notes)


def test_specs_round_trip(source: Any) -> None:
    assert TypeAdapter(Source).validate_json(source.model_dump_json()) == source


@pytest.mark.parametrize(
    ("rows", "examples"), [(4, [2, 1, 1]), (96, [48, 24, 24]), (103, [51, 25, 27])]
)
def test_synthetic_rows_are_split_in_a_half_and_two_quarters(
    rows: int, examples: list[int]
) -> None:
    data = load(Synthetic(rows=rows))
    assert [data.examples(split) for split in splits_of(data)] == examples


def test_synthetic_values_do_not_depend_on_other_columns() -> None:
    single = Synthetic().read({"label": ColumnSpec("class", label)}, 0)
    beside = load(Synthetic())
    np.testing.assert_array_equal(
        splits_of(single)["train"]["label"], splits_of(beside)["train"]["label"]
    )


def test_synthetic_data_is_labelled_as_such() -> None:
    data = load(Synthetic())
    assert data.name == "synthetic"
    assert data.notes == ("the examples are synthetic: the metrics of this run are meaningless",)


def test_importing_and_listing_need_nothing_heavy() -> None:
    program = (
        "import sys; from mmzoo.data import Dataset, Folder, Table, Tfds, catalogue; "
        "Dataset(name='mnist').columns(); Folder(path='photos').columns(); catalogue(); "
        "Tfds(name='beans').columns(); Table(path='a.csv').columns(); "
        "print(*{'numpy', 'polars', 'requests', 'rich', 'sklearn', 'zstandard', "
        "'tensorflow', 'tensorflow_datasets'} & set(sys.modules))"
    )
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == ""
