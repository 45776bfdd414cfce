"""`mmzoo board`: TensorBoard is there, for this machine only, and says so in one line."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from mmzoo.board import start_board
from mmzoo.errors import RunError


def message(directory, port=0):
    with pytest.raises(RunError) as caught:
        start_board(directory, port)
    return str(caught.value)


def test_a_directory_that_is_not_there(tmp_path):
    path = tmp_path / "runs"
    assert message(path) == (
        f"{path}: there is no such directory. `mmzoo train CONFIG` makes runs in runs/."
    )


def test_a_directory_that_is_nearly_there(tmp_path):
    (tmp_path / "runs").mkdir()
    path = tmp_path / "rusn"
    assert message(path) == (
        f"{path}: there is no such directory; did you mean 'runs'? "
        "`mmzoo train CONFIG` makes runs in runs/."
    )


def test_a_port_that_is_in_use(tmp_path):
    with socket.create_server(("localhost", 0)) as other:
        port = other.getsockname()[1]
        assert message(tmp_path, port) == (
            f"port {port}: Address already in use. "
            "Choose another with --port; 0 takes any free port."
        )


@pytest.fixture
def board(own_run):
    """The process, and the address that it printed."""
    process = subprocess.Popen(
        [sys.executable, "-m", "mmzoo", "board", str(own_run.directory), "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        line = process.stdout.readline()
        found = re.fullmatch(
            r"TensorBoard of \S+: (http://localhost:\d+/) \(Ctrl-C ends it\)\n", line
        )
        assert found, line + process.stderr.read()
        yield process, found[1]
    finally:
        process.kill()
        process.communicate()


def test_it_serves_the_curves_until_ctrl_c(board):
    process, address = board
    runs: set[str] = set()
    while not {"train", "validation"} <= runs:  # It reads them in the background.
        with urllib.request.urlopen(f"{address}data/runs") as answer:
            runs = {Path(run).name for run in json.load(answer)}
        time.sleep(0.1)
    for page in ("", "data/plugins_listing"):
        with urllib.request.urlopen(f"{address}{page}") as answer:
            assert answer.status == 200
    process.send_signal(signal.SIGINT)
    out, err = process.communicate()
    # Nothing of TensorFlow's start-up log, and Ctrl-C is the way to end it.
    assert (process.returncode, out, err) == (0, "", "")


def test_other_machines_cannot_reach_it(board):
    _, address = board
    port = int(address.rsplit(":", 1)[1].rstrip("/"))
    with socket.create_connection(("localhost", port)):
        pass
    # An address of this machine besides 127.0.0.1 that needs no network to be there.
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.2", port))
