"""Says what is wrong with text that is not YAML, in words for people who do not read grammars."""

from __future__ import annotations

import yaml
from yaml.reader import ReaderError

from mmzoo.spec.words import printable

_UNCLOSED = {
    "while parsing a flow sequence": "this '[' is not closed, or a ',' is missing after it",
    "while parsing a flow mapping": "this '{' is not closed, or a ',' is missing after it",
    "while scanning a quoted scalar": "this quote is not closed",
}
"""By PyYAML's context: where it began says more than where the parser gave up."""

_PROBLEMS = {
    "mapping values are not allowed": (
        "a ':' is not expected here; mend the indentation, or put text that holds ': ' in quotes"
    ),
    "sequence entries are not allowed": "a '-' is not expected here; mend the indentation",
    "could not find expected ':'": "a ':' is missing before this, or the indentation is wrong",
    "expected <block end>": "this line is not indented like those that it belongs with",
    "expected alphabetic or numeric character": "text that starts with '*' or '&' needs quotes",
    "found character": "text that starts with this character needs quotes",
    "found unknown escape character": (
        "double quotes read '\\' as an escape; write '\\\\', or use single quotes"
    ),
}
"""By the start of PyYAML's problem."""

_TAB = "a tab; YAML is indented with spaces"


def syntax_problem(error: yaml.YAMLError, text: str) -> tuple[int, int, str]:
    """Line and column, both counted from 1, and what is wrong there."""
    if isinstance(error, ReaderError):
        return _control_character(text, error.position)
    assert isinstance(error, yaml.MarkedYAMLError)
    mark = error.problem_mark or error.context_mark
    assert mark is not None  # PyYAML gives each error that scanning or parsing raises at least one.
    tab = _tab_in_indentation(text, mark.line)
    if tab is not None:
        return mark.line + 1, tab + 1, _TAB
    if error.context in _UNCLOSED and error.context_mark:
        start = error.context_mark
        return start.line + 1, start.column + 1, _UNCLOSED[error.context]
    return mark.line + 1, mark.column + 1, _in_words(error.problem or "")


def _in_words(problem: str) -> str:
    words = (words for start, words in _PROBLEMS.items() if problem.startswith(start))
    return next(words, f"this is not YAML: {printable(problem)}")


def _tab_in_indentation(text: str, line: int) -> int | None:
    lines = text.splitlines()
    content = lines[line] if line < len(lines) else ""
    indentation = content[: len(content) - len(content.lstrip())]
    return indentation.index("\t") if "\t" in indentation else None


def _control_character(text: str, position: int) -> tuple[int, int, str]:
    before = text[:position]
    line = before.count("\n") + 1
    column = position - (before.rfind("\n") + 1) + 1
    return line, column, f"the character U+{ord(text[position]):04X} is not allowed; take it out"
