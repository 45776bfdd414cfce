"""Plans for tables: an input for each column or kind of columns, and a head for each target."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from mmzoo.data.column_types import strip_texts
from mmzoo.errors import DataError
from mmzoo.lazy import pl
from mmzoo.modalities import input_types
from mmzoo.modalities.suggestion import Section
from mmzoo.rules import RESERVED_HEAD_NAMES
from mmzoo.spec.wording import escape, shorten
from mmzoo.starter.detect_format import DetectedTable
from mmzoo.starter.infer import (
    SEEMS_SPLIT,
    InferredColumn,
    has_own_input,
    holds_media,
    infer_column,
    sample_paths,
    special_role,
)
from mmzoo.starter.media_files import find_media_root
from mmzoo.starter.plan import SHARES, TRAIN_SHARE, Plan, as_name, rare_classes, train_section
from mmzoo.starter.target import Target, infer_targets
from mmzoo.starter.target_leakage import ONE_TO_ONE, find_leak

_FEW_ROWS = 50
_IMBALANCED = 50
"""How many times rarer than the majority class the rarest one is, for classes to be weighted."""


def plan_for_table(path: Path, rows: DetectedTable, target_names: Sequence[str]) -> Plan:
    """A starter config for a table.

    Args:
        path: The table, as the config is to name it.
        rows: All of it.
        target_names: The columns to predict.

    Raises:
        DataError: A target does not exist or cannot be learned, or no column is left as an input.
    """
    where, frame = escape(str(path)), rows.frame
    if frame.is_empty():
        raise DataError(f"{where}: the table has no rows, so there is nothing to learn from")
    targets = infer_targets(where, frame, target_names)
    names = [target.name for target in targets]
    others = [frame[name] for name in frame.columns if name not in names]
    root, media_root = _media_root(path, others)
    columns = [_without_leak(infer_column(one, root), frame, targets) for one in others]
    _require_files(where, columns)
    left_out = {one.name: one.reason for one in columns if one.role == "left out"}
    inputs, optional = _inputs(columns)
    if not inputs:
        raise DataError(
            f"{where}: no column is left to predict from. Left out:\n"
            + "\n".join(f"  {shorten(name)}: {reason}" for name, reason in left_out.items())
        )
    source, unusable = _source(path, rows, columns, targets, optional, media_root)
    # Groups and the splits of a table are not stratified by class.
    is_sampled = source.fields["split"] == SHARES
    if is_sampled:
        _require_splittable(targets)
    is_frozen = all(part.fields["encoder"].get("trainable") is False for part in inputs.values())
    fusion = Section({"type": "concat", "units": [128], "dropout": 0.3})
    return Plan(
        name=as_name(path.name.split(".")[0], (), "table"),
        title=f"Predicts {', '.join(names)} from {len(frame):,} rows.",
        source=source,
        inputs=inputs,
        heads=_heads(targets, inputs),
        train=train_section(round(len(frame) * TRAIN_SHARE), is_frozen),
        fusion=fusion if len(inputs) > 1 else None,
        left_out=left_out,
        columns=tuple(_described(frame.columns, columns, targets)),
        warnings=(
            *rows.warnings,
            *_warnings(rows, columns, targets, is_sampled),
            *(f"{clause}: `on_bad_row: skip` skips such rows" for clause in unusable),
        ),
    )


def _media_root(path: Path, columns: Sequence[pl.Series]) -> tuple[str, str | None]:
    """The absolute folder to which paths are relative, and the field `media_root` if needed."""
    root = os.path.dirname(os.path.abspath(path))
    found = find_media_root([sample_paths(column) for column in columns], root)
    if found is None:
        return root, None
    return found, found if path.is_absolute() else os.path.relpath(found)


def _require_files(where: str, columns: Sequence[InferredColumn]) -> None:
    """Raises a DataError if a column has paths of files of which none can be read."""
    for column in columns:
        if column.has_missing_files:
            raise DataError(
                f"{where}: column {shorten(column.name)}: {column.reason}"
                f"{'' if column.reason.endswith('?') else '.'} Fix the paths, or "
                "remove the column to predict without its files"
            )


def _without_leak(
    column: InferredColumn, frame: pl.DataFrame, targets: Sequence[Target]
) -> InferredColumn:
    """The column, left out if it leaks a target."""
    if column.role != "input":
        return column
    is_media = column.profile.type in ("text", "file")
    for target in targets:
        leak = find_leak(frame[column.name], frame[target.name], is_media)
        if leak is None:
            continue
        if leak.startswith(ONE_TO_ONE) and column.profile.words and not target.profile.words:
            return column.left_out(f"{leak}: --target {column.name} would predict the same by name")
        return column.left_out(f"{leak}: it leaks the target")
    return column


def _require_splittable(targets: Sequence[Target]) -> None:
    """Raises a DataError if no class of the first target of classes has a row for each split."""
    counts = next((one for one in targets if one.class_counts), None)
    if counts is not None and counts.class_counts and max(counts.class_counts.values()) < 3:
        raise DataError(
            f"--target {escape(counts.name)}: none of its {len(counts.class_counts):,} classes has "
            "three rows, one for each split: add rows, or choose a column whose values repeat"
        )


def _described(
    names: Iterable[str], columns: Sequence[InferredColumn], targets: Sequence[Target]
) -> Iterable[tuple[str, str, str]]:
    inferred = {one.name: (one.kind, one.reason) for one in columns}
    heads = {one.name: (f"target: {one.head['type']}", one.reason) for one in targets}
    return ((name, *(heads.get(name) or inferred[name])) for name in names)


def _inputs(columns: Sequence[InferredColumn]) -> tuple[dict[str, Section], list[str]]:
    """The inputs by name, and the columns of those that may be missing in an example."""
    inputs: dict[str, Section] = {}
    with_gaps: dict[str, InferredColumn] = {}
    taken = {"concat"}
    merged: dict[str, Section] = {}
    for column in columns:
        suggestion = column.suggestion
        if suggestion is None:
            continue
        if has_own_input(column):
            name = as_name(column.name, taken | inputs.keys(), column.input_type)
            inputs[name] = _naming_column(suggestion, column.name, name)
            if column.profile.missing:
                with_gaps[name] = column
        else:
            found = merged.setdefault(column.input_type, Section(suggestion.fields))
            all_columns = {**found.fields["columns"], **suggestion.fields["columns"]}
            merged[column.input_type] = Section({**found.fields, "columns": all_columns})
    for section in merged.values():
        inputs[as_name("table", taken | inputs.keys(), "table")] = section
    if len(inputs) == 1:  # The only input is present, or there is nothing to predict from.
        return inputs, []
    optional = []
    for name, column in with_gaps.items():
        if "missing" in input_types()[column.input_type].model_fields:
            inputs[name] = _learned_where_missing(inputs[name], column)
            optional.append(column.name)
    return inputs, optional


def _learned_where_missing(section: Section, column: InferredColumn) -> Section:
    fields = {name: value for name, value in section.fields.items() if name != "missing"}
    encoder = fields.pop("encoder")
    profile = column.profile
    reason = f"{profile.missing:,} of {profile.rows:,} cells are empty"
    return Section(
        {**fields, "missing": "learned", "encoder": encoder},
        {**section.reasons, "missing": reason},
    )


def _naming_column(section: Section, column: str, name: str) -> Section:
    """The section with a `column` field, if the section's name differs from the column's."""
    if column == name:
        return section
    kind, *others = section.fields.items()
    return Section(dict([kind, ("column", column), *others]), section.reasons)


def _heads(targets: Sequence[Target], inputs: Iterable[str]) -> dict[str, Section]:
    heads: dict[str, Section] = {}
    for target in targets:
        fields, reasons = dict(target.head), {"type": target.reason}
        if target.class_counts:
            most, least = max(target.class_counts.values()), min(target.class_counts.values())
            if most >= _IMBALANCED * least:
                fields["class_weights"] = "auto"
                reasons["class_weights"] = f"class imbalance: {least:,} to {most:,} rows per class"
        missing, rows = target.profile.missing, target.profile.rows
        if missing and len(targets) > 1:
            fields["missing"] = "ignore"
            reasons["missing"] = (
                f"{missing:,} of {rows:,} rows have no {target.name}; they train the other heads"
            )
        name = as_name(target.name, {*inputs, *RESERVED_HEAD_NAMES, "concat", *heads}, "target")
        heads[name] = _naming_column(Section(fields, reasons), target.name, name)
    return heads


# The source


def _source(
    path: Path,
    rows: DetectedTable,
    columns: Sequence[InferredColumn],
    targets: Sequence[Target],
    optional: Sequence[str],
    media_root: str | None,
) -> tuple[Section, list[str]]:
    """The section, and clauses on the rows that it skips."""
    fields: dict[str, Any] = {"type": "table", "path": str(path), **rows.fields}
    reasons = dict.fromkeys(rows.fields, "the format of the file")
    if "missing_values" in fields:
        reasons["missing_values"] = "column of numbers: words for missing ones"
    if media_root is not None:
        fields["media_root"], reasons["media_root"] = media_root, "the files were found there"
    fields["split"], reasons["split"] = _split(columns, optional)
    if folds := fields["split"].get("folds"):
        of = next(one.profile.distinct for one in columns if one.name == folds)
        fields["fold"], reasons["fold"] = {"index": 1, "of": of}, "the fold that is tested on"
    unusable = list(_unusable_rows(rows, columns, targets, optional, fields["split"].get("group")))
    if unusable:
        fields["on_bad_row"] = "skip"
        reasons["on_bad_row"] = "; ".join(unusable)
    return Section(fields, {name: reason for name, reason in reasons.items() if reason}), unusable


def _split(
    columns: Sequence[InferredColumn], optional: Sequence[str]
) -> tuple[dict[str, Any], str]:
    """The fields of `split`, and why: a column of splits, folds, or shares with groups."""
    splits = [one for one in columns if one.role == "split"]
    if splits:
        return {"column": splits[0].name}, splits[0].reason
    folds = [one for one in columns if one.role == "fold"]
    if len(folds) == 1:
        return {"folds": folds[0].name}, folds[0].reason
    # Several rows may have one file. A group must not be empty in any row.
    groups = [
        one
        for one in columns
        if one.role == "group"
        or (
            one.role == "input"
            and one.profile.type == "file"
            and one.profile.distinct < one.profile.filled
            and one.name not in optional
        )
    ]
    if not groups:
        return dict(SHARES), ""
    group = min(groups, key=lambda one: one.profile.distinct)
    return {**SHARES, "group": group.name}, f"rows with the same {group.name} stay in one split"


def _unusable_rows(
    rows: DetectedTable,
    columns: Sequence[InferredColumn],
    targets: Sequence[Target],
    optional: Sequence[str],
    group: str | None,
) -> Iterable[str]:
    """Clauses on rows that the config skips."""
    total = len(rows.frame)
    needed = [target.profile for target in targets if len(targets) == 1]
    needed += [
        one.profile
        for one in columns
        if one.name == group
        or (
            one.suggestion is not None
            and has_own_input(one)
            and one.name not in optional
            and "missing" not in one.suggestion.fields
        )
    ]
    for profile in {profile.name: profile for profile in needed}.values():
        if profile.missing:
            yield f"{profile.missing:,} of {total:,} rows have no {profile.name}"
    if len(targets) > 1 and (count := _all_empty(rows.frame[target.name] for target in targets)):
        yield f"{count:,} of {total:,} rows have none of the targets"
    own = [one.name for one in columns if has_own_input(one)]
    has_table = any(one.role == "input" and not has_own_input(one) for one in columns)
    all_optional = optional and optional == own and not has_table
    if all_optional and (count := _all_empty(rows.frame[name] for name in optional)):
        yield f"{count:,} of {total:,} rows have none of the inputs"
    for column in columns:
        if column.suggestion is None:
            continue
        if unreadable := column.suggestion.unreadable:
            path, reason = next(iter(unreadable.items()))
            yield (
                f"{len(unreadable):,} of {column.sampled_files:,} sampled files of {column.name} "
                f"cannot be read, such as {escape(path)}: {reason}"
            )
        if column.profile.odd and column.kind in ("number", "date", "datetime"):
            yield _odd_cells(column.name, column.profile.odd, column.profile.odd_example)
    for target in targets:
        if target.profile.odd and target.head["type"] == "regression":
            yield _odd_cells(target.name, target.profile.odd, target.profile.odd_example)
    if rows.malformed:
        row, reason = next(iter(rows.malformed.items()))
        yield f"{len(rows.malformed):,} rows are malformed, such as row {row + 1:,}: {reason}"


def _odd_cells(name: str, count: int, example: str) -> str:
    cells = "1 cell" if count == 1 else f"{count:,} cells"
    return f"{cells} of {name} cannot be parsed, such as '{shorten(example)}'"


def _all_empty(columns: Iterable[pl.Series]) -> int:
    """The number of rows in which all of these columns are empty."""
    frame = pl.DataFrame([strip_texts(one).is_null() for one in columns])
    return int(frame.select(pl.all_horizontal(pl.all()).sum()).item())


# Warnings


def _warnings(
    rows: DetectedTable,
    columns: Sequence[InferredColumn],
    targets: Sequence[Target],
    is_sampled: bool,
) -> Iterable[str]:
    for column in columns:
        if holds_media(column.profile) and column.suggestion is None:
            yield f"{column.name}: {column.reason}"
        if column.reason.startswith(SEEMS_SPLIT):
            yield (
                f"{shorten(column.name)}: {column.reason}. Rows are split without it; fix the "
                "column to use it."
            )
    for target in targets:
        if target.profile.odd and target.class_counts:
            yield (
                f"{target.name}: its values are classes, not numbers, because of "
                f"'{shorten(target.profile.odd_example)}'"
            )
        special = special_role(target.profile)
        is_number = target.profile.type == "number" or target.profile.whole
        if is_number and special is not None and special[0] == "left out":
            yield f"{target.name}: {special[1]}, so there may be nothing to learn"
        elif special is not None and special[0] in ("split", "fold"):
            yield (
                f"{target.name}: it seems to be the {special[0]} column, as {special[1]}: if "
                "you do not want to predict it, choose another --target"
            )
        if is_sampled and target.class_counts:
            yield from rare_classes(target.name, target.class_counts, "row")
    if len(rows.frame) < _FEW_ROWS:
        yield f"{len(rows.frame):,} rows are few: scores on a part of them are unreliable"
