"""JSON lines: texts that begin like lists are read as text, and quickly."""

from __future__ import annotations

import json
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmzoo.data import typed_tables as typed
from mmzoo.data.typed_tables import read_json_lines
from mmzoo.errors import DataError

KEY = "描述"


def lines(*cells: object, ascii_only: bool = False, gap: str = ": ") -> bytearray:
    rows = ({"id": number, KEY: cell} for number, cell in enumerate(cells))
    made = (json.dumps(row, ensure_ascii=ascii_only, separators=(", ", gap)) for row in rows)
    return bytearray("".join(f"{row}\n" for row in made).encode())


@pytest.fixture
def line_by_line(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The rows as Python's json module reads them, line by line."""
    read: list[str] = []
    check = typed._check_lines

    def noted(content: bytearray, shown: str) -> None:
        read.append(shown)
        check(content, shown)

    monkeypatch.setattr(typed, "_check_lines", noted)
    return read


@pytest.mark.parametrize(
    "cells",
    [
        ("[1] a note", "{x} is a place", "no bracket", None),
        ('["a", "b"]', '{"描述": [1]}', '[[1], {"a": 2}]'),
        (["[a", "b"], ["{c"], []),
    ],
)
@pytest.mark.parametrize("ascii_only", [False, True])
def test_texts_with_brackets_are_read_at_once(
    line_by_line: list[str], cells: tuple[object, ...], ascii_only: bool
) -> None:
    for gap in (": ", ":"):
        frame, _ = read_json_lines(lines(*cells, ascii_only=ascii_only, gap=gap), "a")
        assert frame[KEY].to_list() == list(cells)
    assert line_by_line == []


@pytest.mark.parametrize(
    ("text", "other"),
    list(product(["[1] a note", "plain"], [["a"], {"a": 1}, [], {}])),
)
def test_a_list_among_texts_is_reported(text: str, other: object) -> None:
    for gap in (": ", ":", " :  "):
        with pytest.raises(DataError, match=r"holds text in line 1, and an? (list|object) in line"):
            read_json_lines(lines(text, other, gap=gap), "a")


CELLS = st.one_of(
    st.none(),
    st.sampled_from(["[", "{a", "a", "[[1]", ", [", '"x": [', f'"{KEY}": "[']),
    st.lists(st.sampled_from(["[", "a", ", {", "]"]), max_size=2),
    st.sampled_from([{"a": "["}, {KEY: ["x"]}, {KEY: "[x"}]),
    st.lists(st.lists(st.just("a"), max_size=1), max_size=2),
)


@given(st.lists(CELLS, min_size=1, max_size=6))
def test_parsed_values_equal_the_json(cells: list[object]) -> None:
    """Lists and objects are reported as such and never become text."""
    try:
        frame, _ = read_json_lines(lines(*cells), "a")
    except DataError:
        return
    for read, cell in zip(frame[KEY].to_list(), cells, strict=True):
        assert type(read) is type(cell)
        if isinstance(cell, str):
            assert read == cell
