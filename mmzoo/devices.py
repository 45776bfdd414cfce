"""The devices that a training runs on, and what is fast and safe there."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from mmzoo.errors import TrainingError
from mmzoo.lazy import keras, quiet_stderr, tf

if TYPE_CHECKING:
    from mmzoo.config import Train

Kind = Literal["auto", "cpu", "gpu"]

_BFLOAT16_CAPABILITY = (8, 0)  # NVIDIA's Ampere and later compute in bfloat16 ...
_FLOAT16_CAPABILITY = (7, 0)  # ... and Volta and Turing in float16.


@dataclass(frozen=True)
class Devices:
    """Where to train and how.

    Attributes:
        kind: "cpu" or "gpu".
        names: a name for each device, for people.
        strategy: what spreads a step over them.
        precision: a Keras dtype policy.
        xla: whether steps are compiled with XLA.
        threads: threads of one operation on the CPU. Another number gives other last bits.
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

    def __str__(self) -> str:
        xla = ", XLA" if self.xla else ""
        return f"{', '.join(self.names)} ({self.precision}{xla})"


def prepare_devices(kind: Kind, train: Train, threads: int | None = None) -> Devices:
    """Finds the devices and sets TensorFlow and Keras up for them.

    Args:
        kind: "auto" takes the GPUs if there are any.
        train: gives precision, XLA and determinism.
        threads: threads of one operation, where a resume must have as many as its start had.

    Raises:
        TrainingError: a GPU was asked for and there is none, or the batch cannot be shared.
    """
    gpus = tf.config.list_physical_devices("GPU")
    if kind == "gpu" and not gpus:
        raise TrainingError(
            "--device gpu: TensorFlow finds no GPU here. `mmzoo doctor` says what it sees; "
            "`pip install 'mmzoo[gpu]'` brings CUDA. Use --device cpu to go on without."
        )
    if kind == "cpu" and gpus:
        tf.config.set_visible_devices([], "GPU")
        gpus = []
    threads = threads or int(os.environ.get("TF_NUM_INTRAOP_THREADS", 0)) or available_cores()
    _set_threads(threads)
    if train.deterministic:
        tf.config.experimental.enable_op_determinism()
    precision = _precision(gpus) if train.precision == "auto" else train.precision
    keras.config.set_dtype_policy(precision)
    with quiet_stderr():  # TensorFlow starts its devices here, and says much about it.
        devices = tf.config.list_logical_devices("GPU" if gpus else "CPU")
    several = len(devices) > 1
    strategy = tf.distribute.MirroredStrategy(devices) if several else tf.distribute.get_strategy()
    if several and train.batch_size % len(devices):
        raise TrainingError(
            f"train.batch_size: expected a multiple of the {len(devices)} devices, "
            f"got {train.batch_size}"
        )
    return Devices(
        kind="gpu" if gpus else "cpu",
        names=_gpu_names(gpus) if gpus else _cpu_names(len(devices), threads),
        strategy=strategy,
        precision=precision,
        xla=bool(gpus) if train.xla == "auto" else train.xla,
        threads=threads,
    )


def available_cores() -> int:
    """The cores that this process may use, which a container or taskset can make fewer."""
    return len(os.sched_getaffinity(0))


def _set_threads(threads: int) -> None:
    """Fixes the threads of one operation; too late, and harmless, once TensorFlow has started."""
    if tf.config.threading.get_intra_op_parallelism_threads() == threads:
        return
    with suppress(RuntimeError):
        tf.config.threading.set_intra_op_parallelism_threads(threads)


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
