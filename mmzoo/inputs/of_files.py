"""What inputs whose values may be files have in common."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from mmzoo.inputs.base import BaseInput
from mmzoo.inputs.opened import Opened, Unopened, are_files, has_file
from mmzoo.inputs.opening import FileKind, damaged_files, opened_files
from mmzoo.lazy import np
from mmzoo.spec import Problem
from mmzoo.wanted import Role, Wanted


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

    def opened(self, column: Unopened) -> Opened:
        """Arrays as they are; paths, text `[examples]`, as opened files, bytes `[examples, 3]`.

        Those are path, what the kind of file tells, and sha256. Where there may be none, an empty
        path is that of an absent one.
        """
        if any(values.dtype.kind != "U" for values in column.values.values()):
            return Opened(column.values)
        if self.may_be_absent:
            shut = {
                split: {*column.known_bad(split), *(paths == "").nonzero()[0].tolist()}
                for split, paths in column.values.items()
            }
            column = replace(column, bad=shut)
        opened, headers = opened_files(column, self.files)
        return replace(opened, notes=tuple(self.fitting_notes(headers)))

    def present(self, values: np.ndarray) -> np.ndarray:
        """Which examples have it, bool `[rows]`: of files those that have a path, else all."""
        return has_file(values) if are_files(values) else super().present(values)

    @abstractmethod
    def fitting_notes(self, headers: Sequence[Any]) -> Iterable[str]:
        """Sentences on what is done to files that are not as the model takes them.

        Args:
            headers: Of all files that can be read, as their kind has them.
        """

    def damaged(self, files: np.ndarray) -> dict[int, str]:
        """Decodes opened files, bytes `[examples, 3]`; row -> why one of them cannot be."""
        return damaged_files(files, self.files)
