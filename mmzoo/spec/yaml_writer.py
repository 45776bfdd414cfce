"""Writing of specs as YAML that loads as an equal spec."""

from __future__ import annotations

from typing import Any

import yaml

from mmzoo.spec.spec_model import Spec
from mmzoo.spec.wording import escape
from mmzoo.spec.yaml_reader import read_scalar

_WIDTH = 100


def dump_yaml(spec: Spec, header: str = "") -> str:
    """The spec as YAML, including defaults. `load_spec` of the text gives an equal spec.

    `type` comes first, then the fields in the order of their declaration. Lists of plain values
    are written on one line, everything else in block style.

    Args:
        spec: the spec.
        header: lines to write above it as comments.
    """
    comments = "".join(f"# {escape(line)}".rstrip() + "\n" for line in header.splitlines())
    text = yaml.dump(
        _plain(spec),
        Dumper=_Dumper,
        sort_keys=False,
        allow_unicode=True,
        width=_WIDTH,
    )
    return comments + str(text)


def dump_line(value: Any) -> str:
    """A plain value, list or mapping as one line of YAML, which reads back as the same value."""
    text = yaml.dump(
        [value],  # Within a list, scalars get no document end marker.
        Dumper=_Dumper,
        sort_keys=False,
        allow_unicode=True,
        width=float("inf"),
        default_flow_style=True,
    )
    return str(text).removeprefix("[").removesuffix("]\n")


def _plain(value: Any) -> Any:
    if isinstance(value, Spec):
        names = sorted(type(value).model_fields, key=lambda name: name != "type")
        return {name: _plain(getattr(value, name)) for name in names}
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, tuple):
        return tuple(map(_plain, value))
    return value


class _Dumper(yaml.SafeDumper):
    """PyYAML's emitter, with our own rules for quotes and one-line lists."""

    def ignore_aliases(self, data: Any) -> bool:
        return True  # The reader rejects aliases.

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, indentless=False)  # Indents list items below their key.


def _write_text(dumper: _Dumper, text: str) -> yaml.Node:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=_style(text))


def _style(text: str) -> str | None:
    if not text.replace("\n", "").isprintable():
        return '"'  # Only double quotes allow escapes.
    if "\n" in text:
        return "|"  # PyYAML falls back to quotes if a block would change the text.
    return None if _reads_as_text(text) else "'"


def _reads_as_text(text: str) -> bool:
    try:
        return isinstance(read_scalar(text), str) and text != "<<"
    except ValueError:
        return False


def _write_list(dumper: _Dumper, items: tuple[Any, ...]) -> yaml.Node:
    is_plain = not any(isinstance(item, tuple | dict) for item in items)
    return dumper.represent_sequence("tag:yaml.org,2002:seq", items, flow_style=is_plain)


_Dumper.add_representer(str, _write_text)
_Dumper.add_representer(tuple, _write_list)
