"""A small config with every kind of field that error messages describe."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from annotated_types import MinLen
from pydantic import AfterValidator, Field, StringConstraints

from mmzoo.spec import Fraction, PositiveFloat, PositiveInt, Problem, Rate, Spec

Name = Annotated[str, StringConstraints(pattern=r"^[a-z_0-9]+$", max_length=20)]


def _without_spaces(text: str) -> str:
    if " " in text:
        raise ValueError(f"expected one word, got '{text}'")
    return text


class CNN(Spec):
    """Convolutions."""

    type: Literal["cnn"] = "cnn"
    filters: tuple[PositiveInt, ...] = (32, 64)
    """Filters of each convolution."""
    pool: tuple[PositiveInt, ...] | None = None
    padding: Literal["same", "valid"] = "valid"
    dropout: Rate = 0.0

    def rules(self) -> Iterator[Problem]:
        if self.pool is not None and len(self.pool) != len(self.filters):
            message = f"expected one entry for each of {len(self.filters)} filters"
            yield Problem(("pool",), f"{message}, got {len(self.pool)}")
        for index, filters in enumerate(self.filters):
            if filters > 1024:
                yield Problem(("filters", index), f"expected at most 1024, got {filters}")


class LeNet(Spec):
    type: Literal["lenet"] = "lenet"
    units: tuple[PositiveInt, ...] = (120, 84)


class Flip(Spec):
    type: Literal["flip"] = "flip"


class Rotation(Spec):
    type: Literal["rotation"] = "rotation"
    degrees: PositiveFloat


class Image(Spec):
    type: Literal["image"] = "image"
    shape: tuple[PositiveInt, PositiveInt, PositiveInt]
    """Height, width and channels."""
    encoder: Annotated[CNN | LeNet, Field(discriminator="type")]
    augment: tuple[Annotated[Flip | Rotation, Field(discriminator="type")], ...] = ()


class Classification(Spec):
    type: Literal["classification"] = "classification"
    classes: PositiveInt | Literal["auto"] = "auto"
    class_weights: dict[str, float] | Literal["auto"] | None = None
    class_names: tuple[str, ...] | None = None


class Regression(Spec):
    type: Literal["regression"] = "regression"
    weight: PositiveFloat = 1.0


class Concat(Spec):
    type: Literal["concat"] = "concat"
    units: tuple[PositiveInt, ...] = ()


class Cosine(Spec):
    type: Literal["cosine"] = "cosine"
    warmup: Fraction = 0.0


class Step(Spec):
    type: Literal["step"] = "step"
    every: PositiveInt = 1


class Train(Spec):
    epochs: PositiveInt = 10
    batch_size: PositiveInt = 64
    learning_rate: PositiveFloat | Annotated[Cosine | Step, Field(discriminator="type")] = 1e-3
    momentum: float | None = None
    xla: bool | Literal["auto"] = "auto"
    deterministic: bool = False
    tag: Annotated[str, AfterValidator(_without_spaces)] = "none"
    note: str = ""
    crop: tuple[PositiveInt, PositiveInt] | None = None


Input = Image  # Families of one member, as a young project has them.
Fusion = Concat


class Experiment(Spec):
    """One experiment."""

    name: Name
    """What it is called."""
    inputs: Annotated[dict[Name, Input], MinLen(1)]
    """What goes in."""
    heads: dict[str, Annotated[Classification | Regression, Field(discriminator="type")]]
    fusion: Fusion = Concat()
    train: Train = Train()

    def rules(self) -> Iterator[Problem]:
        for name in self.heads:
            if name in self.inputs:
                yield Problem(("heads", name), "expected another name than an input's")
        if self.train.epochs > 100 and self.train.momentum is None:
            yield Problem(("train", "momentum"), "needed for more than 100 epochs")


VALID = """\
# A comment.
name: mnist
inputs:
  image:
    type: image
    shape: [28, 28, 1]
    augment: [{type: flip}, {type: rotation, degrees: 20}]
    encoder: {type: cnn, filters: [32, 64], dropout: 0.5}
heads:
  digit: {type: classification, classes: 10}
  angle:
    type: regression
    weight: 1e-1
fusion: {type: concat, units: [1_28]}
train:
  epochs: 5
  learning_rate: {type: cosine, warmup: .05}
  deterministic: true
  note: 'a: b'
"""
