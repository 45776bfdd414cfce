"""What a training is made of, written down before it begins."""

from __future__ import annotations

import sys
from pathlib import Path

from mmzoo.config import Config
from mmzoo.devices import Devices
from mmzoo.environment import git_commit, machine, versions
from mmzoo.runs import Run
from mmzoo.sources import Data


def write_record(run: Run, config: Config, data: Data, devices: Devices) -> None:
    """Writes environment.json, which a resume goes by, and config.yaml, which trains again."""
    run.write_environment(
        {
            "versions": versions(),
            "machine": machine(),
            "device": devices.record(),
            "git_commit": git_commit(Path.cwd()),
            "argv": sys.argv,
            "seed": config.train.seed,
            "data": {
                "name": data.name,
                "fallback_for": data.fallback_for,
                "fingerprint": data.fingerprint,
                "examples": {split: data.examples(split) for split in data.splits},
            },
        }
    )
    run.write_config(config)
