"""The source `synthetic`: random rows, to try a config without data."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from annotated_types import Ge

from mmzoo.column_spec import ColumnSpec
from mmzoo.data.frame import Frame, OnBadRow, table_of
from mmzoo.lazy import np
from mmzoo.spec import Spec, WithinInt32


class Synthetic(Spec):
    """Random rows in the shapes of the inputs and heads, to try a config; not to learn from.

    Half of the rows are for training, a quarter each for validation and test.
    """

    type: Literal["synthetic"] = "synthetic"
    rows: Annotated[int, Ge(4), WithinInt32] = 96
    """Number of rows, over all splits."""

    on_bad_row: ClassVar[OnBadRow] = "error"

    def columns(self) -> dict[str, Literal["input", "target"]] | None:
        """None: it has every column that is requested."""
        return None

    def read(self, specs: Mapping[str, ColumnSpec], seed: int) -> Frame:
        """Generates the rows.

        Args:
            specs: The columns, each with a generator of synthetic values.
            seed: Decides the values. Those of a column do not depend on the other columns.
        """
        columns = {
            column: one.synthetic(
                np.random.RandomState([seed, zlib.crc32(column.encode())]), self.rows
            )
            for column, one in specs.items()
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
        splits = {
            split: {column: values[rows] for column, values in columns.items()}
            for split, rows in bounds.items()
        }
        return Frame(
            table_of(splits),
            name="synthetic",
            fingerprint=content.hexdigest(),
            notes=("the examples are synthetic: the metrics of this run are meaningless",),
        )
