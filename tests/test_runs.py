"""Run directories: numbers, names, files and locks."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from mmzoo.config import load_config
from mmzoo.errors import RunError
from mmzoo.find_runs import all_runs, new_run, newest_run, open_run, refuse_existing
from mmzoo.runs import Run, preprocessing_checksums

ENVIRONMENT = {
    "versions": {"numpy": "2.0"},
    "data": {"name": "digits", "fingerprint": "0123"},
    "device": {"kind": "cpu", "replicas": 1, "precision": "float32", "xla": False, "threads": 2},
    "seed": 0,
}


def finished(directory: Path) -> Run:
    """A run that `open_run` accepts."""
    directory.mkdir(parents=True)
    (directory / "config.yaml").write_text("name: x\n")
    return Run(directory)


def message(call, *arguments) -> str:
    with pytest.raises(RunError) as caught:
        call(*arguments)
    return str(caught.value)


# Numbers.


def test_runs_are_numbered_from_one(tmp_path):
    names = [new_run("net", root=tmp_path).directory for _ in range(3)]
    assert names == [tmp_path / "net" / number for number in ("001", "002", "003")]
    assert all(name.is_dir() for name in names)


def test_numbers_of_deleted_runs_are_not_reused(tmp_path):
    for number in ("001", "007"):
        (tmp_path / "net" / number).mkdir(parents=True)
    (tmp_path / "net" / "001").rmdir()
    assert new_run("net", root=tmp_path).directory.name == "008"


def test_numbers_beyond_three_digits_sort_numerically(tmp_path):
    for number in ("998", "999", "1000"):
        (tmp_path / "net" / number).mkdir(parents=True)
    assert newest_run("net", tmp_path) == Run(tmp_path / "net" / "1000")
    assert new_run("net", root=tmp_path).directory.name == "1001"


def test_other_folders_are_not_counted(tmp_path):
    (tmp_path / "net" / "notes").mkdir(parents=True)
    (tmp_path / "net" / "12").mkdir()
    (tmp_path / "net" / "009").write_text("a file")
    assert newest_run("net", tmp_path) is None
    assert new_run("net", root=tmp_path).directory.name == "001"


def test_simultaneous_trainings_get_separate_runs(tmp_path):
    with ThreadPoolExecutor(8) as pool:
        runs = list(pool.map(lambda _: new_run("net", root=tmp_path), range(40)))
    assert sorted(run.directory.name for run in runs) == [f"{n:03d}" for n in range(1, 41)]


def test_simultaneous_processes_get_separate_runs(tmp_path):
    code = (
        "import sys, pathlib; from mmzoo.find_runs import new_run; sys.stdin.read();"
        "print(*(new_run('net', root=pathlib.Path(sys.argv[1])).directory.name for _ in range(20)))"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    processes = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    for process in processes:
        assert process.stdin
        process.stdin.close()  # Both have their imports behind them, and start.
    names = [name for process in processes for name in process.stdout.read().split()]
    assert [process.wait() for process in processes] == [0, 0]
    assert sorted(names) == [f"{number:03d}" for number in range(1, 41)]
    for process in processes:
        process.stdout.close()


def test_a_named_directory_is_created(tmp_path):
    directory = tmp_path / "some" / "where"
    assert new_run("net", directory) == Run(directory)
    assert directory.is_dir()


def test_an_existing_directory_is_refused(tmp_path):
    assert message(new_run, "net", tmp_path) == (
        f"{tmp_path}: exists already. Continue it with --resume, or name another --run."
    )


def test_a_run_in_place_of_numbered_runs_is_not_created(tmp_path):
    directory = tmp_path / "net"
    assert message(new_run, "net", tmp_path / "." / "net", tmp_path) == (
        f"{directory}: means the newest of its numbered runs. "
        f"Name another directory, such as {directory / 'mine'}, or leave --run out."
    )
    assert not directory.exists()


def test_a_run_in_place_of_numbered_runs_hides_none(tmp_path):
    run = finished(tmp_path / "net")
    assert message(new_run, "net", None, tmp_path) == (
        f"{run.directory}: is itself a run, and would hide numbered runs in it. "
        "Move it elsewhere, or name a directory with --run."
    )
    assert [path.name for path in run.directory.iterdir()] == ["config.yaml"]


# Names.


def test_a_run_can_be_opened_by_directory(tmp_path):
    run = finished(tmp_path / "net" / "001")
    assert open_run(run.directory) == (run, None)


def test_an_experiment_name_means_its_newest_run(tmp_path):
    for number in ("001", "999", "1000"):
        newest = finished(tmp_path / "net" / number)
    assert open_run(tmp_path / "net") == (newest, None)


def test_a_run_can_be_opened_by_a_file_inside(tmp_path):
    run = finished(tmp_path / "net" / "001")
    weights = run.best_weights
    weights.parent.mkdir()
    weights.write_text("")
    assert open_run(weights) == (run, weights)


def test_relative_paths_depend_on_the_working_directory(tmp_path, monkeypatch):
    run = finished(tmp_path / "net" / "001")
    run.best_weights.parent.mkdir()
    run.best_weights.write_text("")
    here = Path("best.weights.h5")
    monkeypatch.chdir(run.best_weights.parent)
    assert open_run(here) == (run, here)
    other = finished(tmp_path / "net" / "002")
    monkeypatch.chdir(other.directory)
    there = Path("../001/checkpoints/best.weights.h5")
    assert open_run(there) == (run, there)
    monkeypatch.chdir(tmp_path)
    below = Path("net/001/checkpoints/best.weights.h5")
    assert open_run(below) == (Run(Path("net/001")), below)


def test_a_file_outside_any_run(tmp_path):
    path = tmp_path / "best.weights.h5"
    path.write_text("")
    assert message(open_run, path) == (
        f"{path}: not inside a run directory: no parent folder has a config.yaml"
    )


def test_a_config_or_a_table_instead_of_a_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    config, table = Path("net.yaml"), Path("rows.csv")
    config.write_text("name: my_net\ninputs: {}\n")
    table.write_text("a,b\n")
    assert message(open_run, config) == (
        "net.yaml: a config, not a run; `mmzoo train net.yaml` creates one"
    )
    finished(tmp_path / "runs" / "my_net" / "001")
    assert message(open_run, config) == (
        "net.yaml: a config, not a run; its runs are in runs/my_net: give that for the newest"
    )
    assert message(open_run, table) == (
        "rows.csv: a table, not a run; the run comes first, as in `runs/<name> --data rows.csv`"
    )
    assert message(open_run, Path("my_ent")) == (
        "my_ent: there is no such run; did you mean 'runs/my_net'? "
        "`mmzoo list runs` shows those there are."
    )


def test_a_directory_that_is_not_a_run(tmp_path):
    expected = f"{tmp_path}: not a run directory: it has no config.yaml"
    assert message(open_run, tmp_path) == expected
    assert message(Run(tmp_path).config) == expected


def test_an_experiment_with_an_empty_newest_run(tmp_path):
    finished(tmp_path / "net" / "001")
    empty = tmp_path / "net" / "002"
    empty.mkdir()
    assert message(open_run, tmp_path / "net") == (
        f"{empty}: not a run directory: it has no config.yaml"
    )


def test_a_missing_name_suggests_the_nearest(tmp_path):
    finished(tmp_path / "mnist_cnn" / "001")
    path = tmp_path / "mnist-cn"
    assert message(open_run, path) == (
        f"{path}: there is no such run; did you mean '{tmp_path / 'mnist_cnn'}'? "
        "`mmzoo list runs` shows those there are."
    )
    path = tmp_path / "mnist-cn" / "001"
    assert f"; did you mean '{tmp_path / 'mnist_cnn' / '001'}'?" in message(open_run, path)
    path = tmp_path / "mnist-cn" / "007"
    assert f"; did you mean '{tmp_path / 'mnist_cnn'}'?" in message(open_run, path)
    path = tmp_path / "nowhere" / "at" / "all"
    assert message(open_run, path) == (
        f"{path}: there is no such run. `mmzoo list runs` shows those there are."
    )


def test_all_runs_are_sorted_by_name_and_number(tmp_path):
    for name in ("b/002", "b/001", "a/001", "b/999", "b/1000", "b/mine", "ab"):
        finished(tmp_path / name)
    (tmp_path / "a" / "002").mkdir()
    found = [str(run.directory.relative_to(tmp_path)) for run in all_runs(tmp_path)]
    assert found == ["a/001", "ab", "b/001", "b/002", "b/999", "b/1000", "b/mine"]
    assert all_runs(tmp_path / "nothing") == []


# Files.


def test_paths_of_a_run():
    run = Run(Path("runs/net/001"))
    places = {
        "config.yaml": run.config_file,
        "environment.json": run.environment_file,
        "metrics.json": run.metrics_file,
        "history.csv": run.history_file,
        "train.log": run.log_file,
        "logs": run.logs,
        "checkpoints/last": run.last,
        "checkpoints/best.weights.h5": run.best_weights,
        "eval/test": run.evaluation("test"),
    }
    assert {name: run.directory / name for name in places} == places


def test_a_config_round_trips(tmp_path, tiny):
    run, config = Run(tmp_path), load_config(tiny).with_columns()
    run.write_config(config)
    assert run.config() == config
    assert run.config_file.read_text().splitlines()[:2] == [
        "# The config of tiny, with all defaults and all values computed from the data.",
        "name: tiny",
    ]


def test_a_history_round_trips_bit_for_bit(tmp_path):
    run = Run(tmp_path)
    rows = [
        {"epoch": 1, "step": 20, "loss": 0.1 + 0.2, "validation_loss": 1e-17},
        {"epoch": 2, "step": 40, "loss": 5e-324, "validation_loss": float("inf")},
    ]
    run.write_history(rows)
    assert run.history() == rows
    assert run.history_file.read_bytes().splitlines()[0] == b"epoch,step,loss,validation_loss"
    assert run.history_file.read_bytes().splitlines()[1] == b"1,20,0.30000000000000004,1e-17"


def test_a_history_of_no_epochs_is_empty(tmp_path):
    run = Run(tmp_path)
    assert run.history() == []
    run.write_history([])
    assert run.history_file.read_bytes() == b""
    assert run.history() == []


def test_metrics_round_trip(tmp_path):
    run = Run(tmp_path)
    assert run.metrics() == {}
    head = {"auc": None, "ci95": [0.1, 0.2]}
    metrics = {"test": {"examples": 3, "data": "digits", "loss": 1 / 3, "digit": head}}
    run.write_metrics(metrics)
    assert run.metrics() == metrics
    assert json.loads(run.metrics_file.read_text()) == metrics


def test_non_json_metrics_are_not_written(tmp_path):
    """JSON readers of other languages fail on `NaN`."""
    run = Run(tmp_path)
    before = {"test": {"examples": 3, "data": "digits", "loss": 1.0}}
    run.write_metrics(before)
    with pytest.raises(ValueError, match="not JSON compliant"):
        run.write_metrics({"test": {"loss": float("nan")}})
    assert run.metrics() == before


def test_an_environment_round_trips(tmp_path):
    run = Run(tmp_path)
    run.write_environment(ENVIRONMENT)
    assert run.environment() == ENVIRONMENT


@pytest.mark.parametrize(
    ("changes", "missing"),
    [
        ({"data": {}}, "data.name"),
        ({"data": None}, "data.name"),
        ({"data": {"name": "digits", "fingerprint": 7}}, "data.fingerprint"),
        ({"device": {"kind": "cpu"}}, "device.replicas"),
        ({"versions": []}, "versions"),
    ],
)
def test_an_incomplete_environment(tmp_path, changes, missing):
    run = Run(tmp_path)
    run.write_environment(ENVIRONMENT | changes)
    assert message(run.environment) == (
        f"{run.environment_file}: damaged: {missing} is missing or has a wrong type"
    )
    run.write_environment({})
    assert "versions is missing" in message(run.environment)


@pytest.mark.parametrize(
    ("metrics", "missing"),
    [
        ({"test": {}}, "test.examples"),
        ({"test": 0.9}, "test.examples"),
        ({"test": {"examples": 3, "data": "digits", "loss": "low"}}, "test.loss"),
    ],
)
def test_incomplete_metrics(tmp_path, metrics, missing):
    run = Run(tmp_path)
    run.write_metrics(metrics)
    assert message(run.metrics) == (
        f"{run.metrics_file}: damaged: {missing} is missing or has a wrong type"
    )


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("epoch,loss\n1,0.5\n2,low\n", ", line 3: could not convert string to float: 'low'"),
        ("epoch,loss\n1,0.5,7\n", ", line 2: float() argument must be a string or a real number"),
        ("loss\n0.5\n", ": a row has no epoch"),
    ],
)
def test_a_damaged_history(tmp_path, text, problem):
    run = Run(tmp_path)
    run.history_file.write_text(text)
    assert message(run.history).startswith(f"{run.history_file}: damaged{problem}")


PREPROCESSING = {"text": {"vocabulary.txt": "a\nb\n", "lengths.json": "{}"}}


def test_damaged_preprocessing_is_refused(tmp_path):
    run = Run(tmp_path)
    run.write_preprocessing(PREPROCESSING)
    assert run.preprocessing() == PREPROCESSING  # As of an older version.
    checksums = preprocessing_checksums(PREPROCESSING)
    assert checksums["text/lengths.json"] == hashlib.sha256(b"{}").hexdigest()
    run.write_environment({**ENVIRONMENT, "checksums": checksums})
    assert run.preprocessing() == PREPROCESSING
    words = tmp_path / "preprocessing" / "text" / "vocabulary.txt"
    words.write_text("a\nc\n")
    assert message(run.preprocessing) == (
        f"{words}: damaged: it is not as it was written. Restore it from a copy, or train again."
    )
    words.unlink()
    assert message(run.preprocessing) == (
        f"{words}: damaged: it is missing. Restore it from a copy, or train again."
    )


def test_a_missing_environment(tmp_path):
    path = tmp_path / "environment.json"
    assert message(Run(tmp_path).environment) == (
        f"{path}: there is no such file; the training did not finish"
    )


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("{", "cannot be read: Expecting property name enclosed in double quotes"),
        ("", "cannot be read: Expecting value"),
        ("[1]", "expected a JSON object, got list"),
    ],
)
def test_a_damaged_json_file(tmp_path, content, problem):
    path = tmp_path / "metrics.json"
    path.write_text(content)
    assert message(Run(tmp_path).metrics).startswith(f"{path}: {problem}")


def test_a_binary_json_file(tmp_path):
    path = tmp_path / "metrics.json"
    path.write_bytes(b"\xff\xfe\x00")
    assert message(Run(tmp_path).metrics).startswith(f"{path}: cannot be read: ")


# The lock.

_HOLD = """
import pathlib, sys
from mmzoo.runs import Run
with Run(pathlib.Path(sys.argv[1])).locked():
    print("locked", flush=True)
    sys.stdin.read()
"""


def holder(directory: Path) -> subprocess.Popen[str]:
    """Another process that has the lock."""
    process = subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(directory)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    assert process.stdout.readline() == "locked\n"
    return process


def close(process: subprocess.Popen[str]) -> None:
    process.communicate()  # Its input ends, and so does it.


def lock(run: Run) -> None:
    with run.locked():
        pass


def test_a_second_training_is_refused_with_the_owner(tmp_path):
    process = holder(tmp_path)
    try:
        for _ in range(2):  # The refusal leaves the owner's number where it is.
            assert message(lock, Run(tmp_path)) == (
                f"{tmp_path}: another training (process {process.pid}) runs in this directory. "
                "Wait for it, or name another with --run."
            )
    finally:
        close(process)


def test_the_lock_is_released_after_training(tmp_path):
    close(holder(tmp_path))
    with Run(tmp_path).locked():
        assert (tmp_path / ".lock").read_text() == str(os.getpid())
    lock(Run(tmp_path))


def test_the_lock_is_released_after_an_error(tmp_path):
    with pytest.raises(KeyError), Run(tmp_path).locked():
        raise KeyError
    lock(Run(tmp_path))


def test_the_lock_is_released_after_a_kill(tmp_path):
    process = holder(tmp_path)
    with pytest.raises(RunError):
        lock(Run(tmp_path))
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    lock(Run(tmp_path))
    assert (tmp_path / ".lock").read_text() == str(os.getpid())


def test_the_lock_also_holds_within_one_process(tmp_path):
    with Run(tmp_path).locked():
        assert f"(process {os.getpid()})" in message(lock, Run(tmp_path))


@pytest.mark.parametrize("call", [open_run, lambda path: new_run("x", path), refuse_existing])
def test_a_name_that_is_not_utf8_is_refused(tmp_path, call):
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/r\xe9n"))
    assert message(call, path) == (
        f"{tmp_path}/r\\xe9n: the name of a run must be valid UTF-8. Rename it, or name another "
        "--run."
    )
    assert list(tmp_path.iterdir()) == []


def test_a_file_in_place_of_a_run(tmp_path):
    file = tmp_path / "d.png"
    file.touch()
    for path, kind in ((file, "run directory"), (file / "x", "folder"), (file / "x/y", "folder")):
        with pytest.raises(RunError) as caught:
            new_run("tiny", path)
        assert str(caught.value) == f"{file}: is a file, not a {kind}. Name another --run."
