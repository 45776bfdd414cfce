"""Resuming: which runs may be resumed, and that a refusal changes nothing."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from trainings import (
    STEPS_PER_EPOCH,
    Crash,
    config,
    crash_after_step,
    differences,
    train_with_crash,
)

from mmzoo.checkpoint import checkpoints, read_checkpoint, save_checkpoint
from mmzoo.cli.main_command import main
from mmzoo.config import load_config
from mmzoo.errors import RunError, TrainingError
from mmzoo.lazy import tf
from mmzoo.preprocessing import fit_config, load_frame
from mmzoo.runs import Run
from mmzoo.spec import dump_yaml
from mmzoo.training.resume import check_same_config, nothing_to_resume
from mmzoo.training.train import train


def files(run: Run) -> dict[str, tuple[bytes, int]]:
    """Every file of a run directory except its log."""
    return {
        str(path): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in run.directory.rglob("*")
        if path.is_file() and path not in (run.log_file, run.directory / ".lock")
    }


def error_message(run: Run, values: dict[str, Any]) -> str:
    """The error of a refused resume; checks that no file changed."""
    before = files(run)
    with pytest.raises(RunError) as caught:
        train(values, run=run.directory, resume=True)
    assert files(run) == before
    message = str(caught.value)
    if "another training (process" not in message:
        assert f"RunError: {message}" in run.log_file.read_text()
    return message


def resumed(run: Run, values: dict[str, Any]) -> Run:
    return train(values, run=run.directory, resume=True)


def edit_environment(run: Run, part: str, **values: Any) -> None:
    environment = run.environment()
    environment[part] |= values
    run.write_environment(environment)


@pytest.fixture(scope="module")
def crashed(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run of `small_run`'s config that crashed in the middle of its second epoch."""
    run = Run(tmp_path_factory.mktemp("crashed") / "run")
    with pytest.raises(Crash), crash_after_step(STEPS_PER_EPOCH + 5):
        train(config(), run=run.directory)
    return run


@pytest.fixture
def half(crashed: Run, tmp_path: Path) -> Run:
    """A copy of `crashed`, to be resumed."""
    return Run(Path(shutil.copytree(crashed.directory, tmp_path / "half")))


# What is there.


@pytest.mark.slow
def test_a_resume_without_a_run_starts_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    values = config(train={"epochs": 1})
    named = train(values, run="named", resume=True)
    start = "Note: --resume found nothing to continue in named, so the training starts at step 0."
    assert start in named.log_file.read_text()
    numbered = train(values, resume=True)
    assert (named.directory, numbered.directory) == (Path("named"), Path("runs/small/001"))
    assert differences(named, numbered) == []
    assert train(values).directory == Path("runs/small/002")
    assert train(values, resume=True).directory == Path("runs/small/002")


def test_a_resume_without_a_run_suggests_similar_names(tmp_path):
    (tmp_path / "first").mkdir()
    (tmp_path / "first" / "config.yaml").write_text("name: small\n")
    start = "Note: --resume found nothing to continue in"
    for name, meant in (("frist", "; did you mean 'first'?"), ("other", ".")):
        path = tmp_path / name
        assert nothing_to_resume(Run(path)) == (
            f"{start} {path}, so the training starts at step 0{meant}"
        )


def test_an_existing_run_requires_resume(own_run, tiny):
    before = files(own_run)
    with pytest.raises(RunError, match=r"exists already\. Continue it with --resume"):
        train(tiny, run=own_run.directory)
    assert files(own_run) == before


def test_a_foreign_directory_is_not_changed(tmp_path):
    (tmp_path / "config.yaml").write_text("mine")
    (tmp_path / "thesis.tex").write_text("mine")
    with pytest.raises(RunError) as caught:
        train(config(), run=tmp_path, resume=True)
    assert str(caught.value) == (
        f"{tmp_path}: not a run directory, it has config.yaml. "
        "Name another with --run; it will be created."
    )
    assert sorted(os.listdir(tmp_path)) == ["config.yaml", "thesis.tex"]


def test_two_trainings_cannot_share_a_directory(own_run, tiny, tmp_path, capsys):
    path = tmp_path / "tiny.yaml"
    path.write_text(dump_yaml(load_config(tiny)))
    before = files(own_run)
    with own_run.locked(), pytest.raises(SystemExit) as caught:
        main(["train", str(path), "--run", str(own_run.directory), "--resume"])
    assert caught.value.code == 1
    printed = capsys.readouterr()
    assert f"another training (process {os.getpid()}) runs in this directory" in printed.err
    assert printed.out == ""
    assert files(own_run) == before


# Finished.


def test_a_finished_training_is_unchanged(own_run, tiny, capsys):
    run = own_run
    metrics = run.metrics()
    run.write_metrics({**metrics, "train": metrics["test"]})  # As `mmzoo eval` adds.
    before = files(run)
    assert resumed(run, tiny) == run
    assert files(run) == before
    assert "This training is finished; its results stay as they are." in capsys.readouterr().err


def test_a_training_without_its_evaluation_is_evaluated(own_run, trained_run, tiny):
    own_run.metrics_file.unlink()
    assert resumed(own_run, tiny).metrics() == trained_run.metrics()


@pytest.mark.slow
def test_more_epochs_equal_one_longer_training(tmp_path):
    def values(epochs: int) -> dict[str, Any]:
        schedule = {"type": "step", "epochs": [1.5]}
        return config(train={"epochs": epochs, "optimizer": {"schedule": schedule}})

    uninterrupted = train(values(3), run=tmp_path / "whole")
    longer = resumed(train(values(2), run=tmp_path / "longer"), values(3))
    # TensorBoard also keeps what was shown after two epochs.
    assert differences(uninterrupted, longer) == ["event tags"]
    assert longer.config() == uninterrupted.config()


@pytest.mark.slow
def test_an_interrupted_extension_keeps_no_old_results(tmp_path):
    """Otherwise old probes would be applied to features of new weights."""
    run = train(config(probes=["knn"], train={"epochs": 1}), run=tmp_path / "run")
    run.write_baselines({})
    assert run.probe("digit", "knn").is_file()
    with pytest.raises(Crash), crash_after_step(STEPS_PER_EPOCH + 3):
        resumed(run, config(probes=["knn"], train={"epochs": 2}))
    assert run.metrics() == {}
    assert not run.baselines_file.exists()
    assert "trained" not in run.environment()
    assert list(run.probe("digit", "knn").parent.iterdir()) == []


@pytest.mark.parametrize(
    "schedule", [{"type": "cosine"}, {"type": "one_cycle"}, {"type": "constant", "warmup": 0.1}]
)
def test_more_epochs_are_refused_where_they_change_earlier_learning_rates(half, schedule):
    was = config(train={"optimizer": {"schedule": schedule}})
    half.write_config(fit_config(load_config(was).with_columns(), data_of(was))[0])
    message = error_message(half, config(train={"epochs": 4, "optimizer": {"schedule": schedule}}))
    assert "trained with another config: train.epochs was 3, is 4." in message


def test_a_requested_config_can_be_repeated_for_fitted_fields(half):
    """In config.yaml, fitted values replace requested ones."""
    fitted = half.config()
    assert half.environment()["requested"]["heads.digit.classes"] is None
    assert fitted.heads["digit"].classes == 10
    check_same_config(half, load_config(config()).with_columns(), fitted=False)
    check_same_config(half, fitted, fitted=False)
    other = load_config(config(heads={"digit": {"classes": 9}})).with_columns()
    with pytest.raises(RunError, match=r"heads\.digit\.classes was 10, is 9"):
        check_same_config(half, other, fitted=False)


def test_a_fitted_mapping_can_be_repeated(half):
    """`class_weights: auto` becomes a mapping; `auto` stays the requested value."""
    was = config(heads={"digit": {"class_weights": "auto"}})
    environment = half.environment()
    environment["requested"]["heads.digit.class_weights"] = "auto"
    half.write_environment(environment)
    half.write_config(fit_config(load_config(was).with_columns(), data_of(was))[0])
    check_same_config(half, load_config(was).with_columns(), fitted=False)
    other = load_config(config()).with_columns()
    with pytest.raises(RunError, match=r"heads\.digit\.class_weights\.0 was"):
        check_same_config(half, other, fitted=False)


def data_of(values: dict[str, Any]) -> Any:
    return load_frame(load_config(values).with_columns())


# The same training.


def test_another_config_is_refused_with_all_differences(half):
    other = config(
        inputs={"image": {"encoder": {"filters": [8]}}},
        train={"batch_size": 64, "optimizer": {"type": "sgd", "learning_rate": 0.1}},
    )
    assert error_message(half, other) == (
        f"{half.directory}: was trained with another config: "
        "inputs.image.encoder.filters was (4,), is (8,); "
        "train.batch_size was 128, is 64; "
        "train.optimizer.beta_1 was 0.9, is None; "
        "train.optimizer.beta_2 was 0.999, is None; "
        "train.optimizer.epsilon was 1e-07, is None; "
        "train.optimizer.learning_rate was 0.01, is 0.1; "
        "train.optimizer.momentum was None, is 0.9; "
        "train.optimizer.nesterov was None, is False; "
        "train.optimizer.type was 'adam', is 'sgd'. "
        "Change it back, or start a new run without --resume."
    )


@pytest.mark.slow
def test_fields_that_change_no_step_can_differ(half, small_run):
    changes = {"log_steps": 5, "checkpoint_seconds": 100, "early_stopping": {"patience": 9}}
    done = resumed(half, config(train=changes))
    differing = differences(small_run, done)
    assert [name for name in differing if name.startswith(("variable", "best", "history"))] == []
    assert small_run.metrics() == done.metrics()
    assert done.config().train.log_steps == 5


def test_other_data_is_refused(half):
    now = half.environment()["data"]["fingerprint"]
    edit_environment(half, "data", fingerprint="0" * 64, name="other")
    assert error_message(half, config()) == (
        f"{half.directory}: was trained on other data (other, fingerprint 000000000000) than now "
        f"(digits, {now[:12]}). Start a new run without --resume."
    )


def test_another_number_of_devices_is_refused(half):
    edit_environment(half, "device", replicas=2)
    assert error_message(half, config()) == (
        f"{half.directory}: was trained on 2 devices, and there are 1 now. "
        "Use as many, or start a new run without --resume."
    )


@pytest.mark.slow
def test_a_resume_on_another_machine_is_reported_and_its_time_is_added(half, capsys):
    """Other devices, threads and versions may change bits; the first ones are recorded."""
    threads = half.environment()["device"]["threads"]
    edit_environment(half, "device", kind="gpu", threads=threads + 1)
    edit_environment(half, "versions", numpy="1.0")
    first, before = half.environment(), add_seconds(half, 1000)
    environment = resumed(half, config()).environment()
    printed = capsys.readouterr().err
    end = "so the result will not be bit-identical to that of an uninterrupted training."
    assert f"Note: the training started with kind gpu and continues with cpu, {end}" in printed
    # TensorFlow has started in this process, and its threads stay what they are.
    was = f"started with threads {threads + 1} and continues with {threads}"
    assert f"Note: the training {was}, {end}" in printed
    version = f"started with numpy 1.0 and continues with {np.__version__}"
    assert f"Note: the training {version}, so the result will not" in printed.replace("\n", " ")
    [resume] = environment.pop("resumed")
    trained = environment.pop("trained")
    assert environment == first
    assert resume["other_versions"] == {"numpy": np.__version__}
    assert resume["device"]["threads"] == threads
    assert set(resume) == {"date", "argv", "device", "other_versions"}
    assert trained["parameters"] > 0
    assert before < trained["seconds"] < before + 600


def add_seconds(run: Run, seconds: float) -> float:
    """Adds to the duration in the newest checkpoint; returns the sum."""
    path = checkpoints(run.last)[-1]
    arrays, state = read_checkpoint(path)
    assert 0 < state["seconds"] < 600
    state["seconds"] += seconds
    rewrite_checkpoint(path, arrays, state)
    return state["seconds"]


@pytest.mark.slow
def test_a_resume_keeps_the_precision(half, capsys):
    """`auto` may differ on another device."""
    edit_environment(half, "device", precision="mixed_bfloat16")
    done = resumed(half, config())
    assert "(mixed_bfloat16)" in capsys.readouterr().err
    assert done.environment()["device"]["precision"] == "mixed_bfloat16"


@pytest.mark.slow
def test_a_resume_keeps_the_xla_setting(half, capsys):
    edit_environment(half, "device", xla=True)
    resumed(half, config())
    assert "(float32, XLA)" in capsys.readouterr().err


def test_another_config_and_a_missing_gpu_are_refused_before_reading_data(half):
    with patch("mmzoo.training.train.load_frame", side_effect=AssertionError):
        assert "train.batch_size was 128, is 64" in error_message(
            half, config(train={"batch_size": 64})
        )
        with pytest.raises(TrainingError, match=r"^--device gpu: "):
            train(config(), run=half.directory, resume=True, device="gpu")


# Checkpoints.


def test_a_damaged_checkpoint_falls_back_to_the_previous_one(half, small_run, capsys):
    """Half-written files of a kill are removed."""
    newest = checkpoints(half.last)[-1]
    newest.write_bytes(newest.read_bytes()[:-100])
    left = [half.last / ".000000000007.npz.1.tmp.npz", half.last.parent / ".best.1.tmp.weights.h5"]
    for path in left:
        path.write_bytes(b"half")
    assert differences(small_run, resumed(half, config())) == []
    assert not any(path.exists() for path in left)
    printed = capsys.readouterr().err
    assert f"{newest}: the file is damaged (" in printed
    assert f"Resuming after step {int(checkpoints(half.last)[0].stem)} of 33" not in printed


def test_a_state_without_an_entry_is_a_damaged_checkpoint(half, small_run, capsys):
    newest = checkpoints(half.last)[-1]
    arrays, state = read_checkpoint(newest)
    del state["watchers"]
    rewrite_checkpoint(newest, arrays, state)
    assert differences(small_run, resumed(half, config())) == []
    printed = capsys.readouterr().err
    assert f"{newest}: the file is damaged (watchers: field required)" in printed


def rewrite_checkpoint(path: Path, arrays: list[np.ndarray], state: dict[str, Any]) -> None:
    """With a right checksum, as another program that knows the format would."""
    variables = [tf.constant(array) for array in arrays]
    assert save_checkpoint(path.parent, int(path.stem), variables, state) == path


ROW = "history.0."


@pytest.mark.parametrize(
    "name",
    [
        "history",
        *(
            pytest.param(name, marks=pytest.mark.slow)
            for name in (f"{ROW}validation_loss", f"{ROW}loss", "seconds")
        ),
    ],
)
def test_an_edited_state_is_a_damaged_checkpoint(half, small_run, capsys, name):
    """Also where the edited state would make sense."""
    newest = checkpoints(half.last)[-1]
    with np.load(newest) as file:
        arrays = dict(file)
    state = json.loads(arrays["state"].tobytes())
    assert len(state["history"]) == 1
    if name == "history":
        state["history"][0]["validation_loss"] += 0.25
    elif name == "seconds":
        state["seconds"] = 1.0
    else:
        del state["history"][0][name.removeprefix(ROW)]
    arrays["state"] = np.frombuffer(json.dumps(state).encode(), np.uint8)
    np.savez(newest, **arrays)
    assert differences(small_run, resumed(half, config())) == []
    assert f"{newest}: the file is damaged ({newest.name} has a wrong" in capsys.readouterr().err


def test_only_damaged_checkpoints_is_an_error(half):
    for path in checkpoints(half.last):
        path.write_bytes(b"")
    assert error_message(half, config()) == (
        f"{half.last}: none of its checkpoints can be read. Use the best weights, or train again "
        "without --resume."
    )


def test_a_checkpoint_of_another_model_is_refused(half, own_run):
    [*_, newest] = checkpoints(half.last)
    [*_, foreign] = checkpoints(own_run.last)
    arrays, _ = read_checkpoint(foreign)
    rewrite_checkpoint(newest, arrays, read_checkpoint(newest)[1])
    assert error_message(half, config()) == (
        f"{newest}: from a different model: stage1_conv1/kernel is [3, 3, 1, 8] float32, "
        "expected [3, 3, 1, 4] float32"
    )


@pytest.mark.slow
def test_a_crash_before_the_first_checkpoint_starts_over(small_run, tmp_path):
    rarely = config(train={"checkpoint_seconds": 1000})
    again = train_with_crash(rarely, tmp_path / "again", STEPS_PER_EPOCH + 2)
    assert differences(small_run, again) == []
