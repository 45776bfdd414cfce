"""Session: one training's parts, put together, and all that a checkpoint holds of them."""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

import numpy as np

from mmzoo.anatomy import encoders_of
from mmzoo.checkpoint import Variables, newest_checkpoint, put_arrays, save_checkpoint
from mmzoo.config import Config, Preprocessing
from mmzoo.data import training_batches
from mmzoo.devices import Devices
from mmzoo.evaluation.modalities.input_weights import learned_input_weights
from mmzoo.model import Network
from mmzoo.runs import Run
from mmzoo.sharing import shared_with
from mmzoo.sources import Data
from mmzoo.training.learning_rate import LearningRate
from mmzoo.training.loop import Loop
from mmzoo.training.stage import Stage, new_stage, stages
from mmzoo.training.tensorboard import TensorBoardLog
from mmzoo.training.times import Times
from mmzoo.training.watch import Best
from mmzoo.weights import load_weights

_BUILDING = "building the model"


@dataclass
class Session:
    """A training between two steps. Everything that changes while it runs is here.

    Attributes:
        config: fitted to `data`.
        preprocessing: what its inputs were fitted to.
        run: the run directory.
        data: all splits, prepared.
        devices: where it runs.
        stage: the model, and how it is trained at present.
        best: the best epoch so far, of all stages.
        log: TensorBoard's files.
        times: where the time of this process went.
        history: a row for each epoch done.
        logged: the epoch's sum of losses, and of examples, at the last point of the step curves.
        saved_at: when the last checkpoint was made, by the monotonic clock.
        seconds_before: what the processes took that came before this one, up to where it goes on.
    """

    config: Config
    preprocessing: Preprocessing
    run: Run
    data: Data
    devices: Devices
    stage: Stage
    best: Best
    log: TensorBoardLog
    times: Times
    history: list[dict[str, float]] = field(default_factory=list)
    logged: tuple[float, float] = (0.0, 0.0)
    saved_at: float = field(default_factory=time.monotonic)
    seconds_before: float = 0.0

    @property
    def seconds(self) -> float:
        """What the training took so far, in all its processes, without steps that were lost."""
        return self.seconds_before + time.monotonic() - self.times.began

    @property
    def loop(self) -> Loop:
        return self.stage.loop

    @property
    def learning_rate(self) -> LearningRate:
        return self.stage.learning_rate

    @property
    def step(self) -> int:
        """Steps done, of all stages."""
        return int(self.loop.updates.step.numpy())

    @property
    def steps_per_epoch(self) -> int:
        return self.stage.order.steps_per_epoch

    @property
    def epoch_pending(self) -> bool:
        """Whether all steps of an epoch are done, and its validation is not."""
        return self.step == (len(self.history) + 1) * self.steps_per_epoch

    @property
    def stage_finished(self) -> bool:
        ended = self.stage.stopped_early or self.step >= self.stage.last_step
        return ended and not self.epoch_pending

    @property
    def finished(self) -> bool:
        return self.stage_finished and self.stage.number + 1 == stages(self.config)

    def learned_weights(self) -> dict[str, float]:
        """The weights of the heads' losses as `<head>_loss_weight`, where the objective learns
        them."""
        config, model = self.config, self.stage.model
        weights = config.objective.learned_weights(model, config.heads)
        return {f"{name}_loss_weight": weight for name, weight in weights.items()}

    def learned_input_weights(self) -> dict[str, dict[str, float]]:
        """How much each input counts, by head and input, where the fusion learns that."""
        return learned_input_weights(self.stage.model, self.config)

    def begin_next_stage(self) -> None:
        """Goes on to the next stage, from the best weights so far."""
        before = self.stage
        load_weights(before.model, self.run.best_weights)
        # Seeds of dropout too, which no file of weights has.
        values = [np.asarray(variable.numpy()) for variable in before.model.variables]
        with self.times.spent_on(_BUILDING):
            self.stage = new_stage(
                before.number + 1,
                self.step,
                self.config,
                before.feed.data,  # With what was decoded.
                self.devices,
                lambda network: _assign(values, network.model.variables),
                self.times,
            )
        self.loop.updates.skipped.assign(before.loop.updates.skipped)

    def save(self) -> None:
        """Makes a checkpoint of this moment."""
        self.log.flush()
        watchers = {"best": self.best, **self.stage.watchers()}
        state = {
            "stage": {"number": self.stage.number, "first_step": self.stage.first_step},
            "history": self.history,
            "logged": self.logged,
            "watchers": {name: watcher.state() for name, watcher in watchers.items()},
            "validated": self.loop.validated_places(),
            "fingerprint": self.data.fingerprint,
            "threads": self.devices.threads,
            "bad_steps_skipped": int(self.loop.updates.skipped.numpy()),
            "seconds": self.seconds,
        }
        save_checkpoint(self.run.last, self.step, self.loop.variables, state)
        self.saved_at = time.monotonic()


def open_session(
    config: Config,
    preprocessing: Preprocessing,
    run: Run,
    data: Data,
    devices: Devices,
    times: Times,
    resume: bool = False,
) -> Session:
    """Builds the model and everything around it: at step 0, or where the newest checkpoint was.

    Args:
        config: fitted to `data`.
        preprocessing: what its inputs were fitted to.
        run: the run directory.
        data: all splits, prepared.
        devices: where to run.
        times: goes on counting.
        resume: look for a checkpoint.

    Raises:
        RunError: there are checkpoints, and none of them can be used.
    """
    found = newest_checkpoint(run.last) if resume else None
    number, first_step = 0, 0
    if found is not None:
        path, arrays, state = found
        number, first_step = state["stage"]["number"], state["stage"]["first_step"]

    def start(network: Network) -> None:
        if found is None:
            for name, spec in config.inputs.items():
                if shared_with(spec) is not None:
                    continue
                for encoder in encoders_of(network.model, name):
                    spec.load_pretrained(encoder, preprocessing[name])
        else:
            variables = network.model.variables
            put_arrays(arrays[: len(variables)], variables, path)

    with times.spent_on(_BUILDING):
        stage = new_stage(number, first_step, config, data, devices, start, times)
    session = Session(
        config=config,
        preprocessing=preprocessing,
        run=run,
        data=data,
        devices=devices,
        stage=stage,
        best=Best(config.monitor()),
        log=TensorBoardLog(run.logs),
        times=times,
    )
    if found is not None:
        put_arrays(arrays, session.loop.variables, path)
        updates = session.loop.updates
        updates.step.assign(state["step"])
        updates.skipped.assign(state["bad_steps_skipped"])
        session.seconds_before = state.get("seconds", 0.0)
        session.history = state["history"]
        session.logged = tuple(state["logged"])
        session.best.restore(state["watchers"]["best"])
        session.stage.restore_watchers(state["watchers"])
    return session


def first_training_batch(session: Session, names: Collection[str]) -> dict[str, np.ndarray]:
    """Some inputs of the first step's batch, as the model gets them, which all have one shape."""
    columns = session.data.splits["train"]
    batches = training_batches(session.config, columns, session.stage.order, 0, 1)
    parts = [inputs for inputs, *_ in batches]  # One of each device.
    return {name: np.concatenate([part[name] for part in parts]) for name in names}


def _assign(values: Sequence[np.ndarray], variables: Variables) -> None:
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
