"""From a YAML file, or from Python values, to a spec."""

from __future__ import annotations

import stat
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from mmzoo.errors import ConfigError
from mmzoo.spec.error_hints import Spot, with_default
from mmzoo.spec.error_messages import findings
from mmzoo.spec.expected_types import Expected
from mmzoo.spec.overrides import override
from mmzoo.spec.spec_model import Problem, Spec
from mmzoo.spec.wording import KeyPath, nearest, printable
from mmzoo.spec.yaml_document import Document, Finding, config_error, document_of
from mmzoo.spec.yaml_reader import read_document

_MAX_BYTES = 1_000_000


def read_text(path: Path) -> str:
    """The text of a config file: UTF-8, at most 1 MB, of which no more than that is read.

    Raises:
        ConfigError: the path is missing, is not a regular file, or holds no such text.
    """
    if path == Path():  # What an empty text makes, as a shell variable that is not set leaves.
        raise ConfigError("expected the path of a config, got the current folder or an empty text")
    try:
        content = _read_bytes(path)
    except (FileNotFoundError, NotADirectoryError):
        raise _wrong(path, what_is_missing(path, config_of_name(path))) from None
    except PermissionError:
        raise _wrong(path, "there is no permission to read it") from None
    except OSError as error:
        raise _wrong(path, f"it cannot be read: {error.strerror}") from None
    except ValueError:
        raise _wrong(path, "a path cannot hold this character") from None
    return _decode(path, content)


def _wrong(path: Path, message: str) -> ConfigError:
    return ConfigError(f"{printable(str(path))}: {message}")


def _read_bytes(path: Path) -> bytes:
    status = path.stat()
    if stat.S_ISDIR(status.st_mode):
        raise _wrong(path, _what_the_folder_holds(path))
    if not stat.S_ISREG(status.st_mode):
        # To open a pipe or a device may wait for ever.
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


def what_is_missing(path: Path, meant: Path | None = None) -> str:
    """Which part of a file's path is not there, as a clause, and what may be meant instead.

    Args:
        path: The file's, which does not exist.
        meant: Is probably meant; by default, the name beside it that is nearest.
    """
    missing = next((part for part in reversed(path.parents) if not part.exists()), path)
    if missing.parent.is_file():
        return f"'{printable(str(missing.parent))}' is a file, not a folder"
    kind = "file" if missing == path else f"folder '{printable(str(missing))}'"
    near = meant or _nearest_to(missing)
    suggestion = f"; did you mean '{printable(str(near))}'?" if near else ""
    return f"there is no such {kind}{suggestion}"


def config_of_name(path: Path) -> Path | None:
    """The config that is meant by a name without its folder or ending, or by one near to it."""
    if path.is_absolute():
        return None
    places = (Path(f"{path}.yaml"), Path("configs", path), Path("configs", f"{path}.yaml"))
    exact = next((place for place in places if place.is_file()), None)
    if exact or path != Path(path.name):
        return exact
    by_stem = {Path(name).stem: Path("configs", name) for name in _configs_in(Path("configs"))}
    near = nearest(path.name.removesuffix(".yaml"), by_stem)
    return by_stem[near] if near else None


def _nearest_to(missing: Path) -> Path | None:
    near = nearest(missing.name, _names_in(missing.parent))
    return missing.with_name(near) if near else None


def _what_the_folder_holds(path: Path) -> str:
    configs = _configs_in(path)
    if not configs:
        return "a folder, not a YAML file"
    return f"a folder, not a YAML file; it holds {', '.join(map(printable, configs))}"


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
