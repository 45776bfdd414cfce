"""From a YAML file, or from Python values, to a spec."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from mmzoo.spec.base import Problem, Spec
from mmzoo.spec.document import Document, Finding, config_error, document_of
from mmzoo.spec.expected import Expected
from mmzoo.spec.files import read_text
from mmzoo.spec.messages import findings
from mmzoo.spec.overrides import override
from mmzoo.spec.reader import read_document
from mmzoo.spec.spot import Spot, with_default
from mmzoo.spec.words import KeyPath

S = TypeVar("S", bound=Spec)


def load_spec(
    cls: type[S],
    source: Path | Mapping[str, Any],
    overrides: Sequence[str] = (),
    demands: Callable[[S], Iterable[Problem]] | None = None,
) -> S:
    """Reads, overrides and validates a config.

    Args:
        cls: The spec of the whole config.
        source: A YAML file, or its content as Python values; lists may be lists or tuples.
        overrides: `KEY=VALUE` each, as `--set` takes them; see `override`.
        demands: Further problems of a spec that is valid: with what there is on this machine.

    Raises:
        ConfigError: with a line for every mistake, each with file:line:column (or the `--set`),
            dotted path, what came and what was expected.
    """
    document = document_of(source) if isinstance(source, Mapping) else _read(source)
    document = override(cls, document, overrides)
    spec = validate(cls, document)
    problems = tuple(demands(spec)) if demands else ()
    if problems:
        raise config_error(
            Finding(document.place(problem.path), problem.path, problem.message)
            for problem in problems
        )
    return spec


def validate(cls: type[S], document: Document) -> S:
    """The spec that the document's values make; raises a ConfigError as `load_spec` does."""
    spec, error = _validated(cls, document)
    found = list(findings(cls, document, error))
    if _stops_below_top(error):
        found += _across_parts(cls, document, found)
    if spec is None or found:
        raise config_error(found) from None
    return spec


def _across_parts(cls: type[S], document: Document, found: Sequence[Finding]) -> list[Finding]:
    """What else is wrong by the rules that span all parts, which pydantic has not asked yet.

    It asks them only once every part is right. Without what was found they may be: without names
    that nobody knows, and with defaults in the place of wrong values. So these mistakes are said
    now, and not next time.
    """
    top = Spot(Expected(cls), (), document.values)
    wrong = {one.path if one.unknown else with_default(top, one.path) for one in found}
    left_out = {path for path in wrong if path and not _is_below(path, wrong)}
    _, error = _validated(cls, document.without(left_out))
    if _stops_below_top(error):
        return []
    # A rule about what was left out would be about a default that the user did not write.
    more = findings(cls, document, error)
    return [one for one in more if one.path not in left_out and not _is_below(one.path, left_out)]


def _is_below(path: KeyPath, others: Collection[KeyPath | None]) -> bool:
    return any(path[:length] in others for length in range(1, len(path)))


def _stops_below_top(error: ValidationError | None) -> bool:
    """Whether some part was wrong, so that the rules that span all were not asked."""
    return error is not None and any(details["loc"] for details in error.errors())


def _validated(cls: type[S], document: Document) -> tuple[S | None, ValidationError | None]:
    try:
        return cls.model_validate(document.values), None
    except ValidationError as error:
        return None, error


def _read(path: Path) -> Document:
    return read_document(read_text(path), str(path))
