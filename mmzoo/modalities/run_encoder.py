"""RunEncoder: the encoder of an input of a finished run, to start another run from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Generic, Literal, Self, TypeVar

from mmzoo.errors import ConfigError, RunError
from mmzoo.lazy import keras
from mmzoo.modalities.base_encoder import Encoder, Features, missing_file_message
from mmzoo.modalities.freezing import set_trainable
from mmzoo.spec import PositiveInt, Problem
from mmzoo.weights import load_weights

NetworkT = TypeVar("NetworkT", bound=Encoder)


class RunEncoder(Encoder, Generic[NetworkT]):
    """Encoder of an input of a finished run, with its trained weights and its preprocessing.

    The input must be of the same type as that of the run. Settings that it leaves open, and
    everything fitted on the run's data, are copied from there: sizes, vocabulary, statistics. Those
    that it has must be the same. Columns, augmentation, and what happens to missing values may
    differ. The weights are copied into the new run, which does not need the other one any more.

    Reference: Yosinski et al., "How transferable are features in deep neural networks?", 2014.
    """

    type: Literal["run"] = "run"
    path: str
    """The run: its directory, `runs/<name>` for its newest, or a weights file inside one, relative
    to the working directory. In the config of a run: the copied weights."""
    input: str
    """Name of the input of that run whose encoder is used."""
    trainable: bool | PositiveInt = False
    """`false` freezes the encoder, `true` trains all of it, and a number trains the last layers
    with a kernel: that many, with the normalization between and after them."""
    weights: Literal["trained", "none"] = "trained"
    """`none` starts the same network from random weights, as a baseline for pretraining."""
    network: NetworkT | None = None
    """The encoder itself, read off the run; leave it out."""
    sha256: str | None = None
    """Checksum of the copied weights, written by the training; leave it out."""

    @classmethod
    def model_parametrized_name(cls, params: tuple[Any, ...]) -> str:
        """Its own name for the encoders of every modality: only `network` differs."""
        return cls.__name__

    @classmethod
    def __pydantic_init_subclass__(cls, **settings: Any) -> None:
        cls.__doc__ = RunEncoder.__doc__

    @property
    def architecture(self) -> Encoder:
        return self if self.network is None else self.network

    @property
    def frozen(self) -> bool:
        return self.trainable is False

    def unfrozen(self, layers: int | None) -> Self:
        already = self.trainable is True or (layers is not None and self.trainable >= layers)
        return self if already else self.replace(trainable=layers or True)

    def from_scratch(self) -> Self:
        return self.replace(weights="none")

    def missing_file_problems(self) -> Iterator[Problem]:
        if self.sha256 is not None and (problem := missing_file_message(Path(self.path))):
            yield Problem(("path",), problem)

    def build(self, x: keras.KerasTensor, *settings: Any) -> Features:
        """Builds the network, see its own class; all of its layers are trainable."""
        if self.network is None:
            raise ConfigError(
                f"the encoder of inputs.{self.input} of {self.path} is not known yet: use "
                "`mmzoo.build_model`, or the config of a run that was trained with it"
            )
        return self.network.unfrozen(None).build(x, *settings)

    def freeze(self, model: keras.Model) -> None:
        set_trainable(model, self.trainable, self.architecture.trains_norm)

    def load_pretrained(self, model: keras.Model) -> None:
        if self.weights == "none":
            return
        if load_weights(model, Path(self.path)) != self.sha256:
            raise RunError(
                f"{self.path}: has other weights than those that the run began with. Restore it "
                "from a copy, or train again from the original run."
            )
