"""`--set KEY=VALUE`: changes a document before it is validated, so it is checked like the file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from mmzoo.errors import ConfigError
from mmzoo.spec.error_hints import Spot
from mmzoo.spec.expected_types import Expected
from mmzoo.spec.spec_model import Spec
from mmzoo.spec.wording import KeyPath, describe, dotted, shorten
from mmzoo.spec.yaml_document import MAX_DEPTH, Document, Finding, Place, config_error
from mmzoo.spec.yaml_reader import read_scalar, read_value

_OPENERS = ("'", '"', "[", "{")


def override(cls: type[Spec], document: Document, overrides: Sequence[str]) -> Document:
    """The document with each `KEY=VALUE` applied in turn.

    A key is a dotted path such as `train.epochs` or `inputs.image.augment.0.degrees`. Mappings that
    are missing on the way are made, of the default's `type` where `cls`, the spec of the whole, has
    one: `train.optimizer.learning_rate=0.01` is about the default optimizer.

    A value is read by the rules of the file: bare words and numbers, quoted text, and lists and
    mappings in brackets. Bare text needs no quotes for what means something in YAML, so that
    `source.path=*.csv` is what it looks like.

    Raises:
        ConfigError: there is no `=`, the key leads nowhere, or the value cannot be read.
    """
    for number, text in enumerate(overrides, start=1):
        place = Place(number, 0, 0, f"--set {shorten(text)}")
        document = _override(cls, document, text, place)
    return document


def _override(cls: type[Spec], document: Document, text: str, place: Place) -> Document:
    key, equals, value = text.partition("=")
    path = tuple(key.strip().split("."))
    if not equals:
        raise _wrong(place, "expected KEY=VALUE, such as train.epochs=3")
    if "" in path:
        raise _wrong(place, f"there is an empty name in the key '{shorten(key)}'")
    if len(path) > MAX_DEPTH:
        raise _wrong(place, f"the key has more than {MAX_DEPTH} names")
    values, changed = _set(document.values, path, _read(value.strip(), path, place), (), place)
    values = _typed(Spot(Expected(cls), (), values), path, place)
    kept = {at: where for at, where in document.places.items() if at[: len(changed)] != changed}
    keys = {at: where for at, where in document.keys.items() if at[: len(changed)] != changed}
    return Document(values, {**kept, changed: place}, keys)


def _read(text: str, path: KeyPath, place: Place) -> Any:
    if text.startswith(_OPENERS):
        document = read_value(text, lambda line, column: place, path)
        return document and document.values
    try:
        return read_scalar(text)
    except ValueError as error:
        raise _wrong(place, str(error)) from None


def _set(
    container: Any, rest: tuple[str, ...], value: Any, path: KeyPath, place: Place
) -> tuple[Any, KeyPath]:
    """The container with the value set, and the path of the topmost value that is new."""
    if not rest:
        return value, path
    name, *below = rest
    if container is None:
        made, _ = _set({}, rest, value, path, place)
        return made, path
    if isinstance(container, dict):
        here = (*path, name)
        made, changed = _set(container.get(name), tuple(below), value, here, place)
        return {**container, name: made}, changed
    if isinstance(container, tuple):
        index = _index(container, name, path, place)
        made, changed = _set(container[index], tuple(below), value, (*path, index), place)
        return (*container[:index], made, *container[index + 1 :]), changed
    raise _wrong(
        place, f"'{dotted(path)}' is {describe(container)}; there is no '{shorten(name)}' in it"
    )


def _typed(top: Spot, path: tuple[str, ...], place: Place) -> Any:
    """The top's values, with the default's `type` in each mapping on the way that has none."""
    spot: Spot | None = top
    for step in path:
        child = spot.child(step) if spot else None
        if child is None:
            break
        kind = getattr(child.default, "type", None)
        if isinstance(child.value, dict) and kind and "type" not in child.value:
            values, _ = _set(top.value, (*map(str, child.path), "type"), kind, (), place)
            return _typed(replace(top, value=values), path, place)
        spot = child.meant()
    return top.value


def _index(items: tuple[Any, ...], name: str, path: KeyPath, place: Place) -> int:
    indices = [str(index) for index in range(len(items))]
    if name in indices:
        return indices.index(name)
    there = f"0 to {len(items) - 1}" if items else "none: the list is empty"
    message = f"'{dotted(path)}' has no item '{shorten(name)}'; there are {there}"
    raise _wrong(place, message)


def _wrong(place: Place, message: str) -> ConfigError:
    return config_error([Finding(place, (), message)])
