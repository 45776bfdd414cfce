"""Files decoded once and cached give the same batches as the files."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from frames import load_arrays

import mmzoo.decoded_files
from mmzoo.batches import evaluation_batches, training_batches
from mmzoo.config import Config, load_config
from mmzoo.decoded_files import cache_decoded, reraise_with_file_names
from mmzoo.errors import DataError
from mmzoo.lazy import tf
from mmzoo.order import TrainingOrder
from mmzoo.preprocessing import Arrays, load_frame

COUNT = 12


@pytest.fixture
def photos(tmp_path) -> Path:
    """Two classes of photos of other sizes, formats and orientations."""
    random = np.random.RandomState(0)
    for number in range(COUNT):
        folder = tmp_path / "photos" / ("cat", "dog")[number % 2]
        folder.mkdir(parents=True, exist_ok=True)
        pixels = random.randint(0, 256, (20 + number, 30 - number, 3)).astype("uint8")
        exif = PIL.Image.Exif()
        exif[0x0112] = 1 + number % 8
        ending = ("jpg", "png", "webp")[number % 3]
        PIL.Image.fromarray(pixels).save(folder / f"{number:02}.{ending}", exif=exif)
    return tmp_path / "photos"


def config(folder: Path, on_bad_row: str = "error", **train) -> Config:
    return load_config(
        {
            "name": "photos",
            "source": {
                "type": "folder",
                "path": str(folder),
                "on_bad_row": on_bad_row,
                "validation": 0.25,
                "test": 0.25,
            },
            "inputs": {
                "photo": {
                    "type": "image",
                    "shape": [16, 12, 3],
                    "augment": [{"type": "flip"}, {"type": "rotation", "degrees": 20}],
                    "encoder": {"type": "cnn", "filters": [2]},
                }
            },
            "heads": {"label": {"type": "classification", "classes": 2}},
            "train": {"batch_size": 4, **train},
        }
    ).with_columns()


def load(spec: Config) -> Arrays:
    return load_arrays(spec)


def flat(batches: tf.data.Dataset) -> list[np.ndarray]:
    return [np.asarray(part) for batch in batches for part in tf.nest.flatten(batch)]


def free(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    monkeypatch.setattr(mmzoo.decoded_files, "free_memory", lambda: size)


def test_cached_images_are_bit_identical_to_the_files(photos, messages):
    spec = config(photos)
    data = load(spec)
    kept = cache_decoded(spec, data, data.splits)
    pixels = 12 * 16 * 12 * 3
    assert messages == [f"Decoded 12 files once: {pixels / 1e3:.0f} kB, cached in memory."]
    order = TrainingOrder(0, data.examples("train"), 4)
    makers: list[Callable[[Arrays], tf.data.Dataset]] = [
        lambda data: training_batches(spec, data.splits["train"], order, 0, 6),
        lambda data: evaluation_batches(spec, data.splits["test"]),
    ]
    for make in makers:
        for ours, theirs in zip(flat(make(kept)), flat(make(data)), strict=True):
            np.testing.assert_array_equal(ours, theirs)
    assert kept.fingerprint == data.fingerprint


def test_only_requested_splits_are_decoded(photos):
    spec = config(photos)
    data = load(spec)
    kept = cache_decoded(spec, data, ["train", "validation"])
    assert kept.splits["train"]["file"].shape == (data.examples("train"), 16, 12, 3)
    assert kept.splits["validation"]["file"].dtype == np.uint8
    assert kept.splits["test"]["file"] is data.splits["test"]["file"]


@pytest.mark.slow
def test_images_larger_than_a_quarter_of_memory_are_not_cached(photos, monkeypatch, messages):
    spec = config(photos)
    data = load(spec)
    size = COUNT * 16 * 12 * 3
    free(monkeypatch, 4 * size)
    assert cache_decoded(spec, data, data.splits) is not data
    messages.clear()
    free(monkeypatch, 4 * size - 1)
    assert cache_decoded(spec, data, data.splits) is data
    assert messages == [
        "12 files are decoded in every epoch: caching them would take 7 kB of 28 kB free "
        "memory. `train.keep_decoded: true` caches them anyway."
    ]


@pytest.mark.slow
def test_caching_can_be_configured(photos, monkeypatch):
    free(monkeypatch, 0)
    data = load(config(photos))
    assert cache_decoded(config(photos, keep_decoded=True), data, data.splits) is not data
    free(monkeypatch, 10**12)
    never = config(photos, keep_decoded=False)
    assert cache_decoded(never, data, data.splits) is data


def test_arrays_are_not_cached(tiny):
    spec = load_config(tiny).with_columns()
    data = load(spec)
    assert cache_decoded(spec, data, data.splits) is data


@pytest.mark.slow
def test_inputs_sharing_files_decode_them_separately(photos):
    spec = config(photos)
    small = spec.inputs["photo"].replace(shape=(8, 8, 3))
    both = spec.replace(inputs={**spec.inputs, "small": small})
    data = load(both)
    for each in (data, cache_decoded(both, data, data.splits)):
        inputs, _ = next(iter(evaluation_batches(both, each.splits["test"])))
        assert {name: value.shape[1:] for name, value in inputs.items()} == {
            "photo": (16, 12, 3),
            "small": (8, 8, 3),
        }


def damage(path: Path) -> None:
    """Damages the pixels and not the header."""
    PIL.Image.effect_noise((200, 200), 90).save(path, format="JPEG")
    path.write_bytes(path.read_bytes()[:4000])


def test_all_undecodable_files_are_named(photos):
    """Including those with intact headers."""
    spec = config(photos)
    names = load(spec).row_names["train"][:2].tolist()
    for name in names:
        damage(photos / name)
    with pytest.raises(DataError) as caught:
        cache_decoded(spec, load(spec), ["train"])
    first, *listed, mend = str(caught.value).splitlines()
    assert first == "photos: 2 files cannot be read:"
    reason = "the image is damaged: image file is truncated"
    assert [line.split(" (")[0] for line in listed] == [f"  {name}: {reason}" for name in names]
    assert "on_bad_row: skip" in mend


def test_damaged_files_are_skipped_if_requested(photos):
    damage(photos / "cat" / "00.jpg")
    spec = config(photos, on_bad_row="skip")
    data = load(spec)
    assert [row.file for row in data.skipped] == ["cat/00.jpg"]
    assert data.skipped[0].reason.startswith("the image is damaged: ")
    kept = cache_decoded(spec, data, data.splits)
    assert sum(kept.examples(split) for split in kept.splits) == COUNT - 1


def test_bad_headers_are_refused_on_loading(photos):
    (photos / "cat" / "00.jpg").write_text("no picture")
    (photos / "dog" / "01.png").write_text("nor this")
    with pytest.raises(DataError) as caught:
        load(config(photos))
    for name in ("cat/00.jpg", "dog/01.png"):
        assert f"  {name}: not an image that mmzoo can read: expected PNG, " in str(caught.value)


@pytest.mark.parametrize("on_bad_row", ["error", "skip"])
def test_missing_files_and_bad_headers_are_reported_together(photos, on_bad_row):
    reasons = {
        "cat/00.jpg": "it is empty",
        "cat/02.webp": "not an image that mmzoo can read: expected PNG, JPEG, BMP, GIF or WEBP",
        "dog/01.png": "it is a link to a file outside the source's folder",
        "dog/03.jpg": "it is a pipe, expected a file",
    }
    (photos / "cat" / "00.jpg").write_bytes(b"")
    (photos / "cat" / "02.webp").write_text("no picture")
    (photos / "dog" / "01.png").unlink()
    (photos / "dog" / "01.png").symlink_to("/etc/hostname")
    (photos / "dog" / "03.jpg").unlink()
    os.mkfifo(photos / "dog" / "03.jpg")
    if on_bad_row == "skip":
        skipped = load(config(photos, on_bad_row)).skipped
        assert {row.file: row.reason for row in skipped} == reasons
        return
    with pytest.raises(DataError) as caught:
        load(config(photos))
    first, *listed, _ = str(caught.value).splitlines()
    assert first == "photos: 4 files cannot be read:"
    assert sorted(listed) == [f"  {name}: {reason}" for name, reason in reasons.items()]


def test_the_fingerprint_covers_names_and_contents(photos, tmp_path):
    first = load(config(photos)).fingerprint
    moved = photos.rename(tmp_path / "elsewhere")
    assert load(config(moved)).fingerprint == first
    PIL.Image.new("RGB", (30, 20)).save(moved / "cat" / "00.jpg")
    assert load(config(moved)).fingerprint != first


def test_other_sizes_are_noted(photos):
    assert (
        "photo: images of 11 sizes, from 19x31 to 25x25, are stretched to 12x16"
        in load_frame(config(photos)).notes
    )


def test_damage_in_several_splits_is_named_at_once(photos):
    spec = config(photos)
    names = {split: list(rows) for split, rows in load(spec).row_names.items()}
    for split in ("train", "validation", "test"):
        damage(photos / names[split][0])
    with pytest.raises(DataError) as caught:
        load(spec)
    first, *listed, _ = str(caught.value).splitlines()
    assert first == "photos: 3 files cannot be read:"
    assert [line.split(": ")[0].strip() for line in listed] == [
        names[split][0] for split in ("train", "validation", "test")
    ]


def test_damaged_files_are_named_by_every_consumer_of_batches(photos):
    spec = config(photos)
    data = load(spec)
    damage(photos / "cat" / "00.jpg")
    [split] = [split for split, names in data.row_names.items() if "cat/00.jpg" in names.tolist()]
    with pytest.raises(DataError) as caught, reraise_with_file_names(spec, data, split):
        flat(evaluation_batches(spec, data.splits[split]))
    assert "\n  cat/00.jpg: the image is damaged: " in str(caught.value)


def test_errors_unrelated_to_files_are_reraised(photos):
    spec = config(photos)
    data = load(spec)
    with (
        pytest.raises(tf.errors.InvalidArgumentError),
        reraise_with_file_names(spec, data, "train"),
    ):
        tf.debugging.assert_equal(1, 2)
    unread = replace(data, splits={})
    with (
        pytest.raises(tf.errors.ResourceExhaustedError),
        reraise_with_file_names(spec, unread, "train"),
    ):
        raise tf.errors.ResourceExhaustedError(None, None, "no memory")
