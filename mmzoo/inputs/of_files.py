"""What inputs whose values may be files have in common."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, ClassVar

from mmzoo.inputs.base import BaseInput
from mmzoo.inputs.opened import Opened
from mmzoo.inputs.opening import FileKind, damaged_files
from mmzoo.wanted import Role

if TYPE_CHECKING:
    import numpy as np


class InputOfFiles(BaseInput):
    """An input of arrays, or of paths whose files are opened, and decoded in the pipeline."""

    role: ClassVar[Role] = "file"
    files: ClassVar[FileKind]
    """The kind of file that it reads."""

    def opened(
        self,
        columns: Mapping[str, np.ndarray],
        bad: Mapping[str, Collection[int]],
        decode: bool,
        tell: Callable[[str], None],
    ) -> Opened:
        """Arrays as they are; paths, text `[examples]`, as opened files."""
        if any(values.dtype.kind != "U" for values in columns.values()):
            return Opened(columns)
        return self.opened_files(columns, bad, decode, tell)

    @abstractmethod
    def opened_files(
        self,
        columns: Mapping[str, np.ndarray],
        known: Mapping[str, Collection[int]],
        decode: bool,
        tell: Callable[[str], None],
    ) -> Opened:
        """Paths as opened files, bytes `[examples, 3]`, the path first.

        Args:
            columns: Split -> paths, text `[examples]`.
            known: Split -> rows whose paths must not be opened.
            decode: Whether to decode every file too.
            tell: Receives sentences on what takes long.
        """

    def damaged(self, files: np.ndarray, tell: Callable[[str], None]) -> dict[int, str]:
        """Decodes opened files, bytes `[examples, 3]`; row -> why one of them cannot be."""
        return damaged_files(files, self.files, tell)
