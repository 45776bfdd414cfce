"""Recipe: how a model is trained, the `train` part of a config."""

from __future__ import annotations

from typing import Annotated, Literal

from annotated_types import Ge, Gt, Lt

from mmzoo.mixing import Mixing
from mmzoo.optimizers import Adam, Optimizer
from mmzoo.spec import NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt, Spec


class EarlyStopping(Spec):
    """End the training when the watched metric no longer gets better."""

    patience: PositiveInt = 5
    """Epochs without a better value before the end."""
    min_delta: NonNegativeFloat = 0.0
    """How much better a value must be to count."""


class FineTune(Spec):
    """After the training, frozen layers are thawed and the best model is trained on, slowly.

    The second stage starts from the best weights of the first, with a new optimizer of the same
    kind; its schedule runs over its own epochs.

    Reference: Yosinski et al., "How transferable are features in deep neural networks?", 2014.
    """

    epochs: PositiveInt = 5
    """Epochs after those of the first stage."""
    learning_rate: PositiveFloat = 1e-5
    """The learning rate of this stage, well below the first one's: large steps would undo what the
    layers have learnt."""
    layers: PositiveInt | Literal["all"] = "all"
    """How many of the last layers of each frozen encoder are trained."""

    @property
    def last_layers(self) -> int | None:
        """`layers` as encoders take it: None for all."""
        return None if self.layers == "all" else self.layers


class FrozenFeatures(Spec):
    """What a wholly frozen encoder makes of each example is computed once and kept.

    The features are kept for later runs too, by the content of the examples, the preprocessing and
    the weights. Where something random stands before the encoder there is nothing to keep, unless
    `copies` says how many random versions of each training example will do.
    """

    keep: Literal["disk", "memory", "off"] = "disk"
    """Where: `disk` serves later runs too, `memory` this run only; `off` computes them anew in
    every epoch."""
    dtype: Literal["float32", "float16"] = "float32"
    """Numbers to keep them in; float16 takes half the room."""
    copies: NonNegativeInt = 0
    """How many augmented versions of each training example to keep, where an input is augmented;
    every epoch draws one of them. 0: such an input's features are not kept."""
    limit: PositiveFloat = 10.0
    """Gigabytes that all features on disk may take; those unused for longest make room."""


class Train(Spec):
    """How the model is trained."""

    epochs: PositiveInt = 10
    """How often every training example is seen."""
    batch_size: PositiveInt = 64
    """Examples in each step, over all devices together."""
    evaluation_batch_size: PositiveInt | None = None
    """Examples in each step of validation and evaluation; four times `batch_size` by default."""
    optimizer: Optimizer = Adam()
    """How gradients become changes of the weights."""
    mixing: Mixing | None = None
    """Mix the examples of a batch with one another: mixup or cutmix."""
    accumulate: PositiveInt = 1
    """Steps whose gradients are averaged into one update, for large batches in little memory."""
    ema: Annotated[float, Gt(0), Lt(1)] | None = None
    """Momentum of a moving average of the weights, which validation, `best` and the final model
    then use: 0.99, say."""
    monitor: str | None = None
    """The validation metric that decides what is best; by default the only head's main metric, or
    the loss where there are several heads."""
    early_stopping: EarlyStopping | None = None
    """End before `epochs` when the watched metric no longer gets better."""
    fine_tune: FineTune | None = None
    """A second stage that trains layers which the first one left frozen."""
    frozen_features: FrozenFeatures = FrozenFeatures()
    """How the features of frozen encoders are kept."""
    keep_decoded: Literal["auto"] | bool = "auto"
    """Decode files once and keep what comes of it in memory. `auto`: if that takes no more than a
    quarter of the memory that is free."""
    seed: Annotated[int, Ge(0), Lt(2**32)] = 0
    """Decides the first weights, the order of the data, augmentation and dropout."""
    split_seed: Annotated[int, Ge(0), Lt(2**32)] | None = None
    """Decides which examples validate, where the data have no validation split; `seed` by default.
    Give it to runs of several seeds that are to be put together in an ensemble."""
    precision: Literal["auto", "float32", "mixed_float16", "mixed_bfloat16"] = "auto"
    """Numbers to compute in. `auto`: float32 on CPUs; on GPUs mixed_bfloat16 or mixed_float16
    where they have the units for it."""
    xla: Literal["auto"] | bool = "auto"
    """Compile steps with XLA. `auto`: on a GPU, but not where batches of texts differ in length,
    each of which would be compiled; nor on CPUs, where convolutions get slower."""
    deterministic: bool = False
    """Ask for bit-equal results on GPUs too, at some cost. CPUs give them anyway."""
    non_finite: Literal["stop", "skip"] = "stop"
    """What to do when a loss or gradient is not a finite number: stop, or leave out that step."""
    checkpoint_seconds: NonNegativeFloat = 60.0
    """Seconds between checkpoints. The end of a training, and a signal, make one in any case."""
    log_steps: PositiveInt = 50
    """Steps between points of TensorBoard's step curves."""

    @property
    def seed_of_splits(self) -> int:
        """What decides which examples validate."""
        return self.seed if self.split_seed is None else self.split_seed
