"""Other rows than those of a source: to evaluate a trained model on, or to predict from."""

from __future__ import annotations

import os
from collections.abc import Mapping

from mmzoo.sources.data import Data
from mmzoo.sources.folder import Folder
from mmzoo.sources.table import TableFormat, read_rows
from mmzoo.spec import Spec
from mmzoo.wanted import Wanted


def other_rows(path: str, wanted: Mapping[str, Wanted], source: Spec, split: str) -> Data:
    """All rows of a table, or all files of a folder with one for each class, as one split.

    Args:
        path: The table or folder, relative to the working directory.
        wanted: What each column is wanted for.
        source: The one that the model was trained on: how its cells are written, or which of its
            files count, holds for these too where they are of the same kind.
        split: What to call the split.

    Raises:
        DataError: There is nothing to be read, or a column is missing.
    """
    if os.path.isdir(path):
        folder = source if isinstance(source, Folder) else Folder(path=path)
        return folder.replace(path=path).rows(wanted, split)
    return read_rows(path, wanted, split, source if isinstance(source, TableFormat) else None)
