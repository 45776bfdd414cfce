"""Versions, machine and git commit, for environment.json and `mmzoo doctor`."""

from __future__ import annotations

import platform
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from mmzoo import __version__

_PACKAGES = ("tensorflow", "keras", "numpy", "tensorboard", "pydantic", "scikit-learn")


def versions() -> dict[str, str]:
    """The versions of Python, mmzoo and the libraries that results depend on."""
    found = {"python": platform.python_version(), "mmzoo": __version__}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found


def machine() -> dict[str, Any]:
    """The operating system and processor."""
    return {
        "system": platform.platform(),
        "processor": _processor(),
        "python": sys.executable,
    }


def git_commit(folder: Path) -> str | None:
    """The checked-out commit of `folder`, with "+" if files were changed since."""
    commit = _git(folder, "rev-parse", "HEAD")
    if commit is None:
        return None
    return commit + ("+" if _git(folder, "status", "--porcelain", "-uno") else "")


def _git(folder: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments],
            capture_output=True,
            text=True,
            timeout=5,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
