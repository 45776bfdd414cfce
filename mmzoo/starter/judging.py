"""What the columns of a table are: those to predict, and all others in the light of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from mmzoo.errors import DataError
from mmzoo.lazy import pl
from mmzoo.spec import did_you_mean
from mmzoo.spec.wording import shorten
from mmzoo.starter.cells import Cells, look, texts
from mmzoo.starter.kinds import MEDIA, TABULAR, Judged, judge
from mmzoo.starter.leaks import ONE_TO_ONE, leak
from mmzoo.starter.target import Target, judge_target, likely_targets

_MOST_SPLIT_WORDS = 8


def judged_targets(where: str, frame: pl.DataFrame, names: Sequence[str]) -> list[Target]:
    """The head for each target.

    Args:
        where: the table, for errors.
        frame: all of it.
        names: of the targets.

    Raises:
        DataError: there are none, one is not a column, or nothing can be learnt of it.
    """
    known = frame.columns
    columns = ", ".join(map(shorten, known))
    unknown = [name for name in names if name not in known]
    if unknown or not names:
        likely = likely_targets([look(frame[name]) for name in known])
        hint = f" Likely ones: {', '.join(map(shorten, likely))}." if likely else ""
        if not names:
            raise DataError(
                f"{where}: which column is to be predicted? Name it by --target COLUMN, or several "
                f"by --target COLUMN,COLUMN.{hint} The table has: {columns}"
            )
        meant = did_you_mean(unknown[0], known) or "."
        raise DataError(
            f"--target {shorten(unknown[0])}: there is no such column in {where}{meant}{hint} "
            f"The table has: {columns}"
        )
    if len(set(names)) < len(names):
        raise DataError("--target: expected each column once; some come twice")
    return [judge_target(frame[name], look(frame[name])) for name in names]


def judged_columns(frame: pl.DataFrame, targets: Sequence[Target]) -> list[Judged]:
    """What each column is that is no target."""
    names = {target.name for target in targets}
    others = [look(frame[name]) for name in frame.columns if name not in names]
    return [
        _cleared(judge(cells, _split_words(frame[cells.name], cells)), frame, targets)
        for cells in others
    ]


def _split_words(column: pl.Series, cells: Cells) -> frozenset[str]:
    if cells.reads != "text" or not 2 <= cells.distinct <= _MOST_SPLIT_WORDS:
        return frozenset()
    return frozenset(texts(column).drop_nulls().str.to_lowercase().unique().to_list())


def _cleared(judged: Judged, frame: pl.DataFrame, targets: Sequence[Target]) -> Judged:
    """The column, left out if it gives a target away."""
    if judged.kind not in ("text", *TABULAR, *MEDIA):
        return judged
    is_media = judged.kind in ("text", *MEDIA)
    for target in targets:
        why = leak(frame[judged.name], frame[target.name], is_media)
        if why is None:
            continue
        if why.startswith(ONE_TO_ONE) and judged.cells.reads == "text" != target.cells.reads:
            hint = f"--target {judged.name} would predict the same by name"
        else:
            hint = "it would give the answer away"
        return replace(judged, kind="left out", why=f"{why}: {hint}")
    return judged
