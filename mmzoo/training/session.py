"""Session: the parts of a running training, and its checkpoints."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from mmzoo.checkpoint import (
    FrozenFile,
    Variables,
    assign_arrays,
    newest_checkpoint,
    save_checkpoint,
    save_frozen,
)
from mmzoo.config import Config, Preprocessing
from mmzoo.devices import Devices
from mmzoo.early_stopping import Best
from mmzoo.errors import RunError
from mmzoo.evaluation.input_weights import learned_input_weights
from mmzoo.model import Network
from mmzoo.model_graph import encoders_of
from mmzoo.preprocessing import Arrays
from mmzoo.runs import Run
from mmzoo.shared_encoders import encoder_owner
from mmzoo.trained_model import load_best
from mmzoo.training.checkpoint_state import check_state
from mmzoo.training.learning_rate import LearningRate
from mmzoo.training.loop import Loop
from mmzoo.training.stage import Stage, new_stage, stages, training_order
from mmzoo.training.tensorboard_log import TensorBoardLog
from mmzoo.training.timer import Timer
from mmzoo.weights import save_weights

_BUILDING = "building the model"


@dataclass
class Session:
    """A training between two steps, with all state that changes while it runs.

    Attributes:
        config: fitted to `data`.
        preprocessing: vocabularies and statistics by input.
        run: the run directory.
        data: all splits, transformed.
        devices: where it runs.
        stage: the model, and how it is trained at present.
        best: the best epoch so far, of all stages.
        log: TensorBoard's files.
        timer: where the time of this process goes.
        history: a row for each finished epoch.
        logged: sum of losses and number of examples at the last point of the epoch's step curve.
        saved_at: time of the last checkpoint, by the monotonic clock.
        seconds_before: time of earlier processes, up to the checkpoint that this one resumed from.
        best_checksum: of best.weights.h5, as this training wrote it; None before the first epoch.
        pending_best: the best weights that are not written yet, see `keep_best`.
        frozen: the weights that the stage does not change; None until its first checkpoint.
    """

    config: Config
    preprocessing: Preprocessing
    run: Run
    data: Arrays
    devices: Devices
    stage: Stage
    best: Best
    log: TensorBoardLog
    timer: Timer
    history: list[dict[str, float]] = field(default_factory=list)
    logged: tuple[float, float] = (0.0, 0.0)
    saved_at: float = field(default_factory=time.monotonic)
    seconds_before: float = 0.0
    best_checksum: str | None = None
    pending_best: list[np.ndarray] | None = None
    frozen: FrozenFile | None = None

    @property
    def seconds(self) -> float:
        """Time of the training so far, in all its processes, without steps that were lost."""
        return self.seconds_before + time.monotonic() - self.timer.started

    @property
    def loop(self) -> Loop:
        return self.stage.loop

    @property
    def learning_rate(self) -> LearningRate:
        return self.stage.learning_rate

    @property
    def step(self) -> int:
        """Finished steps, of all stages."""
        return int(self.loop.updates.step.numpy())

    @property
    def steps_per_epoch(self) -> int:
        return self.stage.order.steps_per_epoch

    @property
    def epoch_pending(self) -> bool:
        """Whether all steps of an epoch are done, but not its validation."""
        return self.step == (len(self.history) + 1) * self.steps_per_epoch

    @property
    def stage_finished(self) -> bool:
        ended = self.stage.stopped_early or self.step >= self.stage.last_step
        return ended and not self.epoch_pending

    @property
    def finished(self) -> bool:
        return self.stage_finished and self.stage.number + 1 == stages(self.config)

    def learned_weights(self) -> dict[str, float]:
        """The weights of the heads' losses as `<head>_loss_weight`, if the objective learns any."""
        config, model = self.config, self.stage.model
        weights = config.objective.learned_weights(model, config.heads)
        return {f"{name}_loss_weight": weight for name, weight in weights.items()}

    def changing_values(self) -> dict[str, float]:
        """Besides metrics, what an epoch's row of the history has: `learned_weights`, and beta."""
        model = self.stage.model
        values = self.learned_weights() | self.config.fusion.changing_values(model)
        for name, head in self.config.heads.items():
            values |= head.changing_values(model, name)
        return values

    def learned_input_weights(self) -> dict[str, dict[str, float]]:
        """The weight of each input by head and input, if the fusion learns any."""
        return learned_input_weights(self.stage.model, self.config)

    def begin_next_stage(self) -> None:
        """Builds the next stage, which starts from the best weights so far."""
        before = self.stage
        self.load_best()
        # Includes the seeds of dropout, which a weights file lacks.
        values = [np.asarray(variable.numpy()) for variable in before.model.variables]
        with self.timer.measure(_BUILDING):
            self.stage = new_stage(
                before.number + 1,
                self.step,
                self.config,
                before.training_inputs.data,  # With the decoded files.
                self.devices,
                lambda network: _assign(values, network.model.variables),
                self.timer,
            )
        self.loop.updates.skipped.assign(before.loop.updates.skipped)
        self.frozen = None

    def keep_best(self) -> None:
        """Keeps the present weights as the best ones; the next `save` writes them.

        Written once per checkpoint and not per epoch, the weights of frozen encoders cost little
        time. After a kill the epochs since the checkpoint are trained again, and give them again.
        """
        self.pending_best = self.loop.changing_values()

    def write_best(self) -> None:
        """Writes best.weights.h5 if there are better weights than those in it."""
        if self.pending_best is None:
            return
        with self.loop.holding(self.pending_best):
            self.best_checksum = save_weights(self.stage.model, self.run.best_weights)
        self.pending_best = None

    def load_best(self) -> None:
        """Loads the best weights so far into the model.

        Raises:
            RunError: they are damaged, or of another epoch.
        """
        self.write_best()
        path, advice = self.run.best_weights, "Start a new run without --resume."
        checksum = load_best(self.stage.model, self.run, advice)
        if self.best_checksum is not None and checksum != self.best_checksum:
            # As after a resume from a checkpoint before fine-tuning, since the newest is damaged.
            raise RunError(
                f"{path}: has other weights than those of epoch {self.best.epoch}, the best epoch "
                f"up to step {self.step}: they were saved later. {advice}"
            )

    def save(self) -> None:
        """Writes a checkpoint, and before it the best weights that belong to it."""
        self.write_best()
        self.log.flush()
        watchers = {"best": self.best, **self.stage.watchers()}
        state = {
            "stage": {"number": self.stage.number, "first_step": self.stage.first_step},
            "history": self.history,
            "logged": self.logged,
            "watchers": {name: watcher.state() for name, watcher in watchers.items()},
            "validated": self.loop.ema_indices(),
            "fingerprint": self.data.fingerprint,
            "threads": self.devices.threads,
            "bad_steps_skipped": int(self.loop.updates.skipped.numpy()),
            "seconds": self.seconds,
            "best_weights": self.best_checksum,
        }
        folder, variables = self.run.last, self.loop.variables
        if self.frozen is None and (indices := self.loop.frozen_indices):
            name = f"frozen-{self.stage.number}.npz"
            self.frozen = save_frozen(folder, name, variables, indices)
        save_checkpoint(folder, self.step, variables, state, self.frozen)
        self.saved_at = time.monotonic()

    def restore(self, path: Path, arrays: Sequence[np.ndarray], state: Mapping[str, Any]) -> None:
        """Continues from a checkpoint of the present stage; its state was checked.

        Raises:
            RunError: the arrays are from a different model.
        """
        assign_arrays(arrays, self.loop.variables, path)
        self.loop.updates.step.assign(state["step"])
        self.loop.updates.skipped.assign(state["bad_steps_skipped"])
        self.seconds_before = state.get("seconds", 0.0)
        self.history = state["history"]
        self.logged = tuple(state["logged"])
        self.best_checksum = state.get("best_weights")
        self.best.restore(state["watchers"]["best"])
        self.stage.restore_watchers(state["watchers"])


def open_session(
    config: Config,
    preprocessing: Preprocessing,
    run: Run,
    data: Arrays,
    devices: Devices,
    timer: Timer,
    resume: bool = False,
) -> Session:
    """Builds the model and everything around it, at step 0 or at the newest checkpoint.

    Args:
        config: fitted to `data`.
        preprocessing: vocabularies and statistics by input.
        run: the run directory.
        data: all splits, transformed.
        devices: where to run.
        timer: measures the time this takes.
        resume: continue from the newest checkpoint, if there is one.

    Raises:
        RunError: there are checkpoints, and none of them can be used.
    """
    steps_per_epoch = training_order(config, data, devices).steps_per_epoch
    found = None
    if resume:
        found = newest_checkpoint(
            run.last, lambda path, _, state: check_state(path, state, steps_per_epoch)
        )

    def initialize(network: Network) -> None:
        if found is None:
            _load_pretrained(network, config, preprocessing)
        else:
            path, arrays, _ = found
            variables = network.model.variables
            assign_arrays(arrays[: len(variables)], variables, path)

    at = found[2]["stage"] if found else {"number": 0, "first_step": 0}
    with timer.measure(_BUILDING):
        stage = new_stage(at["number"], at["first_step"], config, data, devices, initialize, timer)
    session = Session(
        config=config,
        preprocessing=preprocessing,
        run=run,
        data=data,
        devices=devices,
        stage=stage,
        best=Best(config.monitor()),
        log=TensorBoardLog(run.logs),
        timer=timer,
    )
    if found is not None:
        session.restore(*found)
    return session


def _load_pretrained(network: Network, config: Config, preprocessing: Preprocessing) -> None:
    for name, spec in config.inputs.items():
        if encoder_owner(spec) is None:
            for encoder in encoders_of(network.model, name):
                spec.load_pretrained(encoder, preprocessing[name])


def _assign(values: Sequence[np.ndarray], variables: Variables) -> None:
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
