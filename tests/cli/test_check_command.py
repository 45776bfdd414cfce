"""`mmzoo check`, and config errors as `check` and `train` print them."""

from __future__ import annotations

import os

import pytest
import yaml

from mmzoo.config import load_config

GOOD = """\
name: good
source: {type: dataset, name: digits}
inputs:
  image:
    type: image
    shape: [8, 8, 1]
    encoder: {type: cnn, filters: [8], padding: same}
heads:
  digit: {type: classification, class_weights: auto}
"""

MISTAKES = {
    "empty.yaml": (b"", "empty.yaml: the file is empty"),
    "comment.yaml": (b"# nothing\n", "comment.yaml: the file holds nothing but comments"),
    "binary.yaml": (b"name: x\0y", "binary.yaml: a binary file, not YAML text"),
    "latin1.yaml": (
        "name: größe".encode("latin-1"),
        "latin1.yaml: not UTF-8 text: byte 0xf6 on line 1; save it as UTF-8",
    ),
    "tabs.yaml": (b"name: x\nsource:\n\ttype: dataset", "tabs.yaml:3:1: a tab; YAML is indented"),
    "twice.yaml": (b"name: x\nname: y", "twice.yaml:2:1: name: given twice, here and on line 1"),
    "alias.yaml": (b"a: &x 1\nb: *x", "alias.yaml:2:4: b: aliases (*x) are not read"),
    "tag.yaml": (b"a: !!python/object:os.system x", "tag.yaml:1:4: a: tags (words that start"),
    "merge.yaml": (b"<<: {a: 1}", "merge.yaml:1:1: merge keys ('<<') are not read"),
    "large.yaml": (b"#" * 1_000_001, "large.yaml: the file is larger than 1 MB"),
    "deep.yaml": (b"a: " + b"[" * 5000, "mappings and lists go more than 20 deep here"),
    "list.yaml": (b"[1, 2]", "list.yaml:1:1: expected names with values"),
    "brace.yaml": (b"a: {b: 1", "brace.yaml:1:4: this '{' is not closed"),
}

OVERRIDES = {
    "train.epohs=3": "train.epohs: unknown field; did you mean 'epochs'?",
    "train.epochs=0": "train.epochs: expected a whole number of at least 1, got number 0",
    "train.epochs=ten": "train.epochs: expected a whole number of at least 1, got text 'ten'",
    "train.epochs": "expected KEY=VALUE, such as train.epochs=3",
    "=3": "there is an empty name in the key ''",
    "source.type=datset": "source.type: unknown type 'datset'; did you mean 'dataset'?",
    "source.name=digts": "source.name: expected 'mnist'",
    "inputs.image.encoder.type=lent": "unknown type 'lent'; did you mean 'lenet'? The nearest of",
    "inputs.image.encoder.padding=sam": "got text 'sam'; did you mean 'same'?",
    "inputs.image.encoder.dropout=1": "expected a number of at least 0 and below 1, got number 1",
    "inputs.image.shape=[8, 8]": "expected a list of 3 whole numbers of at least 1, got a list",
    "inputs.image.shape=[1, 1, 1]": "images of 1 x 1 are too small for this cnn encoder",
    "heads.digit.column=lable": "the data has no column 'lable'; did you mean 'label'? It",
    "train.monitor=val_loss": "unknown metric 'val_loss'; did you mean 'validation_loss'?",
}


@pytest.fixture
def good(tmp_path):
    path = tmp_path / "good.yaml"
    path.write_text(GOOD)
    return path


def assert_one_message(done, message):
    assert done.code == 1
    assert done.out == ""
    assert done.err.startswith("Error: ")
    assert message in done.err
    assert "Traceback" not in done.err


@pytest.mark.parametrize("command", ["check", "train"])
@pytest.mark.parametrize("name", MISTAKES)
def test_a_file_that_is_not_a_config(mmzoo, tmp_path, command, name):
    content, message = MISTAKES[name]
    (tmp_path / name).write_bytes(content)
    assert_one_message(mmzoo(command, name), message)
    assert os.listdir(tmp_path) == [name]


@pytest.mark.parametrize("command", ["check", "train"])
def test_a_path_that_is_not_a_file(mmzoo, tmp_path, command):
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs" / "good.yaml").write_text(GOOD)
    os.mkfifo(tmp_path / "pipe.yaml")
    for path, message in {
        "good": "there is no such file; did you mean 'configs/good.yaml'?",
        "good.yaml": "there is no such file; did you mean 'configs/good.yaml'?",
        "configs/good": "there is no such file; did you mean 'configs/good.yaml'?",
        "configs/goood.yaml": "there is no such file; did you mean 'configs/good.yaml'?",
        "confgs/good.yaml": "there is no such folder 'confgs'; did you mean 'configs'?",
        "configs": "a folder, not a YAML file; it holds good.yaml",
        "pipe.yaml": "it is a pipe, socket or device; a config is a regular file",
        "": "expected the path of a config",
    }.items():
        assert_one_message(mmzoo(command, path), message)
    assert sorted(os.listdir(tmp_path)) == ["configs", "pipe.yaml"]


@pytest.mark.parametrize("command", ["check", "train"])
@pytest.mark.parametrize("override", OVERRIDES)
def test_a_typo_in_an_override(mmzoo, good, command, override):
    done = mmzoo(command, good, "--set", override)
    assert_one_message(done, OVERRIDES[override])
    assert f"--set {override}: " in done.err
    assert os.listdir(good.parent) == ["good.yaml"]


def test_all_mistakes_are_reported_in_file_order(mmzoo, good):
    good.write_text(GOOD.replace("digits", "digts").replace("cnn", "cn"))
    done = mmzoo("check", good, "--set", "train.epochs=0")
    lines = done.err.splitlines()
    assert lines[0].startswith(f"Error: {good}:2:31: source.name: ")
    assert lines[1].startswith(f"{good}:7:21: inputs.image.encoder.type: unknown type 'cn'")
    assert lines[2].startswith("--set train.epochs=0: train.epochs: ")
    assert len(lines) == 3


def test_a_good_config_is_printed_with_every_default(mmzoo, good, tmp_path):
    done = mmzoo("check", good, "--set", "train.epochs=3")
    assert (done.code, done.err) == (0, f"{good} is a valid config.\n")
    (tmp_path / "printed.yaml").write_text(done.out)
    assert load_config(tmp_path / "printed.yaml") == (
        load_config(good, ["train.epochs=3"]).with_columns()
    )
    assert mmzoo("check", "printed.yaml").out == done.out


def test_an_unreadable_file_is_not_a_usage_error(mmzoo, good, monkeypatch):
    """To root every file can be read, so the question that Click asks is answered for it."""
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert mmzoo("check", good).code == 0


def test_json_is_the_same_config(mmzoo, good):
    printed, document = mmzoo("check", good), mmzoo("check", good, "--json")
    assert document.err == ""
    assert document.document["train"]["optimizer"] == {
        **yaml.safe_load(printed.out)["train"]["optimizer"],
        "epsilon": 1e-7,  # Which PyYAML takes for text.
    }


def test_errors_with_json_leave_stdout_empty(mmzoo, good):
    done = mmzoo("check", good, "--set", "train.epohs=3", "--json")
    assert_one_message(done, "unknown field")


WITH_WEIGHTS = """\
name: photos
source: {type: folder, path: photos}
inputs:
  photo:
    type: image
    shape: [96, 96, 3]
    encoder:
      type: vgg16
      weights: wieghts/vgg.h5
heads:
  kind: {type: classification}
"""


@pytest.mark.parametrize("command", ["check", "train"])
def test_missing_weights_are_located(mmzoo, tmp_path, command):
    (tmp_path / "photos.yaml").write_text(WITH_WEIGHTS)
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / "vgg16.h5").touch()
    place = "photos.yaml:9:16: inputs.photo.encoder.weights: "
    relative = f"relative to {tmp_path}"
    assert_one_message(
        mmzoo(command, "photos.yaml"),
        f"{place}wieghts/vgg.h5, {relative}: there is no such folder 'wieghts'; did you mean "
        "'weights'?\n",
    )
    override = ["--set", "inputs.photo.encoder.weights=weights/vgg.h5"]
    assert_one_message(
        mmzoo(command, "photos.yaml", *override),
        f"inputs.photo.encoder.weights: weights/vgg.h5, {relative}: there is no such file; did "
        "you mean 'weights/vgg16.h5'?\n",
    )
    assert sorted(os.listdir(tmp_path)) == ["photos.yaml", "weights"]


def test_existing_weights_are_not_opened(mmzoo, tmp_path):
    (tmp_path / "photos.yaml").write_text(WITH_WEIGHTS.replace("wieghts/vgg.h5", "vgg.h5"))
    (tmp_path / "vgg.h5").touch()
    assert mmzoo("check", "photos.yaml").code == 0


def test_with_data_the_config_is_fitted(mmzoo, good):
    done = mmzoo("check", good, "--data", "--json")
    assert done.code == 0
    head = done.document["config"]["heads"]["digit"]
    assert head["classes"] == 10
    assert head["class_names"] == [str(digit) for digit in range(10)]
    assert set(head["class_weights"]) == set(head["class_names"])
    assert done.document["notes"][0].startswith("digits has no test split")
    assert done.document["examples"] == {"train": 1294, "validation": 144, "test": 359}
    assert mmzoo("check", good, "--json").document["heads"]["digit"]["classes"] is None


def test_with_data_a_config_that_does_not_fit_is_refused(mmzoo, good, tmp_path):
    done = mmzoo("check", good, "--data", "--set", "heads.digit.classes=9")
    assert done.code == 1
    message = " ".join(done.out.split())
    assert "Error: heads.digit, column 'label' of digits: the data has 10 classes" in message
    assert os.listdir(tmp_path) == ["good.yaml"]
