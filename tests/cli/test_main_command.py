"""The command: help, usage errors, exit codes and output streams."""

from __future__ import annotations

import errno
import io
import os
import sys
from contextlib import suppress
from pathlib import Path

import click
import pytest

from mmzoo.cli import main
from mmzoo.cli.main_command import cli
from mmzoo.errors import DataError, Interrupted

COMMANDS = [
    "init",
    *(
        "train",
        "eval",
        "predict",
        "embed",
        "search",
        "generate",
        "check",
        "show",
        "list",
        "data",
        "board",
        "schema",
        "doctor",
    ),
]


def every_command(group=cli, words=()):
    """Each command with the words that call it."""
    for name, command in group.commands.items():
        yield (*words, name), command
        if isinstance(command, click.Group):
            yield from every_command(command, (*words, name))


def test_commands_are_listed_in_the_order_of_their_use(mmzoo):
    done = mmzoo("--help")
    listed = done.out.partition("Commands:")[2].splitlines()
    assert [line.split()[0] for line in listed if line] == COMMANDS
    assert (done.code, done.err) == (0, "")


def test_mmzoo_without_arguments_shows_help_and_fails(mmzoo):
    done = mmzoo()
    assert done.code == 2
    assert done.out + done.err == mmzoo("--help").out


@pytest.mark.parametrize(
    ("words", "command"), [pytest.param(*found, id=" ".join(found[0])) for found in every_command()]
)
def test_help_fits_and_gives_an_example(mmzoo, words, command):
    done = mmzoo(*words, "--help")
    assert (done.code, done.err) == (0, "")
    assert f"  Example:\n    mmzoo {' '.join(words)}" in done.out
    assert mmzoo(*words, "-h").out == done.out
    assert max(map(len, done.out.splitlines())) <= 80
    for parameter in command.params:
        assert not isinstance(parameter, click.Option) or parameter.help, parameter.name


def test_short_help_is_not_truncated(mmzoo):
    """Click truncates longer ones with dots."""
    for group in ((), ("data",)):
        listed = mmzoo(*group, "--help").out.partition("Commands:")[2]
        assert listed
        assert not [line for line in listed.splitlines() if line.endswith("...")]


def test_version(mmzoo):
    from mmzoo import __version__

    assert mmzoo("--version").out == f"mmzoo, version {__version__}\n"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("trian",), "No such command 'trian'"),
        (("train",), "Missing argument 'CONFIG'"),
        (("train", "x.yaml", "--devise", "cpu"), "No such option"),
        (("train", "x.yaml", "--device"), "requires an argument"),
        (("predict", "runs/x"), "Expected FILES or --text to predict from, or a table with --data"),
        (("predict", "a.png"), "RUN comes first: mmzoo predict RUN a.png"),
        (("predict", "runs/x", "a.png", "--text", "b"), "put a text of several words in quotes"),
        (("predict", "runs/x", "a.png", "--data", "b.csv"), "--data cannot be combined with FILES"),
        (("train", "x.yaml", "--fold", "6/5"), "'6/5': expected a fold from 1 to 5."),
        (("train", "x.yaml", "--fold", "1/1"), "'1/1': expected at least two folds."),
        (("board", "--port", "http"), "'http' is not a valid whole number."),
        (("list", "mnist"), "To search by name, use wildcards: '*mnist*'."),
        (("predict", "runs/x", "a.png", "--top", "0"), "0 is not in the range x>=1"),
        (("board", "--port", "70000"), "70000 is not in the range 0<=x<=65535"),
        (("data", "lits"), "No such command 'lits'"),
    ],
)
def test_usage_errors_exit_with_2(mmzoo, words, message):
    done = mmzoo(*words)
    assert (done.code, done.out) == (2, "")
    assert message in done.err
    assert done.err.splitlines()[-1].startswith("Error: ")
    assert "Traceback" not in done.err


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("train --epochs 3", "Use '--set train.epochs=3'."),
        ("train --epochs=3", "Use '--set train.epochs=3'."),
        ("train -epochs 3", "Use '--set train.epochs=3'."),
        ("train --batch-size 16", "Use '--set train.batch_size=16'."),
        ("train --lr 1e-3", "Use '--set train.optimizer.learning_rate=1e-3'."),
        ("train x.yaml --lr", "Use '--set train.optimizer.learning_rate=VALUE'."),
        ("check --seed 1", "Use '--set train.seed=1'."),
        ("train --gpu", "Did you mean '--device gpu'?"),
        ("train --cuda", "Did you mean '--device gpu'?"),
        ("predict runs/x --output-dir y", "Did you mean '--output'?"),
        ("train --output y", "Did you mean '--run'?"),
        ("eval runs/x --weights best", "Did you mean '--checkpoint'?"),
        ("train --config x.yaml", "The config needs none: `mmzoo train x.yaml`."),
        ("predict --model runs/x a.png", "The run needs none: `mmzoo predict runs/x`."),
        ("train x.yaml train.epochs=3", "(train.epochs=3). Did you mean '--set train.epochs=3'?"),
        ("train x.yaml --set train.epochs 3", "(3). Did you mean '--set train.epochs=3'?"),
        ("train x.yaml --set train.epochs = 3", "(= 3). Did you mean '--set train.epochs=3'?"),
        ("train x.yaml y.yaml", "(y.yaml). It takes one config: call it for each."),
        (
            "--device cpu train x.yaml",
            "It is one of train, eval, predict, embed, search, generate, and stands",
        ),
        ("--epochs 3 train", "Use 'mmzoo train CONFIG --set train.epochs=3'."),
        ("x.yaml", "No such command 'x.yaml'. Did you mean 'mmzoo train x.yaml'?"),
        ("help train", "No such command 'help'. Did you mean 'mmzoo train --help'?"),
        ("train x.yaml --smoek", "No such option '--smoek'. (Did you mean"),
        ("eval runs/x --epochs 3", "No such option '--epochs'."),
        ("train x.yaml --resume runs/x", "(runs/x). Did you mean '--resume --run runs/x'?"),
        ("data download mnist", "No such command 'download'. Did you mean 'fetch'?"),
        ("data cache --delete", "No such option '--delete'. Did you mean '--clear'?"),
        ("evaluate runs/x", "No such command 'evaluate'. Did you mean 'eval'?"),
        ("fit x.yaml", "No such command 'fit'. Did you mean 'train'?"),
        ("trian x.yaml", "No such command 'trian'. Did you mean 'train'?"),
    ],
)
def test_options_of_other_tools_are_translated(mmzoo, line, hint):
    done = mmzoo(*line.split())
    assert (done.code, done.out) == (2, "")
    assert hint in done.err.splitlines()[-1]


def test_unknown_options_are_looked_up_in_the_given_config(mmzoo, tmp_path):
    (tmp_path / "x.yaml").write_text(
        "inputs: {photo: {type: image, shape: [8, 8, 1], encoder: {type: cnn}}}"
    )
    (tmp_path / "broken.yaml").write_text("inputs: [")
    done = mmzoo("train", "x.yaml", "--dropout", ".5")
    assert done.err.splitlines()[-1] == (
        "Error: No such option '--dropout'. Use --set with inputs.photo.encoder.dropout or "
        "fusion.dropout, as in '--set inputs.photo.encoder.dropout=VALUE'."
    )
    done = mmzoo("train", "broken.yaml", "--epochs", "3")
    assert done.err.splitlines()[-1].endswith("Use '--set train.epochs=3'.")


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (("train", "x.yaml", "--device", "gpuu"), "gpu"),
        (("train", "x.yaml", "--device", "cuda"), "gpu"),
        (("list", "encodres"), "encoders"),
        (("list", "dataset"), "datasets"),
        (("eval", "runs/x", "--split", "tset"), "test"),
        (("eval", "runs/x", "--split", "val"), "validation"),
        (("eval", "runs/x", "--ensemble", "mean"), "average"),
        (("list", "models"), "encoders"),
    ],
)
def test_typo_in_a_choice_gets_a_suggestion(mmzoo, words, meant):
    done = mmzoo(*words)
    assert done.code == 2
    assert done.err.splitlines()[-1].endswith(f". Did you mean '{meant}'?")


def test_no_suggestion_for_an_unrelated_choice(mmzoo):
    done = mmzoo("train", "x.yaml", "--device", "quantum")
    assert done.err.splitlines()[-1] == (
        "Error: Invalid value for '--device': 'quantum' is not one of 'auto', 'cpu', 'gpu'."
    )


@pytest.fixture
def failing(monkeypatch):
    """Makes `mmzoo data where` fail with an error."""

    def fail_with(error):
        def fail(as_json):
            raise error

        monkeypatch.setattr(cli.commands["data"].commands["where"], "callback", fail)

    return fail_with


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (DataError("x.csv: no rows"), 1, "Error: x.csv: no rows\n"),
        (PermissionError(errno.EACCES, "Permission denied", "runs"), 1, "Error: runs: Permission"),
        (OSError(errno.ENOSPC, "No space left on device"), 1, "Error: No space left on device\n"),
        (OSError("connection was lost"), 1, "Error: connection was lost\n"),
        (Interrupted("Stopped after step 3.", 2), 130, "Stopped after step 3.\n"),
        (Interrupted("Stopped after step 3.", 15), 143, "Stopped after step 3.\n"),
        (KeyboardInterrupt(), 130, "\nInterrupted.\n"),
    ],
)
def test_error_is_one_message_and_an_exit_code(mmzoo, failing, error, code, message):
    failing(error)
    done = mmzoo("data", "where")
    assert (done.code, done.out) == (code, "")
    assert done.err.startswith(message)
    assert "Traceback" not in done.err


@pytest.mark.parametrize("words", [("--debug", "data", "where"), ("data", "where", "--debug")])
def test_debug_works_anywhere_on_the_command_line(mmzoo, failing, words):
    failing(Interrupted("Stopped after step 3.", 2))
    done = mmzoo(*words)
    assert done.code == 130
    assert done.err.startswith("Traceback (most recent call last):")
    assert done.err.endswith("\nStopped after step 3.\n")


def test_debug_after_two_dashes_is_a_file(mmzoo):
    assert mmzoo("check", "--", "--debug").err == "Error: --debug: there is no such file\n"


def test_bug_is_reported_on_one_line(mmzoo, failing):
    failing(ZeroDivisionError("division\nby zero."))
    done = mmzoo("data", "where")
    assert (done.code, done.out) == (1, "")
    assert done.err == (
        "Error: ZeroDivisionError: division by zero. This is a bug in mmzoo; "
        "--debug shows the traceback.\n"
    )
    shown = mmzoo("data", "where", "--debug").err
    assert shown.startswith("Traceback (most recent call last):")
    assert shown.endswith(done.err)


def test_long_bug_message_is_truncated(mmzoo, failing):
    failing(ValueError("much " * 1000))
    err = mmzoo("data", "where").err
    assert err.startswith("Error: ValueError: much much ")
    assert err.endswith(" This is a bug in mmzoo; --debug shows the traceback.\n")
    assert len(err) < 300


@pytest.mark.parametrize(
    "name", ["\x1b[31mred", "bell\a", "back\b", "\x9b31m", "right\u202eleft", "bad\udcff"]
)
def test_names_cannot_control_the_terminal(mmzoo, name):
    for words in (("check", name), ("eval", name), ("show", name), (name,), ("list", name)):
        done = mmzoo(*words)
        assert done.code in (1, 2)
        assert not [c for c in done.out + done.err if c != "\n" and not c.isprintable()]


def test_closed_pipe_is_not_an_error(monkeypatch):
    """As in `mmzoo list | head -1`."""
    reading, writing = os.pipe()
    os.close(reading)
    with open(writing, "w", encoding="utf-8") as stdout:
        monkeypatch.setattr(sys, "stdout", stdout)
        with pytest.raises(SystemExit) as ended:
            main(["schema"])
    assert ended.value.code == 0


def test_closed_stdout_is_not_an_error(monkeypatch):
    """As in `mmzoo list >&-`."""
    monkeypatch.setattr(sys, "stdout", None)
    with pytest.raises(SystemExit) as ended:
        main(["schema"])
    assert ended.value.code == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_full_disk_of_stdout_is_reported(monkeypatch, capsys):
    stdout = io.TextIOWrapper(io.FileIO("/dev/full", "w"), write_through=True)
    monkeypatch.setattr(sys, "stdout", stdout)
    with pytest.raises(SystemExit) as ended:
        main(["schema"])
    monkeypatch.undo()
    with suppress(OSError):
        stdout.close()
    assert ended.value.code == 1
    assert capsys.readouterr().err == "Error: No space left on device\n"


def test_unencodable_output_is_not_an_error(monkeypatch, tmp_path):
    held = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(held, encoding="latin-1"))
    monkeypatch.chdir(tmp_path)
    Path("configs").mkdir()
    Path("configs/größe三.yaml").write_text("name: x\n", encoding="utf-8")
    with pytest.raises(SystemExit) as ended:
        main(["list", "configs"])
    assert ended.value.code == 0
    assert held.getvalue() == b"gr\xf6\xdfe\\u4e09\n"
