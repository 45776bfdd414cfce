"""Building blocks of error messages: escaped text, descriptions of values, closest names."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from typing import Any

KeyPath = tuple[str | int, ...]
"""Path from the top of a config to a value: keys, and indices of list items."""

_MAX_SHOWN = 60


def escape(text: str) -> str:
    """The text on one line, with non-printable characters as escapes."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def shorten(text: str) -> str:
    """The escaped text, truncated to 60 characters."""
    shown = escape(text[: _MAX_SHOWN + 1])
    return shown if len(shown) <= _MAX_SHOWN else shown[: _MAX_SHOWN - 3] + "..."


def dotted(path: KeyPath) -> str:
    """`("inputs", "image", "augment", 0)` as `inputs.image.augment.0`."""
    return ".".join(shorten(str(part)) or "''" for part in path)


def describe(value: Any) -> str:
    """A value in words: "text 'ten'", "number 5", "a list of 2: [28, 28]", "nothing"."""
    match value:
        case None:
            return "nothing"
        case bool():
            return flow_yaml(value)
        case int() | float():
            return f"number {flow_yaml(value)}"
        case str():
            return f"text '{shorten(value)}'"
        case list() | tuple():
            return f"a list of {len(value)}: {flow_yaml(value)}" if value else "an empty list"
        case dict():
            return f"a mapping: {flow_yaml(value)}" if value else "an empty mapping"
        case _:
            return f"a Python {type(value).__name__}"


def flow_yaml(value: Any) -> str:
    """The value as one line of YAML, truncated: `{type: cnn, filters: [32, 64]}`."""
    return shorten(_flow_yaml(value))


def _flow_yaml(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case list() | tuple():
            return f"[{', '.join(map(_flow_yaml, value[:_MAX_SHOWN]))}]"
        case dict():
            return f"{{{', '.join(f'{key}: {_flow_yaml(item)}' for key, item in value.items())}}}"
        case _:
            return str(value)


def join_or(options: Sequence[str]) -> str:
    """`a, b or c`."""
    *first, last = options
    return f"{', '.join(first)} or {last}" if first else last


def plain_number(value: float) -> str:
    """A number of a table as people read it: `241,700`, `0.0123`, `1,721,606,400,000`."""
    return f"{value:,.0f}" if 1e5 <= abs(value) < 1e16 else f"{value:,g}"


def nearest(name: str, names: Iterable[str]) -> str | None:
    """The most similar name, ignoring case and `-` versus `_`; None if no name is similar."""
    by_fold = {fold(known): known for known in names}
    near = difflib.get_close_matches(fold(name[:_MAX_SHOWN]), by_fold, n=1)
    return by_fold[near[0]] if near else None


def by_similarity(name: str, names: Iterable[str]) -> list[str]:
    """All names by similarity: those with a common prefix first, then by edit distance."""
    folded = fold(name[:_MAX_SHOWN])

    def similarity(known: str) -> tuple[bool, float]:
        other = fold(known)
        starts = bool(folded) and (other.startswith(folded) or folded.startswith(other))
        return starts, difflib.SequenceMatcher(None, folded, other).ratio()

    return sorted(names, key=similarity, reverse=True)


def did_you_mean(name: str, names: Iterable[str]) -> str:
    """`; did you mean 'lenet'?`, or "" if no name is similar."""
    near = nearest(name, names)
    return f"; did you mean '{near}'?" if near else ""


def list_choices(names: Iterable[str]) -> str:
    """`There are: cnn, lenet`."""
    known = list(names)
    return f"There {'is' if len(known) == 1 else 'are'}: {', '.join(known) or 'none'}"


def fold(name: str) -> str:
    """The normalized name for comparisons: in lower case, with `_` for `-`."""
    return name.casefold().replace("-", "_")


def size_text(size: int) -> str:
    """Bytes for people: `7 kB`, `3.2 MB`, `1.5 GB`."""
    if size < 1e5:
        return f"{size / 1e3:.0f} kB"
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.1f} MB"
