"""What inputs whose values may be files have in common."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from mmzoo.inputs.base import BaseInput
from mmzoo.inputs.opened import Opened, are_files, has_file
from mmzoo.inputs.opening import FileKind, damaged_files
from mmzoo.spec import Problem
from mmzoo.wanted import Role, Wanted

if TYPE_CHECKING:
    import numpy as np


class InputOfFiles(BaseInput):
    """An input of arrays, or of paths whose files are opened, and decoded in the pipeline."""

    role: ClassVar[Role] = "file"
    files: ClassVar[FileKind]
    """The kind of file that it reads."""

    if TYPE_CHECKING:  # A field, which each of them declares with words of its own.
        missing_files: str

    def rules(self) -> Iterator[Problem]:
        yield from super().rules()
        if self.missing_files == "absent" and not self.may_be_absent:
            yield Problem(
                ("missing_files",),
                "expected `missing: learned` beside `absent`: something must be learned that "
                "stands in the place of what is absent",
            )

    def wanted(self) -> dict[str, Wanted]:
        """What is asked of the source for its column."""
        absent = self.missing_files == "absent"
        return {
            column: replace(one, missing_files=absent) for column, one in super().wanted().items()
        }

    def opened(
        self,
        columns: Mapping[str, np.ndarray],
        bad: Mapping[str, Collection[int]],
        decode: bool,
        tell: Callable[[str], None],
    ) -> Opened:
        """Arrays as they are; paths, text `[examples]`, as opened files.

        Where there may be none, an empty path is that of an absent one.
        """
        if any(values.dtype.kind != "U" for values in columns.values()):
            return Opened(columns)
        known = bad
        if self.may_be_absent:
            known = {
                split: {*bad.get(split, ()), *(paths == "").nonzero()[0].tolist()}
                for split, paths in columns.items()
            }
        return self.opened_files(columns, known, decode, tell)

    def present(self, values: np.ndarray) -> np.ndarray:
        """Which examples have it, bool `[rows]`: of files those that have a path, else all."""
        return has_file(values) if are_files(values) else super().present(values)

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
