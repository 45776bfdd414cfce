"""What every encoder spec offers besides its network."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Self

from mmzoo.encoders.features import Features
from mmzoo.spec import Problem, Spec, what_is_missing
from mmzoo.spec.words import printable

if TYPE_CHECKING:
    import keras
    from keras import KerasTensor


class Encoder(Spec):
    """One tensor in, features out.

    Most encoders begin with random weights and are trained whole; what is said here of frozen and
    pretrained ones is for the few that override it.
    """

    @property
    def frozen(self) -> bool:
        """Whether training leaves all of it as it is, so its features can be computed once."""
        return False

    def unfrozen(self, layers: int | None) -> Self:
        """The same encoder with its last `layers` trained, or all of them where that is None."""
        return self

    def from_scratch(self) -> Self:
        """The same network beginning with random weights: to be tried without a download."""
        return self

    def absent_files(self) -> Iterator[Problem]:
        """Yields a Problem for each file that it begins with and that is not there.

        No rule, as a finished run needs none of them.
        """
        return iter(())

    @abstractmethod
    def build(self, x: KerasTensor) -> Features:
        """The network on one input, with weights as Keras draws them."""

    def load_pretrained(self, model: keras.Model) -> None:
        """Puts the weights to start from into the sub-model that was built.

        Called once, where a training begins: a finished run has all weights of its own.

        Args:
            model: the sub-model `<input>_encoder`.

        Raises:
            MmzooError: the weights cannot be had, or are of another network.
        """


def absence(path: Path) -> str | None:
    """Where a file is looked for and what is there instead, or None if it is there."""
    path = path.expanduser()
    if path.is_file():
        return None
    what = "it is a folder" if path.is_dir() else what_is_missing(path)
    where = "" if path.is_absolute() else f", relative to {Path.cwd()}"
    return printable(f"{path}{where}: {what}")
