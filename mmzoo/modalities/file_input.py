"""FileInput: base class of inputs whose values are files, or arrays in memory."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, ClassVar, Literal

from mmzoo.column_spec import ColumnSpec, Role
from mmzoo.data.column_profile import FILE_SHARE, ColumnProfile
from mmzoo.data.frame import Frame
from mmzoo.errors import DataError
from mmzoo.lazy import np, pl
from mmzoo.modalities.base_input import BaseInput
from mmzoo.modalities.file_probe import (
    FileKind,
    decode_errors,
    file_array,
    read_file,
    scan_files,
)
from mmzoo.modalities.scan import Files, Scan
from mmzoo.modalities.suggestion import Section, Suggestion
from mmzoo.spec import Problem, Rate


class FileInput(BaseInput):
    """An input of arrays, or of file paths; files are probed by `scan` and decoded by `load`."""

    role: ClassVar[Role] = "file"
    files: ClassVar[FileKind]
    """Kind of file that it reads."""
    suffixes: ClassVar[tuple[str, ...]]
    """File suffixes in lower case by which `init` recognizes such files."""

    type: str
    column: str | None = None
    """Column with the files or arrays; by default, the one with the name of the input."""
    missing: Literal["error", "learned"] = "error"
    """Handling of examples without this input: error makes them bad rows, learned replaces its
    features by learned ones."""
    missing_files: Literal["error", "absent"] = "error"
    """Handling of paths without a file: error makes them bad rows, absent treats them like empty
    cells."""
    modality_dropout: Rate = 0.0
    """Fraction of training examples whose input is dropped, drawn anew in every epoch, so that the
    model learns to work without it; no example loses all of its inputs."""

    @classmethod
    def suggest(cls, column: ColumnProfile) -> Suggestion | None:
        """Config fields for a column of such files, from the headers of a sample of them."""
        if column.share_with_suffix(cls.suffixes) < FILE_SHARE:
            return None
        headers, unreadable = [], {}
        for path in column.files:
            try:
                headers.append(cls.files.header(read_file(path, cls.files.noun)))
            except DataError as error:
                unreadable[path] = str(error)
        section = cls.suggest_fields(headers) if headers else Section({})
        return Suggestion(section.fields, section.reasons, unreadable)

    @classmethod
    @abstractmethod
    def suggest_fields(cls, headers: Sequence[Any]) -> Section:
        """Config fields that fit files with these headers, at least one, and the reasons."""

    def rules(self) -> Iterator[Problem]:
        yield from super().rules()
        if self.missing_files == "absent" and not self.is_optional:
            yield Problem(
                ("missing_files",),
                "`absent` requires `missing: learned`: missing inputs are replaced by learned "
                "features",
            )

    def required_columns(self) -> dict[str, ColumnSpec]:
        absent = self.missing_files == "absent"
        return {
            column: replace(one, missing_files=absent)
            for column, one in super().required_columns().items()
        }

    @property
    def file_kind(self) -> FileKind:
        """Kind of file that it reads, with the flaws that files have for its settings."""
        return self.files

    def scan(self, frame: Frame, where: str) -> Scan:
        """Checks arrays; probes files, as structs of path, info and sha256, see `scan_files`."""
        [column] = self.source_columns()
        values = frame.table[column]
        if values.dtype != pl.String:
            for chunk in values.get_chunks():
                self.check(chunk.to_numpy(), where)
            return Scan(values)
        scan, headers = scan_files(frame, column, self.file_kind)
        return replace(scan, notes=tuple(self.conversion_notes(headers)))

    @abstractmethod
    def check(self, values: np.ndarray, where: str) -> None:
        """Checks that arrays `[rows, ...]` are of this modality.

        Args:
            values: values of the column.
            where: names the column in errors.

        Raises:
            DataError: the shape, dtype or values are wrong.
        """

    @abstractmethod
    def conversion_notes(self, headers: Sequence[Any]) -> Iterable[str]:
        """Notes on how files are converted to the model's input, such as "resized".

        Args:
            headers: headers of all readable files, as parsed by `FileKind.header`.
        """

    def transform(self, values: pl.Series, files: Files, where: str) -> np.ndarray:
        """Arrays unchanged; files as bytes `[rows, 3]`, which `load` decodes."""
        if isinstance(values.dtype, pl.Struct):
            return file_array(values)
        return values.to_numpy()

    def find_corrupt(self, files: np.ndarray) -> dict[int, str]:
        """Decodes files, bytes `[rows, 3]`; returns row -> reason for those that are corrupt."""
        return decode_errors(files, self.files)
