"""Parsing of table cells into typed columns; invalid cells become issues."""

from __future__ import annotations

import difflib
import os
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from mmzoo.column_spec import INPUT_ROLES, ColumnSpec
from mmzoo.data import column_types
from mmzoo.data.class_encoding import names_in, notes_on_names
from mmzoo.data.label_lists import label_lists, other_separator
from mmzoo.data.media_paths import is_not_found, problems, relocate
from mmzoo.data.number_formats import Decimal, other_decimals, plain_numbers
from mmzoo.errors import DataError
from mmzoo.lazy import pl
from mmzoo.spec.wording import describe, escape, shorten


def check_columns(name: str, columns: Collection[str], wanted: Iterable[str]) -> None:
    """Checks that required columns exist.

    Args:
        name: The owner of the columns, for the error: "data set cifar10".
        columns: The existing columns.
        wanted: The required columns.

    Raises:
        DataError: A column does not exist; suggests the most similar one.
    """
    for column in wanted:
        if column not in columns:
            near = difflib.get_close_matches(column, columns, n=1)
            meant = f"Did you mean `{near[0]}`? " if near else ""
            raise DataError(
                f"{name} has no column `{column}`. {meant}There are: {', '.join(columns)}."
            )


MAX_CELL = 1_000_000
"""Most bytes of a cell. A longer one is usually due to a quote that is never closed."""
_MAX_PATH = 4096
"""Most bytes of a path on Linux."""
_MAX_LABELS = 4_000_000_000
"""Largest size of the multi-hot matrix, `rows * labels`."""


@dataclass(frozen=True)
class ParsedColumn:
    """A typed column of a table."""

    values: pl.Series
    """Null where a cell is empty or invalid."""
    issues: Mapping[int, str]
    """Bad row -> reason as a clause: "its `price` is 'abc', expected a number"."""
    notes: tuple[str, ...] = ()
    """Clauses to show to the user."""
    warnings: tuple[str, ...] = ()
    """Clauses on likely faults of the column."""


def parse_columns(
    table: pl.DataFrame,
    specs: Mapping[str, ColumnSpec],
    root: str,
    shown: str,
    decimal: Decimal | None,
) -> dict[str, ParsedColumn]:
    """Parses all required columns.

    Args:
        table: The unparsed cells.
        specs: The columns, with their roles.
        root: The folder of the table's media files.
        shown: The table's name, for errors.
        decimal: The decimal mark of numbers in text.

    Raises:
        DataError: A column as a whole does not fit its role.
    """
    targets = target_columns(specs)
    parsed = {}
    for name, spec in specs.items():
        where = f"table {shown}: column `{name}`"
        cells = table[name]
        if decimal and spec.role in ("value", "number") and cells.dtype == pl.String:
            one = _parse_with_decimal(cells, name, spec, root, where, decimal)
        else:
            one = _parse(cells, name, spec, root, where)
        if spec.role in ("class", "category") and column_types.has_rounded_ids(cells):
            one = replace(one, warnings=(*one.warnings, column_types.rounded_ids_warning(name)))
        if name in targets and not spec.optional:
            hint = "; with `missing: ignore` in its head the row trains only the other heads"
            clause = f"its `{name}` is empty{hint if len(targets) > 1 else ''}"
            cells = one.values if spec.role == "labels" else cells
            empty = dict.fromkeys(_rows(cells.is_null()), clause)
            one = replace(one, issues={**empty, **one.issues})
        parsed[name] = one
    return parsed


def issues_of(
    table: pl.DataFrame, parsed: Mapping[str, ParsedColumn], specs: Mapping[str, ColumnSpec]
) -> dict[int, tuple[str | None, str]]:
    """The issues of all columns together, and those of rows that have no label at all."""
    issues: dict[int, tuple[str | None, str]] = {}
    targets = target_columns(specs)
    if targets and all(specs[column].optional for column in targets):
        names = " and ".join(f"`{shorten(column)}`" for column in targets)
        clause = f"its {names} {'is' if len(targets) == 1 else 'are'} empty"
        empty = table.select(pl.all_horizontal(pl.col(targets).is_null())).to_series()
        issues |= dict.fromkeys(empty.arg_true().to_list(), (None, clause))
    for column, one in parsed.items():
        issues |= {row: (column, reason) for row, reason in one.issues.items()}
    return issues


def target_columns(specs: Mapping[str, ColumnSpec]) -> list[str]:
    """The columns that heads predict."""
    return [column for column, spec in specs.items() if spec.role not in INPUT_ROLES]


def _parse_with_decimal(
    column: pl.Series, name: str, spec: ColumnSpec, root: str, where: str, decimal: Decimal
) -> ParsedColumn:
    """Parses numbers in text with this decimal mark; those with another one are issues.

    A column in which no number has this mark is read as it is, with a warning.
    """
    other = other_decimals(column, decimal)
    plain = plain_numbers(column, decimal)
    if not other.any():
        return _parse(plain, name, spec, root, where)
    example = shorten(column.filter(other)[0])
    if (plain == column).fill_null(True).all():
        one = _parse(column, name, spec, root, where)
        warning = (
            f"`{name}`: '{example}' is read with a decimal point, in spite of `decimal: \",\"`"
        )
        return replace(one, warnings=(*one.warnings, warning))
    one = _parse(plain.set(other, None), name, spec, root, where)
    expected = "expected a decimal comma, as in the other rows"
    wrong = {row: f"its `{name}` is '{shorten(column[row])}', {expected}" for row in _rows(other)}
    return replace(one, issues={**one.issues, **wrong})


def _parse(column: pl.Series, name: str, spec: ColumnSpec, root: str, where: str) -> ParsedColumn:
    match spec.role:
        case "file":
            return _files(column, name, spec, root, where)
        case "text" | "category":
            return _texts(column, name, where)
        case "value":
            return _values(column, name, where)
        case "class":
            texts = column_types.as_texts(column, where, "classes")
            return ParsedColumn(texts, {}, notes_on_names(name, texts, spec, where))
        case "labels":
            labels, odd = label_lists(column, spec.separator, where)
            expected = "expected a list of labels, as in most rows"
            issues = {
                row: f"its `{name}` is '{shorten(column[row])}', {expected}" for row in _rows(odd)
            }
            names = names_in(labels)
            if len(labels) * len(names) > _MAX_LABELS:
                raise DataError(
                    f"{where} has {len(names):,} different labels, such as '{shorten(names[0])}', "
                    f"too many for {len(labels):,} rows. Are they separated by something else than "
                    f"{describe(spec.separator)}? Set `separator` of the head."
                )
            notes = notes_on_names(name, labels, spec, where)
            if other := other_separator(column, spec.separator):
                notes += (
                    f"`{name}`: no cell has the separator '{spec.separator}', but many have "
                    f"'{other}'; set `separator` of the head if it separates labels",
                )
            return ParsedColumn(labels, issues, notes)
        case "number":
            return _numbers(column, name, where)


def _files(column: pl.Series, name: str, spec: ColumnSpec, root: str, where: str) -> ParsedColumn:
    if isinstance(column.dtype, pl.Array):  # Decoded already, such as uint8 images.
        empty = {} if spec.optional else dict.fromkeys(_rows(column.is_null()), "it is empty")
        return ParsedColumn(column, empty)
    paths = column_types.as_texts(column, where, "paths of files")
    issues = (
        {} if spec.optional else dict.fromkeys(_rows(paths.is_null()), f"its `{name}` is empty")
    )
    long = paths.str.len_bytes().fill_null(0) > _MAX_PATH
    issues |= dict.fromkeys(_rows(long), f"its `{name}` is too long for a path")
    cells = paths.set(long, None).fill_null("").to_list()
    moved = relocate(cells, root)
    cells = [moved.get(cell, cell) for cell in cells]
    not_found: list[int] = []
    for row, why in problems(cells, root).items():
        if spec.missing_files and is_not_found(why):
            not_found.append(row)
        elif cells[row] and row not in issues:
            issues[row] = f"its `{name}` is '{shorten(cells[row])}': {why}"
    if len(issues) == len(cells):
        row, why = next(iter(issues.items()))
        raise DataError(
            f"{where}: none of its {len(cells):,} files can be opened. Row {row + 1}: {why}"
            f"{'' if why.endswith('?') else '.'} "
            f"Paths are relative to {escape(root)}; `source.media_root` sets another folder."
        )
    missing = {row for row, path in enumerate(cells) if not path}.union(issues, not_found)
    files = [None if row in missing else os.path.join(root, path) for row, path in enumerate(cells)]
    notes: tuple[str, ...] = ()
    if not_found:
        notes = (
            f"`{name}`: {len(not_found):,} of its files do not exist, such as "
            f"'{shorten(cells[not_found[0]])}' in {escape(root)}: they count as missing inputs",
        )
    warnings: tuple[str, ...] = ()
    if moved:
        there, here = next(iter(moved.items()))
        warnings = (
            f"`{name}`: its absolute paths do not exist here; '{shorten(there)}' is read as "
            f"'{shorten(here)}' in {escape(root)}, and the others alike",
        )
    return ParsedColumn(pl.Series(name, files, dtype=pl.String), issues, notes, warnings)


def _texts(column: pl.Series, name: str, where: str) -> ParsedColumn:
    texts = column_types.as_texts(column, where, "text")
    long = texts.str.len_bytes().fill_null(0) > MAX_CELL
    clause = f"its `{name}` has more than {MAX_CELL:,} bytes; is a quote never closed?"
    return ParsedColumn(texts.set(long, None), dict.fromkeys(_rows(long), clause))


def _values(column: pl.Series, name: str, where: str) -> ParsedColumn:
    values, note = column_types.parse_cells(column, where)
    if values.dtype == pl.String:
        texts = _texts(values, name, where)
        return replace(texts, notes=(f"`{name}`: {note}; inferred as text",) if note else ())
    if values.dtype == pl.Float64:
        infinite = values.is_infinite().fill_null(False)
        issues = dict.fromkeys(_rows(infinite), f"its `{name}` is infinite")
        return ParsedColumn(values.fill_nan(None), issues)
    return ParsedColumn(values, {})


def _numbers(column: pl.Series, name: str, where: str) -> ParsedColumn:
    kind = column.dtype
    if not kind.is_numeric() and kind not in (pl.Boolean, pl.Null):
        column = column_types.as_texts(column, where, "numbers")
    values = column_types.parse_numbers(column).alias(name)
    wrong = ~values.is_finite().fill_null(False)
    issues = {row: _not_a_number(name, column[row]) for row in _rows(wrong & column.is_not_null())}
    if issues and wrong.all():
        times = column_types.parse_times(column_types.as_texts(column, where, "numbers"))
        if times.null_count() == column.null_count():
            raise DataError(
                f"{where} holds dates, expected numbers. Write a date as a number, such as the "
                "days since a fixed date."
            )
    return ParsedColumn(_exact(column, values.set(wrong, None)), issues)


def _exact(column: pl.Series, numbers: pl.Series) -> pl.Series:
    """The numbers of a column as int64 where float64 would round them, as times in nanoseconds."""
    if not (numbers.abs() > 2**53).any():
        return numbers
    cells = column.str.strip_chars() if column.dtype == pl.String else column
    if cells.dtype != pl.String and not cells.dtype.is_integer():
        return numbers
    whole = cells.cast(pl.Int64, strict=False).set(numbers.is_null(), None)
    return numbers if whole.null_count() > numbers.null_count() else whole.alias(numbers.name)


def _not_a_number(name: str, cell: object) -> str:
    if not isinstance(cell, str):
        return f"its `{name}` is {cell}, expected a finite number"
    hint = " with a decimal point and no thousands separator" if "," in cell else ""
    return f"its `{name}` is '{shorten(cell)}', expected a number{hint}"


def media_folder(path: str, given: str | None) -> str:
    """The folder of a table's media files: `given`, or by default the table's own folder.

    Raises:
        DataError: The folder does not exist.
    """
    folder = os.path.realpath(os.path.expanduser(given or os.path.dirname(path) or "."))
    if not os.path.isdir(folder):
        raise DataError(f"source.media_root: there is no folder {escape(folder)}.")
    return folder


def _rows(mask: pl.Series) -> list[int]:
    return mask.arg_true().to_list()
