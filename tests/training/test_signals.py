"""Ctrl-C and SIGTERM finish the step, save, and print how to resume; a second one exits at once."""

from __future__ import annotations

import fcntl
import os
import pty
import random
import re
import signal
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

import pytest
from trainings import config, differences

from mmzoo.checkpoint import checkpoints
from mmzoo.errors import Interrupted
from mmzoo.runs import Run
from mmzoo.training.loop import Loop
from mmzoo.training.signals import stop_on_signals
from mmzoo.training.train import train

BOTH = (signal.SIGINT, signal.SIGTERM)


def wait_for_checkpoint(run: Run, process: subprocess.Popen[Any]) -> None:
    before = checkpoints(run.last)
    while checkpoints(run.last) == before and process.poll() is None:
        time.sleep(0.01)


def test_signals_save_and_print_how_to_resume_and_a_kill_changes_nothing(
    command, uninterrupted, tmp_path
):
    run = Run(tmp_path / "run")
    for number, code in ((signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGKILL, -9)):
        process = subprocess.Popen(
            [*command, str(run.directory)], stderr=subprocess.PIPE, text=True
        )
        wait_for_checkpoint(run, process)
        process.send_signal(number)
        _, said = process.communicate()
        assert process.returncode == code
        if number == signal.SIGKILL:
            break
        [step] = re.findall(
            rf"Stopped after step (\d+) of 105; everything is saved in {run.directory}. Continue "
            rf"with the same command and --resume --run {run.directory}.\n$",
            said,
        )
        assert "Traceback" not in said
        assert int(checkpoints(run.last)[-1].stem) == int(step)
        assert f"Interrupted: Stopped after step {step} of 105" in run.log_file.read_text()
    subprocess.run([*command, str(run.directory)], check=True, capture_output=True)
    assert differences(uninterrupted, run) == []


@pytest.mark.slow
def test_ctrl_c_leaves_the_terminal_as_it_was(command, tmp_path):
    run = Run(tmp_path / "run")
    controller, terminal = pty.openpty()
    before = termios.tcgetattr(terminal)
    process = subprocess.Popen(
        [*command, str(run.directory)],
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        env={**os.environ, "TERM": "xterm"},
        start_new_session=True,
        preexec_fn=take_terminal,
    )
    said = bytearray()
    reader = threading.Thread(target=read_all, args=(controller, said))
    reader.start()
    wait_for_checkpoint(run, process)
    os.write(controller, b"\x03")
    assert process.wait() == 130
    assert termios.tcgetattr(terminal) == before
    os.close(terminal)
    reader.join()
    os.close(controller)
    text = said.decode()
    assert text.rfind("\x1b[?25h") >= text.rfind("\x1b[?25l")  # The cursor is shown in the end.
    # Nothing but the message stands after the progress line was erased for the last time.
    assert re.fullmatch(r"Stopped after step \d+ of 105; .*\.\r\n", text.split("\x1b[2K")[-1])


def take_terminal() -> None:
    """Makes stdin the controlling terminal of this process."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def read_all(descriptor: int, into: bytearray) -> None:
    while True:
        try:
            into += os.read(descriptor, 65536)
        except OSError:  # The other side is closed.
            return


@pytest.mark.slow
def test_a_signal_in_validation_loses_nothing(tmp_path):
    """The epoch's training metrics are preserved and validation is repeated."""
    values = config(train={"evaluation_batch_size": 50})
    whole = train(values, run=tmp_path / "whole")
    validate = Loop.validate

    def interrupted(loop: Loop, batches: Any, stop: object) -> object:
        def signalled() -> Iterator[Any]:
            for batch in batches:
                yield batch
                os.kill(os.getpid(), signal.SIGINT)

        return validate(loop, signalled(), stop)

    with patch.object(Loop, "validate", interrupted), pytest.raises(Interrupted) as caught:
        train(values, run=tmp_path / "run")
    assert caught.value.exit_code == 130
    assert Run(tmp_path / "run").history() == []
    resumed = train(values, run=tmp_path / "run", resume=True)
    assert differences(whole, resumed) == []


@pytest.mark.parametrize("first", BOTH)
@pytest.mark.parametrize("second", BOTH)
def test_a_second_signal_ends_the_process(first, second):
    code = (
        "import time\n"
        "from mmzoo.training.signals import stop_on_signals\n"
        "with stop_on_signals() as stop:\n"
        "    print('ready', flush=True)\n"
        "    while not stop: time.sleep(0.01)\n"
        "    print('asked', stop.signal_number, flush=True)\n"
        "    while True: time.sleep(60)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.send_signal(first)
    assert process.stdout.readline() == f"asked {first}\n"
    process.send_signal(second)
    assert process.wait() == -second
    process.stdout.close()


def test_two_simultaneous_signals_end_the_process_cleanly():
    """Python calls its handlers only after both signals arrived."""
    code = (
        "import os, signal, time\n"
        "from mmzoo.training.signals import stop_on_signals\n"
        "numbers = (signal.SIGINT, signal.SIGTERM)\n"
        "with stop_on_signals():\n"
        "    signal.pthread_sigmask(signal.SIG_BLOCK, numbers)\n"
        "    for number in numbers: os.kill(os.getpid(), number)\n"
        "    signal.pthread_sigmask(signal.SIG_UNBLOCK, numbers)\n"
        "    while True: time.sleep(60)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert -done.returncode in BOTH
    assert done.stderr == ""


def test_signal_handlers_are_restored():
    before = [signal.getsignal(number) for number in BOTH]
    with stop_on_signals() as stop:
        assert not stop
        os.kill(os.getpid(), signal.SIGTERM)
        assert stop
        assert stop.signal_number == signal.SIGTERM
    assert [signal.getsignal(number) for number in BOTH] == before


def test_other_threads_train_without_handlers():
    seen = []

    def run() -> None:
        with stop_on_signals() as stop:
            seen.append(bool(stop))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert seen == [False]


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
def test_signals_at_random_moments_change_nothing(command, uninterrupted, tmp_path, seed):
    chance, run = random.Random(seed), Run(tmp_path / "run")
    for _ in range(3):
        process = subprocess.Popen([*command, str(run.directory)], stderr=subprocess.DEVNULL)
        wait_for_checkpoint(run, process)
        time.sleep(chance.uniform(0, 0.6))
        process.send_signal(chance.choice(BOTH))
        process.wait()
    subprocess.run([*command, str(run.directory)], check=True, capture_output=True)
    assert differences(uninterrupted, run) == []
