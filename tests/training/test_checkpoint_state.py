"""A state with missing, mistyped or contradictory entries is refused by name."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest

from mmzoo.errors import RunError
from mmzoo.training.checkpoint_state import check_state

PATH = Path("last/000000000012.npz")
BEST = {"value": 0.5, "epoch": 1, "waited": 0, "loss": None}
STATE = {
    "step": 12,
    "stage": {"number": 0, "first_step": 0},
    "history": [
        {"epoch": 1, "step": 6, "loss": 0.25},
        {"epoch": 2, "step": 12, "loss": float("nan")},
    ],
    "logged": [1.5, 32.0],
    "watchers": {
        "best": BEST,
        "early_stop": BEST,
        "plateau": {"factor": 0.5, "resting": 0, "best": BEST},
    },
    "validated": [[0, [4, 5]]],
    "fingerprint": "f",
    "threads": 2,
    "bad_steps_skipped": 0,
    "seconds": 3.25,
    "best_weights": "0" * 64,
}


def state(path: str = "", value: object = None) -> dict:
    """STATE with another value, or without the entry if the value is `...`."""
    changed = copy.deepcopy(STATE)
    if path:
        *above, last = path.split(".")
        entries = changed
        for name in above:
            entries = entries[name]
        entries[last] = value
        if value is ...:
            del entries[last]
    return changed


@pytest.mark.parametrize(
    "changed",
    [
        state(),
        state("history", STATE["history"][:1]),  # The second epoch is not validated yet.
        state("seconds", ...),  # As in older versions.
        state("best_weights", ...),
        state("watchers.plateau", ...),
        state("stage", {"number": 1, "first_step": 6}),
    ],
)
def test_states_that_can_be_resumed(changed):
    check_state(PATH, changed, steps_per_epoch=6)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        *((name, ...) for name in STATE if name not in ("threads", "seconds", "best_weights")),
        *((name, None) for name in STATE if name not in ("threads", "best_weights")),
        *((name, "x") for name in STATE if name not in ("threads", "fingerprint", "best_weights")),
        *((f"watchers.best.{name}", ...) for name in BEST),
        *((f"watchers.plateau.{name}", ...) for name in ("factor", "resting", "best")),
        *((f"stage.{name}", value) for name in ("number", "first_step") for value in (..., -6, "")),
        ("stage.number", 2),
        ("stage.number", 1),
        ("stage.first_step", 18),
        ("stage", {"number": 1, "first_step": 5}),
        ("step", 13),
        ("step", -12),
        ("step", 12.0),
        ("history", []),
        ("history", STATE["history"][::-1]),
        ("history", [*STATE["history"], {"epoch": 3}]),
        ("history", [{"epoch": 1}, {"epoch": "2"}]),
        ("history", [{"epoch": 1, "step": 6}, STATE["history"][1]]),
        ("history", [{"epoch": 1, "loss": 0.25}]),
        ("history", [{"epoch": 1, "step": 5, "loss": 0.25}]),
        ("history", [1, 2]),
        ("logged", [1.0]),
        ("validated", [[0, 1]]),
        ("watchers.best.epoch", 3),
        ("watchers.best.waited", -1),
        ("bad_steps_skipped", 1.5),
        ("seconds", 1e308),
        ("seconds", float("nan")),
        ("seconds", -1.0),
    ],
)
def test_states_that_are_refused(path, value):
    with pytest.raises(RunError) as caught:
        check_state(PATH, state(path, value), steps_per_epoch=6)
    assert str(caught.value).startswith(f"{PATH}: the file is damaged ({path.split('.')[0]}")
    assert "\n" not in str(caught.value)
