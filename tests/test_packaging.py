"""The wheel: one version, all files of the package, the command, the dependencies."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import entry_points, packages_distributions
from pathlib import Path

import pytest

import mmzoo
from mmzoo.cli import main

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
SCRIPTS = [path for path in (*ROOT.glob("scripts/*"), ROOT / ".ci" / "run") if not path.suffix]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """The wheel that `pip install .` would make, built by the hatchling of this environment."""
    pytest.importorskip("hatchling", reason="needs hatchling: pip install -e '.[dev]'")
    folder = tmp_path_factory.mktemp("wheel")
    options = ["--no-deps", "--no-build-isolation", "--quiet", "--wheel-dir", str(folder)]
    subprocess.run([sys.executable, "-m", "pip", "wheel", *options, str(ROOT)], check=True)
    [path] = folder.iterdir()
    return zipfile.ZipFile(path)


def test_the_wheel_has_every_file_of_the_package_and_nothing_else(wheel: zipfile.ZipFile) -> None:
    package = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "mmzoo").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert "mmzoo/evaluation/report.css" in package
    installed = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert installed == package


def test_the_wheel_has_the_version_of_the_package_and_the_licence(wheel: zipfile.ZipFile) -> None:
    folder = f"mmzoo-{mmzoo.__version__}.dist-info"
    metadata = wheel.read(f"{folder}/METADATA").decode()
    assert f"\nVersion: {mmzoo.__version__}\n" in metadata
    assert wheel.read(f"{folder}/licenses/LICENSE") == (ROOT / "LICENSE").read_bytes()


def test_the_version_is_written_once() -> None:
    assert "version" not in PROJECT
    assert PROJECT["dynamic"] == ["version"]
    files = [*(ROOT / "mmzoo").rglob("*.py"), ROOT / "pyproject.toml", ROOT / "Dockerfile"]
    text = re.escape(f'"{mmzoo.__version__}"')
    assert [path.name for path in files if re.search(text, path.read_text())] == ["__init__.py"]


def test_changelog_mentions_the_version() -> None:
    assert mmzoo.__version__ in (ROOT / "CHANGELOG.md").read_text()


def test_mmzoo_is_the_command() -> None:
    [command] = entry_points(group="console_scripts", name="mmzoo")
    assert command.load() is main


def test_python_m_mmzoo_is_the_same_command(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mmzoo", "--version"], cwd=tmp_path, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (0, f"mmzoo, version {mmzoo.__version__}\n")


def test_what_the_package_imports_is_what_it_depends_on() -> None:
    imported = {
        name
        for path in (ROOT / "mmzoo").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        for name in _imported(node)
    }
    # `google` is a namespace of many; ours is protobuf's part. Pydantic pins its own core.
    others = imported - sys.stdlib_module_names - {"mmzoo", "google", "pydantic_core"}
    found = packages_distributions()
    used = {_canonical(found[name][0]) for name in others} | {"protobuf"}
    extra = _named(PROJECT["optional-dependencies"]["tfds"])
    assert used - extra == _named(PROJECT["dependencies"])


def _named(requirements: list[str]) -> set[str]:
    return {_canonical(re.split(r"[<>=\[]", text)[0]) for text in requirements}


def _imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name.split(".")[0] for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        return [str(node.module).split(".")[0]]
    return []


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_the_gpu_extra_asks_for_the_same_tensorflow() -> None:
    [gpu] = PROJECT["optional-dependencies"]["gpu"]
    assert gpu.replace("[and-cuda]", "") in PROJECT["dependencies"]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_a_script_can_be_run(script: Path) -> None:
    assert os.access(script, os.X_OK)
    first, *_ = script.read_text().splitlines()
    assert first in ("#!/usr/bin/env bash", "#!/usr/bin/env python")
    if first.endswith("bash"):
        assert "\nset -euo pipefail\n" in script.read_text()
        subprocess.run(["bash", "-n", script], check=True)


def test_dockerfile_copies_only_files_of_the_build_context() -> None:
    docker = (ROOT / "Dockerfile").read_text()
    copied = {
        name
        for line in re.findall(r"^COPY (?!--from)(.+) \S+$", docker, re.MULTILINE)
        for name in line.split()
    }
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    assert "*" in ignored
    assert copied == {line[1:] for line in ignored if line.startswith("!")}
    assert all((ROOT / name).exists() for name in copied)
