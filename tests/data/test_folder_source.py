"""The source `folder`: which files it lists, ignores and refuses."""

from __future__ import annotations

import os
import stat
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from frames import splits_of

from mmzoo.column_spec import ColumnSpec
from mmzoo.data import Folder, Frame, Skipped, apply_on_bad_row
from mmzoo.data.splits import Fold
from mmzoo.errors import DataError

WANTED: Any = {"file": None, "label": None}


def write(root: Path, *paths: str, content: bytes = b"x") -> None:
    for path in paths:
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Ten files of each of two classes."""
    root = tmp_path / "photos"
    write(root, *(f"{name}/{number}.jpg" for name in ("dog", "cat") for number in range(10)))
    return root


@pytest.fixture
def split_photos(tmp_path: Path) -> Path:
    """Folders of splits: train has ten files of each class, the others two."""
    root = tmp_path / "split"
    for split, files in (("Train", 10), ("val", 2), ("test", 2)):
        write(root, *(f"{split}/{name}/{i}.jpg" for name in ("cat", "dog") for i in range(files)))
    return root


def load(
    root: Path, required: Sequence[str] = tuple(WANTED), seed: int = 0, **fields: Any
) -> Frame:
    """Frame after apply_on_bad_row."""
    folder = Folder(path=str(root), **fields)
    data = folder.read(dict.fromkeys(required), seed)  # type: ignore[arg-type]
    return apply_on_bad_row(data, folder.on_bad_row)


def error_message(root: Path, **fields: Any) -> str:
    with pytest.raises(DataError) as caught:
        load(root, **fields)
    return str(caught.value).replace(str(root.resolve()), "ROOT")


def names(data: Frame, split: str = "train") -> list[str]:
    return [str(name) for name in data.row_names[split]]


def all_names(data: Frame) -> list[str]:
    return sorted(name for split in splits_of(data) for name in names(data, split))


def about(data: Frame, word: str) -> list[str]:
    return [note for note in data.notes if word in note]


# What is listed


def test_class_folders_are_split_in_three(photos: Path) -> None:
    data = load(photos)
    assert data.name == "photos"
    assert data.class_names == {"label": ("cat", "dog")}
    assert {split: data.examples(split) for split in splits_of(data)} == {
        "train": 14,
        "validation": 2,
        "test": 4,
    }
    for split, columns in splits_of(data).items():
        assert np.bincount(columns["label"]).tolist() == [data.examples(split) // 2] * 2
    assert len(set(all_names(data))) == 20
    assert data.notes == (
        "photos has no test split: held out 4 of 20 training examples, stratified by label, seed 0",
        "photos has no validation split: held out 2 of 16 training examples, stratified by "
        "label, seed 0",
    )


def test_files_are_absolute_and_row_names_relative(photos: Path) -> None:
    data = load(photos)
    for split, columns in splits_of(data).items():
        for file, name, label in zip(
            columns["file"], data.row_names[split], columns["label"], strict=True
        ):
            assert str(file) == str(photos.resolve() / str(name))
            assert str(name).startswith(("cat/", "dog/")[label])


def test_split_folders_are_used(split_photos: Path) -> None:
    data = load(split_photos)
    assert names(data, "validation") == [
        *("val/cat/0.jpg", "val/cat/1.jpg", "val/dog/0.jpg", "val/dog/1.jpg")
    ]
    assert splits_of(data)["validation"]["label"].tolist() == [0, 0, 1, 1]
    assert names(data, "train")[:2] == ["Train/cat/0.jpg", "Train/cat/1.jpg"]
    assert data.examples("train") == 20
    assert data.notes == ()


def test_only_a_missing_split_is_sampled(split_photos: Path) -> None:
    (split_photos / "val").rename(split_photos.parent / "val")
    data = load(split_photos)
    assert [data.examples(split) for split in ("train", "validation", "test")] == [18, 2, 4]
    assert data.notes == (
        "split has no validation split: held out 2 of 20 training examples, stratified by "
        "label, seed 0",
    )


def test_files_are_sorted_by_name(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = load(photos)
    for folder in photos.iterdir():
        for file in sorted(folder.iterdir(), reverse=True):  # Made anew, last first.
            file.rename(tmp_path / "file")
            (tmp_path / "file").rename(file)
    monkeypatch.chdir(tmp_path)
    again = load(Path("photos"))
    assert again.fingerprint == first.fingerprint
    for split in splits_of(first):
        assert names(first, split) == names(again, split)
        assert names(first, split) == sorted(names(first, split))


def test_the_fingerprint_covers_names_labels_and_splits(photos: Path, tmp_path: Path) -> None:
    first = load(photos).fingerprint
    assert load(photos.rename(tmp_path / "moved")).fingerprint == first
    moved = tmp_path / "moved"
    assert load(moved, required=["label"]).fingerprint == first
    assert load(moved, validation=0.2).fingerprint != first
    (moved / "dog" / "0.jpg").rename(moved / "dog" / "renamed.jpg")
    assert load(moved).fingerprint != first
    (moved / "dog" / "renamed.jpg").rename(moved / "dog" / "0.jpg")
    (moved / "dog").rename(moved / "fox")
    assert load(moved).fingerprint != first


def test_suffixes_ignore_case(photos: Path) -> None:
    write(photos, "cat/A.JPG", "cat/b.Png", "cat/c.webp", "cat/d.jpeg", "cat/e.BMP", "cat/f.gif")
    assert len(all_names(load(photos))) == 26
    write(photos, *(f"{name}/{i}.wav" for name in ("cat", "dog") for i in range(10)))
    recordings = load(photos, suffixes=(".WAV",))
    assert len(all_names(recordings)) == 20
    assert all(name.endswith(".wav") for name in all_names(recordings))


def test_unusual_names_are_accepted(photos: Path) -> None:
    odd = ["cat/a\nb.jpg", "cat/=1+1.jpg", "cat/ü 猫.jpg", "cat/\x1b[31m.jpg", 'cat/a,b".jpg']
    write(photos, *odd)
    assert set(odd) < set(all_names(load(photos)))


def test_links_within_the_folder_are_followed(photos: Path, tmp_path: Path) -> None:
    (photos / "cat" / "link.jpg").symlink_to("../dog/0.jpg")
    (tmp_path / "link").symlink_to(photos)
    data = load(tmp_path / "link")
    assert "cat/link.jpg" in all_names(data)
    assert data.name == "photos"


# What is left aside


def test_hidden_files_and_other_suffixes_are_skipped_with_a_note(photos: Path) -> None:
    write(photos, ".git/a.jpg", "__MACOSX/cat/a.jpg", "cat/.a.jpg", "cat/@eaDir/a.jpg", "readme.md")
    write(photos, "cat/notes.txt", "dog/b.txt", "dog/a\x1b.txt", "dog/c.txt")
    data = load(photos)
    assert len(all_names(data)) == 20
    assert about(data, "ignored") == [
        "photos: ignored hidden files: .git, __MACOSX, cat/.a.jpg and 1 more",
        r"photos: ignored files with other suffixes: cat/notes.txt, dog/a\x1b.txt, dog/b.txt "
        "and 2 more",
    ]


def test_folders_in_class_folders_are_refused_read_or_ignored(photos: Path) -> None:
    write(photos, "cat/more/a.jpg", "cat/more/b/c.jpg", "dog/x.jpg/d.jpg")
    assert error_message(photos) == (
        "ROOT: there are folders within class folders: cat/more, dog/x.jpg. Write `nested: "
        "include` into the config's source to include their files in the class, or `nested: "
        "ignore` to ignore them."
    )
    included = load(photos, nested="include")
    assert {"cat/more/a.jpg", "cat/more/b/c.jpg", "dog/x.jpg/d.jpg"} < set(all_names(included))
    ignored = load(photos, nested="ignore")
    assert len(all_names(ignored)) == 20
    assert about(ignored, "ignored") == [
        "photos: ignored folders within class folders: cat/more, dog/x.jpg"
    ]


def test_links_to_folders_are_not_followed(photos: Path) -> None:
    (photos / "cat" / "loop").symlink_to("..")
    (photos / "dog" / "away").symlink_to("/")
    assert len(all_names(load(photos, nested="ignore"))) == 20
    expected_message = error_message(photos, nested="include")
    assert expected_message.startswith("photos: 2 files cannot be read:\n")
    assert "  cat/loop: it is a folder, expected a file\n" in expected_message
    assert "  dog/away: it is a link to a file outside the source's folder\n" in expected_message
    skipped = load(photos, nested="include", on_bad_row="skip").skipped
    assert {row.file for row in skipped} == {"cat/loop", "dog/away"}


def test_a_class_that_is_a_link_is_refused(photos: Path, tmp_path: Path) -> None:
    write(tmp_path, "elsewhere/fox/a.jpg")
    (photos / "fox").symlink_to(tmp_path / "elsewhere" / "fox")
    assert error_message(photos) == (
        "ROOT: links to folders are not followed, as they may lead out of the source: fox. "
        "Replace each link by the folder, or change `source.path`."
    )


# Bad files


def add_bad_files(photos: Path) -> None:
    """Adds one bad file of each kind to the class of cats."""
    write(photos, "cat/empty.jpg", content=b"")
    (photos / "cat" / "gone.jpg").symlink_to("nothing.jpg")
    (photos / "cat" / "out.jpg").symlink_to("/dev/zero")
    (photos / "cat" / "self.jpg").symlink_to("self.jpg")
    os.mkfifo(photos / "cat" / "pipe.jpg")
    write(photos, os.fsdecode(b"cat/\xff.jpg"))


REASONS = {
    "cat/empty.jpg": "it is empty",
    "cat/gone.jpg": "it is a link to a file that does not exist",
    "cat/out.jpg": "it is a link to a file outside the source's folder",
    "cat/self.jpg": "it is a link to itself",
    "cat/pipe.jpg": "it is a pipe, expected a file",
    r"cat/\udcff.jpg": "its name is not UTF-8 text",
}


def test_bad_files_are_named_with_their_reasons(photos: Path) -> None:
    add_bad_files(photos)
    first, *lines, fix = error_message(photos).splitlines()
    assert first == "photos: 6 files cannot be read:"
    assert dict(line.strip().split(": ") for line in lines) == REASONS
    assert fix == (
        "Replace or remove them, or write `on_bad_row: skip` into the config's source to go on "
        "without them."
    )


def test_bad_files_are_skipped_and_listed(photos: Path) -> None:
    good = set(all_names(load(photos)))
    add_bad_files(photos)
    data = load(photos, on_bad_row="skip")
    assert set(all_names(data)) == good
    assert {row.file: row.reason for row in data.skipped} == REASONS
    assert {row.split for row in data.skipped} <= {"train", "validation", "test"}
    assert sum("that cannot be read: cat/" in note for note in data.notes) > 0
    for row in data.skipped:
        row.file.encode()
    for split, columns in splits_of(data).items():
        assert len(columns["file"]) == len(columns["label"]) == len(data.row_names[split])


def test_a_bad_file_of_a_split_is_skipped_there(split_photos: Path) -> None:
    write(split_photos, "val/dog/0.jpg", content=b"")
    data = load(split_photos, on_bad_row="skip")
    assert data.skipped == (Skipped("val/dog/0.jpg", "validation", "it is empty"),)
    assert about(data, "skipped") == [
        "split: skipped 1 of 4 validation examples that cannot be read: val/dog/0.jpg"
    ]


def test_a_class_must_not_lose_all_files_to_train_on(split_photos: Path) -> None:
    write(split_photos, *(f"Train/cat/{i}.jpg" for i in range(10)), content=b"")
    assert error_message(split_photos, on_bad_row="skip") == (
        "split: none of the 10 training files of class 'cat' can be read, such as Train/cat/0.jpg. "
        "Replace some of them, or remove the class."
    )


# What is no such folder


def test_a_missing_folder(photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError) as caught:
        load(Path("photo"))
    assert str(caught.value) == (
        f"source.path: there is no folder photo. Did you mean {tmp_path.resolve()}/photos?"
    )
    with pytest.raises(DataError) as caught:
        load(Path("data/mine"))
    assert str(caught.value) == (
        f"source.path: there is no folder data/mine, nor a folder data in {tmp_path.resolve()}. "
        "Create it, or use `--set source.path=YOUR_FOLDER`."
    )


def test_a_file_instead_of_a_folder(photos: Path) -> None:
    assert (
        error_message(photos / "cat" / "0.jpg") == "source.path: ROOT is a file, expected a folder."
    )


def test_tilde_is_the_home_folder(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(photos.parent))
    assert load(Path("~/photos")).fingerprint == load(photos).fingerprint


def test_files_without_a_class(photos: Path, tmp_path: Path) -> None:
    write(photos, "a.jpg")
    assert error_message(photos) == (
        "ROOT: 1 file lies directly in the folder, so without a class: a.jpg. Expected a "
        "folder per class: move each file into the folder of its class, or away."
    )
    assert error_message(photos / "cat").startswith(
        "ROOT: 10 files lie directly in the folder, so without a class: "
        "0.jpg, 1.jpg, 2.jpg and 7 more. Expected"
    )


def test_a_folder_without_folders(tmp_path: Path) -> None:
    assert error_message(tmp_path) == (
        "ROOT: there are no folders in it. Expected a folder per class with its files; or "
        "folders train, validation and test, each with a folder per class."
    )


def test_a_single_class(photos: Path) -> None:
    (photos / "dog").rename(photos.parent / "dog")
    assert error_message(photos) == (
        "ROOT: there is only one class, 'cat'. Expected two or more, each in its own folder."
    )
    assert load(photos, required=["file"]).examples("train") == 7


def test_a_class_without_files(photos: Path, split_photos: Path) -> None:
    (photos / "fox").mkdir()
    write(photos, "emu/a.txt")
    assert error_message(photos, suffixes=(".jpg", ".png")) == (
        "ROOT: there are no training files in class folders: emu, fox. Add some or remove the "
        "folder; `source.suffixes` is .jpg .png."
    )
    for file in (split_photos / "test" / "cat").iterdir():
        file.unlink()
    assert load(split_photos).notes == ("split: test has no file of class cat",)


def test_a_split_without_files(split_photos: Path) -> None:
    for file in (split_photos / "test").rglob("*.jpg"):
        file.unlink()
    assert error_message(split_photos) == (
        "ROOT: there are no files in the folder of the test split. Add some, or remove the "
        "folder to sample the split from the training files."
    )


def test_a_class_missing_from_training(split_photos: Path) -> None:
    write(split_photos, "test/fox/a.jpg")
    assert error_message(split_photos) == (
        "ROOT: test has a class 'fox' that train does not have. Add a folder for it to train, or "
        "remove "
        "it here."
    )


def test_a_class_whose_name_is_not_text(photos: Path) -> None:
    write(photos, os.fsdecode(b"\xff/a.jpg"))
    assert error_message(photos) == r"ROOT: a class folder's name is not UTF-8 text: \udcff"


def test_the_only_file_of_a_class_is_a_training_file(photos: Path) -> None:
    write(photos, "fox/a.jpg")
    data = load(photos)
    assert data.class_names["label"] == ("cat", "dog", "fox")
    assert data.notes[2:] == (
        "photos: 1 class has too few rows to be in every split: 'fox' (1 row)",
    )


def test_a_folder_that_cannot_be_listed(unprivileged: Path) -> None:
    write(unprivileged, "cat/a.jpg", "dog/b.jpg")
    (unprivileged / "dog").chmod(0)
    assert error_message(unprivileged) == (
        "ROOT/dog: the folder cannot be listed (Permission denied). Change its permissions, or "
        "move it elsewhere."
    )
    (unprivileged / "dog").chmod(stat.S_IRWXU)


# Classes or splits


def test_classes_can_be_named_like_splits(tmp_path: Path) -> None:
    write(tmp_path, *(f"{name}/{i}.jpg" for name in ("train", "plane") for i in range(10)))
    assert load(tmp_path).class_names == {"label": ("plane", "train")}
    (tmp_path / "plane").rename(tmp_path / "test")
    assert load(tmp_path, layout="classes").class_names == {"label": ("test", "train")}
    assert "10 files lie directly in the folder" in error_message(tmp_path)


def test_splits_beside_other_folders_are_not_guessed(split_photos: Path) -> None:
    write(split_photos, "drawings/a.jpg")
    assert error_message(split_photos) == (
        "ROOT: there are folders of splits (Train, test, val) next to others (drawings). Write "
        "`layout: splits` into the config's source to use only the folders of splits, or "
        "`layout: classes` if each is a class."
    )
    assert load(split_photos, layout="splits").notes == (
        "split: ignored folders next to those of the splits: drawings",
    )


def test_splits_must_include_train(split_photos: Path) -> None:
    (split_photos / "Train").rename(split_photos / "training")
    assert load(split_photos).examples("train") == 20
    (split_photos / "training").rename(split_photos.parent / "training")
    assert error_message(split_photos) == (
        "ROOT: there is no folder train, only test, val. Add it, or write `layout: classes` into "
        "the config's source if each folder is a class."
    )


def test_a_split_must_have_one_folder(split_photos: Path) -> None:
    write(split_photos, "validation/cat/a.jpg")
    assert error_message(split_photos) == (
        "ROOT: both val and validation are the validation split. Merge them into one folder, or "
        "move one of them away."
    )


# The spec


def test_unknown_columns() -> None:
    with pytest.raises(DataError, match=r"has no column `files`. Did you mean `file`\? There are"):
        Folder(path="photos").read({"files": None}, 0)  # type: ignore[dict-item]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"path": ""}, "at least 1 character"),
        ({"path": "a\0b"}, r"a path cannot hold the character \\0"),
        ({"path": "a", "suffixes": ("jpg",)}, r"expected a dot first, as in .jpg; got text 'jpg'"),
        ({"path": "a", "suffixes": ()}, "at least 1 item"),
    ],
)
def test_fields_out_of_range(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Folder(**fields)


def test_the_same_class_in_two_unicode_forms(split_photos: Path) -> None:
    """As in folders copied between macOS and Linux."""
    for split, form in (("Train", "NFC"), ("val", "NFD"), ("test", "NFC")):
        write(split_photos, f"{split}/{unicodedata.normalize(form, 'café')}/1.jpg")
    data = load(split_photos)
    assert data.class_names["label"] == ("café", "cat", "dog")
    assert data.examples("validation") == 5


def test_a_trained_model_does_not_need_every_class(photos: Path) -> None:
    only_files: Any = {"file": None}
    (photos / "empty").mkdir()
    frame = Folder(path=str(photos)).rows(only_files, "all")
    assert frame.examples("all") == 20
    for folder in ("cat", "dog"):
        for file in (photos / folder).iterdir():
            file.rename(file.with_suffix(".txt"))
    with pytest.raises(DataError, match=r"there are no files in its class folders whose names end"):
        Folder(path=str(photos), suffixes=(".jpg",)).rows(only_files, "all")


def test_a_folder_is_split_into_folds(tmp_path: Path) -> None:
    for kind in ("cat", "dog"):
        (tmp_path / kind).mkdir()
        for number in range(10):
            (tmp_path / kind / f"{number}.png").write_bytes(b"some")
    specs = {name: ColumnSpec("file", lambda random, rows: None) for name in ("file", "label")}
    tests: list[str] = []
    for index in range(1, 6):
        frame = Folder(path=str(tmp_path), fold=Fold(index=index, of=5)).read(specs, seed=index)
        found = frame.row_names["test"].tolist()
        assert sorted(name[:3] for name in found) == ["cat", "cat", "dog", "dog"]
        assert f"{tmp_path.name}: fold {index} of 5 is the test split" in frame.notes
        assert frame.examples("validation") == 2
        tests += found
    assert len(set(tests)) == len(tests) == 20
    (tmp_path / "train").mkdir()
    for kind in ("cat", "dog"):
        (tmp_path / kind).rename(tmp_path / "train" / kind)
    (tmp_path / "test").mkdir()
    for kind in ("cat", "dog"):
        (tmp_path / "test" / kind).mkdir()
        (tmp_path / "test" / kind / "a.png").write_bytes(b"some")
    with pytest.raises(DataError, match=r"^source\.fold: expected none: .* has a test split"):
        Folder(path=str(tmp_path), fold=Fold(index=1, of=5)).read(specs, seed=0)


def test_a_folder_for_a_model_of_other_columns_is_refused_with_advice(photos: Path) -> None:
    with pytest.raises(DataError) as caught:
        Folder(path=str(photos)).rows({"image": None, "label": None}, "all")  # type: ignore[dict-item]
    assert str(caught.value) == (
        f"{photos}: a folder of classes has the columns `file` and `label`, but the model reads "
        "`image`. Give a table with the columns image, label, such as paths of files; to predict "
        "the files of the folder, give it to `mmzoo predict` without --data."
    )


def test_folders_of_unknown_classes_are_refused_in_one_line(photos: Path) -> None:
    write(photos, *(f"emu/{number}.jpg" for number in range(12)))
    label = ColumnSpec("class", lambda random, rows: np.zeros(rows), ("cat", "dog"))
    frame = Folder(path=str(photos)).rows(
        {"file": ColumnSpec("file", lambda random, rows: None), "label": label}, "all"
    )
    with pytest.raises(DataError) as caught:
        apply_on_bad_row(frame, "error", "give `--on-bad-row skip`")
    assert str(caught.value) == (
        "photos: 12 of 32 files have an unknown class in `label`: 'emu'. Expected the classes "
        "'cat', 'dog'. Remove the others, or give `--on-bad-row skip` to go on without them."
    )
    assert apply_on_bad_row(frame, "skip").examples("all") == 20
