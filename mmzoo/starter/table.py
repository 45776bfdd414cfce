"""A starter config for a table: an input for each of its columns, and a head for each target."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from mmzoo.errors import DataError
from mmzoo.lazy import pl
from mmzoo.rules import RESERVED
from mmzoo.spec.wording import printable, shorten
from mmzoo.starter.cells import texts
from mmzoo.starter.judging import judged_columns, judged_targets
from mmzoo.starter.kinds import MEDIA, TABULAR, Judged, judge
from mmzoo.starter.media import look_at_pictures, look_at_sounds
from mmzoo.starter.modalities import learned_where_missing, tabular_input, text_input
from mmzoo.starter.plan import Part, Plan, as_name, training
from mmzoo.starter.rows import Rows
from mmzoo.starter.splits import split_of, unused_splits
from mmzoo.starter.target import Target

_TOLD_FILES = 3
_FEW_ROWS = 50
_UNEQUAL = 50
"""How many times rarer the rarest class is, for classes to be weighed against that."""


def plan_for_table(path: Path, rows: Rows, targets: Sequence[str]) -> Plan:
    """What to begin with for a table.

    Args:
        path: the table's, as the config is to have it.
        rows: all of the table.
        targets: names of the columns to predict.

    Raises:
        DataError: a target is not there or cannot be learnt, or nothing is left to learn from.
    """
    where, frame = printable(str(path)), rows.frame
    if frame.is_empty():
        raise DataError(f"{where}: the table has no rows, so there is nothing to learn from")
    heads = judged_targets(where, frame, targets)
    return _Table(path, rows, judged_columns(frame, heads), heads).plan()


@dataclass
class _Table:
    """The parts of a plan, each from what was found out before."""

    path: Path
    rows: Rows
    columns: list[Judged]
    targets: list[Target]
    unread: list[str] = field(default_factory=list)
    """Which rows cannot be used for what is in the columns of inputs, as clauses."""
    optional: list[str] = field(default_factory=list)
    """The columns of inputs that an example may lack."""

    @property
    def frame(self) -> pl.DataFrame:
        return self.rows.frame

    def plan(self) -> Plan:
        """The whole of it."""
        warnings: list[str] = []
        inputs = self._inputs(warnings)
        left_out = {one.name: one.why for one in self.columns if one.kind == "left out"}
        warnings += unused_splits(left_out)
        if not inputs:
            raise DataError(
                f"{printable(str(self.path))}: no column is left to predict from. Left out:\n"
                + "\n".join(f"  {shorten(name)}: {why}" for name, why in left_out.items())
            )
        heads = self._heads(set(inputs), warnings)
        frozen = [part.fields["encoder"].get("trainable") is False for part in inputs.values()]
        name = as_name(self.path.name.split(".")[0], (), "table")
        rows = len(self.frame)
        if rows < _FEW_ROWS:
            warnings.append(f"{rows:,} rows are few: what is measured on some of them says little")
        return Plan(
            name=name,
            head=f"Predicts {', '.join(self._target_names())} from {rows:,} rows.",
            source=self._source(warnings),
            inputs=inputs,
            heads=heads,
            train=training(round(rows * 0.7), all(frozen)),
            fusion=Part({"type": "concat", "units": [128], "dropout": 0.3})
            if len(inputs) > 1
            else None,
            left_out=left_out,
            seen=tuple(self._seen()),
            warnings=tuple(warnings),
        )

    def _target_names(self) -> list[str]:
        return [target.name for target in self.targets]

    def _seen(self) -> Sequence[tuple[str, str, str]]:
        targets = {target.name: target for target in self.targets}
        judged = {one.name: one for one in self.columns}
        return [
            (name, f"target: {targets[name].head['type']}", targets[name].why)
            if name in targets
            else (name, judged[name].kind, judged[name].why)
            for name in self.frame.columns
        ]

    def _inputs(self, warnings: list[str]) -> dict[str, Part]:
        parts: dict[str, Part] = {}
        with_gaps: dict[str, Judged] = {}
        taken = {"concat"}
        for place, judged in enumerate(self.columns):
            if judged.kind in MEDIA:
                part = self._media(place, warnings)
            elif judged.kind == "text":
                part = text_input(judged, self.frame[judged.name])
            else:
                continue
            if part is not None:
                name = as_name(judged.name, taken | parts.keys(), judged.kind)
                parts[name] = _of_column(part, judged.name, name)
                if judged.cells.missing:
                    with_gaps[name] = judged
        tabular = [one for one in self.columns if one.kind in TABULAR]
        if tabular:
            name = as_name("table", taken | parts.keys(), "table")
            parts[name] = tabular_input(tabular, len(self.frame))
        if len(parts) > 1:  # An only input is there, or there is nothing to predict from.
            for name, judged in with_gaps.items():
                parts[name] = learned_where_missing(parts[name], judged)
                self.optional.append(judged.name)
            if len(with_gaps) == len(parts):
                self._count_rows_of_nothing()
        return parts

    def _count_rows_of_nothing(self) -> None:

        cells = self.frame.select(texts(self.frame[name]).alias(name) for name in self.optional)
        count = cells.select(pl.all_horizontal(pl.all().is_null()).sum()).item()
        if count:
            self.unread.append(f"{count:,} of {len(self.frame):,} rows have none of the inputs")

    def _media(self, place: int, warnings: list[str]) -> Part | None:
        """The input of a column of files; None where none of them can be read."""
        judged = self.columns[place]
        paths = texts(self.frame[judged.name]).drop_nulls().unique(maintain_order=True).to_list()
        root = os.path.dirname(os.path.abspath(self.path))
        look_at = look_at_pictures if judged.kind == "image" else look_at_sounds
        found = look_at(paths, root)
        told = [f"{printable(path)}: {why}" for path, why in list(found.bad.items())[:_TOLD_FILES]]
        if not found.fields:
            why = f"none of {found.looked:,} of its files can be read below {root}: {told[0]}"
            self.columns[place] = replace(judged, kind="left out", why=why)
            warnings.append(f"{judged.name}: {why}")
            return None
        if found.bad:
            warnings.append(
                f"{judged.name}: {len(found.bad):,} of {found.looked:,} files that were looked at "
                f"cannot be read, such as {told[0]}. Such rows are left out, as `on_bad_row: skip` "
                "says."
            )
            files = "1 file" if len(found.bad) == 1 else f"{len(found.bad):,} files"
            self.unread.append(f"{files} of {judged.name} cannot be read")
        return Part(found.fields, found.why)

    def _heads(self, inputs: set[str], warnings: list[str]) -> dict[str, Part]:
        parts: dict[str, Part] = {}
        for target in self.targets:
            judged = judge(target.cells, frozenset())
            if judged.kind == "left out" and target.cells.reads == "number":
                warnings.append(
                    f"{target.name}: {judged.why}, so there may be nothing to learn of it"
                )
            name = as_name(target.name, {*inputs, *RESERVED, "concat", *parts}, "target")
            fields, why = dict(target.head), {"type": target.why}
            if target.classes:
                counts = texts(self.frame[target.name]).drop_nulls().value_counts()["count"]
                most, least = int(str(counts.max())), int(str(counts.min()))
                if most >= _UNEQUAL * least:
                    fields["class_weights"] = "auto"
                    why["class_weights"] = f"the classes have {least:,} to {most:,} rows"
                if target.rare:
                    rare = ", ".join(map(shorten, target.rare[:_TOLD_FILES]))
                    warnings.append(
                        f"{target.name}: {len(target.rare):,} of its classes have a single row, "
                        f"which no split can share: {rare}. Remove them or add rows."
                    )
            if missing := self._left_to_the_others(target):
                fields["missing"], why["missing"] = "ignore", missing
            parts[name] = _of_column(Part(fields, why), target.name, name)
        return parts

    def _left_to_the_others(self, target: Target) -> str:
        """Why rows without a target train the other heads; nothing where there are none of them."""
        cells = target.cells
        if len(self.targets) == 1 or not cells.missing:
            return ""
        return f"{cells.missing:,} of {cells.rows:,} rows have none, and train the other heads"

    def _source(self, warnings: list[str]) -> Part:
        fields: dict[str, Any] = {"type": "table", "path": str(self.path), **self.rows.form}
        why: dict[str, str] = dict(self.rows.why)
        fields["split"], why["split"] = split_of(self.columns, self.optional)
        if "folds" in fields["split"]:
            folds = next(one for one in self.columns if one.kind == "fold")
            fields["fold"] = {"index": 1, "of": folds.cells.distinct}
            why["fold"] = "the fold that tests"
        needed = [target.cells for target in self.targets if len(self.targets) == 1]
        needed += [
            one.cells for one in self.columns if one.kind in MEDIA and one.name not in self.optional
        ]
        group = fields["split"].get("group")
        needed += [one.cells for one in self.columns if one.kind == "group" and one.name == group]
        said = [
            f"{one.missing:,} of {one.rows:,} rows have no {one.name}"
            for one in needed
            if one.missing
        ]
        if len(self.targets) > 1 and (without := self._without_any_target()):
            said.append(f"{without:,} of {len(self.frame):,} rows have none of the targets")
        said += self.unread
        if bad := self.rows.bad:
            row, reason = next(iter(bad.items()))
            said.append(f"{len(bad):,} rows are cut or too long")
            warnings.append(f"{len(bad):,} rows, such as row {row + 1:,}: {reason}")
        if said:
            fields["on_bad_row"] = "skip"
            why["on_bad_row"] = "; ".join(said)
        return Part(fields, {name: text for name, text in why.items() if text})

    def _without_any_target(self) -> int:

        empty = pl.all_horizontal(pl.col(self._target_names()).is_null())
        return int(self.frame.select(empty).to_series().sum())


def _of_column(part: Part, column: str, name: str) -> Part:
    """The part with its column said, where its name does not."""
    if column == name:
        return part
    kind, *others = part.fields.items()
    return replace(part, fields=dict([kind, ("column", column), *others]))
