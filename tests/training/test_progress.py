import io
import logging
import os
import pty
import re
import signal
import subprocess
import sys
import threading

import pytest
from rich.console import Console

from mmzoo.run_log import configure_logging
from mmzoo.training.progress import Progress, waiting

ROW = {
    "loss": 0.0312,
    "digit_accuracy": 0.9904,
    "validation_loss": 0.0345,
    "validation_digit_accuracy": 0.9889,
}


def terminal(width=80, **environment):
    return Console(
        file=io.StringIO(),
        force_terminal=True,
        width=width,
        legacy_windows=False,
        _environ={"TERM": "xterm-256color", **environment},
    )


def written(console):
    return console.file.getvalue()


def screen(output):
    """The lines that a terminal shows after `output`; knows only our control sequences."""
    lines, row, column = [""], 0, 0
    for token in re.findall(r"\x1b\[[?0-9;]*[A-Za-z]|\r|\n|[^\x1b\r\n]+", output):
        if token == "\r":
            column = 0
        elif token == "\n":
            row, column = row + 1, 0
            lines += [""] * (row + 1 - len(lines))
        elif token == "\x1b[2K":
            lines[row] = ""
        elif token == "\x1b[1A":
            row -= 1
        elif not token.startswith("\x1b"):
            lines[row] = lines[row][:column].ljust(column) + token
            column += len(token)
        else:
            assert token.endswith("m") or token in ("\x1b[?25l", "\x1b[?25h"), token
    return lines[: row + 1]


class Clock:
    """A clock that advances on request."""

    now = 0.0

    def __call__(self):
        return self.now


def live_line(width=80, waiting=0.02, **environment):
    """The line of step 412 of 938 in epoch 3 of 5, at 100 steps a second."""
    console, clock = terminal(width, **environment), Clock()
    with Progress(5, 938, first_step=2 * 938, console=console, clock=clock) as progress:
        for step in (2 * 938 + 12, 2 * 938 + 412):
            clock.now += 4.0
            progress.update(step, {"loss": 0.0312, "accuracy": 0.99}, 5100.0, waiting)
        return screen(written(console))[-1]


@pytest.mark.parametrize(
    ("width", "bar", "expected"),
    [
        (
            120,
            24,
            "epoch 3/5  step 412/938  BAR  loss 0.0312  accuracy 0.9900  "
            "5.1k examples/s  waiting 2 %  ETA 0:25",
        ),
        (
            100,
            17,
            "epoch 3/5  step 412/938  BAR  loss 0.0312  accuracy 0.9900  5.1k examples/s  ETA 0:25",
        ),
        (80, 14, "epoch 3/5  step 412/938  BAR  loss 0.0312  accuracy 0.9900  ETA 0:25"),
        (60, 11, "epoch 3/5  step 412/938  BAR  loss 0.0312  ETA 0:25"),
        (40, 18, "epoch 3/5  BAR  ETA 0:25"),
        (24, 0, "epoch 3/5  ETA 0:25"),
        (12, 0, "epoch 3/5"),
        (5, 0, "epo…"),
    ],
)
def test_narrow_live_line_drops_the_least_important_parts(width, bar, expected):
    assert re.sub("[╸╺]", "━", live_line(width)) == expected.replace("BAR", "━" * bar)


def test_live_line_never_fills_the_last_column():
    for width in range(1, 140):
        assert len(live_line(width)) < max(width, 2)


def test_waiting_for_data_outweighs_metrics_once_it_is_slow():
    assert "waiting 30 %" in live_line(80, waiting=0.3)
    assert "accuracy" not in live_line(80, waiting=0.3)


def test_no_color_is_respected():
    console = terminal(NO_COLOR="1")
    with Progress(1, 10, console=console) as progress:
        progress.update(5, {"loss": 1.0}, 10.0, 0.0)
        progress.epoch_done(1, ROW, best=True)
    assert not re.search(r"\x1b\[[0-9;]*3[0-9][0-9;]*m", written(console))


def test_the_permanent_line_of_an_epoch():
    console, clock = terminal(), Clock()
    with Progress(12, 10, console=console, clock=clock) as progress:
        clock.now += 5.0
        progress.epoch_done(3, ROW, best=True)
        clock.now += 3725.0
        progress.epoch_done(4, {"loss": 123.456})
    lines = screen(written(console))
    assert lines == [
        "Metrics of an epoch: train | validation",
        "epoch  3/12  loss 0.0312 | 0.0345  digit_accuracy 0.9904 | 0.9889  0:05  best",
        "epoch  4/12  loss 123.5  1:02:05",
        "",
    ]


def test_tiny_and_non_finite_values_are_shown():
    console = terminal()
    row = {"a": float("nan"), "b": 1e-6, "c": 0.0, "d": float("inf"), "e": -2.5}
    Progress(1, 1, console=console).epoch_done(1, row)
    assert "a nan  b 1e-06  c 0.0000  d inf  e -2.5000" in re.sub(
        r"\x1b\[[0-9;]*m", "", written(console)
    )


def test_live_line_stays_at_the_bottom_and_is_removed_at_the_end():
    console = terminal()
    with Progress(2, 10, console=console) as progress:
        assert screen(written(console))[-1].endswith("starting")
        progress.update(1, {"loss": 1.0}, 10.0, 0.0)
        progress.say("a [bold] remark: 5 of 7")
        assert screen(written(console))[0] == "a [bold] remark: 5 of 7"
        assert screen(written(console))[1].startswith("epoch 1/2  step  1/10")
        progress.validating()
        assert screen(written(console))[-1].endswith("validating")
    assert screen(written(console)) == ["a [bold] remark: 5 of 7", ""]
    assert written(console).rindex("\x1b[?25h") > written(console).rindex("\x1b[?25l")


def test_validation_shows_the_completed_epoch():
    console = terminal()
    with Progress(2, 10, console=console) as progress:
        progress.update(7, {"loss": 1.0}, 10.0, 0.0)
        progress.validating()
        assert screen(written(console))[-1].startswith("epoch 1/2  step 10/10  ━")


def test_cursor_is_shown_again_after_each_update():
    console = terminal()
    with Progress(1, 10, console=console) as progress:
        progress.update(1, {"loss": 1.0}, 10.0, 0.0)
        assert written(console).rindex("\x1b[?25h") > written(console).rindex("\x1b[?25l")


def test_draws_five_times_a_second_and_without_a_thread():
    console, clock = terminal(), Clock()
    threads = threading.active_count()
    with Progress(1, 1000, console=console, clock=clock) as progress:
        for step in range(1, 1001):  # Ten seconds.
            clock.now += 0.01
            progress.update(step, {"loss": 1.0}, 10.0, 0.0)
        assert threading.active_count() == threads
    assert 45 <= written(console).count("loss") <= 51
    assert not Progress(1, 10, console=Console(file=io.StringIO(), force_terminal=False)).due


@pytest.mark.parametrize("environment", [{}, {"FORCE_COLOR": "1"}, {"TERM": "dumb"}])
def test_pipes_get_plain_lines_only(environment):
    script = (
        "from mmzoo.training.progress import Progress\n"
        "with Progress(2, 10) as progress:\n"
        "    progress.say('x' * 100)\n"
        "    for step in range(1, 21):\n"
        "        progress.update(step, {'loss': 1.0}, 10.0, 0.0)\n"
        "        if step % 10 == 0:\n"
        "            progress.validating()\n"
        f"            progress.epoch_done(step // 10, {ROW})\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, **environment},
    )
    assert done.stdout == ""
    assert done.stderr.splitlines() == [
        "x" * 100,
        "epoch 1/2  loss 0.0312 | 0.0345  digit_accuracy 0.9904 | 0.9889  0:00",
        "epoch 2/2  loss 0.0312 | 0.0345  digit_accuracy 0.9904 | 0.9889  0:00",
    ]


def on_a_terminal(script, term="xterm"):
    """Starts Python with a pseudo-terminal as its stderr."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", script],
        stdout=subprocess.PIPE,
        stderr=theirs,
        env={**os.environ, "TERM": term, "COLUMNS": "80"},
    )
    os.close(theirs)
    return process, ours


def read_until(descriptor, word=None):
    output = b""
    while word is None or word not in output:
        try:
            piece = os.read(descriptor, 4096)
        except OSError:  # Linux says the other end is closed with EIO.
            break
        if not piece:
            break
        output += piece
    return output


def test_ctrl_c_leaves_the_terminal_clean_and_stdout_alone():
    process, stderr = on_a_terminal(
        "import signal, time\n"
        "from mmzoo.training.progress import Progress\n"
        # Tests that run in the background of a shell inherit that SIGINT is ignored.
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "try:\n"
        "    with Progress(2, 10) as progress:\n"
        "        progress.update(1, {'loss': 1.0}, 10.0, 0.0)\n"
        "        print('a result', flush=True)\n"
        "        time.sleep(60)\n"
        "except KeyboardInterrupt:\n"
        "    pass\n"
    )
    output = read_until(stderr, b"loss")
    assert process.stdout.readline() == b"a result\n"
    process.send_signal(signal.SIGINT)
    output += read_until(stderr)
    os.close(stderr)
    process.stdout.close()
    assert process.wait() == 0
    assert screen(output.decode())[-1] == ""
    assert not any(screen(output.decode()))
    assert output.rindex(b"\x1b[?25h") > output.rindex(b"\x1b[?25l")


def test_dumb_terminal_gets_no_control_sequences():
    process, stderr = on_a_terminal(
        "from mmzoo.training.progress import Progress\n"
        "with Progress(2, 10) as progress:\n"
        "    progress.update(1, {'loss': 1.0}, 10.0, 0.0)\n"
        "    progress.epoch_done(1, {'loss': 1.0, 'validation_loss': 2.0}, best=True)\n",
        term="dumb",
    )
    output = read_until(stderr)
    os.close(stderr)
    process.stdout.close()
    assert process.wait() == 0
    assert output == b"epoch 1/2  loss 1.0000 | 2.0000  0:00  best\r\n"


def test_a_spinner_until_the_first_epoch():
    logger = logging.getLogger("mmzoo.test")
    console = terminal()
    configure_logging()
    with waiting("Reading the data", console):
        logger.info("Note: [3] rows")
    drawn = written(console)
    assert "Reading the data ..." in drawn
    assert "Note: [3] rows\n" in drawn


def test_no_spinner_where_stderr_is_no_terminal(capsys):
    with waiting("Reading the data"):
        logging.getLogger("mmzoo.test").info("Note")
    assert "Reading" not in capsys.readouterr().err
