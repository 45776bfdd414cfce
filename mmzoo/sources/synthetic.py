"""The source `synthetic`: made-up rows."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from annotated_types import Ge

from mmzoo.lazy import np
from mmzoo.sources.data import Data, OnBadRow
from mmzoo.spec import Spec, WithinInt32
from mmzoo.wanted import Wanted


class Synthetic(Spec):
    """Made-up rows of whatever shapes the inputs and heads declare: to try a config, not to learn.

    Half of the rows train, a quarter each is for validation and test.
    """

    type: Literal["synthetic"] = "synthetic"
    rows: Annotated[int, Ge(4), WithinInt32] = 96
    """How many rows to make, for all splits together."""

    on_bad_row: ClassVar[OnBadRow] = "error"

    def columns(self) -> dict[str, Literal["input", "target"]] | None:
        """None: it has whatever columns are asked for."""
        return None

    def load(self, wanted: Mapping[str, Wanted], seed: int) -> Data:
        """Makes the rows.

        Args:
            wanted: The columns, each with what makes its values up.
            seed: Decides the values; those of a column do not depend on the other columns.
        """

        columns = {
            column: one.make(np.random.RandomState([seed, zlib.crc32(column.encode())]), self.rows)
            for column, one in wanted.items()
        }
        half, quarter = self.rows // 2, self.rows // 4
        bounds = {
            "train": slice(half),
            "validation": slice(half, half + quarter),
            "test": slice(half + quarter, self.rows),
        }
        content = hashlib.sha256()
        for column in sorted(columns):
            content.update(column.encode())
            values = columns[column]
            content.update(
                repr(values.tolist()).encode() if values.dtype == object else values.tobytes()
            )
        return Data(
            name="synthetic",
            fingerprint=content.hexdigest(),
            splits={
                split: {column: values[rows] for column, values in columns.items()}
                for split, rows in bounds.items()
            },
            class_names={},
            notes=("the examples are made up: no figure of this run means anything",),
        )
