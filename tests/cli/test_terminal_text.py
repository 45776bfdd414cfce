"""Aligned, wrapped and escaped text for terminals."""

from __future__ import annotations

import pytest

from mmzoo.cli import terminal_text
from mmzoo.cli.terminal_text import columns, definitions, escape_control, quote, styled, wrapped


@pytest.fixture
def terminal(monkeypatch):
    def of_width(width):
        monkeypatch.setattr(terminal_text, "terminal_width", lambda: width)

    return of_width


def test_non_printable_characters_are_escaped():
    assert (
        escape_control("größe 三\n\x1b[31m\t\udcff\u202e") == "größe 三\n\\x1b[31m\\t\\udcff\\u202e"
    )


def test_columns_are_aligned():
    lines = columns([("name", "n"), ("三三", "10"), ("a\nb", "7")], right=[1])
    assert lines == ["name   n", "三三  10", "a\\nb   7"]


def test_no_trailing_spaces():
    assert columns([("a", "long"), ("b", "")]) == ["a  long", "b"]


def test_no_rows_are_no_lines():
    assert columns([]) == []
    assert definitions({}) == []


def test_long_descriptions_get_a_hanging_indent(terminal):
    rows = {"cnn": "one two three four five", "lenet": "six"}
    terminal(None)
    assert definitions(rows, indent="  ") == ["  cnn    one two three four five", "  lenet  six"]
    terminal(20)
    assert definitions(rows, indent="  ") == [
        "  cnn    one two\n         three four\n         five",
        "  lenet  six",
    ]


def test_descriptions_of_long_names_get_a_smaller_indent(terminal):
    terminal(30)
    [line] = definitions({"a_name_of_some_length": "with words and words"})
    assert line == "a_name_of_some_length  with\n    words and words"


def test_paragraphs_fit_the_terminal(terminal):
    terminal(30)
    long = "word " * 12
    for indent in (0, 2, 6):
        lines = wrapped(" " * indent + long).splitlines()
        assert max(map(len, lines)) <= 30
        assert lines[0].startswith(" " * indent + "word")
        hanging = indent + (4 if indent == 2 else 0)
        assert {len(line) - len(line.lstrip()) for line in lines[1:]} == {hanging}
    terminal(500)
    assert max(map(len, wrapped(20 * long).splitlines())) <= 100
    assert wrapped("a\n\nb") == "a\n\nb"


def test_paths_are_quoted_for_a_shell():
    assert quote("runs/mnist_cnn/001") == "runs/mnist_cnn/001"
    assert quote("my runs/1") == "'my runs/1'"
    assert "\x1b" not in quote("\x1b[31m")


@pytest.mark.parametrize(("name", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_no_color(monkeypatch, name, value):
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert styled("bad", fg="red") == "\x1b[31mbad\x1b[0m"
    monkeypatch.setenv(name, value)
    assert styled("bad", fg="red") == "bad"
