"""The file of a config: its text, and messages for paths that are not one."""

from __future__ import annotations

import difflib
import re
import shlex
import stat
import unicodedata
from pathlib import Path

from mmzoo.errors import ConfigError
from mmzoo.spec.wording import by_similarity, escape, fold, nearest

_MAX_BYTES = 1_000_000
_YAML = (".yaml", ".yml")
_TABLES = (".csv", ".tsv", ".tab", ".jsonl", ".ndjson", ".parquet")
_SPREADSHEETS = (".xlsx", ".xls", ".ods", ".xlsm")
_COMPRESSIONS = (".gz", ".zst", ".bz2", ".xz", ".zip")
_MAX_LISTED = 6
_SIMILAR_STEM = 0.7
_URL = re.compile("(?i:https?|ftp|s3|gs):/")
"""The beginning of a URL; a `Path` has no `//`."""


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
        raise _wrong(path, _describe_missing_config(path)) from None
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
    if is_table(path):
        command = f"mmzoo init {_quote(path)} --target COLUMN"
        raise _wrong(path, f"a table, not a config; write one for it: `{command}`")
    if path.suffix.casefold() in _SPREADSHEETS:
        raise _wrong(
            path, "a spreadsheet, not a config; save it as CSV, then `mmzoo init FILE.csv`"
        )
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


def is_table(path: Path) -> bool:
    """Whether the file has the extension of a table, compressed or not."""
    endings = [ending.casefold() for ending in path.suffixes]
    if endings and endings[-1] in _COMPRESSIONS:
        endings.pop()
    return bool(endings) and endings[-1] in _TABLES


def _describe_folder(path: Path) -> str:
    configs = _configs_in(path)
    if runs := sorted([*path.glob("config.yaml"), *path.glob("[0-9]*/config.yaml")]):
        return (
            f"a run, not a config; the config that it was trained with is {escape(str(runs[-1]))}"
        )
    if configs:
        return f"a folder, not a YAML file; it holds {_listed(configs)}"
    if tables := [path / name for name in _names_in(path) if is_table(Path(name))]:
        command = f"mmzoo init {_quote(tables[0])} --target COLUMN"
        return f"a folder of tables, not a config; write one for one of them: `{command}`"
    output = f"{path.resolve().name or 'data'}.yaml"
    command = f"mmzoo init {_quote(path)} --output {_quote(output)}"
    return f"a folder, not a config; write one for the files in it: `{command}`"


def _describe_missing_config(path: Path) -> str:
    described = describe_missing_path(path, find_config(path))
    if "?" in described or not path.parent.is_dir():
        return described
    folders = dict.fromkeys(
        (path.parent, Path("configs") if path.parent == Path() else path.parent)
    )
    configs = [str(folder / name) for folder in folders for name in _configs_in(folder)]
    stems = {Path(config).stem: config for config in configs}
    near = [stems[stem] for stem in by_similarity(path.stem, stems)]
    return f"{described}. YAML files there: {_listed(near)}" if near else described


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _MAX_LISTED} more" if len(names) > _MAX_LISTED else ""
    return ", ".join(map(escape, names[:_MAX_LISTED])) + more


def _quote(path: Path | str) -> str:
    return shlex.quote(escape(str(path)))


def describe_missing_path(path: Path, meant: Path | None = None) -> str:
    """Which part of a path does not exist, with a suggestion, as the end of an error message.

    Args:
        path: a path that does not exist.
        meant: the path to suggest; by default the most similar one.
    """
    if _URL.match(str(path)):
        return "it is a URL; download the file and give its path"
    bare = Path(_bare(str(path)))
    is_bare = bare not in (path, Path()) and bare.exists()
    missing = next((part for part in reversed(path.parents) if not part.exists()), path)
    if missing.parent.is_file():
        return f"'{escape(str(missing.parent))}' is a file, not a folder"
    kind = "file" if missing == path or is_bare else f"folder '{escape(str(missing))}'"
    near = meant or nearest_path(path if is_bare else missing)
    suggestion = f"; did you mean '{escape(str(near))}'?" if near else ""
    return f"there is no such {kind}{suggestion}"


def nearest_path(path: Path) -> Path | None:
    """The file or folder that was probably meant by a path that does not exist; None if none was.

    That is one whose name differs only in case, blanks, quotes, Unicode form, a `file://` or its
    extension; else the one with the most similar name and the same extension.
    """
    missing = Path(_bare(str(path)))
    if missing != path and missing != Path() and missing.exists():
        return missing
    names = _names_in(missing.parent)
    for key in (_same_name, _same_stem):
        same = [name for name in names if key(name) == key(missing.name)]
        if len(same) == 1:
            return missing.with_name(same[0])
    ending = missing.suffix.casefold()
    by_stem = {
        _same_stem(name): name
        for name in names
        if not ending or Path(name).suffix.casefold() == ending
    }
    near = difflib.get_close_matches(_same_stem(missing.name), by_stem, 1, _SIMILAR_STEM)
    return missing.with_name(by_stem[near[0]]) if near else None


def _bare(text: str) -> str:
    """A path without the quotes, blanks and `file:` that come with copying it."""
    text = text.strip().strip("'\"\N{LEFT DOUBLE QUOTATION MARK}\N{RIGHT DOUBLE QUOTATION MARK}")
    if text.casefold().startswith("file:"):
        text = "/" + text[len("file:") :].lstrip("/")
    return text.strip()


def _same_name(name: str) -> str:
    """The normalized name for comparisons: without case, blanks, Unicode form, `-` for `_`."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    return "".join(folded.split()).replace("-", "_")


def _same_stem(name: str) -> str:
    return _same_name(Path(name.strip()).stem)


def find_config(path: Path) -> Path | None:
    """The config with this name or a similar one, given without its folder or extension."""
    if path.is_absolute():
        return None
    candidates = (Path(f"{path}.yaml"), Path("configs", path), Path("configs", f"{path}.yaml"))
    exact = next((candidate for candidate in candidates if candidate.is_file()), None)
    if exact or path != Path(path.name):
        return exact
    if here := nearest_path(path):
        return here if here.suffix in _YAML else None
    by_stem = {Path(name).stem: Path("configs", name) for name in _configs_in(Path("configs"))}
    if sum(fold(stem).startswith(fold(path.name)) for stem in by_stem) > 1:
        return None  # None of them is more likely than the others.
    near = nearest(path.name.removesuffix(".yaml"), by_stem)
    return by_stem[near] if near else None


def _configs_in(folder: Path) -> list[str]:
    return [name for name in _names_in(folder) if name.endswith(_YAML)]


def _names_in(folder: Path) -> list[str]:
    try:
        return sorted(entry.name for entry in folder.iterdir())
    except OSError:
        return []
