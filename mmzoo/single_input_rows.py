"""Rows of a model with a single input: files, folders of files, or texts, to predict from."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from mmzoo.config import Config
from mmzoo.data.frame import ROW, SPLIT, Frame, OnBadRow, path_text
from mmzoo.data.table_format import kind_of
from mmzoo.errors import DataError
from mmzoo.lazy import pl
from mmzoo.modalities import Input
from mmzoo.modalities.file_input import FileInput
from mmzoo.preprocessing import scan
from mmzoo.spec import describe_missing_path
from mmzoo.spec.wording import escape

logger = logging.getLogger(__name__)

SPLIT_NAME = "data"
"""Name of the split of the rows to predict from."""
_MAX_LISTED = 10
"""Maximum number of files or columns that a message lists."""
_MAX_TEXT_BYTES = 10_000_000
"""Maximum size of a text file, which is one text."""


def single_input_rows(
    config: Config,
    model: str,
    paths: Sequence[Path],
    texts: Sequence[str] = (),
    on_bad_row: OnBadRow = "error",
    name: str | None = None,
) -> tuple[Frame, dict[str, list[str]]]:
    """Files or texts as scanned rows of the model's only input, or of one of several.

    Args:
        config: the fitted config.
        model: the name of the model, for errors.
        paths: files with an example each, or folders of such files.
        texts: texts instead.
        on_bad_row: handling of files that cannot be read: "error" or "skip".
        name: of the input that the files are for, if the others can be missing.

    Returns:
        The rows, and the column that names them: `file` or `text`.

    Raises:
        DataError: the model needs a table, or a file cannot be read.
    """
    spec = config.inputs[name] if name else _single_input(config, model, paths, bool(texts))
    [column] = spec.source_columns()
    files = [] if texts else list(_without_folders(paths, spec))
    names = list(texts) or [escape(str(path)) for path in files]
    values: Sequence[str | None]
    bad: dict[int, str] = {}
    if texts:
        values = texts
    elif spec.role == "text":
        values, bad = _read_texts(files, column)
    else:
        values = [path_text(str(path)) for path in files]
    rows = [f"text {row}" for row in range(1, len(texts) + 1)] or names
    others = {c for one in config.inputs.values() for c in one.source_columns()} - {column}
    empty = dict.fromkeys(sorted(others), [None] * len(values))
    table = pl.DataFrame(
        {column: values, **empty, SPLIT: [SPLIT_NAME] * len(values), ROW: rows},
        schema_overrides=dict.fromkeys((column, *empty), pl.String),
    )
    raw = Frame(table, name="the texts" if texts else "the files", fingerprint="")
    frame = scan(config, raw)
    bad = {row: why for row, (_, why) in frame.found_issues().items()} | bad
    missing = [row for row in bad if files and not files[row].exists()]
    for row in missing[:_MAX_LISTED]:  # Others are not listed.
        bad[row] = describe_missing_path(files[row])
    kept = list(texts) or [str(path) for path in files]
    if bad and on_bad_row == "skip" and len(bad) < len(rows):
        frame = frame.drop(bad)
        what = "texts" if texts else "files"
        logger.info(
            f"Note: skipped {len(bad):,} of {len(rows):,} {what} that cannot be read: "
            f"{_some(rows, bad)}."
        )
        kept = [name for row, name in enumerate(kept) if row not in bad]
    else:
        require_readable(rows, bad)
    for warning in frame.warnings:
        logger.info(f"Warning: {warning}.")
    return frame, {"text" if texts else "file": kept}


def _single_input(config: Config, model: str, paths: Sequence[Path], is_text: bool) -> Input:
    """The model's only input, if it reads files or texts; raises a DataError if not."""
    tables = [escape(str(path)) for path in paths if _is_table(path)]
    use = f"use --data {tables[0]}" if tables else "use --data"
    if len(config.inputs) > 1:
        optional = ", ".join(config.presence)
        raise DataError(
            f"{model}: the model has {len(config.inputs)} inputs "
            f"({', '.join(config.inputs)}), so it needs a table with their columns: {use}"
            + (f". Values may be missing for {optional}" if optional else "")
        )
    [spec] = config.inputs.values()
    if spec.role not in ("file", "text"):
        raise DataError(
            f"{model}: the model needs a table with the columns {_listed(config)}: {use}"
        )
    if is_text and spec.role != "text":
        raise DataError(f"{model}: the model reads files, not texts: give FILES, without --text")
    if tables:
        what = "text" if spec.role == "text" else "example"
        raise DataError(
            f"{tables[0]}: a table, not a file with one {what}; to predict for each row, {use}"
        )
    return spec


def is_folder_of_files(config: Config, path: Path) -> bool:
    """Whether the files of the model's only input lie in a folder itself, not in one per class."""
    spec = next(iter(config.inputs.values()))
    if len(config.inputs) > 1 or not isinstance(spec, FileInput) or not path.is_dir():
        return False
    return any(file.suffix.lower() in spec.suffixes for file in path.iterdir())


def require_readable(names: Sequence[str], bad: Mapping[int, str]) -> None:
    """Raises a DataError that lists the files that cannot be read, if there are any.

    Args:
        names: the names of all rows.
        bad: row -> why it cannot be read.
    """
    named = [f"{names[row]}: {bad[row]}" for row in sorted(bad)]
    if len(named) == 1:
        raise DataError(named[0])
    if named:
        remaining = [f"and {len(named) - _MAX_LISTED:,} more"] if len(named) > _MAX_LISTED else []
        listed = "\n".join(f"  {line}" for line in [*named[:_MAX_LISTED], *remaining])
        raise DataError(f"{len(named):,} of {len(names):,} files cannot be read:\n{listed}")


def _is_table(path: Path) -> bool:
    try:
        kind_of(path.name)
    except DataError:
        return False
    return True


def _without_folders(paths: Sequence[Path], spec: Input) -> Iterator[Path]:
    """The files, and in place of a folder all files below it that the input reads, sorted."""
    suffixes = spec.suffixes if isinstance(spec, FileInput) else (".txt",)
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        found = []
        for folder, below, files in os.walk(path):
            below[:] = sorted(name for name in below if not name.startswith("."))
            found += [
                Path(folder, name)
                for name in sorted(files)
                if name.lower().endswith(suffixes) and not name.startswith(".")
            ]
        if not found:
            raise DataError(f"{escape(str(path))}: no files in it end in {', '.join(suffixes)}")
        yield from found


def _read_texts(paths: Sequence[Path], column: str) -> tuple[list[str | None], dict[int, str]]:
    """Contents of text files, and why some cannot be used, by index.

    A file that begins with a header that names the input's column is a table, whatever its name.
    """
    bad: dict[int, str] = {}
    texts: list[str | None] = []
    for row, path in enumerate(paths):
        content = b""
        try:
            with path.open("rb") as file:
                content = file.read(_MAX_TEXT_BYTES + 1)
            texts.append(content.decode("utf-8-sig"))
        except OSError as error:
            bad[row] = str(error.strerror)
        except UnicodeDecodeError as error:
            bad[row] = f"expected UTF-8 text, but byte {error.start} is invalid"
        if len(content) > _MAX_TEXT_BYTES:
            bad[row] = f"has more than {_MAX_TEXT_BYTES:,} bytes, which is too long for one text"
        if len(texts) == row:
            texts.append(None)
        header, more, _ = (texts[row] or "").partition("\n")
        if more and column in re.split(r"[,;\t]", header.strip().replace('"', "")):
            bad[row] = f"it seems to be a table with a column `{column}`: rename it and use --data"
    return texts, bad


def _some(names: Sequence[str], rows: Mapping[int, str]) -> str:
    listed = [f"{names[row]} ({rows[row]})" for row in sorted(rows)[:3]]
    return ", ".join(listed) + (f" and {len(rows) - 3:,} more" if len(rows) > 3 else "")


def _listed(config: Config) -> str:
    columns = [column for spec in config.inputs.values() for column in spec.source_columns()]
    more = f" and {len(columns) - _MAX_LISTED:,} more" if len(columns) > _MAX_LISTED else ""
    return ", ".join(escape(column) for column in columns[:_MAX_LISTED]) + more
