"""The command in its own process: exit codes and imports."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = ("tensorflow", "keras", "numpy", "matplotlib", "sklearn", "polars")
COMMAND = (sys.executable, "-m", "mmzoo")


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "good.yaml"
    path.write_text(
        "name: good\nsource: {type: dataset, name: digits}\n"
        "inputs: {image: {type: image, shape: [8, 8, 1], encoder: {type: lenet, filters: [4]}}}\n"
        "heads: {digit: {type: classification}}\n"
    )
    return path


def run(*command, **named):
    return subprocess.run(
        command, capture_output=True, text=True, stdin=subprocess.DEVNULL, **named
    )


def test_exit_codes_of_a_process(config, tmp_path):
    right = run(*COMMAND, "check", config)
    assert (right.returncode, right.stderr) == (0, f"{config} is a valid config.\n")
    wrong = run(*COMMAND, "train", "zzz.yaml", "--json", cwd=tmp_path)
    assert (wrong.returncode, wrong.stdout) == (1, "")
    assert wrong.stderr == "Error: zzz.yaml: there is no such file. YAML files there: good.yaml\n"
    slip = run(*COMMAND, "chekc", config)
    assert (slip.returncode, slip.stdout) == (2, "")
    assert "Did you mean 'check'?" in slip.stderr


def test_the_script_is_the_module(tmp_path):
    script = Path(sys.executable).with_name("mmzoo")
    if not script.exists():
        pytest.skip("mmzoo is not installed beside this Python")
    assert run(script, "--help").stdout == run(*COMMAND, "--help").stdout


def test_quick_commands_import_nothing_heavy(config):
    """Training and evaluation import it only after everything that can be checked without it."""
    (config.parent / "bad.yaml").write_text("name: [")
    commands = [
        *("--help", "train --help", "check good.yaml", "check good.yaml --json", "check bad.yaml"),
        *("train bad.yaml", "train good.yaml --set a=1", "list", "list runs x*", "show lenet"),
        *("show nothing", "schema", "data list", "data where", "data cache", "board no/runs"),
    ]
    code = f"""
import sys
from mmzoo.cli import main
for command in {commands!r}:
    try:
        main(command.split())
    except SystemExit:
        print(command, [name for name in {HEAVY} if name in sys.modules], file=sys.stderr)
for command in ("eval no/run", "predict no/run a.png", "predict good a.png --output a.doc"):
    try:
        main(command.split())
    except SystemExit:
        print(command, "tensorflow" in sys.modules, file=sys.stderr)
"""
    printed = run(sys.executable, "-c", code, cwd=config.parent).stderr.splitlines()
    for command in commands:
        assert f"{command} []" in printed
    assert len([line for line in printed if line.endswith(" False")]) == 3


@pytest.mark.slow
def test_other_commands_write_no_files(config):
    (config.parent / "bad.yaml").write_text("name: [")
    for words in (["check", "good.yaml"], ["train", "bad.yaml"], ["eval", "runs/x"], ["list"]):
        run(*COMMAND, *words, cwd=config.parent)
    assert sorted(os.listdir(config.parent)) == ["bad.yaml", "good.yaml"]


def test_closed_streams_are_opened_on_the_null_device():
    """Otherwise TensorFlow's log would go to the next file that is opened."""
    code = """
import os, sys
from mmzoo.cli.main_command import open_closed_streams
from mmzoo.lazy import quiet_stderr
assert (sys.stdin, sys.stderr) == (None, None)
open_closed_streams()
with quiet_stderr():
    print("lost", file=sys.stderr)
null = os.stat(os.devnull).st_rdev
print([os.fstat(number).st_rdev == null for number in (0, 2)], sys.stderr.isatty())
"""
    done = run("sh", "-c", 'exec "$0" -c "$1" <&- 2>&-', sys.executable, code)
    assert (done.returncode, done.stdout) == (0, "[True, True] False\n")
