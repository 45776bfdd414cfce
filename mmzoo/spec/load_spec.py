"""Loading of specs from YAML files or Python mappings."""

from __future__ import annotations

import stat
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from mmzoo.errors import ConfigError
from mmzoo.spec.config_node import ConfigNode, longest_default_path
from mmzoo.spec.error_messages import located_problems
from mmzoo.spec.expected_types import ExpectedType
from mmzoo.spec.overrides import apply_overrides
from mmzoo.spec.spec_model import Problem, Spec
from mmzoo.spec.wording import KeyPath, escape, nearest
from mmzoo.spec.yaml_document import Document, LocatedProblem, config_error, document_from_mapping
from mmzoo.spec.yaml_reader import read_document

_MAX_BYTES = 1_000_000


def read_text(path: Path) -> str:
    """The text of a config file: UTF-8, at most 1 MB.

    Raises:
        ConfigError: the file does not exist, cannot be read, or is not such a text file.
    """
    if path == Path():  # An empty argument, such as an unset shell variable.
        raise ConfigError("expected the path of a config, got the current folder or an empty text")
    try:
        content = _read_bytes(path)
    except (FileNotFoundError, NotADirectoryError):
        raise _wrong(path, describe_missing_path(path, find_config(path))) from None
    except PermissionError:
        raise _wrong(path, "there is no permission to read it") from None
    except OSError as error:
        raise _wrong(path, f"it cannot be read: {error.strerror}") from None
    except ValueError:
        raise _wrong(path, "a path cannot hold this character") from None
    return _decode(path, content)


def _wrong(path: Path, message: str) -> ConfigError:
    return ConfigError(f"{escape(str(path))}: {message}")


def _read_bytes(path: Path) -> bytes:
    status = path.stat()
    if stat.S_ISDIR(status.st_mode):
        raise _wrong(path, _describe_folder(path))
    if not stat.S_ISREG(status.st_mode):
        # Opening a pipe or a device may block forever.
        raise _wrong(path, "it is a pipe, socket or device; a config is a regular file")
    with path.open("rb") as file:
        content = file.read(_MAX_BYTES + 1)
    if len(content) > _MAX_BYTES:
        raise _wrong(path, "the file is larger than 1 MB; a config is a few lines of YAML")
    return content


def _decode(path: Path, content: bytes) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise _wrong(path, "the file is UTF-16 text; save it as UTF-8")
    if b"\0" in content:
        raise _wrong(path, "a binary file, not YAML text")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        byte = content[error.start]
        raise _wrong(
            path, f"not UTF-8 text: byte 0x{byte:02x} on line {line}; save it as UTF-8"
        ) from None


def describe_missing_path(path: Path, meant: Path | None = None) -> str:
    """Which part of a path does not exist, with a suggestion, as the end of an error message.

    Args:
        path: a path that does not exist.
        meant: the path to suggest; by default the most similar name in the folder.
    """
    missing = next((part for part in reversed(path.parents) if not part.exists()), path)
    if missing.parent.is_file():
        return f"'{escape(str(missing.parent))}' is a file, not a folder"
    kind = "file" if missing == path else f"folder '{escape(str(missing))}'"
    near = meant or _nearest_to(missing)
    suggestion = f"; did you mean '{escape(str(near))}'?" if near else ""
    return f"there is no such {kind}{suggestion}"


def find_config(path: Path) -> Path | None:
    """The config with this name or a similar one, given without its folder or extension."""
    if path.is_absolute():
        return None
    candidates = (Path(f"{path}.yaml"), Path("configs", path), Path("configs", f"{path}.yaml"))
    exact = next((candidate for candidate in candidates if candidate.is_file()), None)
    if exact or path != Path(path.name):
        return exact
    by_stem = {Path(name).stem: Path("configs", name) for name in _configs_in(Path("configs"))}
    near = nearest(path.name.removesuffix(".yaml"), by_stem)
    return by_stem[near] if near else None


def _nearest_to(missing: Path) -> Path | None:
    near = nearest(missing.name, _names_in(missing.parent))
    return missing.with_name(near) if near else None


def _describe_folder(path: Path) -> str:
    configs = _configs_in(path)
    if not configs:
        return "a folder, not a YAML file"
    return f"a folder, not a YAML file; it holds {', '.join(map(escape, configs))}"


def _configs_in(folder: Path) -> list[str]:
    return [name for name in _names_in(folder) if name.endswith((".yaml", ".yml"))]


def _names_in(folder: Path) -> list[str]:
    try:
        return sorted(entry.name for entry in folder.iterdir())
    except OSError:
        return []


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
