"""The catalogue of data sets: names, columns, classes, and examples."""

from __future__ import annotations

import lzma
import re
from pathlib import Path

import numpy as np
import pytest

from mmzoo.data.datasets import NAMED, NamedSet
from mmzoo.data.datasets import bundled_formats as scikit_learn
from mmzoo.data.datasets.dataset_entry import SUMS, Kind
from mmzoo.data.datasets.dataset_files import UnobtainableError, obtain
from mmzoo.data.frame import Splits


def test_names_of_data_sets_are_unique() -> None:
    assert len(NAMED) == 15


@pytest.mark.parametrize("named", NAMED.values(), ids=NAMED)
def test_every_entry_is_complete(named: NamedSet) -> None:
    assert named.description.endswith(".")
    assert named.licence
    assert named.citation
    assert named.homepage.startswith("http")
    assert set(named.examples) <= {"train", "validation", "test"}
    assert named.inputs
    assert named.classes or named.numbers
    assert not {"name", "fold"} & named.columns.keys()
    for names in named.classes.values():
        assert len(set(names)) == len(names)
    assert not named.media or SUMS in [file.name for file in named.files]
    for file in (*named.files, *named.alternatives):
        assert re.fullmatch(r"[0-9a-f]{64}", file.sha256)
        assert file.size > 0
    assert bool(named.files) == bool(named.mirrors) + bool(named.archives)
    assert bool(named.archives) == (named.build is not None)
    for mirror in (*named.mirrors, *named.archives):
        assert re.match(r"https?://.*[^/]$", mirror)


@pytest.mark.parametrize(
    ("name", "column", "classes"),
    [
        ("mnist", "label", 10),
        ("fashion_mnist", "label", 10),
        ("cifar10", "label", 10),
        ("cifar100", "label", 100),
        ("cifar100", "coarse_label", 20),
        ("digits", "label", 10),
        ("imdb", "label", 2),
        ("mr", "label", 2),
        ("sst2", "label", 2),
        ("thucnews_titles", "label", 10),
        ("fsdd", "label", 10),
        ("fsdd", "speaker", 6),
        ("easy_vqa", "label", 13),
        ("breast_cancer", "target", 2),
        ("wine", "target", 3),
        ("iris", "target", 3),
    ],
)
def test_every_class_has_a_name(name: str, column: str, classes: int) -> None:
    assert len(NAMED[name].classes[column]) == classes


def test_digits_equal_scikit_learn() -> None:
    from sklearn.datasets import load_digits

    official = load_digits()
    train = NAMED["digits"].read({})["train"]
    np.testing.assert_array_equal(train["label"], official.target)
    np.testing.assert_array_equal(
        train["image"][..., 0], np.rint(official.images * 255 / 16 + 1e-9).astype(np.uint8)
    )
    assert (train["image"].min(), train["image"].max()) == (0, 255)


@pytest.fixture(params=NAMED)
def read(
    request: pytest.FixtureRequest, real_data: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[NamedSet, Splits]:
    """Each available data set and the content of its files."""
    named = NAMED[request.param]
    monkeypatch.setenv("MMZOO_DATA_DIR", str(real_data))
    try:
        files = obtain(named)
    except UnobtainableError:
        pytest.skip(f"{named.name} is not in MMZOO_DATA_DIR")
    return named, named.read(files)


def test_a_set_matches_its_entry(read: tuple[NamedSet, Splits]) -> None:
    named, splits = read
    assert {split: len(next(iter(columns.values()))) for split, columns in splits.items()} == (
        named.examples
    )
    kinds = named.kinds
    for columns in splits.values():
        assert columns.keys() - {"name", "fold"} == kinds.keys()
        assert ("fold" in columns) == bool(named.folds)
        for column, values in columns.items():
            assert len(values) == len(next(iter(columns.values())))
            check(values, kinds.get(column, "number"), named.classes.get(column, ()))


def check(values: np.ndarray, kind: Kind, names: tuple[str, ...]) -> None:
    if kind == "image":
        assert (values.dtype, values.ndim) == (np.uint8, 4)
    elif kind == "file":
        assert values.dtype.kind == "U"
        assert all(Path(path).is_absolute() and Path(path).is_file() for path in values[:100])
    elif kind == "text":
        assert values.dtype == object
        assert all(type(value) is str and value for value in values.tolist())
    elif kind == "class":
        assert values.dtype == np.int64
        assert np.unique(values).tolist() == list(range(len(names)))
    elif values.dtype.kind != "U":  # As names of rows are.
        assert np.isfinite(values).all()


@pytest.mark.parametrize("name", ["imdb", "mr", "sst2", "thucnews_titles", "easy_vqa"])
def test_class_names_match_the_tables(name: str, real_data: Path) -> None:
    import polars

    named = NAMED[name]
    files = [file.name for file in named.alternatives or named.files if ".csv" in file.name]
    for file in files:
        path = real_data / named.folder_name / file
        if not path.is_file():
            pytest.skip(f"{name} is not in MMZOO_DATA_DIR")
        content = path.read_bytes()
        table = polars.read_csv(lzma.decompress(content) if path.suffix == ".xz" else content)
        found = dict(table.select("label", "label_name").unique().iter_rows())
        names = dict(enumerate(named.classes["label"]))
        if name == "imdb":  # Whose folders are called otherwise than its tables have it.
            names = {0: "negative", 1: "positive"}
        assert found == names


def test_labels_of_spoken_digits_match_their_file_names(
    real_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = NAMED["fsdd"]
    if not (real_data / "fsdd").is_dir():
        pytest.skip("fsdd is not in MMZOO_DATA_DIR")
    monkeypatch.setenv("MMZOO_DATA_DIR", str(real_data))
    for split, columns in named.read(obtain(named)).items():
        for path, label, speaker in zip(
            columns["audio"], columns["label"], columns["speaker"], strict=True
        ):
            digit, name, index = Path(path).stem.split("_")
            assert (int(digit), name) == (label, named.classes["speaker"][speaker])
            assert (int(index) < 5) == (split == "test")


@pytest.mark.parametrize("name", ["breast_cancer", "wine", "iris", "diabetes"])
def test_tables_equal_scikit_learn(name: str) -> None:
    from sklearn import datasets

    options = {"scaled": False} if name == "diabetes" else {}
    official = getattr(datasets, f"load_{name}")(**options)
    named = NAMED[name]
    train = named.read({})["train"]
    assert list(named.inputs) == list(official.feature_names)
    np.testing.assert_array_equal(
        np.column_stack([train[column] for column in named.inputs]), official.data
    )
    np.testing.assert_array_equal(train["target"], official.target)
    if named.classes:
        assert list(named.classes["target"]) == list(official.target_names)


def test_bundled_sets_are_read_the_documented_way_if_their_files_are_elsewhere(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    names: list[str] = ["digits", "wine", "diabetes"]
    quick = [NAMED[name].read({})["train"] for name in names]
    monkeypatch.setattr(scikit_learn, "bundled_file", lambda path, name: None)
    for name, columns in zip(names, quick, strict=True):
        for column, values in NAMED[name].read({})["train"].items():
            np.testing.assert_array_equal(columns[column], values)
            assert columns[column].dtype == values.dtype
