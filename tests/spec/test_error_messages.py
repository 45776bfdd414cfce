from __future__ import annotations

from collections.abc import Callable

import pytest
from spec_tree import VALID, Experiment

from mmzoo.errors import ConfigError
from mmzoo.spec import load_spec

Complaints = Callable[..., list[str]]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        # Unknown names.
        (
            "  epochs: 5",
            "  epohcs: 5",
            "x.yaml:16:3: train.epohcs: unknown field; did you mean 'epochs'? Fields here: epochs, "
            "batch_size, learning_rate, momentum, xla, deterministic, tag, note, crop",
        ),
        (
            "dropout: 0.5",
            "zzz: 1",
            "x.yaml:8:45: inputs.image.encoder.zzz: unknown field. "
            "Fields here: type, filters, pool, padding, dropout",
        ),
        (
            "type: cnn",
            "type: LeNet5",
            "x.yaml:8:21: inputs.image.encoder.type: unknown type 'LeNet5'; "
            "did you mean 'lenet'? There are: cnn, lenet",
        ),
        (
            "{type: flip}",
            "{type: qqq}",
            "x.yaml:7:22: inputs.image.augment.0.type: unknown type 'qqq'. "
            "There are: flip, rotation",
        ),
        (
            "type: image",
            "type: imag",
            "x.yaml:5:11: inputs.image.type: unknown type 'imag'; did you mean 'image'? "
            "There is: image",
        ),
        (
            "type: cnn",
            "type: 5",
            "x.yaml:8:21: inputs.image.encoder.type: expected the name of a type, got number 5. "
            "There are: cnn, lenet",
        ),
        (
            "type: image",
            "type: [image]",
            "x.yaml:5:11: inputs.image.type: expected the name of a type, "
            "got a list of 1: [image]. There is: image",
        ),
        (
            "dropout: 0.5",
            "padding: valide",
            "x.yaml:8:54: inputs.image.encoder.padding: expected 'same' or 'valid', "
            "got text 'valide'; did you mean 'valid'?",
        ),
        # What is missing.
        (
            "    shape: [28, 28, 1]\n",
            "",
            "x.yaml:5:5: inputs.image.shape: missing; "
            "expected a list of 3 whole numbers of at least 1",
        ),
        (
            "{type: cnn, ",
            "{",
            "x.yaml:8:14: inputs.image.encoder.type: missing; say which. There are: cnn, lenet",
        ),
        (
            "{type: cnn, ",
            "{typ: cnn, ",
            "x.yaml:8:14: inputs.image.encoder.type: missing, though there is 'typ'; say which. "
            "There are: cnn, lenet",
        ),
        (
            "    type: image\n",
            "",
            "x.yaml:5:5: inputs.image.type: missing; say which. There is: image",
        ),
        (
            "{type: concat, ",
            "{",
            "x.yaml:14:9: fusion.type: missing; say which. There is: concat",
        ),
        (
            "    encoder: {type: cnn, filters: [32, 64], dropout: 0.5}\n",
            "",
            "x.yaml:5:5: inputs.image.encoder: missing; expected a mapping; "
            "write {type: NAME}. There are: cnn, lenet",
        ),
        # Wrong types.
        (
            "epochs: 5",
            "epochs: ten",
            "x.yaml:16:11: train.epochs: expected a whole number of at least 1, got text 'ten'",
        ),
        (
            "epochs: 5",
            "epochs: '5'",
            "x.yaml:16:11: train.epochs: expected a whole number of at least 1, got text '5'; "
            "take the quotes off",
        ),
        (
            "epochs: 5",
            "epochs: 1e1",
            "x.yaml:16:11: train.epochs: expected a whole number of at least 1, got number 10.0; "
            "write 10",
        ),
        (
            "epochs: 5",
            "epochs: true",
            "x.yaml:16:11: train.epochs: expected a whole number of at least 1, got true",
        ),
        (
            "epochs: 5",
            "epochs:",
            "x.yaml:16:10: train.epochs: expected a whole number of at least 1, got nothing; "
            "leave it out for the default",
        ),
        (
            "epochs: 5",
            "epochs: [5]",
            "x.yaml:16:11: train.epochs: expected a whole number of at least 1, "
            "got a list of 1: [5]",
        ),
        (
            "epochs: 5",
            "epochs: {n: 5}",
            "x.yaml:16:11: train.epochs: expected a whole number of at least 1, "
            "got a mapping: {n: 5}",
        ),
        (
            "name: mnist",
            "name: 1.10",
            "x.yaml:2:7: name: expected text of at most 20 characters and that matches "
            "'^[a-z_0-9]+$', got number 1.1; put it in quotes",
        ),
        (
            "name: mnist",
            "name: Mnist!",
            "x.yaml:2:7: name: expected text of at most 20 characters and that matches "
            "'^[a-z_0-9]+$', got text 'Mnist!'",
        ),
        (
            "deterministic: true",
            "deterministic: True",
            "x.yaml:18:18: train.deterministic: expected true or false, got text 'True'; "
            "write true",
        ),
        (
            "deterministic: true",
            "momentum: None",
            "x.yaml:18:13: train.momentum: expected a number or null, got text 'None'; write null",
        ),
        (
            "deterministic: true",
            "momentum: .nan",
            "x.yaml:18:13: train.momentum: expected a finite number, got number nan",
        ),
        # Ranges and lengths.
        (
            "epochs: 5",
            "epochs: 0",
            "x.yaml:16:11: train.epochs: expected a whole number of at least 1, got number 0",
        ),
        (
            "warmup: .05",
            "warmup: 1.5",
            "x.yaml:17:41: train.learning_rate.warmup: "
            "expected a number of at least 0 and of at most 1, got number 1.5",
        ),
        (
            "[28, 28, 1]",
            "[28, 28]",
            "x.yaml:6:12: inputs.image.shape: expected a list of 3 whole numbers of at least 1, "
            "got a list of 2: [28, 28]",
        ),
        (
            "[28, 28, 1]",
            "[28, 28, 1, 1]",
            "x.yaml:6:12: inputs.image.shape: expected a list of 3 whole numbers of at least 1, "
            "got a list of 4: [28, 28, 1, 1]",
        ),
        (
            "[28, 28, 1]",
            "[28, -28, 1]",
            "x.yaml:6:17: inputs.image.shape.1: expected a whole number of at least 1, "
            "got number -28",
        ),
        (
            "deterministic: true",
            "crop: [1]",
            "x.yaml:18:9: train.crop: expected a list of 2 whole numbers of at least 1 or null, "
            "got a list of 1: [1]",
        ),
        (
            "units: [1_28]",
            "units: 128",
            "x.yaml:14:31: fusion.units: expected a list of whole numbers of at least 1, "
            "got number 128; write [128]",
        ),
        # Unions.
        (
            "classes: 10",
            "classes: atuo",
            "x.yaml:10:42: heads.digit.classes: expected a whole number of at least 1 or 'auto', "
            "got text 'atuo'; did you mean 'auto'?",
        ),
        (
            "classes: 10",
            "classes: 0",
            "x.yaml:10:42: heads.digit.classes: expected a whole number of at least 1 or 'auto', "
            "got number 0",
        ),
        (
            "classes: 10",
            "class_weights: {a: 1, b: x}",
            "x.yaml:10:58: heads.digit.class_weights.b: expected a number, got text 'x'",
        ),
        (
            "classes: 10",
            "class_weights: [1, 2]",
            "x.yaml:10:48: heads.digit.class_weights: expected a mapping of names to numbers, "
            "'auto' or null, got a list of 2: [1, 2]",
        ),
        (
            "deterministic: true",
            "xla: 1",
            "x.yaml:18:8: train.xla: expected true, false or 'auto', got number 1",
        ),
        (
            "{type: cosine, warmup: .05}",
            "{type: cosin}",
            "x.yaml:17:25: train.learning_rate.type: unknown type 'cosin'; "
            "did you mean 'cosine'? There are: cosine, step",
        ),
        (
            "{type: cosine, warmup: .05}",
            "cosine",
            "x.yaml:17:18: train.learning_rate: expected a number above 0 or a mapping, "
            "got text 'cosine'; write {type: cosine}",
        ),
        # Something else where a mapping is expected.
        (
            "{type: cnn, filters: [32, 64], dropout: 0.5}",
            "lenet",
            "x.yaml:8:14: inputs.image.encoder: expected a mapping, got text 'lenet'; "
            "write {type: lenet}",
        ),
        (
            "{type: cnn, filters: [32, 64], dropout: 0.5}",
            "zzz",
            "x.yaml:8:14: inputs.image.encoder: expected a mapping, got text 'zzz'; "
            "write {type: NAME}. There are: cnn, lenet",
        ),
        (
            "{type: cnn, filters: [32, 64], dropout: 0.5}",
            "",
            "x.yaml:8:13: inputs.image.encoder: expected a mapping, got nothing; "
            "write {type: NAME}. There are: cnn, lenet",
        ),
        (
            "{type: concat, units: [1_28]}",
            "[concat]",
            "x.yaml:14:9: fusion: expected a mapping, got a list of 1: [concat]",
        ),
        (
            "[{type: flip}, {type: rotation, degrees: 20}]",
            "[flip]",
            "x.yaml:7:15: inputs.image.augment.0: expected a mapping, got text 'flip'; "
            "write {type: flip}",
        ),
        # Rules and validators of our own.
        (
            "dropout: 0.5",
            "pool: [2]",
            "x.yaml:8:51: inputs.image.encoder.pool: expected one entry for each of 2 filters, "
            "got 1",
        ),
        (
            "[32, 64]",
            "[32, 2048]",
            "x.yaml:8:40: inputs.image.encoder.filters.1: expected at most 1024, got 2048",
        ),
        (
            "  digit:",
            "  image:",
            "x.yaml:10:10: heads.image: expected another name than an input's",
        ),
        (
            "epochs: 5",
            "epochs: 500",
            "x.yaml:16:3: train.momentum: needed for more than 100 epochs",
        ),
        (
            "deterministic: true",
            "tag: two words",
            "x.yaml:18:8: train.tag: expected one word, got 'two words'",
        ),
        # Names that the user chooses.
        (
            "  image:",
            "  The image:",
            "x.yaml:4:3: inputs.The image: expected the name to be text of at most 20 characters "
            "and that matches '^[a-z_0-9]+$'",
        ),
    ],
)
def test_one_mistake_makes_one_line(
    error_messages: Complaints, old: str, new: str, message: str
) -> None:
    assert old in VALID
    assert error_messages(VALID.replace(old, new)) == [message]


def test_all_mistakes_are_reported_in_file_order(error_messages: Complaints) -> None:
    text = (
        VALID.replace("name: mnist", "nam: mnist")
        .replace("type: cnn", "type: lent")
        .replace("epochs: 5", "epohcs: 5")
        .replace("    type: image\n", "")
        .replace("degrees: 20", "degrees: 0")
        .replace("  image:", "  The image:")
    )
    lines = error_messages(text)
    assert [": ".join(line.split(": ")[:2]) for line in lines] == [
        "x.yaml:2:1: name",
        "x.yaml:2:1: nam",
        "x.yaml:4:3: inputs.The image",
        "x.yaml:5:5: inputs.The image.type",
        "x.yaml:6:55: inputs.The image.augment.1.degrees",
        "x.yaml:7:21: inputs.The image.encoder.type",
        "x.yaml:15:3: train.epohcs",
    ]


def test_empty_mapping_where_names_are_required(error_messages: Complaints) -> None:
    assert error_messages("name: a\ninputs: {}\nheads: {}\n") == [
        "x.yaml:2:9: inputs: expected a mapping of 1 or more names to mappings, "
        "got an empty mapping"
    ]


def test_long_values_are_shortened_and_control_characters_escaped(
    error_messages: Complaints,
) -> None:
    [message] = error_messages(VALID.replace("epochs: 5", f'epochs: "\\e[31m{"x" * 1000}"'))
    came = message.partition("got text ")[2]
    assert came == "'\\x1b[31m" + "x" * 49 + "...'"


def test_validator_message_is_one_line(error_messages: Complaints) -> None:
    [message] = error_messages(VALID.replace("deterministic: true", 'tag: "two\\n words"'))
    assert message == "x.yaml:18:8: train.tag: expected one word, got 'two\\n words'"


def test_errors_about_python_values_have_only_the_path() -> None:
    values = {
        "name": "x",
        "inputs": {"image": {"type": "image", "shape": [1, 2], "encoder": {"type": "lent"}}},
        "heads": {},
    }
    with pytest.raises(ConfigError) as caught:
        load_spec(Experiment, values)
    assert str(caught.value).split("\n") == [
        "inputs.image.shape: expected a list of 3 whole numbers of at least 1, "
        "got a list of 2: [1, 2]",
        "inputs.image.encoder.type: unknown type 'lent'; did you mean 'lenet'? "
        "There are: cnn, lenet",
    ]


def test_field_of_another_type(error_messages: Complaints) -> None:
    other = VALID.replace("type: cnn", "type: lenet").replace("dropout: 0.5", "units: [8]")
    reported = error_messages(other)
    assert reported
    for line in reported:
        assert ": unknown field for type lenet, though other types have it. Leave it out. " in line


def test_override_can_replace_all_fields(error_messages: Complaints) -> None:
    for line in error_messages(VALID, "inputs.image.encoder.type=lenet"):
        assert "or set all of it: `--set 'inputs.image.encoder={type: lenet}'`. Fields" in line
