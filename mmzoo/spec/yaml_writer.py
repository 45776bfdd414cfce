"""Writes a spec as YAML that reads back to the same spec."""

from __future__ import annotations

from typing import Any

import yaml

from mmzoo.spec.spec_model import Spec
from mmzoo.spec.wording import printable
from mmzoo.spec.yaml_reader import read_scalar

_WIDTH = 100


def dump_yaml(spec: Spec, header: str = "") -> str:
    """The spec as YAML: every default written out, `type` first, the fields as they are declared.

    Lists of plain values are written on one line, everything else as blocks. `load_spec` of the
    text gives an equal spec.

    Args:
        spec: What to write.
        header: Lines to put above it as comments.
    """
    comments = "".join(f"# {printable(line)}".rstrip() + "\n" for line in header.splitlines())
    text = yaml.dump(
        _plain(spec),
        Dumper=_Dumper,
        sort_keys=False,
        allow_unicode=True,
        width=_WIDTH,
    )
    return comments + str(text)


def dump_line(value: Any) -> str:
    """A plain value, list or mapping as YAML on one line, which reads back as the same value."""
    text = yaml.dump(
        [value],  # In a list every value is written on one line, and none as a document.
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
    """PyYAML's emitter with our rules for what needs quotes and what stands on one line."""

    def ignore_aliases(self, data: Any) -> bool:
        return True  # The reader refuses them.

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, indentless=False)  # Items stand to the right of their name.


def _write_text(dumper: _Dumper, text: str) -> yaml.Node:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=_style(text))


def _style(text: str) -> str | None:
    if not text.replace("\n", "").isprintable():
        return '"'  # Only here are escapes read.
    if "\n" in text:
        return "|"  # PyYAML falls back on quotes where a block would lose something.
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
