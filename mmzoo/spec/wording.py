"""The words of config errors: what came, what there is, what comes nearest."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from typing import Any

KeyPath = tuple[str | int, ...]
"""The way from the top of a config to one of its values: names, and numbers in lists."""

_MAX_SHOWN = 60


def printable(text: str) -> str:
    """The text on one line, with control characters written as escapes."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def shorten(text: str) -> str:
    """At most 60 printable characters of the text."""
    shown = printable(text[: _MAX_SHOWN + 1])
    return shown if len(shown) <= _MAX_SHOWN else shown[: _MAX_SHOWN - 3] + "..."


def dotted(path: KeyPath) -> str:
    """`("inputs", "image", "augment", 0)` as `inputs.image.augment.0`."""
    return ".".join(shorten(str(part)) or "''" for part in path)


def describe(value: Any) -> str:
    """What came, in YAML's words: "text 'ten'", "number 5", "a list of 2: [28, 28]", "nothing"."""
    match value:
        case None:
            return "nothing"
        case bool():
            return flow(value)
        case int() | float():
            return f"number {flow(value)}"
        case str():
            return f"text '{shorten(value)}'"
        case list() | tuple():
            return f"a list of {len(value)}: {flow(value)}" if value else "an empty list"
        case dict():
            return f"a mapping: {flow(value)}" if value else "an empty mapping"
        case _:
            return f"a Python {type(value).__name__}"


def flow(value: Any) -> str:
    """The value as YAML writes it on one line, shortened: `{type: cnn, filters: [32, 64]}`."""
    return shorten(_flow(value))


def _flow(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case list() | tuple():
            return f"[{', '.join(map(_flow, value[:_MAX_SHOWN]))}]"
        case dict():
            return f"{{{', '.join(f'{key}: {_flow(item)}' for key, item in value.items())}}}"
        case _:
            return str(value)


def either(options: Sequence[str]) -> str:
    """`a, b or c`."""
    *first, last = options
    return f"{', '.join(first)} or {last}" if first else last


def nearest(name: str, names: Iterable[str]) -> str | None:
    """The name that was probably meant, if one is near: case, `-` and `_` make no difference."""
    by_fold = {_fold(known): known for known in names}
    near = difflib.get_close_matches(_fold(name[:_MAX_SHOWN]), by_fold, n=1)
    return by_fold[near[0]] if near else None


def did_you_mean(name: str, names: Iterable[str]) -> str:
    """`; did you mean 'lenet'?`, or nothing where no name is near."""
    near = nearest(name, names)
    return f"; did you mean '{near}'?" if near else ""


def there_are(names: Iterable[str]) -> str:
    """`There are: cnn, lenet`."""
    known = list(names)
    return f"There {'is' if len(known) == 1 else 'are'}: {', '.join(known) or 'none'}"


def _fold(name: str) -> str:
    return name.casefold().replace("-", "_")
