from __future__ import annotations

import time

import pytest

from mmzoo.errors import ConfigError
from mmzoo.spec.yaml_reader import read_document


def error_messages(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        read_document(text, "x.yaml")
    return str(caught.value).split("\n")


def test_values_are_plain_and_lists_are_tuples() -> None:
    text = "a:\n  b: [1, 2.5, x, 'true', null]\n  c: |\n    two\n    lines\n  yes: [[1], {}]\n"
    assert read_document(text, "x.yaml").values == {
        "a": {"b": (1, 2.5, "x", "true", None), "c": "two\nlines\n", "yes": ((1,), {})}
    }


def test_every_key_and_value_has_a_location() -> None:
    document = read_document("a:\n  b: [1, {c: é}]\n", "x.yaml")
    places = {path: location.text for path, location in document.locations.items()}
    assert places == {
        (): "x.yaml:1:1",
        ("a",): "x.yaml:2:3",
        ("a", "b"): "x.yaml:2:6",
        ("a", "b", 0): "x.yaml:2:7",
        ("a", "b", 1): "x.yaml:2:10",
        ("a", "b", 1, "c"): "x.yaml:2:14",
    }
    keys = {path: place.text for path, place in document.key_locations.items()}
    assert keys == {
        ("a",): "x.yaml:1:1",
        ("a", "b"): "x.yaml:2:3",
        ("a", "b", 1, "c"): "x.yaml:2:11",
    }


def test_missing_value_has_the_location_of_its_mapping() -> None:
    document = read_document("a:\n  b: {c: 1}\n", "x.yaml")
    place = document.location(("a", "b", "lacking", 0))
    assert place is not None
    assert place.text == "x.yaml:2:6"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "x.yaml: the file is empty"),
        (" \n\n", "x.yaml: the file is empty"),
        ("# a\n# b\n", "x.yaml: the file holds nothing but comments"),
        ("---\n", "x.yaml:2:1: expected names with values (`name: mnist`), got nothing"),
        ("- a\n", "x.yaml:1:1: expected names with values (`name: mnist`), got a list of 1: [a]"),
        ("hello", "x.yaml:1:1: expected names with values (`name: mnist`), got text 'hello'"),
        ("a: 1\nb: 2\na: 3\n", "x.yaml:3:1: a: given twice, here and on line 1; keep one"),
        ("a: {b: 1, b: 2}", "x.yaml:1:11: a.b: given twice, on this line; keep one"),
        ("a: *x", "x.yaml:1:4: a: aliases (*x) are not read; write the value out"),
        ("a: &x 1", "x.yaml:1:4: a: anchors (&x) are not read; take it out"),
        ("a: !!int 1", "x.yaml:1:4: a: tags (words that start with '!') are not read; take it out"),
        ("<<: {a: 1}", "x.yaml:1:1: merge keys ('<<') are not read; write the values out"),
        ("a:\n  1: x", "x.yaml:2:3: a: a name must be text, got number 1; put it in quotes"),
        ("null: x", "x.yaml:1:1: a name must be text, got nothing; put it in quotes"),
        ("? [1]\n: 2", "x.yaml:1:3: a name must be text, not a list, mapping or alias"),
        (
            "a: 1\n---\nb: 2\n",
            "x.yaml:2:1: a second document starts here; a config is one document",
        ),
        ("a: {type:cnn}", "x.yaml:1:5: a: a space is missing after ':' in text 'type:cnn'"),
        (
            "a: 010",
            "x.yaml:1:4: a: a number that starts with 0 is read differently by different programs; "
            "write 10 for the number or '010' for the text",
        ),
        ("a:\n\tb: 1", "x.yaml:2:1: a tab; YAML is indented with spaces"),
        ("a:\n  b: 1\n \tc: 1", "x.yaml:3:2: a tab; YAML is indented with spaces"),
        ("a: [1, 2\nb: 3\n", "x.yaml:1:4: this '[' is not closed, or a ',' is missing after it"),
        ("a: {b: 1", "x.yaml:1:4: this '{' is not closed, or a ',' is missing after it"),
        ("a: 'b\nc: 1", "x.yaml:1:4: this quote is not closed"),
        (
            "a: b: c",
            "x.yaml:1:5: a ':' is not expected here; fix the indentation, "
            "or put text that holds ': ' in quotes",
        ),
        ("a: - b", "x.yaml:1:4: a '-' is not expected here; fix the indentation"),
        (
            "a:\n    b: 1\n  c: 2\n",
            "x.yaml:3:3: this line is not indented like those that it belongs with",
        ),
        ("a: x\nb", "x.yaml:2:2: a ':' is missing before this, or the indentation is wrong"),
        ("a: @b", "x.yaml:1:4: text that starts with this character needs quotes"),
        ("a: *.png", "x.yaml:1:5: text that starts with '*' or '&' needs quotes"),
        (
            'a: "C:\\data"',
            "x.yaml:1:8: double quotes read '\\' as an escape; write '\\\\', or use single quotes",
        ),
        ("a: 1\nb: \x07", "x.yaml:2:4: the character U+0007 is not allowed; take it out"),
        (
            "%YAML 3.0\n---\na: 1",
            "x.yaml:1:1: this is not YAML: found incompatible YAML document "
            "(version 1.* is required)",
        ),
    ],
)
def test_rejected_yaml_is_reported(text: str, message: str) -> None:
    assert error_messages(text) == [message]


def test_all_rejected_yaml_is_reported_at_once() -> None:
    places = [line.split(" ")[0] for line in error_messages("a: *x\nb: &y 1\nc: !t 2\na: 07\n")]
    assert places == ["x.yaml:1:4:", "x.yaml:2:4:", "x.yaml:3:4:", "x.yaml:4:1:", "x.yaml:4:4:"]


@pytest.mark.parametrize("opening", ["[", "{a: ", "- ", "? "])
def test_endless_nesting_is_rejected(opening: str) -> None:
    start = time.process_time()
    *_, message = error_messages("a:\n " + opening * 10_000)
    assert message.endswith(": mappings and lists go more than 20 deep here")
    assert time.process_time() - start < 5


def test_twenty_levels_are_read() -> None:
    text = "a: " + "[" * 19 + "]" * 19
    assert read_document(text, "x.yaml").values["a"][0][0] != ()
