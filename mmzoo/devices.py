"""Devices to train on, with precision, XLA, threads and determinism."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, get_args

from mmzoo.errors import MmzooError, TrainingError
from mmzoo.lazy import quiet_stderr, tf
from mmzoo.spec.wording import join_or

if TYPE_CHECKING:
    from mmzoo.train_config import Train

Kind = Literal["auto", "cpu", "gpu"]

_BFLOAT16_CAPABILITY = (8, 0)  # NVIDIA's Ampere and later compute in bfloat16 ...
_FLOAT16_CAPABILITY = (7, 0)  # ... and Volta and Turing in float16.


@dataclass(frozen=True)
class Devices:
    """Where to train and how.

    Attributes:
        kind: "cpu" or "gpu".
        names: a readable name for each device.
        strategy: distributes a step over the devices.
        precision: a Keras dtype policy.
        xla: whether steps are compiled with XLA.
        threads: CPU threads of one operation; their number affects the last bits of results.
    """

    kind: Literal["cpu", "gpu"]
    names: tuple[str, ...]
    strategy: tf.distribute.Strategy
    precision: str
    xla: bool
    threads: int

    @property
    def replicas(self) -> int:
        return int(self.strategy.num_replicas_in_sync)

    def record(self) -> dict[str, Any]:
        """The entry of environment.json, which a resume checks."""
        return {
            "kind": self.kind,
            "names": self.names,
            "replicas": self.replicas,
            "precision": self.precision,
            "xla": self.xla,
            "threads": self.threads,
        }

    def __str__(self) -> str:
        xla = ", XLA" if self.xla else ""
        return f"{', '.join(self.names)} ({self.precision}{xla})"


def prepare_devices(
    kind: Kind,
    train: Train,
    before: Mapping[str, Any] | None = None,
    batches_vary: bool = False,
) -> Devices:
    """Finds the devices and configures TensorFlow for them.

    Args:
        kind: "auto" uses the GPUs if there are any.
        train: has precision, XLA and determinism.
        before: the record of the devices that a resumed training started with: it continues with
            the same precision, XLA setting and number of threads.
        batches_vary: whether batches differ in shape beyond their number of rows.

    Raises:
        TrainingError: there is no such kind, there is no GPU, the batch size is not divisible
            by the number of devices, or XLA was requested on several devices.
    """
    if kind not in get_args(Kind):
        raise TrainingError(
            f"device: expected {join_or([repr(known) for known in get_args(Kind)])}, got {kind!r}"
        )
    gpus = tf.config.list_physical_devices("GPU")
    if kind == "gpu" and not gpus:
        raise TrainingError(
            "--device gpu: TensorFlow finds no GPU. `mmzoo doctor` shows what it finds; "
            "`pip install 'mmzoo[gpu]'` installs CUDA. Use --device cpu to train without a GPU."
        )
    if kind == "cpu" and gpus:
        tf.config.set_visible_devices([], "GPU")
        gpus = []
    requested = int(os.environ.get("TF_NUM_INTRAOP_THREADS", 0)) or available_cores()
    threads = _set_threads(before["threads"] if before else requested)
    _set_determinism(train.deterministic)
    precision = _precision(gpus) if train.precision == "auto" else train.precision
    with quiet_stderr():  # TensorFlow initializes its devices here, and logs much.
        devices = tf.config.list_logical_devices("GPU" if gpus else "CPU")
    several = len(devices) > 1
    if several and train.batch_size % len(devices):
        raise TrainingError(
            f"train.batch_size: expected a multiple of the {len(devices)} devices, "
            f"got {train.batch_size}"
        )
    if several and train.xla is True:
        raise TrainingError(
            f"train.xla: expected false or auto on {len(devices)} devices, as XLA supports only one"
        )
    xla = train.xla
    if xla == "auto":
        xla = worth_xla(gpus=len(gpus), batches_vary=batches_vary)
    return Devices(
        kind="gpu" if gpus else "cpu",
        names=_gpu_names(gpus) if gpus else _cpu_names(len(devices), threads),
        strategy=_strategy(tuple(device.name for device in devices)),
        precision=before["precision"] if before else precision,
        xla=before["xla"] if before else xla,
        threads=threads,
    )


def worth_xla(gpus: int, batches_vary: bool) -> bool:
    """Whether XLA makes steps faster: on one GPU, if it compiles one shape and not hundreds."""
    return gpus == 1 and not batches_vary


def available_cores() -> int:
    """The cores available to this process, which a container or taskset may limit."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1  # macOS has no affinity.


@contextmanager
def memory_errors() -> Iterator[None]:
    """Turns out-of-memory errors into advice on what to make smaller.

    Raises:
        TrainingError: instead of the error of Python, NumPy or TensorFlow.
    """
    try:
        yield
    except MmzooError:
        raise  # Before the next line, which may import TensorFlow.
    except (MemoryError, tf.errors.ResourceExhaustedError) as error:
        raise TrainingError(
            "Out of memory. Make train.batch_size smaller, or train.evaluation_batch_size, the "
            "input's shape, or the encoder's filters or units."
        ) from error


@cache
def _strategy(devices: tuple[str, ...]) -> tf.distribute.Strategy:
    """The distribution strategy for these devices.

    One for the whole process: each strategy numbers its reductions over devices from the start, and
    those of two trainings with the same number would be mixed up.
    """
    if len(devices) == 1:
        return tf.distribute.get_strategy()
    return tf.distribute.MirroredStrategy(devices)


def _set_threads(threads: int) -> int:
    """Sets the threads of one operation, unless TensorFlow has started; returns their number."""
    if tf.config.threading.get_intra_op_parallelism_threads() != threads:
        with suppress(RuntimeError):
            tf.config.threading.set_intra_op_parallelism_threads(threads)
    return tf.config.threading.get_intra_op_parallelism_threads() or available_cores()


def _set_determinism(enabled: bool) -> None:
    """Also disables it, if an earlier training of this process had enabled it."""
    from tensorflow.python.framework import config

    if enabled:
        config.enable_op_determinism()
    elif config.is_op_determinism_enabled():
        config.disable_op_determinism()


def _precision(gpus: list[tf.config.PhysicalDevice]) -> str:
    if not gpus:
        return "float32"
    capabilities = [
        tf.config.experimental.get_device_details(gpu).get("compute_capability", (0, 0))
        for gpu in gpus
    ]
    weakest = min(capabilities)
    if weakest >= _BFLOAT16_CAPABILITY:
        return "mixed_bfloat16"
    return "mixed_float16" if weakest >= _FLOAT16_CAPABILITY else "float32"


def _gpu_names(gpus: list[tf.config.PhysicalDevice]) -> tuple[str, ...]:
    details = (tf.config.experimental.get_device_details(gpu) for gpu in gpus)
    return tuple(str(detail.get("device_name", "GPU")) for detail in details)


def _cpu_names(count: int, threads: int) -> tuple[str, ...]:
    name = f"CPU with {threads} thread{'s' if threads > 1 else ''}"
    return (name,) if count == 1 else (f"{count} virtual devices on {name}",)
