"""Tables of comma-separated rows below a header, of whose files every byte is known."""

from __future__ import annotations

import io
import lzma
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from mmzoo.errors import DataError
from mmzoo.lazy import np, pl
from mmzoo.sources.data import Splits


def read_rows(path: Path, columns: Sequence[str]) -> pl.DataFrame:
    """Reads columns of a table, which is packed by xz if its name ends so. All cells are texts.

    Raises:
        DataError: It is no such table.
    """

    try:
        content = path.read_bytes()
        if path.suffix == ".xz":
            content = lzma.decompress(content)
        table = pl.read_csv(io.BytesIO(content), infer_schema=False, columns=list(columns))
    except (lzma.LZMAError, OSError, pl.exceptions.PolarsError) as error:
        raise DataError(f"{path} is not a sound table of {', '.join(columns)}: {error}.") from error
    return table


def read_labelled_texts(path: Path, split_names: Mapping[str, str]) -> Splits:
    """Reads a table of `text`, `label` and `split`.

    Args:
        path: The table.
        split_names: What the table calls each split.

    Returns:
        Of each split `text`, objects `[rows]`, `label`, int64 `[rows]`, and `name`, the number of
        the row below the header.

    Raises:
        DataError: It is no such table.
    """
    rows = read_rows(path, ("text", "label", "split")).with_row_index("name", offset=1)
    return {
        split: {
            "text": part["text"].to_numpy(),
            "label": part["label"].to_numpy().astype("int64"),
            "name": part["name"].to_numpy().astype("int64"),
        }
        for split, name in split_names.items()
        for part in [rows.filter(rows["split"] == name)]
    }


def paths_of(names: pl.Series, folder: Path) -> np.ndarray:
    """The absolute paths of files below a folder, text `[rows]`."""

    root = os.path.join(os.path.abspath(folder), "")
    return np.char.add(root, names.to_numpy().astype(np.str_))
