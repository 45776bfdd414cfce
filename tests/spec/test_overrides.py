from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from spec_tree import VALID, Cosine, Experiment, LeNet

from mmzoo.errors import ConfigError
from mmzoo.spec import load_spec
from mmzoo.spec.overrides import apply_overrides
from mmzoo.spec.yaml_document import document_from_mapping

VALUES = {"name": "mnist", "train": {"epochs": 5, "crop": [1, 2]}, "empty": None}


def overridden(*overrides: str) -> dict[str, Any]:
    return apply_overrides(Experiment, document_from_mapping(VALUES), overrides).values


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3", 3),
        ("1e-3", 1e-3),
        ("5_000", 5000),
        ("true", True),
        ("yes", "yes"),
        ("null", None),
        ("", None),
        ("a=b", "a=b"),
        ("*.csv", "*.csv"),
        ("a: b # c", "a: b # c"),
        ("'5'", "5"),
        ('"a\\tb"', "a\tb"),
        ("[1, [x, '2']]", (1, ("x", "2"))),
        ("{type: cosine, warmup: .5}", {"type": "cosine", "warmup": 0.5}),
    ],
)
def test_value_is_parsed_as_in_a_file(text: str, value: object) -> None:
    read = overridden(f"name={text}")["name"]
    assert read == value
    assert type(read) is type(value)


def test_a_dotted_path_changes_only_its_value() -> None:
    assert overridden("train.epochs=3") == {**VALUES, "train": {"epochs": 3, "crop": (1, 2)}}


def test_a_number_in_a_path_is_the_index_of_a_list() -> None:
    assert overridden("train.crop.1=7")["train"]["crop"] == (1, 7)


def test_missing_mappings_are_created() -> None:
    assert overridden("a.b.c=1")["a"] == {"b": {"c": 1}}
    assert overridden("empty.b=1")["empty"] == {"b": 1}


def test_last_override_wins() -> None:
    assert overridden("train.epochs=3", "train={epochs: 4}")["train"] == {"epochs": 4}
    assert overridden("train={epochs: 4}", "train.epochs=3")["train"] == {"epochs": 3}


def test_document_is_not_modified() -> None:
    document = document_from_mapping(VALUES)
    apply_overrides(Experiment, document, ["train.epochs=3"])
    assert document == document_from_mapping(VALUES)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("train.epochs", "expected KEY=VALUE, such as train.epochs=3"),
        ("=3", "there is an empty name in the key ''"),
        ("train..epochs=3", "there is an empty name in the key 'train..epochs'"),
        ("name.x=3", "'name' is text 'mnist'; there is no 'x' in it"),
        ("train.crop.2=3", "'train.crop' has no item '2'; there are 0 to 1"),
        ("train.crop.-1=3", "'train.crop' has no item '-1'; there are 0 to 1"),
        ("train.crop.x=3", "'train.crop' has no item 'x'; there are 0 to 1"),
        ("name=[1, 2", "this '[' is not closed, or a ',' is missing after it"),
        ("train={a: 1, a: 2}", "train.a: given twice, on this line; keep one"),
        ("train={a: *x}", "train.a: aliases (*x) are not read; write the value out"),
        (
            "name=010",
            "a number that starts with 0 is read differently by different programs; "
            "write 10 for the number or '010' for the text",
        ),
    ],
)
def test_invalid_overrides_are_reported(text: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        overridden(text)
    assert str(caught.value) == f"--set {text}: {message}"


def test_too_deep_path_is_rejected() -> None:
    with pytest.raises(ConfigError, match=r"\.\.\.: the key has more than 20 names$"):
        overridden("a." * 10_000 + "a=1")


def test_errors_about_an_overridden_value_name_the_override(
    error_messages: Callable[..., list[str]],
) -> None:
    assert error_messages(VALID, "train.epochs=abc", "inputs.image.encoder.dropout=2") == [
        "--set train.epochs=abc: train.epochs: expected a whole number of at least 1, "
        "got text 'abc'",
        "--set inputs.image.encoder.dropout=2: inputs.image.encoder.dropout: "
        "expected a number of at least 0 and below 1, got number 2",
    ]


def test_errors_inside_or_beside_an_overridden_value_name_the_override(
    error_messages: Callable[..., list[str]],
) -> None:
    assert error_messages(
        VALID, "heads.angle={type: regression, weight: 0}", "heads.new={classes: 3}"
    ) == [
        "--set heads.angle={type: regression, weight: 0}: heads.angle.weight: "
        "expected a number above 0, got number 0",
        "--set heads.new={classes: 3}: heads.new.type: missing; say which. "
        "There are: classification, regression",
    ]


def test_overrides_come_after_the_file_in_the_order_of_errors(
    error_messages: Callable[..., list[str]],
) -> None:
    lines = error_messages(VALID.replace("epochs: 5", "epochs: 0"), "nam=1")
    assert [line.split(":")[0] for line in lines] == ["x.yaml", "--set nam=1"]


def test_override_fixes_an_error_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(VALID.replace("epochs: 5", "epochs: five"))
    overrides = [
        "train.epochs=3",
        "inputs.image.encoder={type: lenet}",
        "train.learning_rate.warmup=.1",
    ]
    spec = load_spec(Experiment, path, overrides)
    assert spec.train.epochs == 3
    assert spec.inputs["image"].encoder == LeNet()
    assert spec.train.learning_rate == Cosine(warmup=0.1)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("heads.anlge.weight=2", "'anlge'; did you mean 'angle'? There are: digit, angle"),
        ("heads.x.weight=2", "'x'. There are: digit, angle"),
        ("heads.x.class_weights.a=2", "'x'. There are: digit, angle"),
    ],
)
def test_a_field_of_an_unknown_head(
    error_messages: Callable[..., list[str]], text: str, message: str
) -> None:
    assert error_messages(VALID, text) == [f"--set {text}: there is no head {message}"]


def test_a_field_of_an_unknown_input(error_messages: Callable[..., list[str]]) -> None:
    assert error_messages(VALID, "inputs.photo.resize=pad") == [
        "--set inputs.photo.resize=pad: there is no input 'photo'; did you mean 'image'?"
    ]


def test_a_new_head_can_be_set_field_by_field(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(VALID)
    spec = load_spec(Experiment, path, ["heads.size.type=regression", "heads.size.weight=2"])
    assert spec.heads["size"].weight == 2
