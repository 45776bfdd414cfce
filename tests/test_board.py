"""`mmzoo board` starts TensorBoard for this machine only."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from mmzoo.board import local_only, start_board
from mmzoo.errors import RunError


def message(directory, port=0):
    with pytest.raises(RunError) as caught:
        start_board(directory, port)
    return str(caught.value)


def test_missing_directory(tmp_path):
    path = tmp_path / "runs"
    assert message(path) == (
        f"{path}: there is no such directory. `mmzoo train CONFIG` makes runs in runs/."
    )


def test_misspelled_directory(tmp_path):
    (tmp_path / "runs").mkdir()
    path = tmp_path / "rusn"
    assert message(path) == (
        f"{path}: there is no such directory; did you mean '{tmp_path / 'runs'}'? "
        "`mmzoo train CONFIG` makes runs in runs/."
    )


def test_a_file(tmp_path):
    path = tmp_path / "x.yaml"
    path.touch()
    assert message(path) == f"{path}: a file; give a run, or a folder with runs below it."


def test_a_port_that_is_in_use(tmp_path):
    with socket.create_server(("localhost", 0)) as other:
        port = other.getsockname()[1]
        assert message(tmp_path, port) == (
            f"port {port}: Address already in use. "
            "Choose another with --port; 0 takes any free port."
        )


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:6006", "LOCALHOST:1", "127.0.0.1:6006", "[::1]:6006"]
)
def test_requests_to_this_machine_are_answered(host):
    assert answer(host) == ("200 OK", b"runs")


@pytest.mark.parametrize(
    "host",
    [
        *("evil.example:6006", "localhost.evil.example", "127.0.0.1.evil.example", "192.168.0.7"),
        *("localhost@evil.example", "[::1", "evil.example/localhost", ""),
    ],
)
def test_requests_to_other_names_are_refused(host):
    """Such a name may have the address 127.0.0.1."""
    status, body = answer(host)
    assert status == "403 Forbidden"
    assert b"only requests to localhost" in body


def answer(host):
    def application(environment, start):
        start("200 OK", [])
        return [b"runs"]

    statuses = []
    body = local_only(application)({"HTTP_HOST": host}, lambda status, _: statuses.append(status))
    return (*statuses, b"".join(body))


def test_curves_are_served_locally_until_ctrl_c(own_run):
    process = subprocess.Popen(
        [sys.executable, "-m", "mmzoo", "board", str(own_run.directory), "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        line = process.stdout.readline()
        found = re.fullmatch(
            r"TensorBoard of \S+: (http://localhost:(\d+)/) \(Ctrl-C ends it\)\n", line
        )
        assert found, line + process.stderr.read()
        serves_the_curves(found[1])
        is_for_this_machine(int(found[2]))
        process.send_signal(signal.SIGINT)
        out, err = process.communicate()
        # Nothing of TensorFlow's start-up log, and Ctrl-C is the way to end it.
        assert (process.returncode, out, err) == (0, "", "")
    finally:
        process.kill()
        process.communicate()


def serves_the_curves(address):
    runs: set[str] = set()
    while not {"train", "validation"} <= runs:  # It reads them in the background.
        with urllib.request.urlopen(f"{address}data/runs") as found:
            runs = {Path(run).name for run in json.load(found)}
        time.sleep(0.1)
    for page in ("", "data/plugins_listing"):
        with urllib.request.urlopen(f"{address}{page}") as found:
            assert found.status == 200


def is_for_this_machine(port):
    request = urllib.request.Request(
        f"http://localhost:{port}/data/runs", headers={"Host": "evil.example"}
    )
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(request)
    with socket.create_connection(("localhost", port)):
        pass
    # An address of this machine besides 127.0.0.1 that needs no network to be there.
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.2", port))
