"""The table of named data sets holds together."""

from __future__ import annotations

import re
from typing import get_args

import numpy as np
import pytest

from mmzoo.sources.named import NAMED, DatasetName, NamedSet, digits


def test_names_are_the_same_everywhere() -> None:
    assert get_args(DatasetName) == tuple(NAMED)
    assert [named.name for named in NAMED.values()] == list(NAMED)


@pytest.mark.parametrize("named", NAMED.values(), ids=NAMED)
def test_an_entry_is_whole(named: NamedSet) -> None:
    assert named.description.endswith(".")
    assert named.licence
    assert named.citation
    assert named.homepage.startswith("http")
    assert set(named.examples) <= {"train", "validation", "test"}
    for names in named.classes.values():
        assert len(set(names)) == len(names)
    for file in (*named.files, *named.instead):
        assert re.fullmatch(r"[0-9a-f]{64}", file.sha256)
        assert file.size > 0
    assert bool(named.files) == bool(named.mirrors or named.made)
    for mirror in named.mirrors:
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
    ],
)
def test_every_class_has_a_name(name: DatasetName, column: str, classes: int) -> None:
    assert len(NAMED[name].classes[column]) == classes


def test_digits_are_scikit_learns() -> None:
    from sklearn.datasets import load_digits

    official = load_digits()
    train = NAMED["digits"].read({})["train"]
    np.testing.assert_array_equal(train["label"], official.target)
    np.testing.assert_array_equal(
        train["image"][..., 0], np.rint(official.images * 255 / 16 + 1e-9).astype(np.uint8)
    )
    assert (train["image"].min(), train["image"].max()) == (0, 255)


def test_digits_are_read_the_documented_way_where_their_file_is_elsewhere(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    quick = NAMED["digits"].read({})["train"]
    monkeypatch.setattr(digits, "_TABLE", "datasets/moved/digits.csv.gz")
    slow = NAMED["digits"].read({})["train"]
    for column in ("image", "label"):
        np.testing.assert_array_equal(quick[column], slow[column])
        assert quick[column].dtype == slow[column].dtype
