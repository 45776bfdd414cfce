"""Devices: selection, precision, threads; settings end with the training."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from mmzoo.config import load_config
from mmzoo.devices import available_cores, memory_errors, prepare_devices, worth_xla
from mmzoo.errors import DataError, TrainingError
from mmzoo.lazy import keras, tf
from mmzoo.model import build_model
from mmzoo.preprocessing import fit_config, load_frame
from mmzoo.train_config import Train
from mmzoo.trained_model import load_trained
from mmzoo.training.train import train


@pytest.mark.parametrize(
    ("gpus", "batches_vary", "worth"),
    [(0, False, False), (1, False, True), (1, True, False), (2, False, False)],
)
def test_xla_is_on_for_one_gpu_and_static_shapes(gpus, batches_vary, worth):
    assert worth_xla(gpus, batches_vary) is worth


def test_a_cpu_computes_in_float32_without_xla():
    devices = prepare_devices("auto", Train())
    assert (devices.kind, devices.precision, devices.xla) == ("cpu", "float32", False)
    assert devices.replicas == 1
    threads = f"{devices.threads} thread{'s' if devices.threads > 1 else ''}"
    assert str(devices) == f"CPU with {threads} (float32)"


def test_configured_settings_win():
    devices = prepare_devices("cpu", Train(precision="mixed_bfloat16", xla=True))
    assert (devices.precision, devices.xla) == ("mixed_bfloat16", True)
    assert str(devices).endswith("(mixed_bfloat16, XLA)")


def test_a_missing_gpu_is_an_error():
    with pytest.raises(TrainingError) as caught:
        prepare_devices("gpu", Train())
    assert str(caught.value) == (
        "--device gpu: TensorFlow finds no GPU. `mmzoo doctor` shows what it finds; "
        "`pip install 'mmzoo[gpu]'` installs CUDA. Use --device cpu to train without a GPU."
    )


def test_an_unknown_device_is_an_error():
    with pytest.raises(TrainingError) as caught:
        prepare_devices("tpu", Train())
    assert str(caught.value) == "device: expected 'auto', 'cpu' or 'gpu', got 'tpu'"


def test_all_cores_are_used_if_the_system_reports_no_affinity(monkeypatch):
    """As on macOS."""
    monkeypatch.delattr(os, "sched_getaffinity")
    assert available_cores() == os.cpu_count()


def test_out_of_memory_errors_are_explained():
    message = (
        "Out of memory. Make train.batch_size smaller, or train.evaluation_batch_size, the "
        "input's shape, or the encoder's filters or units."
    )
    with pytest.raises(TrainingError) as caught, memory_errors():
        tf.zeros((2**30, 2**20))
    assert str(caught.value) == message
    with pytest.raises(TrainingError) as caught, memory_errors():
        bytearray(2**62)
    assert str(caught.value) == message


def test_other_errors_are_not_out_of_memory():
    for error in (DataError("x.csv: no rows"), ValueError("?")):
        with pytest.raises(type(error)) as caught, memory_errors():
            raise error
        assert caught.value is error


def test_a_resume_uses_the_recorded_device():
    began = {**prepare_devices("cpu", Train()).record(), "precision": "mixed_bfloat16"}
    assert began.keys() == {"kind", "names", "replicas", "precision", "xla", "threads"}
    assert prepare_devices("cpu", Train(), began).precision == "mixed_bfloat16"


CODE = """
from mmzoo.train_config import Train
from mmzoo.devices import prepare_devices, worth_xla
from mmzoo.lazy import tf
print(prepare_devices("cpu", Train(), {before}).threads)
print(tf.config.threading.get_intra_op_parallelism_threads())
other = {{"threads": 7, "precision": "float32", "xla": False}}
print(prepare_devices("cpu", Train(), other).threads)
"""


def threads(before: str = "None", **environment: str) -> list[int]:
    """Output of a new process: its threads, TensorFlow's, and those of a later call."""
    done = subprocess.run(
        [sys.executable, "-c", CODE.format(before=before)],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return [int(line) for line in done.stdout.split()]


@pytest.mark.slow
def test_threads_are_the_cores_unless_a_resume_says_otherwise():
    """The last bits of sums depend on the number of threads."""
    assert threads() == [available_cores()] * 3
    before = "{'threads': 5, 'precision': 'float32', 'xla': False}"
    # Once TensorFlow has started it is too late to change them: what is said is what holds.
    assert threads(before, TF_NUM_INTRAOP_THREADS="3") == [5, 5, 5]


# Nothing stays on.


def test_precision_does_not_outlive_a_training(tiny, tmp_path):
    """Keras' policy is global, and the user's own models must keep theirs."""
    before = keras.config.dtype_policy().name
    tiny["train"] |= {"precision": "mixed_bfloat16", "epochs": 1}
    run = train(tiny, run=tmp_path / "run")
    assert keras.config.dtype_policy().name == before
    model, _ = load_trained(run, precision="mixed_bfloat16")
    assert model.dtype_policy.name == "mixed_bfloat16"
    assert load_trained(run)[0].dtype_policy.name == before


@pytest.mark.slow
def test_a_global_policy_of_the_user_is_ignored(tiny, tmp_path):
    keras.config.set_dtype_policy("mixed_float16")
    try:
        run = train({**tiny, "train": {"epochs": 1}}, run=tmp_path / "run")
        assert run.environment()["device"]["precision"] == "float32"
        assert keras.config.dtype_policy().name == "mixed_float16"
        model = build_model(fit_config(load_config(tiny).with_columns(), load(tiny))[0])
        assert model.dtype_policy.name == "mixed_float16"
    finally:
        keras.config.set_dtype_policy("float32")
    again = train({**tiny, "train": {"epochs": 1}}, run=tmp_path / "again")
    assert again.history_file.read_text() == run.history_file.read_text()


def load(values):
    return load_frame(load_config(values).with_columns())


def test_determinism_does_not_outlive_a_training():
    prepare_devices("cpu", Train(deterministic=True))
    with pytest.raises(tf.errors.FailedPreconditionError, match="determinism"):
        tf.timestamp()
    prepare_devices("cpu", Train())
    assert tf.timestamp() > 0


@pytest.mark.slow
def test_trainings_in_one_process_are_independent(tiny, trained_run, tmp_path):
    """One training, one with different settings, and the first again."""
    other = {"precision": "mixed_bfloat16", "deterministic": True, "ema": 0.9, "epochs": 1}
    train({**tiny, "train": {**tiny["train"], **other}}, run=tmp_path / "other")
    again = train(tiny, run=tmp_path / "again")
    assert again.history_file.read_text() == trained_run.history_file.read_text()
    assert again.metrics_file.read_text() == trained_run.metrics_file.read_text()
