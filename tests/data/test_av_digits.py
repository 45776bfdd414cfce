"""av_digits: pairs of one class, disjoint splits, and noise."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from digit_files import make_digits
from frames import splits_of
from pydantic import ValidationError

from mmzoo.column_spec import ColumnSpec
from mmzoo.data import AvDigits, Frame
from mmzoo.data.av_digits import add_audio_noise, add_image_noise, draw_partners
from mmzoo.errors import DataError


def synthetic_data(random: np.random.RandomState, rows: int) -> np.ndarray:
    raise AssertionError("nothing is to be made up")


FILE, CLASS = ColumnSpec("file", synthetic_data), ColumnSpec("class", synthetic_data)
ALL = {"image": FILE, "audio": FILE, "label": CLASS, "speaker": CLASS}
PAIRS = {"train": 45, "validation": 20, "test": 250}
CLEAN = {"image_noise": 0.0, "audio_snr": None}


def load(columns: dict[str, ColumnSpec] | None = None, train_seed: int = 0, **fields: Any) -> Frame:
    source = AvDigits.model_validate({"pairs": PAIRS} | fields)
    return source.read(columns or ALL, train_seed)


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    make_digits(tmp_path, monkeypatch)
    return tmp_path


def test_splits_have_the_requested_pairs_per_digit(made: Path) -> None:
    data = load()
    for split, columns in splits_of(data).items():
        pairs = PAIRS[split]
        assert columns["image"].shape == (pairs, 8, 8, 1)
        assert columns["audio"].shape == (pairs, 8_000)
        assert (columns["image"].dtype, columns["audio"].dtype) == (np.uint8, np.int16)
        assert np.ptp(np.bincount(columns["label"], minlength=10)) <= 1
    assert data.class_names["label"] == tuple("0123456789")
    assert data.notes == (
        "av_digits: pairs of mnist and fsdd (45 train, 20 validation, 250 test), image noise 250 "
        "grey levels, audio SNR -8 dB, seed 0",
    )


def test_both_halves_of_a_pair_have_its_class(made: Path) -> None:
    data = load(validation=0.3, **CLEAN)
    for split, columns in splits_of(data).items():
        digits, numbers, official = columns["image"][:, 0, :3, 0].T
        np.testing.assert_array_equal(digits, columns["label"])
        for row, name in enumerate(data.row_names[split].tolist()):
            image, recording = name.split(" + recordings/")
            assert image == f"{('train', 'test')[official[row]]}/{numbers[row]:05d}"
            digit, speaker, index = recording.removesuffix(".wav").split("_")
            assert int(digit) == columns["label"][row]
            assert data.class_names["speaker"][columns["speaker"][row]] == speaker
            # The sound is the recording that the name says: a tone, then silence.
            sound = columns["audio"][row]
            length = 1_000 + 100 * int(index)
            assert np.abs(sound[:length]).max() == 32_767
            assert not sound[length:].any()
            loudest = np.abs(np.fft.rfft(sound[:1_000])).argmax() * 8
            assert abs(loudest - (300 + 50 * int(digit))) <= 8


def test_splits_are_disjoint(made: Path) -> None:
    data = load(validation=0.3, **CLEAN)
    images, recordings = {}, {}
    for split, names in data.row_names.items():
        both = [name.split(" + ") for name in names.tolist()]
        images[split], recordings[split] = map(set, zip(*both, strict=True))
    for side in (images, recordings):
        assert side["train"].isdisjoint(side["validation"])
        assert side["test"].isdisjoint(side["train"] | side["validation"])
    assert {name.split("/")[0] for name in images["test"]} == {"test"}
    assert {name.split("/")[0] for name in images["train"]} == {"train"}
    # As many pairs as these use all that there are.
    assert len(images["test"]) == 20
    assert len(recordings["test"]) == 100
    assert all(int(name[-5]) < 5 for name in recordings["test"])
    assert all(int(name[-5]) >= 5 for name in recordings["train"] | recordings["validation"])


def test_partners_are_assigned_evenly() -> None:
    labels, classes = np.arange(100) % 2, np.array([0, 1, 0, 1, 0, 0, 1])
    rows = draw_partners(labels, classes, np.array([0, 1, 2, 3, 4]), np.random.RandomState(0))
    np.testing.assert_array_equal(classes[rows], labels)
    zeros, ones = np.bincount(rows)[[0, 2, 4]], np.bincount(rows)[[1, 3]]
    assert sorted(zeros.tolist()) == [16, 17, 17]
    assert ones.tolist() == [25, 25]


def test_pairs_depend_on_the_fields_and_not_on_the_training_seed(made: Path) -> None:
    first, again = load(), load(train_seed=7)
    assert first.fingerprint == again.fingerprint
    for split, columns in splits_of(first).items():
        np.testing.assert_array_equal(first.row_names[split], again.row_names[split])
        for column, values in columns.items():
            np.testing.assert_array_equal(values, splits_of(again)[split][column])


def test_columns_are_independent(made: Path) -> None:
    both = load()
    for column in ALL:
        single = load({column: ALL[column]})
        for split, columns in splits_of(single).items():
            assert list(columns) == [column]
            np.testing.assert_array_equal(columns[column], splits_of(both)[split][column])


@pytest.mark.parametrize(
    "fields",
    [
        {"image_noise": 251.0},
        {"audio_snr": -7.0},
        {"audio_snr": None},
        {"validation": 0.2},
        {"seed": 1},
        {"pairs": PAIRS | {"train": 46}},
    ],
    ids=str,
)
def test_other_fields_have_another_fingerprint(made: Path, fields: dict[str, Any]) -> None:
    assert load(**fields).fingerprint != load().fingerprint


def test_other_files_have_another_fingerprint(made: Path, tmp_path_factory: Any) -> None:
    first = load().fingerprint
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("digit_files.RECORDINGS", 8)
        make_digits(tmp_path_factory.mktemp("other"), patch)
        assert load().fingerprint != first


def test_images_have_noise_of_the_requested_std() -> None:
    random = np.random.RandomState(0)
    grey = np.full((600, 28, 28, 1), 128, np.uint8)
    noisy = add_image_noise(grey, 20.0, random)
    assert (noisy.dtype, noisy.shape) == (np.uint8, grey.shape)
    assert noisy.mean() == pytest.approx(128, abs=0.1)
    assert noisy.std() == pytest.approx(20, rel=0.01)
    assert add_image_noise(grey, 0.0, random) is grey
    strong = add_image_noise(grey, 250.0, random)
    # 128 levels are 0.512 deviations: of a normal distribution, 30.4 % lie beyond on either side.
    assert (strong == 0).mean() == pytest.approx(0.304, abs=0.01)
    assert (strong == 255).mean() == pytest.approx(0.304, abs=0.01)


@pytest.mark.parametrize("snr", [-8.0, 0.0, 20.0])
def test_audio_has_noise_of_the_requested_power(snr: float) -> None:
    tone = np.rint(3_000 * np.sin(0.3 * np.arange(4_000)))
    clean = np.zeros((300, 8_000), np.int16)
    clean[:, :4_000] = tone
    noisy = add_audio_noise(clean, np.full(300, 4_000), snr, np.random.RandomState(0))
    assert noisy.dtype == np.int16
    np.testing.assert_array_equal(np.abs(noisy.astype(int)).max(axis=1), 32_767)
    heard, hiss = noisy[:, :4_000].astype(float), noisy[:, 4_000:].astype(float)
    found = 10 * np.log10((np.square(heard).mean(1) / np.square(hiss).mean(1) - 1).mean())
    assert found == pytest.approx(snr, abs=0.3)


def test_audio_without_noise_is_only_made_louder() -> None:
    clean = np.array([[100, -200, 50, 0], [0, 0, 0, 0]], np.int16)
    random = np.random.RandomState(0)
    loud = add_audio_noise(clean, np.array([3, 3]), None, random)
    assert loud.tolist() == [[16_384, -32_767, 8_192, 0], [0, 0, 0, 0]]
    # Silence has no power, and so has what is added to it.
    assert not add_audio_noise(clean, np.array([3, 3]), -8.0, random)[1].any()


def test_noise_differs_by_row_and_not_by_block() -> None:
    grey = np.full((300, 4), 128, np.uint8)
    noisy = add_image_noise(grey, 20.0, np.random.RandomState(0))
    assert len(np.unique(noisy, axis=0)) == 300
    fewer = add_image_noise(grey[:270], 20.0, np.random.RandomState(0))
    np.testing.assert_array_equal(fewer, noisy[:270])


def test_a_missing_column_is_reported_before_reading() -> None:
    with pytest.raises(DataError, match=r"^data set av_digits has no column `sound`\."):
        load({"sound": FILE})


def test_a_column_of_the_wrong_type_is_reported_before_reading() -> None:
    with pytest.raises(DataError, match=r"^data set av_digits: column `audio` holds files, expec"):
        load({"audio": CLASS})


def test_missing_data_sets_are_named() -> None:
    with pytest.raises(
        DataError, match=r"^av_digits consists of mnist and fsdd: data set mnist is not available"
    ):
        load()


@pytest.mark.parametrize(
    "fields",
    [
        {"pairs": {"train": 9}},
        {"image_noise": -1.0},
        {"image_noise": float("nan")},
        {"audio_snr": 101.0},
        {"validation": 0.0},
        {"seed": -1},
    ],
    ids=str,
)
def test_invalid_fields_are_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        AvDigits.model_validate(fields)


def test_real_pairs_have_one_class_and_disjoint_splits(
    real_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not ((real_data / "mnist").is_dir() and (real_data / "fsdd").is_dir()):
        pytest.skip("mnist and fsdd are not in MMZOO_DATA_DIR")
    monkeypatch.setenv("MMZOO_DATA_DIR", str(real_data))
    data = AvDigits().read({"image": FILE, "label": CLASS}, 0)
    assert {split: data.examples(split) for split in splits_of(data)} == {
        "train": 6_000,
        "validation": 1_000,
        "test": 2_000,
    }
    seen: dict[str, list[set[str]]] = {}
    for split, names in data.row_names.items():
        assert np.bincount(splits_of(data)[split]["label"]).tolist() == [len(names) // 10] * 10
        both = [name.split(" + recordings/") for name in names.tolist()]
        assert [int(name[0]) for _, name in both] == splits_of(data)[split]["label"].tolist()
        assert all((int(name[:-4].split("_")[2]) < 5) == (split == "test") for _, name in both)
        seen[split] = [set(side) for side in zip(*both, strict=True)]
    for one, other in (("train", "validation"), ("train", "test"), ("validation", "test")):
        for side, others in zip(seen[one], seen[other], strict=True):
            assert side.isdisjoint(others)
    assert [len(side) for side in seen["train"]] == [6_000, 2_430]
    assert [len(side) for side in seen["validation"]] == [1_000, 270]
    assert [len(side) for side in seen["test"]] == [2_000, 300]
