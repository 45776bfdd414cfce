"""What a plain YAML scalar means: the core schema of YAML 1.2, with underscores in numbers.

PyYAML follows YAML 1.1, where `1e-3` is text, `no` is false, `010` is 8 and `12:30:00` is 45000.
Here a word is a word, and whatever looks like a number to a Python programmer is one.
"""

from __future__ import annotations

import re

Scalar = str | int | float | bool | None

_WORDS: dict[str, Scalar] = {"true": True, "false": False, "null": None, "~": None, "": None}
_INTEGER = re.compile(r"[-+]?[0-9]+(_[0-9]+)*")
_BASED_INTEGER = re.compile(r"0x[0-9a-fA-F]+|0o[0-7]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(_[0-9]+)*(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_MAX_DIGITS = 100


def read_scalar(text: str) -> Scalar:
    """The value of an unquoted scalar.

    Raises:
        ValueError: a whole number that people read differently (`010` is 8 in YAML 1.1 and 10 in
            YAML 1.2), or one of more than 100 digits.
    """
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return _read_integer(text)
    if _BASED_INTEGER.fullmatch(text):
        return int(_of_bearable_length(text), 0)
    if _FLOAT.fullmatch(text):
        return float(text)
    if _NOT_FINITE.fullmatch(text):
        return float(text.replace(".", ""))
    return text


def _read_integer(text: str) -> int:
    digits = text.lstrip("+-")
    if digits.startswith("0") and len(digits) > 1:
        plain = _of_bearable_length(text).lstrip("+").replace("_", "")
        raise ValueError(
            f"a number that starts with 0 is read differently by different programs; "
            f"write {int(plain)} for the number or '{text}' for the text"
        )
    return int(_of_bearable_length(text))


def _of_bearable_length(digits: str) -> str:
    # Python takes quadratic time to read digits, and refuses more than some thousands.
    if len(digits) > _MAX_DIGITS:
        raise ValueError(f"a whole number of {len(digits)} digits; at most {_MAX_DIGITS} are read")
    return digits
