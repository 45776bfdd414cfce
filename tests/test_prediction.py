"""Predictions for files equal those of an evaluation, for every kind of file."""

from __future__ import annotations

import os
import re
from pathlib import Path

import numpy as np
import pytest
from frames import load_arrays
from PIL import Image, ImageOps

from mmzoo import evaluate, predict
from mmzoo.errors import DataError, RunError
from mmzoo.evaluation.evaluate import evaluate_model
from mmzoo.modalities import Image as ImageInput
from mmzoo.runs import Run
from mmzoo.trained_model import load_trained


@pytest.fixture(scope="session")
def evaluation(trained_run):
    """The run's own evaluation and its pixels."""
    model, config = load_trained(trained_run)
    data = load_arrays(config)
    found = evaluate_model(model, config, data, "test")
    return found, data.splits["test"][config.columns["image"]]


@pytest.fixture
def digits(evaluation, tmp_path):
    """The first digits of the test split as files, and the class names and probabilities."""
    found, pixels = evaluation
    paths = [tmp_path / f"{row}.png" for row in range(12)]
    for path, image in zip(paths, pixels, strict=False):
        Image.fromarray(image[:, :, 0]).save(path)
    return paths, found.predictions["digit"][: len(paths)]


def test_predictions_match_the_evaluation(trained_run, digits):
    paths, probabilities = digits
    table = predict(trained_run, paths)
    assert list(table) == ["file", "digit", "digit_probability"]
    assert table["file"] == [str(path) for path in paths]
    assert table["digit"] == [str(row.argmax()) for row in probabilities]
    np.testing.assert_allclose(table["digit_probability"], probabilities.max(axis=1), rtol=1e-5)


def test_files_are_predicted_independently(own_run, digits, monkeypatch):
    """Predictions depend neither on the batch nor on its end."""
    paths, _ = digits
    together = predict(own_run, paths)
    single = [predict(own_run, [path]) for path in paths[:3]]
    assert [table["digit"][0] for table in single] == together["digit"][:3]
    np.testing.assert_allclose(
        [table["digit_probability"][0] for table in single],
        together["digit_probability"][:3],
        rtol=1e-5,
    )
    text = own_run.config_file.read_text()
    smaller = text.replace("evaluation_batch_size: null", "evaluation_batch_size: 5")
    assert smaller != text
    own_run.config_file.write_text(smaller)
    in_batches = predict(own_run, paths)
    assert in_batches["digit"] == together["digit"]
    np.testing.assert_allclose(
        in_batches["digit_probability"], together["digit_probability"], rtol=1e-5
    )


def test_a_damaged_file_among_many_is_named(trained_run, digits, tmp_path):
    paths, _ = digits
    damaged = tmp_path / "damaged.png"
    damaged.write_bytes(b"?")
    with pytest.raises(DataError) as caught:
        predict(trained_run, [*paths, damaged, *paths])
    assert str(caught.value).startswith(f"{damaged}: not an image that mmzoo can read")


@pytest.mark.slow
def test_a_folder_stands_for_its_files(trained_run, digits, tmp_path):
    paths, _ = digits
    (tmp_path / "notes.txt").write_text("no image")
    table = predict(trained_run, tmp_path)
    assert table == predict(trained_run, sorted(paths))
    assert table == predict(trained_run, data=tmp_path)  # It has no folders of classes.


def test_damaged_files_are_skipped_if_asked(trained_run, digits, tmp_path, capsys):
    """Files with bad headers or bad pixels are skipped; the others are unaffected."""
    paths, _ = digits
    cut, text = tmp_path / "cut.jpg", tmp_path / "text.png"
    Image.effect_noise((100, 100), 90).save(cut)
    cut.write_bytes(cut.read_bytes()[:2000])
    text.write_text("no picture")
    table = predict(trained_run, [cut, *paths, text], on_bad_row="skip")
    assert table == predict(trained_run, paths)
    assert "skipped 2 of 14 files that cannot be read" in capsys.readouterr().err
    with pytest.raises(DataError, match="2 of 2 files cannot be read"):
        predict(trained_run, [cut, text], on_bad_row="skip")


def test_a_table_is_not_an_input_file(trained_run, tmp_path):
    (tmp_path / "new.csv").write_text("id\n1\n")
    with pytest.raises(DataError) as caught:
        predict(trained_run, tmp_path / "new.csv")
    path = tmp_path / "new.csv"
    assert str(caught.value) == (
        f"{path}: a table, not a file with one example; to predict for each row, use --data {path}"
    )


def test_damage_after_a_header_is_named(trained_run, digits, tmp_path):
    paths, _ = digits
    cut = tmp_path / "cut.jpg"
    Image.effect_noise((100, 100), 90).save(cut)
    cut.write_bytes(cut.read_bytes()[:2000])
    with pytest.raises(DataError) as caught:
        predict(trained_run, [*paths, cut])
    assert str(caught.value).startswith(f"{cut}: the image is damaged: image file is truncated")


def test_all_problems_of_files_are_reported_together(trained_run, digits, tmp_path):
    """Missing files, bad headers and bad pixels."""
    paths, _ = digits
    cut, text = tmp_path / "cut.jpg", tmp_path / "text.png"
    Image.effect_noise((100, 100), 90).save(cut)
    cut.write_bytes(cut.read_bytes()[:2000])
    text.write_text("no picture")
    with pytest.raises(DataError) as caught:
        predict(trained_run, [cut, *paths, tmp_path / "absent.png", text])
    first, *listed = str(caught.value).splitlines()
    assert first == "3 of 15 files cannot be read:"
    assert [line.split(" (")[0] for line in listed] == [
        f"  {cut}: the image is damaged: image file is truncated",
        f"  {tmp_path}/absent.png: there is no such file",
        f"  {text}: not an image that mmzoo can read: expected PNG, JPEG, BMP, GIF or WEBP",
    ]


def test_a_missing_path_suggests_the_nearest(trained_run, digits):
    path = Path(digits[0][0])
    for given in (path.with_suffix(".PNG"), path.with_suffix(""), f"{path} ", f"file://{path}"):
        with pytest.raises(DataError, match=re.escape(f"file; did you mean '{path}'?")):
            predict(trained_run, [given])
    with pytest.raises(DataError, match="it is a URL; download the file and give its path"):
        predict(trained_run, ["https://example.com/digit.png"])


def test_all_unreadable_files_are_named_together(trained_run, digits, tmp_path):
    paths, _ = digits
    absent = [tmp_path / f"absent{number}.png" for number in range(12)]
    with pytest.raises(DataError) as caught:
        predict(trained_run, [absent[0], *paths, absent[1]])
    assert str(caught.value) == (
        "2 of 14 files cannot be read:\n"
        f"  {absent[0]}: there is no such file\n"
        f"  {absent[1]}: there is no such file"
    )
    with pytest.raises(DataError) as caught:
        predict(trained_run, absent)
    listed = str(caught.value).splitlines()
    assert listed[0] == "12 of 12 files cannot be read:"
    assert listed[1:11] == [f"  {path}: there is no such file" for path in absent[:10]]
    assert listed[11:] == ["  and 2 more"]


def test_another_file_format_gives_the_same_digit(trained_run, digits, tmp_path):
    paths, _ = digits
    grey = Image.open(paths[0])
    forms = {
        "colour.png": grey.convert("RGB"),
        "palette.gif": grey.convert("P"),
        "opaque.png": grey.convert("RGBA"),
        "größe 三.png": grey,
        "16bit.png": Image.fromarray(np.asarray(grey).astype(np.uint16) * 257),
    }
    for name, image in forms.items():
        image.save(tmp_path / name)
    table = predict(trained_run, [paths[0], *(tmp_path / name for name in forms)])
    assert table["digit_probability"] == pytest.approx(
        6 * [table["digit_probability"][0]], rel=1e-5
    )
    assert len(set(table["digit"])) == 1


def test_images_of_other_sizes_are_resized(trained_run, digits, tmp_path):
    paths, probabilities = digits
    large, tall = tmp_path / "large.png", tmp_path / "tall.jpg"
    image = Image.open(paths[0])
    image.resize((800, 800), Image.Resampling.BICUBIC).save(large)
    image.resize((30, 90)).convert("RGB").save(tall)
    table = predict(trained_run, [large, tall], top=10)
    assert len(table) == 1 + 2 * 10
    assert table["digit"][0] == str(probabilities[0].argmax())
    shares = [[table[name][row] for name in table if "probability" in name] for row in range(2)]
    np.testing.assert_allclose(np.sum(shares, axis=1), 1, rtol=1e-5)
    assert shares == [sorted(row, reverse=True) for row in shares]


@pytest.mark.slow
def test_an_inverted_image_changes_the_prediction(trained_run, digits, tmp_path):
    """Colours are not guessed: the model gets the pixels of the file."""
    paths, _ = digits
    inverted = [tmp_path / f"inverted{row}.png" for row in range(len(paths))]
    for path, target in zip(paths, inverted, strict=True):
        ImageOps.invert(Image.open(path)).save(target)
    assert predict(trained_run, inverted)["digit"] != predict(trained_run, paths)["digit"]


def test_top_lists_the_most_probable_in_order(trained_run, digits):
    paths, probabilities = digits
    table = predict(trained_run, paths, top=3)
    assert list(table) == [
        *("file", "digit", "digit_probability", "digit_2", "digit_2_probability"),
        *("digit_3", "digit_3_probability"),
    ]
    order = np.argsort(-probabilities, axis=1, kind="stable")
    for rank, name in enumerate(("digit", "digit_2", "digit_3")):
        assert table[name] == [str(label) for label in order[:, rank]]


def test_every_type_of_head_is_predicted(run_of_all_heads, digits):
    paths, _ = digits
    table = predict(run_of_all_heads, paths[:2], top=2)
    assert list(table) == [
        *("file", "which", "which_probability", "which_2", "which_2_probability"),
        *("is", "is_probability", "many"),
        *("many_cat_probability", "many_dog_probability", "many_=cow_probability"),
        *("much_0", "much_1"),
    ]
    assert {len(column) for column in table.values()} == {2}


def test_the_probability_belongs_to_the_predicted_class(run_of_all_heads):
    """For "no" as for "yes", with a threshold of 0.3."""
    head = run_of_all_heads.config().heads["is"]
    table = head.decode(np.array([[0.1], [0.35], [0.9]]), "is")
    assert table == {
        "is": ["no\x1b[31m", "yes", "yes"],
        "is_probability": pytest.approx([0.9, 0.35, 0.9]),
    }


@pytest.mark.slow
def test_all_ways_to_name_a_run(own_run, digits):
    paths, _ = digits
    expected = predict(own_run, paths[:2])
    checkpoint = max(own_run.last.glob("*.npz"))
    last = predict(own_run, paths[:2], checkpoint="last")
    assert predict(str(own_run.directory.parent), map(str, paths[:2])) == expected
    assert predict(own_run.best_weights, paths[:2]) == expected
    assert predict(own_run, paths[:2], checkpoint=checkpoint) == last


def test_weights_cannot_be_given_twice(own_run, digits):
    paths, _ = digits
    with pytest.raises(RunError, match=r"and --checkpoint last names weights too\."):
        predict(own_run.best_weights, paths[:2], checkpoint="last")


def test_unknown_weights_are_reported_before_files_are_read(trained_run):
    with pytest.raises(RunError) as caught:
        predict(trained_run, ["missing.png"], checkpoint="bset")
    assert str(caught.value) == "bset: there is no such weights file; did you mean 'best'?"


@pytest.mark.slow
def test_one_file_needs_no_list(trained_run, digits):
    [path, *_], _ = digits
    assert predict(trained_run, path) == predict(trained_run, str(path))
    assert predict(trained_run, path)["file"] == [str(path)]


def test_no_files(trained_run):
    with pytest.raises(DataError, match=r"^no files to predict from$"):
        predict(trained_run, [])


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("absent.png", "there is no such file"),
        ("folder", f"no files in it end in {', '.join(ImageInput.suffixes)}"),
        ("text.png", "not an image that mmzoo can read: expected PNG, JPEG, BMP, GIF or WEBP"),
        ("empty.png", "not an image that mmzoo can read: expected PNG, JPEG, BMP, GIF or WEBP"),
    ],
)
def test_an_unreadable_file_is_named(trained_run, digits, tmp_path, name, message):
    paths, _ = digits
    (tmp_path / "folder").mkdir()
    (tmp_path / "text.png").write_text("hello")
    (tmp_path / "empty.png").touch()
    with pytest.raises(DataError) as caught:
        predict(trained_run, [*paths, tmp_path / name])
    assert str(caught.value) == f"{tmp_path / name}: {message}"


def test_missing_run(tmp_path):
    with pytest.raises(RunError, match="there is no such run"):
        predict(tmp_path / "nowhere", ["digit.png"])


@pytest.mark.slow
def test_predicting_does_not_change_the_run(own_run, digits):
    paths, _ = digits

    def files():
        return {path: path.stat().st_mtime_ns for path in own_run.directory.rglob("*")}

    before = files()
    predict(own_run, paths)
    assert files() == before
    assert isinstance(own_run, Run)
    assert evaluate(own_run)["examples"] == 359
    assert os.path.isdir(own_run.evaluation("test"))
