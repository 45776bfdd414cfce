"""BaseInput: one named input of the model, from source columns to encoder features."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal, Self

from mmzoo.column_spec import ColumnSpec, Role, default_column
from mmzoo.data.column_profile import ColumnProfile
from mmzoo.lazy import keras, np, pl, tf
from mmzoo.modalities.base_encoder import Encoder, Features
from mmzoo.modalities.scan import Files, Scan
from mmzoo.modalities.suggestion import Suggestion
from mmzoo.spec import Problem, Spec

if TYPE_CHECKING:
    from mmzoo.data.frame import Frame
    from mmzoo.randomness import Randomness


@dataclass(frozen=True)
class Corruption:
    """A corruption of loaded values, for robustness curves."""

    name: str
    """Short name: "noise"."""
    unit: str
    """Unit of the severities: "grey levels"."""
    severities: tuple[float, ...]
    """From the mildest to the worst, in `unit`."""
    apply: Callable[[tf.Tensor, tf.Tensor, Randomness], tf.Tensor]
    """Maps (loaded batch, severity as a float32 scalar, the examples' random numbers) to a batch of
    the same shape and dtype."""


def features_column(name: str) -> str:
    """The column of an input's cached features: `[rows, width]`, or `[rows, copies, width]`.

    A split that has it is batched without the input's own column, which need not be decoded.
    """
    return f"inputs.{name}.features"


def presence(name: str) -> str:
    """Name of the model's presence mask for an optional input.

    The mask is float32 `[batch]`: 1 where an example has the input, 0 where it is missing.
    """
    return f"{name}_present"


class BaseInput(Spec):
    """One named modality of the model: its columns, preprocessing and encoder.

    Members are called in this order:

    1. `with_columns` fills in the column names; `required_columns` tells the source what to read.
    2. `scan` parses cells or probes files, once for all rows, and finds bad rows.
    3. `fit` learns vocabularies and statistics from the training split.
    4. `transform` turns a whole split into one numpy array, with what `fit` found.
    5. For every batch, `load` makes the model's input of rows of that array.
    6. `placeholder` is the model's input, and `features` applies the encoder to it.

    Optional abilities, such as augmentation or text and images to display, are protocols: see
    `mmzoo.modalities.abilities`.

    A minimal input of numbers:

        class Scalar(BaseInput):
            role: ClassVar[Role] = "value"

            type: Literal["scalar"] = "scalar"
            column: str | None = None
            missing: Literal["error"] = "error"
            modality_dropout: Rate = 0.0
            encoder: Encoder = Dense()

            def scan(self, frame, where):
                [column] = self.source_columns()
                values = frame.table[column].cast(pl.Float32, strict=False)
                bad = values.is_null().arg_true().to_list()
                return Scan(values, dict.fromkeys(bad, f"its `{column}` is not a number"))

            def transform(self, values, files, where):
                return values.to_numpy()[:, None]

            def load(self, values):
                return values

            def placeholder(self, name):
                return keras.Input((1,), dtype="float32", name=name)

            def synthetic(self, random, rows):
                return random.normal(size=rows)
    """

    role: ClassVar[Role]
    """Role of its columns: decides how the source reads their cells."""
    uses_remaining_columns: ClassVar[bool] = False
    """Whether, without column names, it reads all input columns that no other part reads."""

    if TYPE_CHECKING:  # Fields, which each input declares with its own types.
        type: str
        missing: str
        modality_dropout: float
        encoder: Encoder

    def rules(self) -> Iterator[Problem]:
        if self.modality_dropout and self.missing != "learned":
            yield Problem(
                ("modality_dropout",),
                "expected `missing: learned` as well: dropped inputs are replaced by learned "
                "features",
            )

    @classmethod
    def suggest(cls, column: ColumnProfile) -> Suggestion | None:
        """Config fields of an input for a column, for `init`; None if it cannot read the column.

        With `uses_remaining_columns`, the suggestions for several columns are merged into one
        input.
        """
        return None

    @property
    def is_optional(self) -> bool:
        """Whether examples may lack the input; the model then takes a presence mask."""
        return self.missing == "learned"

    @property
    def is_fitted(self) -> bool:
        """Whether all fields that determine the model's shape are known."""
        return True

    def with_columns(
        self,
        name: str,
        known: Mapping[str, Literal["input", "target"]],
        taken: Collection[str] = (),
    ) -> Self:
        """A copy with the column names filled in.

        Args:
            name: name of the input.
            known: column -> its purpose, as far as the source knows them before reading.
            taken: columns that other parts read.
        """
        column = getattr(self, "column", None) or default_column(name, "input", known)
        return self.replace(column=column)

    def source_columns(self) -> tuple[str, ...]:
        """Columns of the source that it reads; empty before `with_columns`."""
        column = getattr(self, "column", None)
        return () if column is None else (column,)

    def required_columns(self) -> dict[str, ColumnSpec]:
        """Requirements on each source column that it reads, by column name."""
        return {
            column: ColumnSpec(self.role, self.synthetic, optional=self.is_optional)
            for column in self.source_columns()
        }

    @abstractmethod
    def synthetic(self, random: np.random.RandomState, rows: int) -> np.ndarray:
        """Synthetic values of one of its columns, for `--smoke`."""

    @abstractmethod
    def scan(self, frame: Frame, where: str) -> Scan:
        """Parses cells and texts, decodes files, and finds the rows that cannot be used.

        Args:
            frame: all rows; files of rows that already have issues are not opened.
            where: names the column in errors.

        Raises:
            DataError: the column is not of this modality.
        """

    def fit(self, values: pl.Series, where: str) -> tuple[Self, Files]:
        """Fits preprocessing on the training split, missing values excluded.

        Args:
            values: from `scan`.
            where: names the column in errors.

        Returns:
            A copy with all fields that determine the model's shape, and the files that `transform`
            needs besides: vocabularies and statistics.

        Raises:
            DataError: the values do not suffice, such as texts without any word.
        """
        return self, {}

    @abstractmethod
    def transform(self, values: pl.Series, files: Files, where: str) -> np.ndarray:
        """Transforms one split to the array that batches are gathered from.

        A missing value becomes a placeholder, such as an empty path or NaN.

        Args:
            values: from `scan`.
            files: from `fit`.
            where: names the column in messages.

        Raises:
            RunError: a file in `files` cannot be read.
        """

    @abstractmethod
    def load(self, values: tf.Tensor) -> tf.Tensor:
        """Converts a batch of transformed values to the model's input; decodes files."""

    @abstractmethod
    def placeholder(self, name: str) -> keras.KerasTensor:
        """The model's input, a `keras.Input`."""

    def features(self, x: keras.KerasTensor) -> Features:
        """Features of the encoder for a tensor like the placeholder."""
        return self.encoder.build(x)

    def load_pretrained(self, model: keras.Model, files: Files) -> None:
        """Loads the encoder's pretrained weights into the sub-model of `features`.

        Called once, when a training starts: a finished run has all of its weights.

        Args:
            model: the sub-model `<input>_encoder`.
            files: from `fit`.
        """
        self.encoder.load_pretrained(model)
