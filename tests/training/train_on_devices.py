"""Trains on several virtual CPU devices; a script, as TensorFlow divides the CPU only at its start.

    train_on_devices.py DEVICES < jobs.json

A job has `values`, a config, and the `directory` of its run; it may have `crash`, a step after
which it is crashed and resumed, and `spoilt`, rows of the training split to spoil. Prints for each
job the error it ended with, or null.
"""

from __future__ import annotations

import json
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from trainings import corrupt_rows, train_with_crash

from mmzoo.errors import MmzooError
from mmzoo.lazy import tf
from mmzoo.training.train import train


def do(job: dict[str, Any]) -> str | None:
    directory = Path(job["directory"])
    with corrupt_rows(train=job["spoilt"]) if "spoilt" in job else nullcontext():
        try:
            if "crash" in job:
                train_with_crash(job["values"], directory, job["crash"])
            else:
                train(job["values"], run=directory)
        except MmzooError as error:
            return str(error)
    return None


if __name__ == "__main__":
    [cpu] = tf.config.list_physical_devices("CPU")
    parts = [tf.config.LogicalDeviceConfiguration()] * int(sys.argv[1])
    tf.config.set_logical_device_configuration(cpu, parts)
    print(json.dumps([do(job) for job in json.load(sys.stdin)]))
