"""The source `table`: examples from CSV, TSV, JSON lines or Parquet files."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Annotated, Literal

from annotated_types import MinLen

from mmzoo.column_spec import ColumnSpec
from mmzoo.data.bad_rows import bad_rows_error
from mmzoo.data.class_encoding import encode_columns, encode_names, names_in
from mmzoo.data.column_types import as_texts, has_rounded_ids, one_spelling, rounded_ids_warning
from mmzoo.data.duplicates import OnDuplicate
from mmzoo.data.frame import ROW, SPLIT, Frame, OnBadRow, Skipped, issues_table
from mmzoo.data.number_formats import ambiguous_thousands, has_three_decimals
from mmzoo.data.parse_columns import ParsedColumn, issues_of, media_folder, parse_columns
from mmzoo.data.split_assignment import Assignment, SplitInfo, assign_splits
from mmzoo.data.splits import SPLITS, Fold
from mmzoo.data.table_format import TableFormat
from mmzoo.data.table_reader import concat_tables
from mmzoo.data.table_split import TableSplit, folds_in_column, splits_in_column
from mmzoo.errors import DataError
from mmzoo.lazy import np, pl
from mmzoo.spec import Problem, Spec
from mmzoo.spec.wording import escape


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
        warnings = [*raw.warnings, *self._thousands(raw.table, specs, f"table {shown}")]
        # The splits must not depend on which classes are known: a run knows those of its training
        # rows, and must get the same splits again.
        without_names = {column: replace(spec, names=None) for column, spec in specs.items()}
        parsed = parse_columns(raw.table, without_names, root, shown, self.decimal)
        raw = raw.with_issues(issues_of(raw.table, parsed, specs))
        if group := self.split.group:
            if has_rounded_ids(raw.table[group]):
                warnings.append(rounded_ids_warning(group))
            empty = raw.table[group].is_null().arg_true().to_list()
            clause = (group, f"its `{group}` is empty")
            issues = raw.found_issues() | dict.fromkeys(empty, clause)
            raw = replace(raw, issues=issues_table(issues))
        usable = np.ones(raw.table.height, bool)
        usable[raw.issues["row"].to_numpy()] = False
        assigned = self._assign(raw, f"table {shown}: column", parsed, specs, usable, seed)
        table, class_names, unknown = encode_columns(
            {column: one.values for column, one in parsed.items()},
            specs,
            np.flatnonzero(usable & (assigned.splits == 0)),
        )
        usable[list(unknown)] = False  # In `assigned.info` too, as they need not be drawn again.
        clauses = (*raw.notes, *(note for one in parsed.values() for note in one.notes))
        warnings += [warning for one in parsed.values() for warning in one.warnings]
        return replace(
            raw,
            table=table.with_columns(
                pl.Series(SPLIT, [SPLITS[index] for index in assigned.splits]), raw.table[ROW]
            ),
            fingerprint=self._fingerprint(sha256s, assigned.splits, specs),
            class_names=class_names,
            notes=(*assigned.notes, *(f"{name}: {clause}" for clause in clauses)),
            warnings=tuple(f"{name}: {clause}" for clause in warnings),
            assignment=assigned,
        ).with_issues(unknown)

    def _thousands(
        self, table: pl.DataFrame, specs: Mapping[str, ColumnSpec], where: str
    ) -> list[str]:
        """Clauses on targets whose points may separate thousands, if `decimal` does not say so.

        Raises:
            DataError: A column with such numbers has others too that make it likely.
        """
        warnings = []
        for column, spec in specs.items() if self.decimal is None else ():
            if spec.role not in ("value", "number") or table.schema[column] != pl.String:
                continue
            if found := ambiguous_thousands(table[column]):
                number, fix = found[0].strip(), 'Write `decimal: ","` into the config\'s source'
                raise DataError(
                    f"{where}: column `{column}`: '{number}' beside '{found[1].strip()}' may be "
                    f"{number.replace('.', '')}. {fix} if points separate thousands, or "
                    '`decimal: "."` if they do not.'
                )
            if spec.role == "number" and has_three_decimals(table[column]):
                number = table[column].drop_nulls()[0].strip()
                warnings.append(
                    f"`{column}`: '{number}' is read as {number}, but may be "
                    f"{number.replace('.', '')}, as all of its numbers have three decimals: write "
                    '`decimal: ","` into the config\'s source if points separate thousands, else '
                    '`decimal: "."`'
                )
        return warnings

    def _assign(
        self,
        raw: Frame,
        where: str,
        parsed: Mapping[str, ParsedColumn],
        specs: Mapping[str, ColumnSpec],
        usable: np.ndarray,
        seed: int,
    ) -> Assignment:
        """Assigns rows to splits; if there are too few, bad rows are reported as the cause."""
        shares = {"validation": self.split.validation, "test": self.split.test}
        try:
            info = self._split_info(raw, where, parsed, specs, usable)
            return assign_splits(raw.name, info, shares, seed, self.fold, is_table=True)
        except DataError:
            if not raw.issues.is_empty() and self.on_bad_row == "error":
                found = raw.found_issues().items()
                bad = [Skipped(raw.row_name(row), "", reason) for row, (_, reason) in found]
                raise bad_rows_error(raw.name, bad, "row") from None
            raise

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
