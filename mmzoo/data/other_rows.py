"""Other tables and folders than the source's, for evaluation and prediction of a trained model."""

from __future__ import annotations

import os
from collections.abc import Mapping

from mmzoo.column_spec import ColumnSpec
from mmzoo.data.folder_source import Folder
from mmzoo.data.frame import Frame
from mmzoo.data.table_format import TableFormat
from mmzoo.data.table_source import read_rows
from mmzoo.spec import Spec


def other_rows(
    path: str, specs: Mapping[str, ColumnSpec], source: Spec, split: str, others: bool = False
) -> Frame:
    """All rows of a table, or all files of a folder with one subfolder per class, as one split.

    Args:
        path: The table or folder, relative to the working directory.
        specs: The columns to read, with their roles.
        source: The source that the model was trained on. If it is of the same kind, its format or
            file suffixes apply here too.
        split: The name of the split.
        others: Whether to read a table's other columns too, unparsed.

    Raises:
        DataError: There is no such table or folder, it cannot be read, or a column is missing.
    """
    if os.path.isdir(path):
        folder = source if isinstance(source, Folder) else Folder(path=path)
        return folder.replace(path=path).rows(specs, split)
    form = source if isinstance(source, TableFormat) else None
    return read_rows(path, specs, split, form, others=others)
