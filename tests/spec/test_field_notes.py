from __future__ import annotations

import subprocess
import sys

from mmzoo.spec import Spec, field_notes


class Animal(Spec):
    """An animal."""

    legs: int = 4
    """How many it has,
    of whatever length."""
    name: str = "cat"
    size: float = 1.0
    """In metres."""
    age: int = 0
    """In years."""


class Bird(Animal):
    """It flies."""

    legs: int = 2
    size: float = 0.2
    """In metres, from wing to wing."""


def test_string_below_a_field_is_its_note():
    assert field_notes(Animal) == {
        "legs": "How many it has,\nof whatever length.",
        "size": "In metres.",
        "age": "In years.",
    }


def test_inherited_and_redeclared_notes():
    """An inherited field keeps its note; a redeclared one has another or none."""
    assert field_notes(Bird) == {"size": "In metres, from wing to wing.", "age": "In years."}


def test_checking_a_config_does_not_read_source_code():
    """Finding the notes of a hundred classes takes as long as the rest of a check."""
    code = (
        "import ast; parse, calls = ast.parse, []\n"
        "ast.parse = lambda *given, **named: calls.append(given) or parse(*given, **named)\n"
        "import mmzoo.config\n"
        "print(len(calls))"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == "0\n"
