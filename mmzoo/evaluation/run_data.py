"""The data that a run was trained on, read again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mmzoo.config import Config
from mmzoo.errors import RunError
from mmzoo.examples import load_data
from mmzoo.runs import Run

if TYPE_CHECKING:
    from mmzoo.sources import Data


def same_data(run: Run, config: Config) -> Data:
    """The run's data, read again; a RunError where it is not the same any more."""
    data = load_data(config)
    require_trained_on(run, data)
    return data


def require_trained_on(run: Run, data: Data) -> None:
    """Raises a RunError where data are not those that a run was trained on."""
    trained_on = run.environment()["data"]
    if data.fingerprint != trained_on["fingerprint"]:
        raise RunError(
            f"{run.directory}: was trained on {trained_on['name']} (fingerprint "
            f"{trained_on['fingerprint'][:12]}), but the source now gives {data.name} "
            f"({data.fingerprint[:12]}). Make the same data available again: `mmzoo data where`."
        )
