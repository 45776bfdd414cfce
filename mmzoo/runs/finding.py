"""Where runs are: the next number, the newest, the one that a user named."""

from __future__ import annotations

import os
from pathlib import Path

from mmzoo.errors import RunError
from mmzoo.runs.run import NUMBER, Run
from mmzoo.spec import did_you_mean


def new_run(name: str, directory: Path | None = None, root: Path = Path("runs")) -> Run:
    """Makes a run directory: `directory`, else `root/name/<next number>`.

    Raises:
        RunError: `directory` exists already, or `root/name` would be a run and its runs' folder.
    """
    parent = root / name
    if directory is not None:
        if directory.resolve() == parent.resolve():
            raise RunError(
                f"{directory}: stands for the newest of the numbered runs in it. Name another, "
                f"such as {directory / 'mine'}, or leave --run out."
            )
        refuse_existing(directory)
        directory.mkdir(parents=True)
        return Run(directory)
    if Run(parent).config_file.is_file():
        raise RunError(
            f"{parent}: is itself a run, and would hide the numbered runs in it. Move it "
            "elsewhere, or name a directory with --run."
        )
    parent.mkdir(parents=True, exist_ok=True)
    number = max((int(path.name) for path in _numbered(parent)), default=0)
    while True:  # Two trainings that start at once each get a number of their own.
        number += 1
        try:
            (parent / f"{number:03d}").mkdir()
            return Run(parent / f"{number:03d}")
        except FileExistsError:
            continue


def refuse_existing(directory: Path) -> None:
    """Raises a RunError if there is something where a new run should go."""
    for path in (directory, *directory.parents):
        if path.is_file():
            raise RunError(
                f"{path}: is a file, not a {'run directory' if path == directory else 'folder'}. "
                "Name another --run."
            )
    if directory.exists() or directory.is_symlink():
        raise RunError(
            f"{directory}: exists already. Go on with it by --resume, or name another --run."
        )


def newest_run(name: str, root: Path = Path("runs")) -> Run | None:
    """The newest run of an experiment, if there is one."""
    runs = runs_of(name, root)
    return runs[-1] if runs else None


def runs_of(name: str, root: Path = Path("runs")) -> list[Run]:
    """The numbered runs of an experiment, the oldest first."""
    return [Run(path) for path in sorted(_numbered(root / name), key=lambda path: int(path.name))]


def open_run(path: Path) -> tuple[Run, Path | None]:
    """The run that a user named, and the weights file if that is what they named.

    Args:
        path: a run directory, `runs/<name>` for its newest, or a file inside a run.

    Raises:
        RunError: there is no run there.
    """
    if path.is_file():
        here = Path.cwd()
        for parent in Path(os.path.abspath(path)).parents:
            if Run(parent).config_file.is_file():
                named_from_here = not path.is_absolute() and parent.is_relative_to(here)
                return Run(parent.relative_to(here) if named_from_here else parent), path
        raise RunError(f"{path}: not inside a run directory: no config.yaml above it")
    if Run(path).config_file.is_file():
        return Run(path), None
    if numbered := _numbered(path):
        return open_run(max(numbered, key=lambda found: int(found.name)))
    if path.is_dir():
        raise RunError(f"{path}: not a run directory: it has no config.yaml")
    if Path("runs", path).is_dir() and not path.is_absolute():
        near = f"; did you mean '{Path('runs', path)}'?"
    else:
        beside = [entry.name for entry in path.parent.iterdir()] if path.parent.is_dir() else []
        near = did_you_mean(path.name, beside)
    raise RunError(
        f"{path}: there is no such run{near or '.'} `mmzoo list runs` shows those there are."
    )


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
