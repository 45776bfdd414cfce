"""The state in a checkpoint besides the variables: its entries, and the check when it is read.

A file whose bytes are all right may still come from another program. A state with missing, mistyped
or contradictory entries would raise any exception, or train something else; so it is refused like a
damaged file.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

from annotated_types import Ge, Le
from pydantic import BaseModel, ConfigDict, ValidationError

from mmzoo.errors import RunError

Count = Annotated[int, Ge(0)]
_LONGEST = 1e10
"""Seconds, about 300 years."""


class _Entries(BaseModel):
    model_config = ConfigDict(strict=True)


class _Stage(_Entries):
    number: Annotated[int, Ge(0), Le(1)]
    first_step: Count


class _Best(_Entries):
    value: float | None
    epoch: Count
    waited: Count
    loss: float | None


class _Plateau(_Entries):
    factor: Annotated[float, Ge(0), Le(1)]
    resting: Count
    best: _Best


class _Watchers(_Entries):
    best: _Best
    early_stop: _Best | None = None
    plateau: _Plateau | None = None


class _State(_Entries):
    step: Count
    stage: _Stage
    history: list[dict[str, float]]
    logged: tuple[float, float]
    watchers: _Watchers
    validated: list[tuple[Count, list[Count]]]
    fingerprint: str
    bad_steps_skipped: Count
    seconds: Annotated[float, Ge(0), Le(_LONGEST)] = 0.0
    best_weights: str | None = None
    """The checksum of best.weights.h5, which older versions did not store."""


def check_state(path: Path, state: dict[str, Any], steps_per_epoch: int) -> None:
    """Checks the state of a run's checkpoint before a training continues from it.

    Args:
        path: the checkpoint, whose name is its step.
        state: what was read from it.
        steps_per_epoch: of the training.

    Raises:
        RunError: an entry is missing, has another type or contradicts others.
    """
    try:
        found = _State.model_validate_json(json.dumps(state))
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(map(str, first["loc"]))
        raise RunError(f"{path}: the file is damaged ({name}: {first['msg'].lower()})") from error
    epochs, step = len(found.history), found.step
    contradictions = {
        "step": step != int(path.stem),
        # The epoch whose steps are all done may not be validated yet.
        "history": epochs not in (step // steps_per_epoch, -(-step // steps_per_epoch) - 1)
        or [row.get("epoch") for row in found.history] != list(range(1, epochs + 1))
        or any(row.keys() != found.history[0].keys() for row in found.history)
        or any(row.get("step") != row["epoch"] * steps_per_epoch for row in found.history),
        "stage.first_step": found.stage.first_step > step
        or found.stage.first_step % steps_per_epoch != 0
        or (found.stage.number == 0) != (found.stage.first_step == 0),
        "watchers.best.epoch": found.watchers.best.epoch > epochs,
    }
    for name, wrong in contradictions.items():
        if wrong:
            raise RunError(f"{path}: the file is damaged ({name} does not go with step {step})")
