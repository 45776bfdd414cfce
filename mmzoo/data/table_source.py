"""The source `table`: examples from CSV, TSV, JSON lines or Parquet files."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Annotated, Literal

from annotated_types import MinLen

from mmzoo.column_spec import ColumnSpec
from mmzoo.data.bad_rows import bad_rows_error
from mmzoo.data.column_types import as_texts, one_spelling
from mmzoo.data.duplicates import OnDuplicate
from mmzoo.data.frame import (
    ROW,
    SPLIT,
    Frame,
    OnBadRow,
    OtherColumns,
    Sampling,
    Skipped,
    issues_table,
    other_column,
)
from mmzoo.data.number_formats import Decimal, ambiguous_thousands, plain_numbers
from mmzoo.data.parse_columns import (
    ParsedColumn,
    encode_names,
    first_names,
    issues_of,
    media_folder,
    names_in,
    parse_columns,
    target_columns,
)
from mmzoo.data.split_assignment import (
    SplitInfo,
    TableSplit,
    assign_splits,
    folds_in_column,
    shared_groups,
    splits_in_column,
)
from mmzoo.data.splits import SPLITS, Fold
from mmzoo.data.table_format import TableFormat, format_for
from mmzoo.data.table_reader import concat_tables, read_table, require_columns
from mmzoo.errors import DataError
from mmzoo.lazy import np, pl
from mmzoo.spec import Problem, Spec
from mmzoo.spec.wording import escape, shorten


class TableRows(Spec):
    """The fields of `Table` that choose its rows and their splits.

    A class of its own, so that they come before those of `TableFormat`.
    """

    type: Literal["table"] = "table"
    path: Annotated[str, MinLen(1)]
    """The table's file, relative to the working directory."""
    split: TableSplit = TableSplit()
    """The training, validation and test splits."""
    fold: Fold | None = None
    """For cross-validation: the fold that is the test split. The folds are the same for all
    seeds."""
    on_bad_row: OnBadRow = "error"
    """What to do about rows without a label or with invalid cells: stop with an error, or skip
    them and list them in the run."""
    on_duplicate: OnDuplicate = "warn"
    """What to do about rows whose inputs equal those of a row in another split: warn, stop with an
    error, or drop them from the split that is nearer to training."""


class Table(TableFormat, TableRows):
    """A table with one example per row: CSV, TSV, JSON lines or Parquet.

    Text files may be compressed: `.csv.gz`, `.tsv.xz`, `.jsonl.zst`. Inputs and heads read its
    columns as numbers, texts, classes, or paths of files relative to the table's folder. Rows are
    counted from 1, below the header.
    """

    def rules(self) -> Iterator[Problem]:
        yield from super().rules()
        if "\0" in self.path:
            yield Problem(("path",), "a path cannot hold the character \\0")
        if self.split.folds is not None and self.fold is None:
            yield Problem(("fold",), "expected one with `split.folds`, such as {index: 1, of: 10}")
        for name in ("column", "files"):
            if self.fold is not None and getattr(self.split, name) is not None:
                yield Problem(
                    ("fold",), f"expected none with `split.{name}`: both define the test split"
                )

    def columns(self) -> dict[str, Literal["input", "target"]] | None:
        """None: the columns are not known before the table is read."""
        return None

    def read(self, specs: Mapping[str, ColumnSpec], seed: int) -> Frame:
        """Reads the table, parses its columns and assigns its rows to splits.

        The media files in its columns are checked but not opened; the code that reads them adds
        their content to the fingerprint.

        Args:
            specs: The columns to read, with their roles.
            seed: Decides which rows are validation rows.

        Returns:
            All rows. Invalid cells are issues.

        Raises:
            DataError: A file cannot be read, a column is missing or does not fit its role, or
                there are too few rows for the splits.
        """
        columns = dict.fromkeys([*specs, *self.split.columns()])
        raw, sha256s = concat_tables(self.path, self.split.files, self, columns)
        shown, name = raw.name, escape(os.path.basename(self.path))
        raw = replace(raw, name=name)
        root = media_folder(self.path, self.media_root)
        _check_thousands(raw.table, specs, self.decimal, f"table {shown}")
        raw = replace(raw, table=_plain(raw.table, specs, self.decimal))
        # The splits must not depend on which classes are known: a run knows those of its training
        # rows, and must get the same splits again.
        without_names = {column: replace(spec, names=None) for column, spec in specs.items()}
        parsed = parse_columns(raw.table, without_names, root, shown)
        raw = raw.with_issues(issues_of(raw.table, parsed, specs))
        if group := self.split.group:
            empty = raw.table[group].is_null().arg_true().to_list()
            clause = (group, f"its `{group}` is empty")
            issues = raw.found_issues() | dict.fromkeys(empty, clause)
            raw = replace(raw, issues=issues_table(issues))
        usable = np.ones(raw.table.height, bool)
        usable[raw.issues["row"].to_numpy()] = False
        try:
            info = self._split_info(raw, f"table {shown}: column", parsed, specs, usable)
            splits, sampling_notes = self._draw(name, info, seed, usable)
        except DataError:
            if not raw.issues.is_empty() and self.on_bad_row == "error":
                found = raw.found_issues().items()
                bad = [Skipped(raw.row_name(row), "", reason) for row, (_, reason) in found]
                raise bad_rows_error(name, bad, "row") from None
            raise
        table, class_names, unknown = _encode(parsed, specs, np.flatnonzero(usable & (splits == 0)))
        usable[list(unknown)] = False
        clauses = (*raw.notes, *(note for one in parsed.values() for note in one.notes))
        return replace(
            raw,
            table=table.with_columns(
                pl.Series(SPLIT, [SPLITS[index] for index in splits]), raw.table[ROW]
            ),
            fingerprint=self._fingerprint(sha256s, splits, specs),
            class_names=class_names,
            notes=(*sampling_notes, *(f"{name}: {clause}" for clause in clauses)),
            sampling=Sampling(usable, sampling_notes, partial(self._draw, name, info, seed)),
        ).with_issues(unknown)

    def _draw(
        self, name: str, info: SplitInfo, seed: int, usable: np.ndarray
    ) -> tuple[np.ndarray, tuple[str, ...]]:
        """The split of each row, and notes."""
        info = replace(info, usable=usable)
        shares = {"validation": self.split.validation, "test": self.split.test}
        splits, _, notes = assign_splits(name, info, shares, seed, self.fold, is_table=True)
        return splits, (*notes, *(f"{name}: {clause}" for clause in shared_groups(info, splits)))

    def _split_info(
        self,
        raw: Frame,
        where: str,
        parsed: Mapping[str, ParsedColumn],
        specs: Mapping[str, ColumnSpec],
        usable: np.ndarray,
    ) -> SplitInfo:
        """The columns and files that define splits, and the classes to stratify by."""
        split, table = self.split, raw.table
        indices = table[SPLIT].replace_strict(list(SPLITS), [0, 1, 2], return_dtype=pl.Int64)
        info = SplitInfo(indices.to_numpy(writable=True), usable)
        if split.column:
            at = f"{where} `{split.column}`"
            words = as_texts(table[split.column], at, "the names of splits")
            info = replace(info, given=splits_in_column(words, at))
        if split.folds and self.fold:
            at = f"{where} `{split.folds}`"
            words = one_spelling(as_texts(table[split.folds], at, "the numbers or names of folds"))
            folds = folds_in_column(words, names_in(words), self.fold, at)
            info = replace(info, folds=folds)
        if split.group:
            at = f"{where} `{split.group}`"
            groups = one_spelling(as_texts(table[split.group], at, "the names of groups"))
            info = replace(info, groups=groups, grouped_by=split.group)
        by = next((column for column, spec in specs.items() if spec.role == "class"), None)
        if by is None:
            return info
        # Stratified by the first column of classes; missing labels count as one more class.
        values, spec = parsed[by].values, specs[by]
        names, known = names_in(values), None
        codes, _ = encode_names(values, names, known=True)
        if spec.names is not None or spec.optional:
            known_codes, _ = encode_names(values, spec.names or names, known=True)
            is_known = known_codes.is_not_null() | (values.is_null() & (not spec.optional))
            # Nor need a single row without a class be in every split.
            known = is_known.to_numpy()
        classes = codes.fill_null(len(names)).to_numpy()
        return replace(info, classes=classes, class_names=names, known=known)

    def _fingerprint(
        self, sha256s: Mapping[str, str], splits: np.ndarray, specs: Mapping[str, ColumnSpec]
    ) -> str:
        form = {name: getattr(self, name) for name in TableFormat.model_fields}
        marks = {column: spec.separator for column, spec in specs.items() if spec.role == "labels"}
        # A single separator is recorded as when it was a field of the source.
        form["label_separator"] = marks if len({*marks.values()}) > 1 else [*marks.values(), "|"][0]
        content = {
            "files": sha256s,
            "format": {name: value for name, value in form.items() if name != "media_root"},
            "splits": {
                split: hashlib.sha256(
                    np.flatnonzero(splits == index).astype("<i8").tobytes()
                ).hexdigest()
                for index, split in enumerate(SPLITS)
            },
        }
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def read_rows(
    data: str | pl.DataFrame,
    specs: Mapping[str, ColumnSpec],
    split: str = "data",
    form: TableFormat | None = None,
    field: str = "--data",
    *,
    others: OtherColumns = "none",
) -> Frame:
    """All rows of a table as a single split, for a trained model.

    Columns are parsed as by `Table.read`. For prediction, `specs` has no label columns, so labels
    need not exist. For evaluation, the specs of label columns have the class names that the model
    knows: a row with another class is a bad row, and class ids do not change. An optional column
    may be missing from the table: its values are then missing in all rows. If there are specs of
    label columns, at least one of these columns must exist.

    Args:
        data: The path of a table, relative to the working directory: CSV, TSV, JSON lines or
            Parquet; or a table in memory.
        specs: The columns to read, with their roles.
        split: The name of the split.
        form: The format of the table and its media folder. By default what its suffix implies, and
            the table's own folder. Separator, quotes and encoding of a `Table` apply only to tables
            with the same suffix.
        field: The field or option that has the path, for errors.
        others: Which columns to keep unparsed, such as ids to write next to the predictions: see
            `Frame.other_columns`.

    Raises:
        DataError: The table cannot be read, is malformed, or lacks a required column.
    """
    path = data if isinstance(data, str) else ""
    if isinstance(form, Table) and path:
        form = format_for(path, form, form.path)
    form = form or TableFormat()
    optional = [column for column, spec in specs.items() if spec.optional]
    targets, every = target_columns(specs), others != "none"
    if isinstance(data, str):
        raw = read_table(
            data,
            form,
            list(specs),
            field,
            optional=optional,
            one_of=targets,
            others=every,
            guess_encoding=True,
        )
        name = escape(os.path.basename(data))
    else:
        name = "the given data"
        sha256 = hashlib.sha256(data.hash_rows().to_numpy().tobytes()).hexdigest()
        raw = Frame(data, name, sha256, rows_are="row")
        raw = require_columns(
            raw, data.columns, form, list(specs), optional=optional, one_of=targets, others=every
        )
    root = media_folder(path, form.media_root)
    kept = {
        column: raw.table[column]
        for column in raw.table.columns
        if column != ROW and (others == "all" or column not in specs)
    }
    missing = [column for column in optional if column not in raw.table.columns]
    raw = replace(
        raw,
        table=raw.table.with_columns(
            pl.lit(split).alias(SPLIT),
            *(pl.lit(None, pl.String).alias(column) for column in missing),
        ),
    )
    raw = replace(raw, table=_plain(raw.table, specs, form.decimal))
    parsed = parse_columns(raw.table, specs, root, raw.name)
    raw = raw.with_issues(issues_of(raw.table, parsed, specs))
    table, class_names, unknown = _encode(parsed, specs, np.arange(raw.table.height))
    _require_known(name, parsed, class_names, unknown)
    content = {"file": raw.fingerprint, "columns": list(specs)}
    notes = (
        *raw.notes,
        *(f"there is no column `{shorten(column)}`: missing in all rows" for column in missing),
        *(note for one in parsed.values() for note in one.notes),
    )
    return replace(
        raw,
        table=raw.table.select(ROW, SPLIT).with_columns(
            *table.get_columns(), *(one.alias(other_column(key)) for key, one in kept.items())
        ),
        name=name,
        fingerprint=hashlib.sha256(json.dumps(content).encode()).hexdigest(),
        class_names=class_names,
        notes=tuple(f"{name}: {note}" for note in notes),
    ).with_issues(unknown)


def _require_known(
    name: str,
    parsed: Mapping[str, ParsedColumn],
    known: Mapping[str, Sequence[str]],
    unknown: Mapping[int, tuple[str | None, str]],
) -> None:
    """Raises a DataError if no row has a class that the model knows, which ten rows cannot show."""
    for column, names in known.items():
        rows = sum(one == column for one, _ in unknown.values())
        if rows and rows == len(parsed[column].values.drop_nulls()):
            found = first_names(
                [one for one in names_in(parsed[column].values) if one not in names]
            )
            raise DataError(
                f"{name}: all {rows:,} rows have a `{shorten(column)}` that the model does not "
                f"know: {found}. It knows {first_names(names)}. Wrong table?"
            )


def _numeric_texts(table: pl.DataFrame, specs: Mapping[str, ColumnSpec]) -> list[str]:
    return [
        column
        for column, spec in specs.items()
        if spec.role in ("value", "number") and table.schema[column] == pl.String
    ]


def _check_thousands(
    table: pl.DataFrame, specs: Mapping[str, ColumnSpec], decimal: Decimal | None, where: str
) -> None:
    """Raises a DataError if points may separate thousands, and `decimal` does not say so."""
    for column in _numeric_texts(table, specs) if decimal is None else ():
        if found := ambiguous_thousands(table[column]):
            number = found[0].strip()
            raise DataError(
                f"{where}: column `{column}`: '{number}' beside '{found[1].strip()}' may be "
                f'{number.replace(".", "")}. Write `decimal: ","` into the config\'s source if '
                'points separate thousands, or `decimal: "."` if they do not.'
            )


def _plain(
    table: pl.DataFrame, specs: Mapping[str, ColumnSpec], decimal: Decimal | None
) -> pl.DataFrame:
    """The table with plain numbers in the columns that are read as numbers."""
    if decimal is None:
        return table
    columns = _numeric_texts(table, specs)
    return table.with_columns([plain_numbers(table[column], decimal) for column in columns])


def _encode(
    parsed: Mapping[str, ParsedColumn], specs: Mapping[str, ColumnSpec], train: np.ndarray
) -> tuple[pl.DataFrame, dict[str, tuple[str, ...]], dict[int, tuple[str | None, str]]]:
    """Encodes classes and labels as ids.

    Args:
        parsed: All columns.
        specs: Their roles, with the known names of classes and labels.
        train: The training rows, which define the names where none are known.

    Returns:
        The columns; column -> class names; and issues for rows with unknown classes.
    """
    columns, class_names = [], {}
    unknown: dict[int, tuple[str | None, str]] = {}
    for column, one in parsed.items():
        values, names = one.values.alias(column), specs[column].names
        if specs[column].role in ("class", "labels"):
            class_names[column] = names or names_in(values.gather(train))
            values, others = encode_names(values, class_names[column], names is not None)
            unknown |= {row: (column, reason) for row, reason in others.items()}
        columns.append(values)
    return pl.DataFrame(columns), class_names, unknown
