"""From a YAML file, or from Python values, to a spec."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from mmzoo.spec.base import Spec
from mmzoo.spec.document import Document, config_error, document_of
from mmzoo.spec.files import read_text
from mmzoo.spec.messages import findings
from mmzoo.spec.overrides import override
from mmzoo.spec.reader import read_document

S = TypeVar("S", bound=Spec)


def load_spec(cls: type[S], source: Path | Mapping[str, Any], overrides: Sequence[str] = ()) -> S:
    """Reads, overrides and validates a config.

    Args:
        cls: The spec of the whole config.
        source: A YAML file, or its content as Python values; lists may be lists or tuples.
        overrides: `KEY=VALUE` each, as `--set` takes them; see `override`.

    Raises:
        ConfigError: with a line for every mistake, each with file:line:column (or the `--set`),
            dotted path, what came and what was expected.
    """
    document = document_of(source) if isinstance(source, Mapping) else _read(source)
    return validate(cls, override(cls, document, overrides))


def validate(cls: type[S], document: Document) -> S:
    """The spec that the document's values make; raises a ConfigError as `load_spec` does."""
    spec, error = _validated(cls, document)
    found = list(findings(cls, document, error))
    unknown = [finding.path for finding in found if finding.unknown]
    if unknown:
        # Pydantic asks the rules that span all parts only once every part is right. Without the
        # names that nobody knows they may be: so those mistakes are said now, and not next time.
        _, left = _validated(cls, document.without(unknown))
        if left is not None and not any(details["loc"] for details in left.errors()):
            found += findings(cls, document, left)
    if spec is None or found:
        raise config_error(found) from None
    return spec


def _validated(cls: type[S], document: Document) -> tuple[S | None, ValidationError | None]:
    try:
        return cls.model_validate(document.values), None
    except ValidationError as error:
        return None, error


def _read(path: Path) -> Document:
    return read_document(read_text(path), str(path))
