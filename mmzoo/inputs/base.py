"""What every input offers: the road of one modality from a source's columns into the model."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING, ClassVar, Literal, Self

from mmzoo.inputs.degradation import Degradation
from mmzoo.inputs.measured import Measured
from mmzoo.inputs.opened import Opened, Unopened
from mmzoo.lazy import keras, np, tf
from mmzoo.modalities.base_encoder import Encoder, Features
from mmzoo.spec import Problem, Spec
from mmzoo.wanted import Role, Wanted, column_of

if TYPE_CHECKING:
    from mmzoo.randomness import Randomness

Files = Mapping[str, str]
"""What an input was fitted to, as texts by the names of their files in the run."""


def presence(name: str) -> str:
    """What the model calls its second input for an input that may be absent.

    It is float32 `[batch]`: 1 where an example has the input, 0 where it lacks it.
    """
    return f"{name}_present"


class BaseInput(Spec):
    """One named modality of the model: its columns, its preprocessing, its encoder.

    A column goes through these, in order: `gathered` from the source's columns; `opened` before any
    batch is made, where files are looked into and bad rows found; `fit`, on the training split
    alone; `prepared`, whole splits at once, with what `fit` found; and for every batch `preprocess`
    and, in training, `augmented`. What comes out goes into `placeholder`, and by `features` through
    the encoder.
    """

    pictured: ClassVar[bool] = False
    """Whether its values can be looked at, by `picture`."""
    worded: ClassVar[bool] = False
    """Whether its values can be read, by `written`."""
    mixable: ClassVar[bool] = False
    """Whether two values can be blended into one, so that mixup and cutmix may have them."""
    role: ClassVar[Role]
    """What the source is to make of its columns."""

    columns_field: ClassVar[str] = "column"
    """The field that names its columns, for errors."""
    length_varies: ClassVar[bool] = False
    """Whether batches differ in shape, beyond their number of rows."""
    takes_the_rest: ClassVar[bool] = False
    """Whether, where it names no columns, it reads all inputs that no other part reads."""

    if TYPE_CHECKING:  # Fields, which each input declares with its own types.
        type: str
        missing: str
        modality_dropout: float
        encoder: Encoder

    def rules(self) -> Iterator[Problem]:
        if self.modality_dropout and self.missing != "learned":
            yield Problem(
                ("modality_dropout",),
                "expected `missing: learned` beside it: something must be learned that stands in "
                "the place of what is taken away",
            )

    @property
    def may_be_absent(self) -> bool:
        """Whether examples may lack it, so that the model is told which of them do."""
        return self.missing == "learned"

    @property
    def augmentations(self) -> tuple[Spec, ...]:
        """The random changes of `augmented`, in their order."""
        return getattr(self, "augment", ())

    @property
    def degradations(self) -> tuple[Degradation, ...]:
        """The ways in which it can get worse, which a fitted input knows: see `Degradation`."""
        return ()

    def something_left(self, values: tf.Tensor) -> tf.Tensor:
        """Which examples of a preprocessed batch still hold something, bool `[batch]`.

        Asked of degraded values: an example that may lack the input, and of which nothing is left,
        lacks it.
        """
        return tf.ones(tf.shape(values)[0], tf.bool)

    @property
    def whole(self) -> bool:
        """Whether nothing that the model's shape depends on is left open."""
        return True

    def with_columns(
        self,
        name: str,
        known: Mapping[str, Literal["input", "target"]],
        taken: Collection[str] = (),
    ) -> Self:
        """The same input with its columns named.

        Args:
            name: The input's.
            known: The columns of the source and what each is for, as far as it knows them unread.
            taken: Those that other parts read.
        """
        column = getattr(self, "column", None) or column_of(name, "input", known)
        return self.replace(column=column)

    def source_columns(self) -> tuple[str, ...]:
        """The columns of the source that it reads; none before `with_columns`."""
        column = getattr(self, "column", None)
        return () if column is None else (column,)

    def key(self, name: str, shared: bool) -> str:
        """What its gathered column is called among the data's.

        Args:
            name: The input's.
            shared: Whether another part reads a column of its.
        """
        columns = self.source_columns()
        return columns[0] if len(columns) == 1 and not shared else f"inputs.{name}"

    def gathered(self, columns: Mapping[str, np.ndarray]) -> np.ndarray:
        """Its columns of one split as one array, `[rows]` or `[rows, ...]`."""
        [column] = self.source_columns()
        return columns[column]

    def wanted(self) -> dict[str, Wanted]:
        """What is asked of the source for each of its columns."""
        return {
            column: Wanted(self.role, self.synthetic, optional=self.may_be_absent)
            for column in self.source_columns()
        }

    @abstractmethod
    def synthetic(self, random: np.random.RandomState, rows: int) -> np.ndarray:
        """Made-up values of one of its columns, for `--smoke`."""

    def opened(self, column: Unopened) -> Opened:
        """Looks into a gathered column of all splits, and finds the rows that cannot be used.

        Args:
            column: What `gathered` gave.
        """
        return Opened(column.values)

    def damaged(self, files: np.ndarray) -> dict[int, str]:
        """Decodes opened files, bytes `[examples, parts]`; row -> why one of them cannot be."""
        return {}

    @abstractmethod
    def check(self, values: np.ndarray, where: str) -> None:
        """Raises a DataError unless the opened values are of this modality.

        Args:
            values: The opened column of one split.
            where: Says where they come from.
        """

    def present(self, values: np.ndarray) -> np.ndarray:
        """Which examples have it, bool `[rows]`; asked where it may be absent.

        Args:
            values: The opened column of one split.
        """

        return np.ones(len(values), bool)

    def fit(self, values: np.ndarray, where: str) -> tuple[Self, Files]:
        """Reads off the opened training values what was left open; absent ones are not among them.

        Returns:
            The same input with what the model's shape depends on, and files of what `prepared`
            needs beside that: vocabularies and statistics.

        Raises:
            DataError: Nothing can be made of the values.
        """
        return self, {}

    def measured(self, values: np.ndarray) -> Measured | None:
        """How long opened values are, where a fitted input reads no more than so much of them."""
        return None

    def prepared(self, values: np.ndarray, files: Files, where: str) -> np.ndarray:
        """Opened values of one split as what batches are gathered from.

        In the place of an absent one stands something harmless, such as no file or no number.

        Args:
            values: `[rows]` or `[rows, ...]`.
            files: What `fit` gave; one that cannot be read raises a RunError.
            where: Says where the values come from.
        """
        return values

    @abstractmethod
    def preprocess(self, values: tf.Tensor) -> tf.Tensor:
        """A batch of prepared values as the model takes them."""

    def augmented(self, values: tf.Tensor, randomness: Randomness) -> tf.Tensor:
        """A preprocessed batch after this input's random changes, of the same shape."""
        return values

    def blend(self, values: tf.Tensor, partners: tf.Tensor, share: tf.Tensor) -> tf.Tensor:
        """Each preprocessed value blended with its partner, if it is `mixable`.

        Args:
            values: `[batch, ...]`.
            partners: Likewise.
            share: float32 scalar, from 0 (the partners) to 1 (the values).
        """
        raise NotImplementedError(f"{self.type} inputs cannot be mixed")

    def paste(
        self, values: tf.Tensor, partners: tf.Tensor, box: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Each preprocessed value with a box of its partner in it, if it is `mixable`.

        Args:
            values: `[batch, ...]`.
            partners: Likewise.
            box: float32 `[4]`: top, left, bottom and right as fractions of height and width.

        Returns:
            The values, and a float32 scalar: the share of them that still shows.
        """
        raise NotImplementedError(f"{self.type} inputs cannot be mixed")

    @abstractmethod
    def placeholder(self, name: str) -> keras.KerasTensor:
        """The model's input."""

    def positions(self) -> int | None:
        """How many positions the longest value has, where the placeholder leaves that open."""
        return None

    def features(self, x: keras.KerasTensor) -> Features:
        """The features of the encoder on a tensor like the placeholder."""
        return self.encoder.build(x)

    def load_pretrained(self, model: keras.Model, files: Files) -> None:
        """Puts the weights that the encoder starts from into the sub-model of `features`.

        Called once, where a training begins: a finished run has all weights of its own.

        Args:
            model: The sub-model `<input>_encoder`.
            files: What `fit` gave.
        """
        self.encoder.load_pretrained(model)

    def picture(self, value: np.ndarray) -> np.ndarray:
        """One preprocessed value as uint8 `[height, width, 1 or 3]`, if it is `pictured`."""
        raise NotImplementedError(f"{self.type} inputs have no pictures")

    def written(self, values: np.ndarray, files: Files) -> list[str]:
        """Prepared values `[rows, ...]` as text to be read, if it is `worded`.

        Args:
            values: As `prepared` has them.
            files: What `fit` gave.
        """
        raise NotImplementedError(f"{self.type} inputs cannot be written out")
