"""The source `dataset`: splits that are cut, a fallback that serves, columns that are missing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from mmzoo.errors import DataError
from mmzoo.sources import Data, Dataset
from mmzoo.wanted import Wanted


def made_up(random: np.random.RandomState, rows: int) -> np.ndarray:
    raise AssertionError("a data set asks for no made-up values")


IMAGE = Wanted("file", made_up)
CLASS = Wanted("class", made_up)
BOTH = {"image": IMAGE, "label": CLASS}


def load(seed: int = 0, **fields: object) -> Data:
    return Dataset.model_validate({"name": "digits"} | fields).load(BOTH, seed, print)


def rows(data: Data, split: str) -> set[bytes]:
    return {image.tobytes() for image in data.splits[split]["image"]}


def test_digits_are_cut_into_three_disjoint_splits() -> None:
    data = load()
    assert {split: data.examples(split) for split in data.splits} == {
        "train": 1_294,
        "validation": 144,
        "test": 359,
    }
    splits = [rows(data, split) for split in data.splits]
    assert len(set.union(*splits)) == sum(len(split) for split in splits) == 1_797


def test_a_cut_split_is_stratified() -> None:
    data = load()
    shares = [
        np.bincount(columns["label"]) / len(columns["label"]) for columns in data.splits.values()
    ]
    np.testing.assert_allclose(shares[1], shares[0], atol=0.006)
    np.testing.assert_allclose(shares[2], shares[0], atol=0.006)


def test_images_keep_their_labels() -> None:
    whole = load(validation=0.5, test=0.5)
    other = load(seed=3)
    known = {
        image.tobytes(): label
        for columns in whole.splits.values()
        for image, label in zip(columns["image"], columns["label"], strict=True)
    }
    for columns in other.splits.values():
        for image, label in zip(columns["image"], columns["label"], strict=True):
            assert known[image.tobytes()] == label


def test_the_seed_moves_validation_and_leaves_test_alone() -> None:
    one, two = load(seed=1), load(seed=2)
    assert rows(one, "validation") != rows(two, "validation")
    assert rows(one, "test") == rows(two, "test")


def test_what_was_cut_is_said() -> None:
    assert load(seed=4).notes == (
        "digits has no test split of its own: cut 359 of 1,797 training examples, "
        "stratified by label, seed 0",
        "digits has no validation split of its own: cut 144 of 1,438 training examples, "
        "stratified by label, seed 4",
    )


def test_the_fingerprint_is_that_of_content_and_cuts() -> None:
    first = load().fingerprint
    assert load().fingerprint == first
    changed = {
        load(seed=1).fingerprint,
        load(validation=0.2).fingerprint,
        load(test=0.3).fingerprint,
    }
    assert len({first, *changed}) == 4


def test_class_names_are_those_of_the_columns_wanted() -> None:
    assert load().class_names == {"label": tuple("0123456789")}
    assert Dataset(name="digits").load({"image": IMAGE}, 0, print).class_names == {}


@pytest.mark.parametrize("split", ["validation", "test"])
def test_a_share_that_is_too_small_still_takes_one_of_each_class(split: str) -> None:
    assert load(**{split: 0.001}).examples(split) == 10


@pytest.mark.parametrize("share", [0, 1, -0.1, 1.5, float("nan")])
@pytest.mark.parametrize("split", ["validation", "test"])
def test_a_share_lies_between_0_and_1(split: str, share: float) -> None:
    with pytest.raises(ValidationError):
        load(**{split: share})


def test_a_missing_column_is_named_before_anything_is_fetched() -> None:
    with pytest.raises(DataError) as caught:
        Dataset(name="mnist").load({"lable": CLASS}, 0, print)
    assert str(caught.value) == (
        "data set mnist has no column `lable`. Did you mean `label`? There are: image, label."
    )


def test_the_fallback_serves_and_says_so() -> None:
    data = load(name="mnist", fallback="digits")
    assert (data.name, data.fallback_for) == ("digits", "mnist")
    assert data.splits["train"]["image"].shape == (1_294, 8, 8, 1)
    assert data.notes[0] == (
        "FALLBACK: mnist cannot be had (train-images-idx3-ubyte.gz: MMZOO_OFFLINE is set, so "
        "nothing is downloaded), so digits serves in its place, and every figure of this run is "
        "about digits, not mnist. `mmzoo data fetch mnist` fetches it once there is a network"
    )
    assert data.fingerprint == load().fingerprint


def test_without_a_fallback_it_is_an_error() -> None:
    with pytest.raises(DataError, match=r"^data set mnist cannot be had: "):
        load(name="mnist")


def test_a_damaged_file_is_an_error_in_spite_of_a_fallback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "mnist" / "train-images-idx3-ubyte.gz"
    path.parent.mkdir()
    path.write_bytes(b"damaged")
    monkeypatch.setenv("MMZOO_DATA_DIR", str(tmp_path))
    with pytest.raises(DataError, match=r"is not the official file of mnist: it has 7 bytes"):
        load(name="mnist", fallback="digits")


def test_a_fallback_must_have_the_columns_too() -> None:
    with pytest.raises(DataError, match=r"^data set digits has no column `coarse_label`\."):
        Dataset(name="cifar100", fallback="digits").load({"coarse_label": CLASS}, 0, print)


def test_digits_take_no_fallback() -> None:
    with pytest.raises(ValidationError, match="digits is always there and needs no fallback"):
        Dataset(name="digits", fallback="digits")


def test_columns_are_known_without_reading() -> None:
    assert Dataset(name="cifar100").columns() == {
        "image": "input",
        "label": "target",
        "coarse_label": "target",
    }


@pytest.mark.parametrize(
    ("name", "first_test_labels"),
    [("mnist", [7, 2, 1, 0, 4]), ("fashion_mnist", [9, 2, 1, 1, 6])],
)
def test_real_sets_are_loaded_offline(
    name: str, first_test_labels: list[int], real_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not (real_data / name).is_dir():
        pytest.skip(f"{name} is not in MMZOO_DATA_DIR")
    monkeypatch.setenv("MMZOO_DATA_DIR", str(real_data))
    data = load(name=name, fallback="digits", validation=0.05)
    assert (data.name, data.fallback_for) == (name, None)
    assert {split: data.examples(split) for split in data.splits} == {
        "train": 57_000,
        "validation": 3_000,
        "test": 10_000,
    }
    assert data.splits["train"]["image"].shape == (57_000, 28, 28, 1)
    assert data.splits["test"]["label"][:5].tolist() == first_test_labels
    assert data.notes == (
        f"{name} has no validation split of its own: cut 3,000 of 60,000 training examples, "
        "stratified by label, seed 0",
    )
