"""The `train` section of a config: epochs, batches, optimizer, stopping, precision, seeds."""

from __future__ import annotations

from typing import Annotated, Literal

from annotated_types import Ge, Gt, Lt

from mmzoo.mixing import Mixing
from mmzoo.optimizers import Adam, Optimizer
from mmzoo.spec import NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt, Spec


class EarlyStopping(Spec):
    """Stop training when the monitored metric stops improving."""

    patience: PositiveInt = 5
    """Epochs without improvement before training stops."""
    min_delta: NonNegativeFloat = 0.0
    """Minimum change of the metric that counts as an improvement."""


class FineTune(Spec):
    """A second training stage that unfreezes pretrained layers, at a low learning rate.

    It starts from the best weights of the first stage, with a new optimizer of the same type. The
    learning rate schedule runs over the epochs of this stage.

    Reference: Yosinski et al., "How transferable are features in deep neural networks?", 2014.
    """

    epochs: PositiveInt = 5
    """Epochs of this stage, in addition to those of the first stage."""
    learning_rate: PositiveFloat = 1e-5
    """Learning rate of this stage, well below that of the first stage: large updates would destroy
    the pretrained features."""
    layers: PositiveInt | Literal["all"] = "all"
    """Number of the last layers of each frozen encoder to train."""

    @property
    def last_layers(self) -> int | None:
        """`layers` as an argument for encoders: None for all."""
        return None if self.layers == "all" else self.layers


class FrozenFeatures(Spec):
    """Feature caching: the features of fully frozen encoders are computed once per example.

    Cached features are reused by later runs with the same examples, preprocessing and weights. An
    input with augmentation is not cached, unless `copies` is the number of augmented versions of
    each training example to cache.
    """

    keep: Literal["disk", "memory", "off"] = "disk"
    """Where to cache: on `disk` for later runs too, in `memory` for this run only; `off` recomputes
    the features in every epoch."""
    dtype: Literal["float32", "float16"] = "float32"
    """Data type of cached features; float16 takes half the space."""
    copies: NonNegativeInt = 0
    """Number of augmented versions of each training example to cache for inputs with augmentation;
    every epoch draws one of them. With 0, features of such inputs are not cached."""
    limit: PositiveFloat = 10.0
    """Maximum size of the disk cache in gigabytes; the least recently used features are deleted."""


class Train(Spec):
    """How the model is trained."""

    epochs: PositiveInt = 10
    """Number of passes over the training data."""
    batch_size: PositiveInt = 64
    """Examples per step, over all devices together."""
    evaluation_batch_size: PositiveInt | None = None
    """Examples per step of validation and evaluation; four times `batch_size` by default."""
    optimizer: Optimizer = Adam()
    """The optimizer that updates the weights."""
    mixing: Mixing | None = None
    """Augmentation that mixes the examples of a batch: mixup or cutmix."""
    accumulate: PositiveInt = 1
    """Gradient accumulation: steps whose gradients are averaged into one update, for large batches
    in little memory. The last update of a training is made of the steps that are left."""
    ema: Annotated[float, Gt(0), Lt(1)] | None = None
    """Momentum of an exponential moving average of the weights, such as 0.99. Validation, `best`
    and the final model then use the averaged weights."""
    monitor: str | None = None
    """The validation metric that selects the best epoch; by default the main metric of the only
    head, or the loss if there are several heads."""
    early_stopping: EarlyStopping | None = None
    """Stop before `epochs` when the monitored metric stops improving."""
    fine_tune: FineTune | None = None
    """Fine-tuning: a second stage that trains layers that are frozen in the first stage."""
    frozen_features: FrozenFeatures = FrozenFeatures()
    """How the features of frozen encoders are cached."""
    keep_decoded: Literal["auto"] | bool = "auto"
    """Whether to decode files once and cache the result in memory. `auto`: if it takes at most a
    quarter of the free memory."""
    seed: Annotated[int, Ge(0), Lt(2**32)] = 0
    """Seed of the initial weights, the order of the data, augmentation and dropout."""
    split_seed: Annotated[int, Ge(0), Lt(2**32)] | None = None
    """Seed of the validation split, if the data has none of its own; `seed` by default. Set it for
    runs with different seeds that will be combined in an ensemble."""
    precision: Literal["auto", "float32", "mixed_float16", "mixed_bfloat16"] = "auto"
    """Numeric precision of the computation. `auto`: float32 on CPUs; mixed_bfloat16 or
    mixed_float16 on GPUs with hardware support for it."""
    xla: Literal["auto"] | bool = "auto"
    """Whether to compile steps with XLA. `auto`: on GPUs, unless batches of text differ in length,
    as each length would be compiled; not on CPUs, where convolutions become slower."""
    deterministic: bool = False
    """Whether results on GPUs are bit-identical too, which is slower. On CPUs they always are."""
    non_finite: Literal["stop", "skip"] = "stop"
    """What to do if a loss or gradient is not finite: stop, or skip that step."""
    checkpoint_seconds: NonNegativeFloat = 60.0
    """Seconds between checkpoints. One is also saved at the end of training and on a signal."""
    log_steps: PositiveInt = 50
    """Steps between two points of the step curves in TensorBoard."""

    @property
    def effective_split_seed(self) -> int:
        """The seed of the validation split: `split_seed`, or `seed` by default."""
        return self.seed if self.split_seed is None else self.split_seed
