"""`--set KEY=VALUE`: overrides, applied to a document before it is validated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from mmzoo.errors import ConfigError
from mmzoo.spec.config_node import ConfigNode
from mmzoo.spec.expected_types import ExpectedType
from mmzoo.spec.spec_model import Spec
from mmzoo.spec.wording import KeyPath, describe, did_you_mean, dotted, list_choices, shorten
from mmzoo.spec.yaml_document import MAX_DEPTH, Document, LocatedProblem, Location, config_error
from mmzoo.spec.yaml_reader import read_scalar, read_value

_OPENERS = ("'", '"', "[", "{")


def apply_overrides(cls: type[Spec], document: Document, overrides: Sequence[str]) -> Document:
    """The document with each `KEY=VALUE` applied in turn.

    A key is a dotted path such as `train.epochs` or `inputs.image.augment.0.degrees`. Missing
    mappings on the path are created, with the `type` of the default if there is one:
    `train.optimizer.learning_rate=0.01` applies to the default optimizer.

    A value is YAML: bare words and numbers, quoted text, and lists and mappings in brackets. Bare
    text may contain special characters, as in `source.path=*.csv`.

    Raises:
        ConfigError: there is no `=`, the key does not exist, or the value cannot be read.
    """
    for number, text in enumerate(overrides, start=1):
        location = Location(number, 0, 0, f"--set {shorten(text)}")
        document = _apply_override(cls, document, text, location)
    return document


def _apply_override(cls: type[Spec], document: Document, text: str, location: Location) -> Document:
    key, equals, value = text.partition("=")
    path = tuple(key.strip().split("."))
    if not equals:
        raise _wrong(location, "expected KEY=VALUE, such as train.epochs=3")
    if "" in path:
        raise _wrong(location, f"there is an empty name in the key '{shorten(key)}'")
    if len(path) > MAX_DEPTH:
        raise _wrong(location, f"the key has more than {MAX_DEPTH} names")
    _require_name(ConfigNode(ExpectedType(cls), (), document.values), path, location)
    values, changed = _set(
        document.values, path, _read(value.strip(), path, location), (), location
    )
    values = _typed(ConfigNode(ExpectedType(cls), (), values), path, location)
    locations = {
        at: where for at, where in document.locations.items() if at[: len(changed)] != changed
    }
    keys = {
        at: where for at, where in document.key_locations.items() if at[: len(changed)] != changed
    }
    return Document(values, {**locations, changed: location}, keys)


def _require_name(top: ConfigNode, path: tuple[str, ...], location: Location) -> None:
    """Refuses fields of an input or head that does not exist, but the `type` of a new one."""
    node: ConfigNode | None = top
    for index, name in enumerate(path[:-1]):
        if node is None:
            return
        names = node.value if node.expected.kind is dict else None
        if isinstance(names, dict) and names and name not in names and path[index + 1] != "type":
            meant = did_you_mean(name, names)
            if not meant and len(names) == 1:
                meant = f"; did you mean '{shorten(next(iter(names)))}'?"
            choices = "" if len(names) == 1 else f" {list_choices(map(shorten, names))}"
            noun = str(path[index - 1]).removesuffix("s")
            raise _wrong(location, f"there is no {noun} '{shorten(name)}'{meant or '.'}{choices}")
        child = node.child(name)
        node = child and child.resolve()


def _read(text: str, path: KeyPath, location: Location) -> Any:
    if text.startswith(_OPENERS):
        document = read_value(text, lambda line, column: location, path)
        return document and document.values
    try:
        return read_scalar(text)
    except ValueError as error:
        raise _wrong(location, str(error)) from None


def _set(
    container: Any, rest: tuple[str, ...], value: Any, path: KeyPath, location: Location
) -> tuple[Any, KeyPath]:
    """The container with the value set, and the path of the topmost value that changed."""
    if not rest:
        return value, path
    name, *below = rest
    if container is None:
        made, _ = _set({}, rest, value, path, location)
        return made, path
    if isinstance(container, dict):
        here = (*path, name)
        made, changed = _set(container.get(name), tuple(below), value, here, location)
        return {**container, name: made}, changed
    if isinstance(container, tuple):
        index = _index(container, name, path, location)
        made, changed = _set(container[index], tuple(below), value, (*path, index), location)
        return (*container[:index], made, *container[index + 1 :]), changed
    raise _wrong(
        location, f"'{dotted(path)}' is {describe(container)}; there is no '{shorten(name)}' in it"
    )


def _typed(top: ConfigNode, path: tuple[str, ...], location: Location) -> Any:
    """The values of `top`, with the default `type` in each mapping on the path that has none."""
    node: ConfigNode | None = top
    for step in path:
        child = node.child(step) if node else None
        if child is None:
            break
        kind = getattr(child.default, "type", None)
        if isinstance(child.value, dict) and kind and "type" not in child.value:
            values, _ = _set(top.value, (*map(str, child.path), "type"), kind, (), location)
            return _typed(replace(top, value=values), path, location)
        node = child.resolve()
    return top.value


def _index(items: tuple[Any, ...], name: str, path: KeyPath, location: Location) -> int:
    indices = [str(index) for index in range(len(items))]
    if name in indices:
        return indices.index(name)
    there = f"0 to {len(items) - 1}" if items else "none: the list is empty"
    message = f"'{dotted(path)}' has no item '{shorten(name)}'; there are {there}"
    raise _wrong(location, message)


def _wrong(location: Location, message: str) -> ConfigError:
    return config_error([LocatedProblem(location, (), message)])
