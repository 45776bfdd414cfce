"""The source `tfds`: prepared data sets, and what it refuses."""

from __future__ import annotations

import io
import json
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from frames import splits_of
from tfds_files import images, png, prepare

from mmzoo.data import Frame, Skipped, Tfds, apply_on_bad_row
from mmzoo.directories import cache_directory
from mmzoo.errors import DataError

ODD = ((8, 9, 3), (10, 4, 3))
"""Two alternating image shapes."""


def load(
    folder: Path,
    name: str = "things",
    required: Sequence[str] = ("label",),
    **fields: Any,
) -> Frame:
    source = Tfds(name=name, data_dir=str(folder), **fields)
    data = source.read(dict.fromkeys(required), 0)  # type: ignore[arg-type]
    return apply_on_bad_row(data, source.on_bad_row)


def load_pictures(folder: Path, name: str = "things", **fields: Any) -> Frame:
    return load(folder, name, ("image", "label"), **fields)


def error_message(folder: Path, name: str = "things", loading: Any = load, **fields: Any) -> str:
    with pytest.raises(DataError) as caught:
        loading(folder, name, **fields)
    return str(caught.value).replace(str(folder.resolve()), "FOLDER")


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `things` (all splits, images of one size) and `odd` (two sizes)."""
    folder = tmp_path_factory.mktemp("prepared")
    prepare(folder, splits={"train": 20, "validation": 4, "test": 4})
    prepare(folder, "odd", splits={"train": 20, "test": 4}, shapes=ODD)
    return folder


@pytest.fixture
def folder(prepared: Path, tmp_path: Path) -> Path:
    """A copy that a test may change."""
    return Path(shutil.copytree(prepared, tmp_path / "sets"))


def test_images_of_one_size_are_an_array(prepared: Path) -> None:
    data = load_pictures(prepared)
    assert data.name == "things/1.0.0"
    assert [data.examples(split) for split in splits_of(data)] == [20, 4, 4]
    np.testing.assert_array_equal(splits_of(data)["train"]["image"], np.stack(images(20)))
    assert splits_of(data)["train"]["image"].dtype == np.uint8
    assert splits_of(data)["test"]["label"].tolist() == [0, 1, 0, 1]
    assert data.class_names == {"label": ("cat", "dog")}
    assert data.notes == ()
    assert data.row_names == {}


def test_images_of_several_sizes_are_unpacked_to_files(prepared: Path, messages: list[str]) -> None:
    data = load_pictures(prepared, "odd")
    for pixels, path in zip(images(4, ODD), splits_of(data)["test"]["image"], strict=True):
        assert Path(path).is_relative_to(cache_directory() / "tfds")
        assert Path(path).read_bytes().startswith(b"\x89PNG")
        from PIL import Image

        with Image.open(path) as image:
            np.testing.assert_array_equal(np.asarray(image), pixels)
    assert data.row_names["test"].tolist() == [f"test/0000000{row}.png" for row in range(4)]
    assert [line.partition(" into ")[0] for line in messages] == [
        "unpacking the train images of odd/1.0.0",
        "unpacking the test images of odd/1.0.0",
    ]


def test_unpacked_files_are_reused(prepared: Path, messages: list[str]) -> None:
    first = load_pictures(prepared, "odd")
    messages.clear()
    again = load_pictures(prepared, "odd")
    assert messages == []
    assert again.fingerprint == first.fingerprint
    np.testing.assert_array_equal(
        splits_of(again)["train"]["image"], splits_of(first)["train"]["image"]
    )


def test_images_of_another_preparation_are_not_reused(folder: Path, messages: list[str]) -> None:
    before = splits_of(load_pictures(folder, "odd"))["test"]["image"]
    messages.clear()
    [stored] = (folder / "odd" / "1.0.0").glob("*test.tfrecord*")
    os.utime(stored, (0, 0))
    after = splits_of(load_pictures(folder, "odd"))["test"]["image"]
    assert len(messages) == 1
    assert not set(before) & set(after)


def test_images_larger_than_memory_are_unpacked(
    prepared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mmzoo.data.tfds_columns.IN_MEMORY", 28 * 64 - 1)
    assert splits_of(load_pictures(prepared))["train"]["image"].dtype == object
    monkeypatch.setattr("mmzoo.data.tfds_columns.IN_MEMORY", 28 * 64)
    assert splits_of(load_pictures(prepared))["train"]["image"].dtype == np.uint8


def test_failed_unpacking_leaves_nothing(prepared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Path, content: bytes) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "write_bytes", full)
        assert error_message(prepared, "odd", load_pictures).endswith(
            "/image/train: images of odd/1.0.0 cannot be unpacked there: No space left on "
            "device. Free some space, or set MMZOO_CACHE_DIR to a folder on another disk."
        )
    assert not [path for path in (cache_directory() / "tfds").rglob("*") if path.is_file()]
    assert not list((cache_directory() / "tfds").rglob("*.tmp"))
    assert load_pictures(prepared, "odd").examples("test") == 4


def test_bad_images_are_named_or_skipped(folder: Path) -> None:
    path = Path(splits_of(load_pictures(folder, "odd"))["test"]["image"][1])
    path.write_bytes(b"")
    assert error_message(folder, "odd", load_pictures).splitlines()[:2] == [
        "odd/1.0.0: 1 file cannot be read:",
        "  test/00000001.png: it is empty",
    ]
    data = load_pictures(folder, "odd", on_bad_row="skip")
    assert data.skipped == (Skipped("test/00000001.png", "test", "it is empty"),)
    assert splits_of(data)["test"]["label"].tolist() == [0, 0, 1]


def test_pictures_that_cannot_be_read_are_never_drawn_into_a_split(folder: Path) -> None:
    first = load_pictures(folder, "odd")
    drawn = splits_of(first)["validation"]["image"].tolist()
    for path in drawn:
        Path(path).write_bytes(b"")
    data = load_pictures(folder, "odd", on_bad_row="skip")
    assert [data.examples(split) for split in ("train", "validation", "test")] == [16, 2, 4]
    assert not set(splits_of(data)["validation"]["image"]) & set(drawn)
    assert sorted(splits_of(data)["validation"]["label"].tolist()) == [0, 1]
    assert data.fingerprint != first.fingerprint


# Splits


def test_missing_splits_are_sampled(prepared: Path) -> None:
    data = load(prepared, "odd")
    assert [data.examples(split) for split in ("train", "validation", "test")] == [18, 2, 4]
    assert data.notes == (
        "odd/1.0.0 has no validation split: held out 2 of 20 training examples, stratified "
        "by label, seed 0",
    )


def test_splits_can_be_renamed(prepared: Path) -> None:
    data = load(prepared, test_split="validation", validation_split=None, validation=0.2)
    assert [data.examples(split) for split in ("train", "validation", "test")] == [16, 4, 4]
    assert len({load(prepared).fingerprint, data.fingerprint}) == 2


def test_unknown_split(prepared: Path) -> None:
    assert error_message(prepared, test_split="tests") == (
        "source.test_split: data set things/1.0.0 has no split 'tests'; did you mean 'test'? "
        "There are: train, validation, test."
    )
    assert error_message(prepared, train_split="all") == (
        "source.train_split: data set things/1.0.0 has no split 'all'. There are: train, "
        "validation, test."
    )


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"test_split": "train"}, "expected another split than train_split, or null"),
        (
            {"train_split": "train[:10%]"},
            r"expected the name of a whole split; got text 'train\[:10%\]'",
        ),
        ({"name": "huggingface:beans"}, "expected a data set such as beans, .* got text 'hugg"),
        ({"name": "kaggle:a/b"}, "expected a data set such as"),
        ({"name": "../things"}, "expected a data set such as"),
        ({"name": "things/.."}, "expected a data set such as"),
        ({"name": "things\n"}, "expected a data set such as"),
        ({"name": "things:latest"}, "expected a data set such as"),
        ({"name": "things:1.0.0/x"}, "expected a data set such as"),
    ],
)
def test_fields_out_of_range(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Tfds(**{"name": "things"} | fields)


@pytest.mark.parametrize("name", ["beans", "beans:0.1.0", "a_1/fog-1.x", "a/b:10.0.1"])
def test_valid_and_invalid_names(name: str) -> None:
    assert Tfds(name=name).name == name


# Columns


def test_unknown_columns(prepared: Path) -> None:
    assert error_message(prepared, required=["images"]) == (
        "data set things/1.0.0 has no column `images`. Did you mean `image`? There are: image, "
        "label."
    )


def test_unsupported_features(tmp_path: Path) -> None:
    tfds = pytest.importorskip("tensorflow_datasets", reason="needs mmzoo[tfds]")
    deep = tfds.features.Image(shape=(4, 4, 1), dtype=np.uint16)
    prepare(
        tmp_path,
        features={
            "words": (tfds.features.Text(), "a picture"),
            "deep": (deep, np.zeros((4, 4, 1), np.uint16)),
        },
    )
    assert load(tmp_path).examples("train") == 14
    assert error_message(tmp_path, required=["words"]) == (
        "data set things/1.0.0: its column `words` is Text(shape=(), dtype=string). mmzoo reads "
        "8-bit images (Image) and labels (ClassLabel) of TensorFlow Datasets: image, label."
    )
    assert "its column `deep` is Image(shape=(4, 4, 1), dtype=uint16)" in error_message(
        tmp_path, required=["deep"]
    )


def test_a_split_without_labels(tmp_path: Path) -> None:
    prepare(tmp_path, splits={"train": 20}, labels=(0, 1, -1))
    assert error_message(tmp_path) == (
        "data set things/1.0.0: 6 of 20 examples of its train split have no `label`. Prepare a "
        "configuration that has labels."
    )
    shutil.rmtree(tmp_path / "things")
    prepare(tmp_path, splits={"train": 20, "extra": 4})
    assert load(tmp_path, test_split="extra").examples("test") == 4


def test_only_required_columns_are_in_the_data(prepared: Path) -> None:
    data = load(prepared, "odd", required=["image"])
    assert [list(columns) for columns in splits_of(data).values()] == [["image"]] * 3
    assert data.class_names == {}


# Where it is


def test_the_newest_version_is_the_default(folder: Path) -> None:
    for version in ("1.0.10", "1.0.9"):
        prepare(folder, version=version)
    assert load(folder).name == "things/1.0.10"
    assert load(folder, "things:1.0.9").name == "things/1.0.9"


def test_several_configurations_are_listed(tmp_path: Path) -> None:
    prepare(tmp_path, config="small")
    assert load(tmp_path).name == "things/small/1.0.0"
    prepare(tmp_path, config="large")
    assert load(tmp_path, "things/large:1.0.0").name == "things/large/1.0.0"
    assert error_message(tmp_path) == (
        "source.name: FOLDER/things has several configurations. Choose one: things/large, "
        "things/small."
    )


def test_the_folder_can_come_from_the_environment(
    prepared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TFDS_DATA_DIR", str(prepared))
    assert Tfds(name="things").read({"label": None}, 0).examples("train") == 20  # type: ignore[dict-item]


def test_missing_data_set(tmp_path: Path) -> None:
    pytest.importorskip("tensorflow_datasets", reason="needs mmzoo[tfds]")
    assert error_message(tmp_path, "beens") == (
        "source.name: data set beens is not in FOLDER, and TensorFlow Datasets has no data set "
        "of that name. Did you mean `beans`? Set `source.data_dir` to the folder of a prepared one."
    )
    assert error_message(tmp_path, "beans") == (
        "data set beans is not in FOLDER, and MMZOO_OFFLINE is set, so nothing is downloaded."
    )


def test_data_sets_of_the_package_are_prepared(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    messages: list[str],
) -> None:
    tfds = pytest.importorskip("tensorflow_datasets", reason="needs mmzoo[tfds]")
    monkeypatch.delenv("MMZOO_OFFLINE")
    raw = tmp_path / "raw.png"
    raw.write_bytes(png(images(1)[0]))

    class MadeForMmzoo(tfds.core.GeneratorBasedBuilder):  # type: ignore[misc]
        """Twenty copies of one image, which must exist first."""

        VERSION = tfds.core.Version("2.0.0")

        def _info(self) -> Any:
            return tfds.core.DatasetInfo(
                builder=self,
                features=tfds.features.FeaturesDict(
                    {
                        "image": tfds.features.Image(shape=(8, 8, 1)),
                        "label": tfds.features.ClassLabel(num_classes=2),
                    }
                ),
            )

        def _split_generators(self, dl_manager: Any) -> Any:
            return {"train": self._generate_examples()}

        def _generate_examples(self) -> Any:
            for row in range(20):
                yield row, {"image": io.BytesIO(raw.read_bytes()), "label": row % 2}

    data = load(tmp_path / "sets", "made_for_mmzoo")
    assert data.name == "made_for_mmzoo/2.0.0"
    assert data.class_names == {"label": ("0", "1")}
    assert [line.replace(str(tmp_path.resolve()), "TMP") for line in messages] == [
        "data set made_for_mmzoo is not in TMP/sets: TensorFlow Datasets downloads and prepares it "
        "there"
    ]
    assert load(tmp_path / "sets", "made_for_mmzoo").examples("train") == 14
    raw.unlink()
    assert capsys.readouterr().out == ""  # Where results go, as JSON if that is asked for.
    assert error_message(tmp_path / "other", "made_for_mmzoo").startswith(
        "data set made_for_mmzoo is not in FOLDER, and TensorFlow Datasets cannot prepare it "
        "(FileNotFoundError: "
    )


def test_missing_package(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "tensorflow_datasets", None)
    message = error_message(tmp_path)
    assert message.startswith(
        "the source `tfds` needs the package tensorflow-datasets, which is an extra: run "
        "`pip install 'mmzoo[tfds]'` ("
    )


# Damage and malice


def test_descriptions_cannot_name_code(folder: Path, tmp_path: Path) -> None:
    description = folder / "things" / "1.0.0" / "features.json"
    complete = description.read_text()
    (tmp_path / "evil_of_mmzoo.py").write_text("raise SystemExit('ran')")
    sys.path.insert(0, str(tmp_path))
    try:
        for corrupt in (
            complete.replace("tensorflow_datasets.core.features.image_feature", "evil_of_mmzoo"),
            complete.replace("pythonClassName", "python_class_name", 1).replace(
                "tensorflow_datasets.core.features.image_feature", "evil_of_mmzoo"
            ),
            json.dumps({"type": "evil_of_mmzoo.Image", "content": {}}),
            json.dumps({"jsonFeature": {"json": '{"type": "evil_of_mmzoo.Image"}'}}),
        ):
            assert corrupt != complete
            description.write_text(corrupt)
            assert error_message(folder) == (
                "FOLDER/things/1.0.0/features.json: it names a Python class, evil_of_mmzoo.Image, "
                "which is not one of TensorFlow Datasets. mmzoo runs no code that comes with data."
            )
    finally:
        sys.path.remove(str(tmp_path))
    assert "evil_of_mmzoo" not in sys.modules


def test_damaged_files_are_reported(folder: Path) -> None:
    things = folder / "things" / "1.0.0"
    [stored] = things.glob("*validation.tfrecord*")
    content = stored.read_bytes()
    stored.write_bytes(content[:-40])
    assert error_message(folder, loading=load_pictures).startswith(
        "FOLDER/things/1.0.0: column `image` of its validation split cannot be read: "
    )
    stored.write_bytes(
        content[: len(content) // 2 - 8] + b"12345678" + content[len(content) // 2 :]
    )
    assert error_message(folder, loading=load_pictures).endswith(
        ". Remove the folder and prepare the data set again."
    )
    stored.unlink()
    assert error_message(folder, loading=load_pictures).endswith(
        ". Remove the folder and prepare the data set again."
    )


def test_a_damaged_description_is_reported(folder: Path) -> None:
    things = folder / "things" / "1.0.0"
    (things / "dataset_info.json").write_text("{")
    assert error_message(folder).startswith(
        "FOLDER/things/1.0.0: not a prepared data set of TensorFlow Datasets, or damaged ("
    )
    (things / "features.json").write_text("[" * 100_000)
    assert error_message(folder).startswith(
        "FOLDER/things/1.0.0/features.json: the file is damaged ("
    )
