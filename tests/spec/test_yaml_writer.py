from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field
from spec_tree import VALID, Experiment

from mmzoo.spec import Spec, dump_yaml, load_spec
from mmzoo.spec.yaml_reader import read_document


class Values(Spec):
    text: str = ""
    texts: tuple[str, ...] = ()
    number: float | None = None
    numbers: dict[str, float] = Field(default={})
    complete: int = 0


def read_back(spec: Spec) -> Any:
    return type(spec).model_validate(read_document(dump_yaml(spec), "x.yaml").values)


def test_a_spec_is_written_with_every_default(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(VALID)
    spec = load_spec(Experiment, path)
    text = dump_yaml(spec, "One experiment.\n  mmzoo train x.yaml")
    assert (
        text
        == """\
# One experiment.
#   mmzoo train x.yaml
name: mnist
inputs:
  image:
    type: image
    shape: [28, 28, 1]
    encoder:
      type: cnn
      filters: [32, 64]
      pool: null
      padding: valid
      dropout: 0.5
    augment:
      - type: flip
      - type: rotation
        degrees: 20.0
heads:
  digit:
    type: classification
    classes: 10
    class_weights: null
    class_names: null
  angle:
    type: regression
    weight: 0.1
fusion:
  type: concat
  units: [128]
train:
  epochs: 5
  batch_size: 64
  learning_rate:
    type: cosine
    warmup: 0.05
  momentum: null
  xla: auto
  deterministic: true
  tag: none
  note: 'a: b'
  crop: null
"""
    )
    path.write_text(text)
    assert load_spec(Experiment, path) == spec


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            " ",
            "yes",
            "no",
            "on",
            "Off",
            "true",
            "null",
            "~",
            "None",
            "<<",
            "=",
            "-",
            "?",
            "!x",
        ),
        *(
            "010",
            "1e3",
            "1e-05",
            "5_000",
            ".5",
            ".inf",
            "0x1f",
            "12:30:00",
            "2024-01-02",
            "9" * 200,
        ),
        *("*x", "&x", "a: b", "a #b", "- a", "[a", "{a}", "'", '"', "\\", "C:\\x", "%x", "@x", "`"),
        *("é", "日本", "😀", "\ufeff", "\x85", "\u2028", "\x00", "\x07", "\x1b[31m", "\t", "a\t"),
        *(
            "a\nb",
            "a\n\nb\n",
            "\n",
            "\n\n a",
            " a\n b",
            "a\n ",
            "a\r\nb",
            "a\n\tb",
            "---\na",
            "a\n#b",
        ),
        *("x" * 500, "word " * 100, "# a"),
    ],
)
def test_texts_round_trip(text: str) -> None:
    values = Values(text=text, texts=(text, "x", text), numbers={text: 1.0})
    assert read_back(values) == values


def test_ambiguous_words_are_quoted() -> None:
    values = Values(texts=("yes", "010", "1e3", "12:30", "plain"))
    assert "texts: ['yes', '010', '1e3', '12:30', plain]\n" in dump_yaml(values)
    assert yaml.safe_load(dump_yaml(values))["texts"] == list(values.texts)


def test_multiline_text_is_written_as_a_block() -> None:
    assert "text: |-\n  one\n  two\n" in dump_yaml(Values(text="one\ntwo"))


@pytest.mark.parametrize("number", [0.0, -0.0, 1e-05, 1e16, 1e17, 1e300, 5e-324, 0.1, 1 / 3, 5.0])
def test_numbers_round_trip_exactly(number: float) -> None:
    values = read_back(Values(number=number))
    assert values.number == number
    assert math.copysign(1, values.number) == math.copysign(1, number)


def test_the_header_stays_a_comment() -> None:
    text = dump_yaml(Values(), "one\r\ntwo: 2\n\nthree\x85four: 4\x0c")
    assert text.startswith("# one\n# two: 2\n#\n# three\n# four: 4\ntext: ''\n")


@given(
    st.builds(
        Values,
        text=st.text(),
        texts=st.lists(st.text()).map(tuple),
        number=st.none() | st.floats(allow_nan=False, allow_infinity=False),
        numbers=st.dictionaries(st.text(), st.floats(allow_nan=False, allow_infinity=False)),
        complete=st.integers(-(10**18), 10**18),
    )
)
def test_any_values_round_trip(values: Values) -> None:
    assert read_back(values) == values
