"""Loading of specs from YAML files or Python mappings."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from mmzoo.spec.config_file import read_text
from mmzoo.spec.config_node import ConfigNode, longest_default_path
from mmzoo.spec.error_messages import located_problems
from mmzoo.spec.expected_types import ExpectedType
from mmzoo.spec.overrides import apply_overrides
from mmzoo.spec.spec_model import Problem, Spec
from mmzoo.spec.wording import KeyPath
from mmzoo.spec.yaml_document import Document, LocatedProblem, config_error, document_from_mapping
from mmzoo.spec.yaml_reader import read_document

S = TypeVar("S", bound=Spec)


def load_spec(
    cls: type[S],
    source: Path | Mapping[str, Any],
    overrides: Sequence[str] = (),
    extra_rules: Callable[[S], Iterable[Problem]] | None = None,
) -> S:
    """Reads a config, applies overrides and validates it.

    Args:
        cls: the spec of the whole config.
        source: a YAML file, or a mapping with the same content.
        overrides: `KEY=VALUE` strings, as for `--set`; see `apply_overrides`.
        extra_rules: yields further problems of a valid spec, such as missing files.

    Raises:
        ConfigError: the config is invalid. The message has a line for every problem, with
            file:line:column (or the `--set`), dotted path, given value and expected value.
    """
    document = document_from_mapping(source) if isinstance(source, Mapping) else _read(source)
    document = apply_overrides(cls, document, overrides)
    spec = validate(cls, document)
    problems = tuple(extra_rules(spec)) if extra_rules else ()
    if problems:
        raise config_error(
            LocatedProblem(document.location(problem.path), problem.path, problem.message)
            for problem in problems
        )
    return spec


def config_name(path: Path) -> str | None:
    """The `name` in a config file, which need not be valid otherwise; None if it has none."""
    name = _read(path).values.get("name")
    return name if isinstance(name, str) else None


def validate(cls: type[S], document: Document) -> S:
    """The spec of a document's values. Raises a ConfigError as `load_spec` does."""
    spec, error = _validated(cls, document)
    found = list(located_problems(cls, document, error))
    if _stops_below_top(error):
        found += _cross_part_problems(cls, document, found)
    if spec is None or found:
        raise config_error(found) from None
    return spec


def _cross_part_problems(
    cls: type[S], document: Document, found: Sequence[LocatedProblem]
) -> list[LocatedProblem]:
    """Further problems, from the rules that span several parts.

    Pydantic checks these rules only if every part is valid. To report all problems at once, the
    rules are checked without unknown fields, and with defaults instead of invalid values.
    """
    top = ConfigNode(ExpectedType(cls), (), document.values)
    wrong = {one.path if one.unknown else longest_default_path(top, one.path) for one in found}
    left_out = {path for path in wrong if path and not _is_below(path, wrong)}
    _, error = _validated(cls, document.without(left_out))
    if _stops_below_top(error):
        return []
    # Problems of what was left out are about defaults, which the user did not write.
    more = located_problems(cls, document, error)
    return [one for one in more if one.path not in left_out and not _is_below(one.path, left_out)]


def _is_below(path: KeyPath, others: Collection[KeyPath | None]) -> bool:
    return any(path[:length] in others for length in range(1, len(path)))


def _stops_below_top(error: ValidationError | None) -> bool:
    """Whether a part is invalid, so that the rules of the whole config were not checked."""
    return error is not None and any(details["loc"] for details in error.errors())


def _validated(cls: type[S], document: Document) -> tuple[S | None, ValidationError | None]:
    try:
        return cls.model_validate(document.values), None
    except ValidationError as error:
        return None, error


def _read(path: Path) -> Document:
    return read_document(read_text(path), str(path))
