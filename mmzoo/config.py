"""Config: the whole YAML file as one tree, and the rules that span its parts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from annotated_types import Ge, Gt, Lt, MinLen
from pydantic import StringConstraints

from mmzoo.fusion import Concat, Fusion
from mmzoo.heads import Head
from mmzoo.inputs import Input
from mmzoo.mixing import Mixing
from mmzoo.objectives import Objective, Supervised
from mmzoo.optimizers import Adam, Optimizer
from mmzoo.sources import Data, Source, Synthetic
from mmzoo.spec import (
    NonNegativeFloat,
    PositiveInt,
    Problem,
    Spec,
    did_you_mean,
    load_spec,
)
from mmzoo.spec.words import shorten

if TYPE_CHECKING:
    import numpy as np

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_]*$", max_length=64)]
"""A name that serves as a folder, a layer and a column: letters, digits and underscores."""

RESERVED = ("data", "examples", "loss")
"""What metrics.json says of a split besides its heads."""


class EarlyStopping(Spec):
    """End the training when the watched metric no longer gets better."""

    patience: PositiveInt = 5
    """Epochs without a better value before the end."""
    min_delta: NonNegativeFloat = 0.0
    """How much better a value must be to count."""


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
    seed: Annotated[int, Ge(0), Lt(2**32)] = 0
    """Decides the first weights, the order of the data, augmentation and dropout."""
    precision: Literal["auto", "float32", "mixed_float16", "mixed_bfloat16"] = "auto"
    """Numbers to compute in. `auto`: float32 on CPUs; on GPUs mixed_bfloat16 or mixed_float16
    where they have the units for it."""
    xla: Literal["auto"] | bool = "auto"
    """Compile steps with XLA. `auto`: on GPUs, not on CPUs, where convolutions get slower."""
    deterministic: bool = False
    """Ask for bit-equal results on GPUs too, at some cost. CPUs give them anyway."""
    non_finite: Literal["stop", "skip"] = "stop"
    """What to do when a loss or gradient is not a finite number: stop, or leave out that step."""
    checkpoint_seconds: NonNegativeFloat = 60.0
    """Seconds between checkpoints. The end of a training, and a signal, make one in any case."""
    log_steps: PositiveInt = 50
    """Steps between points of TensorBoard's step curves."""


class Config(Spec):
    """One experiment: where its examples come from, what goes in, what comes out, how it trains."""

    name: Name
    """The experiment's name; runs go to `runs/<name>`."""
    source: Source
    """Where the examples come from."""
    inputs: Annotated[dict[Name, Input], MinLen(1)]
    """What goes in: each input by its name."""
    fusion: Fusion = Concat()
    """How the features of the inputs become one."""
    heads: Annotated[dict[Name, Head], MinLen(1)]
    """What is predicted: each head by its name."""
    objective: Objective = Supervised()
    """What is minimised."""
    train: Train = Train()
    """How the model is trained."""

    def rules(self) -> Iterator[Problem]:
        for name in self.heads:
            if name in RESERVED:
                yield Problem(
                    ("heads", name), f"metrics.json has a {name!r} of its own: name it otherwise"
                )
            if name in self.inputs:
                yield Problem(("heads", name), "expected another name than an input's")
        yield from self._layer_rules()
        yield from self._column_rules()
        yield from self._mixing_rules()
        monitor = self.train.monitor
        if monitor is not None and monitor not in self.watchable():
            meant = did_you_mean(monitor, self.watchable()) or "."
            known = ", ".join(self.watchable())
            yield Problem(
                ("train", "monitor"),
                f"unknown metric '{shorten(monitor)}'{meant} There are: {known}",
            )

    def watchable(self) -> tuple[str, ...]:
        """The metrics that `train.monitor` may name."""
        metrics = (
            f"validation_{name}_{metric}"
            for name, head in self.heads.items()
            for metric in head.metric_names
        )
        return ("validation_loss", *metrics)

    def monitor(self) -> str:
        """The metric that is watched: the one that was named, or the default."""
        if self.train.monitor:
            return self.train.monitor
        if len(self.heads) > 1:
            return "validation_loss"
        [(name, head)] = self.heads.items()
        return f"validation_{name}_{head.metric_names[0]}"

    @property
    def soft_targets(self) -> bool:
        """Whether targets must be such that they can be mixed by averaging."""
        return self.train.mixing is not None

    @property
    def evaluation_batch_size(self) -> int:
        return self.train.evaluation_batch_size or 4 * self.train.batch_size

    def with_columns(self) -> Config:
        """The same config with every column named, as far as the source knows them unread."""
        known = self.source.columns() or {}
        inputs = {
            name: spec.replace(column=spec.column or _column(name, "input", known))
            for name, spec in self.inputs.items()
        }
        heads = {
            name: spec.replace(column=spec.column or _column(name, "target", known))
            for name, spec in self.heads.items()
        }
        return self.replace(inputs=inputs, heads=heads)

    @property
    def columns(self) -> dict[str, str]:
        """The data's column of each input and head, by its name. Needs `with_columns`."""
        parts = {**self.inputs, **self.heads}
        return {name: part.column for name, part in parts.items() if part.column is not None}

    def wanted(self) -> dict[str, Callable[[np.random.RandomState, int], np.ndarray]]:
        """The columns that the experiment uses, each with a maker of made-up values."""
        parts = {**self.inputs, **self.heads}
        return {column: parts[name].synthetic for name, column in self.columns.items()}

    def load_data(self, tell: Callable[[str], None]) -> Data:
        """Reads the source. Needs `with_columns`."""
        return self.source.load(self.wanted(), self.train.seed, tell)

    def fitted(self, data: Data) -> Config:
        """The same config with everything written in that can be read off the data.

        Raises:
            DataError: the data does not fit the inputs or heads.
        """
        heads = {}
        for name, head in self.heads.items():
            column = self.columns[name]
            labels, names = data.splits["train"][column], data.class_names.get(column)
            heads[name] = head.fit(labels, names, f"heads.{name}, column '{column}' of {data.name}")
        for split, columns in data.splits.items():
            for name, part in {**self.inputs, **heads}.items():
                column = self.columns[name]
                part.check(columns[column], f"{name}, column '{column}' of {data.name}, {split}")
        return self.replace(heads=heads)

    def smoke(self) -> Config:
        """A copy that trains for two steps on made-up data, to show that the config works."""
        # Half of the rows train; with fewer than these, a class might have no row.
        rows = max(2 * 2 * self.train.batch_size, 32)
        return self.replace(
            name=f"{self.name[:58]}_smoke",
            source=Synthetic(rows=rows),
            heads={name: head.unnamed() for name, head in self.heads.items()},
            train=self.train.replace(epochs=1, early_stopping=None),
        )

    def _layer_rules(self) -> Iterator[Problem]:
        """Inputs and heads are layers by their names, and so are encoders and fusions."""
        encoders = {f"{name}_encoder" for name in self.inputs}
        for family, names in (("inputs", self.inputs), ("heads", self.heads)):
            for name in names:
                if name in encoders or name == "concat" or name.startswith("fusion_"):
                    yield Problem(
                        (family, name),
                        f"the model has a layer {name!r} of its own: name it otherwise",
                    )

    def _column_rules(self) -> Iterator[Problem]:
        known = self.source.columns()
        if known is None:
            return
        for family, parts in (("inputs", self.inputs), ("heads", self.heads)):
            for name, part in parts.items():
                if part.column is not None and part.column not in known:
                    yield Problem(
                        (family, name, "column"),
                        f"the data has no column '{shorten(part.column)}'; "
                        f"it has: {', '.join(known)}",
                    )

    def _mixing_rules(self) -> Iterator[Problem]:
        if self.train.mixing is None:
            return
        for name, spec in self.inputs.items():
            if not spec.mixable:
                yield Problem(
                    ("train", "mixing"),
                    f"expected none: inputs.{name} is {spec.type}, two of which cannot be mixed",
                )
        for name, head in self.heads.items():
            if getattr(head, "class_weights", None):
                yield Problem(
                    ("train", "mixing"),
                    f"expected none beside heads.{name}.class_weights: a mixture has no one class",
                )


def load_config(source: Path | str | Mapping[str, Any], overrides: Sequence[str] = ()) -> Config:
    """The config of a YAML file, or of a mapping with the same keys.

    Args:
        source: the file's path, or the mapping.
        overrides: `KEY=VALUE` texts that are applied before validation: "train.epochs=3".

    Raises:
        ConfigError: lists everything that is wrong, with its place.
    """
    return load_spec(Config, Path(source) if isinstance(source, str) else source, overrides)


def _column(name: str, role: Literal["input", "target"], known: Mapping[str, str]) -> str:
    """The column for a part that names none: the one called like it, else the first of its role."""
    if name in known or not known:
        return name
    return next(column for column, its_role in known.items() if its_role == role)
