"""The source `dataset`: splits held out, the fallback, missing columns."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from frames import splits_of
from pydantic import ValidationError

from mmzoo.column_spec import ColumnSpec
from mmzoo.data import Dataset, Frame
from mmzoo.errors import DataError


def synthetic_data(random: np.random.RandomState, rows: int) -> np.ndarray:
    raise AssertionError("a data set asks for no made-up values")


IMAGE = ColumnSpec("file", synthetic_data)
CLASS = ColumnSpec("class", synthetic_data)
BOTH = {"image": IMAGE, "label": CLASS}


def load(seed: int = 0, **fields: object) -> Frame:
    return Dataset.model_validate({"name": "digits"} | fields).read(BOTH, seed)


def rows(data: Frame, split: str) -> set[bytes]:
    return {image.tobytes() for image in splits_of(data)[split]["image"]}


def test_digits_have_three_disjoint_splits() -> None:
    data = load()
    assert {split: data.examples(split) for split in splits_of(data)} == {
        "train": 1_294,
        "validation": 144,
        "test": 359,
    }
    splits = [rows(data, split) for split in splits_of(data)]
    assert len(set.union(*splits)) == sum(len(split) for split in splits) == 1_797


def test_a_sampled_split_is_stratified() -> None:
    data = load()
    shares = [
        np.bincount(columns["label"]) / len(columns["label"])
        for columns in splits_of(data).values()
    ]
    np.testing.assert_allclose(shares[1], shares[0], atol=0.006)
    np.testing.assert_allclose(shares[2], shares[0], atol=0.006)


def test_images_match_their_labels() -> None:
    complete = load(validation=0.5, test=0.5)
    other = load(seed=3)
    known = {
        image.tobytes(): label
        for columns in splits_of(complete).values()
        for image, label in zip(columns["image"], columns["label"], strict=True)
    }
    for columns in splits_of(other).values():
        for image, label in zip(columns["image"], columns["label"], strict=True):
            assert known[image.tobytes()] == label


def test_the_seed_changes_validation_but_not_test() -> None:
    one, two = load(seed=1), load(seed=2)
    assert rows(one, "validation") != rows(two, "validation")
    assert rows(one, "test") == rows(two, "test")


def test_sampled_splits_are_reported() -> None:
    assert load(seed=4).notes == (
        "digits has no test split: held out 359 of 1,797 training examples, "
        "stratified by label, seed 0",
        "digits has no validation split: held out 144 of 1,438 training examples, "
        "stratified by label, seed 4",
    )


def test_the_fingerprint_covers_content_and_splits() -> None:
    first = load().fingerprint
    assert load().fingerprint == first
    changed = {
        load(seed=1).fingerprint,
        load(validation=0.2).fingerprint,
        load(test=0.3).fingerprint,
    }
    assert len({first, *changed}) == 4


def test_few_training_examples_are_drawn_from_every_class() -> None:
    everything, few = load(), load(train_size=100)
    for split in ("validation", "test"):
        assert rows(few, split) == rows(everything, split)
    assert rows(few, "train") < rows(everything, "train")
    labels, counts = np.unique(splits_of(few)["train"]["label"], return_counts=True)
    assert len(labels) == 10
    assert counts.sum() == 100
    assert counts.max() - counts.min() <= 1
    assert "digits: 100 training examples are used, stratified by label, seed 0" in few.notes
    assert rows(load(train_size=100, seed=1), "train") != rows(few, "train")
    assert few.fingerprint != everything.fingerprint
    with pytest.raises(DataError, match=r"^source.train_size: expected fewer than the 1,294 train"):
        load(train_size=1_294)


def test_class_names_belong_to_the_requested_columns() -> None:
    assert load().class_names == {"label": tuple("0123456789")}
    assert Dataset(name="digits").read({"image": IMAGE}, 0).class_names == {}


@pytest.mark.parametrize("split", ["validation", "test"])
def test_a_tiny_share_takes_one_row_per_class(split: str) -> None:
    assert load(**{split: 0.001}).examples(split) == 10


@pytest.mark.parametrize("share", [0, 1, -0.1, 1.5, float("nan")])
@pytest.mark.parametrize("split", ["validation", "test"])
def test_a_share_is_between_0_and_1(split: str, share: float) -> None:
    with pytest.raises(ValidationError):
        load(**{split: share})


def test_a_missing_column_is_reported_before_fetching() -> None:
    with pytest.raises(DataError) as caught:
        Dataset(name="mnist").read({"lable": CLASS}, 0)
    assert str(caught.value) == (
        "data set mnist has no column `lable`. Did you mean `label`? There are: image, label."
    )


def test_the_fallback_is_used_with_a_warning() -> None:
    data = load(name="mnist", fallback="digits")
    assert (data.name, data.fallback_for) == ("digits", "mnist")
    assert splits_of(data)["train"]["image"].shape == (1_294, 8, 8, 1)
    assert data.notes[0] == (
        "FALLBACK: mnist is not available (train-images-idx3-ubyte.gz: MMZOO_OFFLINE is set, so "
        "nothing is downloaded), so digits is used instead. All metrics of this run are for "
        "digits, not mnist. `mmzoo data fetch mnist` downloads it when there is a network"
    )
    assert data.fingerprint == load().fingerprint


def test_without_a_fallback_it_is_an_error() -> None:
    with pytest.raises(DataError, match=r"^data set mnist is not available: ") as caught:
        load(name="mnist")
    advice = "\n  set `source.fallback: digits`, to use small bundled images"
    assert str(caught.value).endswith(advice)
    with pytest.raises(DataError, match=r"^data set imdb is not available: ") as caught:
        load_texts("imdb")
    assert "source.fallback" not in str(caught.value)


def test_a_damaged_file_is_an_error_despite_a_fallback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "mnist" / "train-images-idx3-ubyte.gz"
    path.parent.mkdir()
    path.write_bytes(b"damaged")
    monkeypatch.setenv("MMZOO_DATA_DIR", str(tmp_path))
    with pytest.raises(DataError, match=r"is not the official file of mnist: it has 7 bytes"):
        load(name="mnist", fallback="digits")


def test_the_fallback_must_have_the_same_columns() -> None:
    with pytest.raises(DataError, match=r"^data set digits has no column `coarse_label`\."):
        Dataset(name="cifar100", fallback="digits").read({"coarse_label": CLASS}, 0)


def test_digits_take_no_fallback() -> None:
    with pytest.raises(ValidationError, match="digits is always available and needs no fallback"):
        Dataset(name="digits", fallback="digits")


def test_columns_are_known_before_reading() -> None:
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
    assert {split: data.examples(split) for split in splits_of(data)} == {
        "train": 57_000,
        "validation": 3_000,
        "test": 10_000,
    }
    assert splits_of(data)["train"]["image"].shape == (57_000, 28, 28, 1)
    assert splits_of(data)["test"]["label"][:5].tolist() == first_test_labels
    assert data.notes == (
        f"{name} has no validation split: held out 3,000 of 60,000 training examples, "
        "stratified by label, seed 0",
    )


TEXT = ColumnSpec("text", synthetic_data)
NUMBER = ColumnSpec("number", synthetic_data)
VALUE = ColumnSpec("value", synthetic_data)


@pytest.fixture
def here(real_data: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """MMZOO_DATA_DIR with all its data sets."""
    monkeypatch.setenv("MMZOO_DATA_DIR", str(real_data))
    if not (real_data / "text").is_dir():
        pytest.skip("texts are not in MMZOO_DATA_DIR")
    return real_data


def load_texts(name: str, **fields: object) -> Frame:
    source = Dataset.model_validate({"name": name} | fields)
    return source.read({"text": TEXT, "label": CLASS}, 0)


@pytest.mark.parametrize(
    ("name", "examples"),
    [
        ("imdb", [22_500, 2_500, 25_000]),
        ("mr", [8_636, 960, 1_066]),
        ("sst2", [6_920, 872, 1_821]),
        ("thucnews_titles", [9_000, 1_000, 10_000]),
    ],
)
def test_texts_are_python_strings(here: Path, name: str, examples: list[int]) -> None:
    data = load_texts(name)
    assert [data.examples(split) for split in ("train", "validation", "test")] == examples
    for columns in splits_of(data).values():
        assert columns["text"].dtype == object
        assert columns["label"].dtype == np.int64
    assert len(data.class_names["label"]) > 1


def test_imdb_stars_match_their_labels(here: Path) -> None:
    source = Dataset(name="imdb")
    data = source.read({"text": TEXT, "label": CLASS, "rating": NUMBER}, 0)
    for columns in splits_of(data).values():
        assert columns["rating"].dtype == np.float64
        np.testing.assert_array_equal(columns["rating"] > 5, columns["label"] == 1)
    row = data.row_names["train"].tolist().index("train/pos/0_9")
    assert splits_of(data)["train"]["text"][row].startswith("Bromwell High is a cartoon comedy.")
    assert data.class_names == {"label": ("neg", "pos")}


def test_each_row_of_mr_is_tested_in_one_fold(here: Path) -> None:
    tests = []
    for index in range(1, 11):
        data = load_texts("mr", fold={"index": index})
        tests.append(set(data.row_names["test"].tolist()))
        left = [data.row_names[split].tolist() for split in ("train", "validation")]
        assert not tests[-1] & {*left[0], *left[1]}
        assert sum(map(len, left)) + len(tests[-1]) == 10_662
        assert data.notes[0] == f"mr: fold {index} of 10 is the test split"
    assert set.union(*tests) == set(range(1, 10_663))
    assert sum(map(len, tests)) == 10_662


def test_the_first_fold_of_mr_is_the_default_test_split(here: Path) -> None:
    plain = load_texts("mr")
    assert plain.fingerprint == load_texts("mr", fold={"index": 1, "of": 10}).fingerprint
    assert plain.fingerprint != load_texts("mr", fold={"index": 2, "of": 10}).fingerprint


def test_questions_about_one_image_are_in_one_split(here: Path) -> None:
    source = Dataset(name="easy_vqa")
    data = source.read({"image": IMAGE, "question": TEXT, "label": CLASS}, 0)
    splits = [set(columns["image"].tolist()) for columns in splits_of(data).values()]
    assert len(set.union(*splits)) == sum(map(len, splits)) == 5_000
    assert data.notes == (
        "easy_vqa has no validation split: held out 3,859 of 38,575 training examples, grouped "
        "by image, seed 0",
    )


def test_recordings_are_paths(here: Path) -> None:
    data = Dataset(name="fsdd").read({"audio": IMAGE, "speaker": CLASS}, 0)
    paths = splits_of(data)["test"]["audio"]
    assert paths.dtype == object
    assert paths[0] == str(here / "fsdd" / "recordings" / "0_george_0.wav")
    assert data.row_names["test"][0] == "recordings/0_george_0.wav"
    assert data.class_names["speaker"][splits_of(data)["test"]["speaker"][0]] == "george"


def test_regression_splits_are_random() -> None:
    data = Dataset(name="diabetes").read({"bmi": VALUE, "target": NUMBER}, 5)
    assert [data.examples(split) for split in splits_of(data)] == [319, 35, 88]
    train = splits_of(data)["train"]
    assert (train["bmi"].dtype, train["target"].dtype) == (np.float64, np.float64)
    assert data.class_names == {}
    assert data.notes[1] == (
        "diabetes has no validation split: held out 35 of 354 training examples, at random, seed 5"
    )


def test_classes_as_inputs_are_their_names() -> None:
    data = Dataset(name="iris").read({"target": VALUE}, 0)
    assert set(splits_of(data)["train"]["target"]) == {"setosa", "versicolor", "virginica"}
    assert data.class_names == {}


def test_sets_without_a_test_split_support_folds() -> None:
    tests: list[bytes] = []
    for index in (1, 2, 3):
        data = load(fold={"index": index, "of": 3})
        tests += (image.tobytes() for image in splits_of(data)["test"]["image"])
        assert 599 - 1 <= data.examples("test") <= 599 + 1
        assert np.bincount(splits_of(data)["test"]["label"]).min() >= 174 // 3
    assert len(set(tests)) == len(tests) == 1_797


def test_a_column_of_the_wrong_type_is_reported_before_fetching() -> None:
    with pytest.raises(DataError, match=r"^data set imdb: column `text` holds texts, expected cl"):
        Dataset(name="imdb").read({"text": CLASS}, 0)


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"name": "imdb", "fold": {"index": 1}}, "imdb has an official test split"),
        (
            {"name": "mr", "fold": {"index": 1, "of": 5}},
            "expected 10, the number of folds that mr has",
        ),
        ({"name": "mr", "fold": {"index": 11}}, "expected at most 10"),
        ({"name": "mr", "fallback": "digits"}, "digits are images and cannot replace mr"),
        ({"name": "easy_vqa", "fallback": "digits"}, "cannot replace easy_vqa"),
        ({"name": "iris", "fallback": "digits"}, "iris is always available: leave this out"),
    ],
)
def test_unsupported_options_of_a_set_are_refused(fields: dict[str, object], problem: str) -> None:
    with pytest.raises(ValidationError, match=problem):
        Dataset.model_validate(fields)


def test_columns_of_texts_and_tables_are_known_before_reading() -> None:
    assert Dataset(name="imdb").columns() == {
        "text": "input",
        "label": "target",
        "rating": "target",
    }
    columns = Dataset(name="diabetes").columns() or {}
    assert list(columns.values()) == [*10 * ["input"], "target"]
