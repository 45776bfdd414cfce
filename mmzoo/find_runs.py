"""Runs by name: create a numbered run directory, open one, and list them."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from mmzoo.errors import ConfigError, RunError
from mmzoo.runs import NUMBER, Run
from mmzoo.spec import config_name, is_table, nearest


def new_run(name: str, directory: Path | None = None, root: Path = Path("runs")) -> Run:
    """Creates a run directory: `directory`, else `root/name/<next number>`.

    Raises:
        RunError: `directory` exists, or `root/name` is itself a run.
    """
    parent = root / name
    if directory is not None:
        if directory.resolve() == parent.resolve():
            raise RunError(
                f"{directory}: means the newest of its numbered runs. Name another directory, such "
                f"as {directory / 'mine'}, or leave --run out."
            )
        refuse_existing(directory)
        directory.mkdir(parents=True)
        return Run(directory)
    if Run(parent).config_file.is_file():
        raise RunError(
            f"{parent}: is itself a run, and would hide numbered runs in it. Move it elsewhere, or "
            "name a directory with --run."
        )
    parent.mkdir(parents=True, exist_ok=True)
    number = max((int(path.name) for path in _numbered(parent)), default=0)
    while True:  # Another training may take the number first.
        number += 1
        try:
            (parent / f"{number:03d}").mkdir()
            return Run(parent / f"{number:03d}")
        except FileExistsError:
            continue


def require_utf8(directory: Path) -> None:
    """Raises a RunError if a run's name cannot be written to its log, config and reports."""
    name = os.fsencode(directory)
    try:
        name.decode()
    except UnicodeDecodeError as error:
        shown = name.decode(errors="backslashreplace")
        raise RunError(
            f"{shown}: the name of a run must be valid UTF-8. Rename it, or name another --run."
        ) from error


def refuse_existing(directory: Path) -> None:
    """Raises a RunError if a new run's directory exists, or cannot exist."""
    require_utf8(directory)
    for path in (directory, *directory.parents):
        if path.is_file():
            raise RunError(
                f"{path}: is a file, not a {'run directory' if path == directory else 'folder'}. "
                "Name another --run."
            )
    if directory.exists() or directory.is_symlink():
        raise RunError(
            f"{directory}: exists already. Continue it with --resume, or name another --run."
        )


def newest_run(name: str, root: Path = Path("runs")) -> Run | None:
    """The newest run of an experiment, or None."""
    runs = runs_of(name, root)
    return runs[-1] if runs else None


def runs_of(name: str, root: Path = Path("runs")) -> list[Run]:
    """The numbered runs of an experiment, the oldest first."""
    return [Run(path) for path in sorted(_numbered(root / name), key=lambda path: int(path.name))]


def open_run(path: Path) -> tuple[Run, Path | None]:
    """The run that a user named, and the weights file if they named one.

    Args:
        path: a run directory, `runs/<name>` for its newest, or a file inside a run.

    Raises:
        RunError: there is no such run.
    """
    require_utf8(path)
    if path.is_file():
        here = Path.cwd()
        for parent in Path(os.path.abspath(path)).parents:
            if Run(parent).config_file.is_file():
                named_from_here = not path.is_absolute() and parent.is_relative_to(here)
                return Run(parent.relative_to(here) if named_from_here else parent), path
        raise RunError(f"{path}: {_describe_file(path)}")
    if Run(path).config_file.is_file():
        return Run(path), None
    if numbered := _numbered(path):
        return open_run(max(numbered, key=lambda found: int(found.name)))
    if path.is_dir():
        raise RunError(f"{path}: not a run directory: it has no config.yaml")
    raise RunError(
        f"{path}: there is no such run{_suggest_run(path)} `mmzoo list runs` shows those there are."
    )


def _describe_file(path: Path) -> str:
    """The kind of a file outside any run, and what to give instead."""
    if path.suffix in (".yaml", ".yml"):
        with suppress(ConfigError):
            name = config_name(path)
            if name and (newest := newest_run(name)):
                folder = newest.directory.parent
                return f"a config, not a run; its runs are in {folder}: give that for the newest"
            return f"a config, not a run; `mmzoo train {path}` creates one"
    if is_table(path):
        return f"a table, not a run; the run comes first, as in `runs/<name> --data {path}`"
    return "not inside a run directory: no parent folder has a config.yaml"


def _suggest_run(path: Path) -> str:
    if Path("runs", path).is_dir() and not path.is_absolute():
        return f"; did you mean '{Path('runs', path)}'?"
    for folder in dict.fromkeys((path.parent, Path("runs"))):
        if near := _nearest_in(folder, path.name):
            return f"; did you mean '{near}'?"
    experiment = _nearest_in(path.parent.parent, path.parent.name)
    if experiment and NUMBER.fullmatch(path.name):
        run = experiment / path.name
        return f"; did you mean '{run if run.is_dir() else experiment}'?"
    return "."


def _nearest_in(folder: Path, name: str) -> Path | None:
    """The folder with the most similar name in a folder."""
    names = [entry.name for entry in folder.iterdir() if entry.is_dir()] if folder.is_dir() else []
    near = nearest(name, names)
    return folder / near if near else None


def all_runs(root: Path = Path("runs")) -> list[Run]:
    """Every run in `root` or one folder below, by name and number."""
    found = [path.parent for level in ("*", "*/*") for path in root.glob(f"{level}/config.yaml")]
    return [Run(path) for path in sorted(found, key=_by_name_and_number)]


def _by_name_and_number(path: Path) -> tuple[Path, int]:
    numbered = NUMBER.fullmatch(path.name)
    return (path.parent, int(path.name)) if numbered else (path, 0)


def _numbered(parent: Path) -> list[Path]:
    if not parent.is_dir():
        return []
    return [path for path in parent.iterdir() if path.is_dir() and NUMBER.fullmatch(path.name)]
