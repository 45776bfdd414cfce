"""Targets: the head that fits a column's values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mmzoo.data.column_profile import ColumnProfile, profile_column
from mmzoo.data.column_types import FEW_VALUES, name_words, one_spelling
from mmzoo.data.label_lists import SEPARATORS, parse_lists
from mmzoo.data.number_formats import unread_format
from mmzoo.errors import DataError
from mmzoo.lazy import pl
from mmzoo.spec import did_you_mean
from mmzoo.spec.wording import escape, plain_number, shorten
from mmzoo.starter.infer import file_suffixes, unread_numbers

_MAX_LABELS = 1_000
_TARGET_WORDS = (
    *("target", "label", "labels", "class", "category", "y", "outcome", "answer", "sentiment"),
    *("diagnosis", "species", "price", "rating", "score", "tags", "genre", "type", "result"),
)
"""Usual names of targets, likeliest first."""
_SUGGESTED = 5


@dataclass(frozen=True)
class Target:
    """A target column with its head.

    Attributes:
        profile: Its type and statistics.
        head: The head's fields, `type` first.
        reason: Why, as a clause.
        class_counts: Class -> rows, for a head of classes.
    """

    profile: ColumnProfile
    head: Mapping[str, Any]
    reason: str
    class_counts: Mapping[str, int] | None = None

    @property
    def name(self) -> str:
        return self.profile.name


def infer_targets(where: str, frame: pl.DataFrame, names: Sequence[str]) -> list[Target]:
    """The targets of a table.

    Args:
        where: The table, for errors.
        frame: All of it.
        names: The columns to predict.

    Raises:
        DataError: No column is named, one does not exist, or nothing can be learned from it.
    """
    known = frame.columns
    unknown = [name for name in names if name not in known]
    if unknown or not names:
        likely = likely_targets([profile_column(frame[name], file_suffixes()) for name in known])
        hint = f" Likely ones: {', '.join(map(shorten, likely))}." if likely else ""
        columns = f"The table has: {', '.join(map(shorten, known))}"
        if not names:
            raise DataError(
                f"{where}: which column is to be predicted? Name it by --target COLUMN, or several "
                f"by --target COLUMN,COLUMN.{hint} {columns}"
            )
        meant = did_you_mean(unknown[0], known) or "."
        raise DataError(
            f"--target {shorten(unknown[0])}: there is no such column in {where}{meant}{hint} "
            f"{columns}"
        )
    if len(set(names)) < len(names):
        raise DataError("--target: expected each column once, found duplicates")
    return [infer_target(frame[name]) for name in names]


def infer_target(column: pl.Series) -> Target:
    """The head for a column.

    Raises:
        DataError: Nothing can be learned from the column.
    """
    profile = profile_column(column)
    option = f"--target {escape(profile.name)}"
    is_number = profile.type == "number" or profile.whole
    if profile.type == "empty":
        raise DataError(f"{option}: the column is empty, so there is nothing to predict")
    if profile.distinct == 1:
        raise DataError(
            f"{option}: it is '{shorten(profile.example)}' in every row, so there is nothing to "
            "predict"
        )
    if profile.type in ("nested", "date", "datetime"):
        what = "neither text nor numbers" if profile.type == "nested" else "dates"
        raise DataError(f"{option}: its cells are {what}; expected classes or numbers")
    if profile.type == "labels":
        return Target(profile, {"type": "multilabel"}, "its cells are lists of labels")
    few_values = profile.repeats and profile.distinct <= FEW_VALUES
    if is_number and (found := unread_numbers(profile)):
        raise DataError(f"{option}: its cells are {found}")
    formatted = unread_format(pl.Series([profile.odd_example])) if profile.odd else None
    is_class = profile.type != "number" or (few_values and profile.whole)
    if formatted is not None and is_class:
        raise DataError(
            f"{option}: nearly all of its cells are plain numbers, but {profile.odd:,} are "
            f"{formatted}"
        )
    if is_number and not profile.leading_zeros and not (few_values and profile.whole):
        low, high = profile.span
        return Target(
            profile,
            {"type": "regression"},
            f"numbers from {plain_number(low)} to {plain_number(high)}",
        )
    if not few_values and (found := unread_numbers(profile)):
        raise DataError(f"{option}: its cells are {found}")
    if parse_lists(profile.cells) is not None:
        return Target(profile, {"type": "multilabel"}, "its cells are lists of labels, as text")
    if separator := _label_separator(profile):
        reason = f"several labels per cell, separated by '{separator}'"
        return Target(profile, {"type": "multilabel", "separator": separator}, reason)
    if not profile.repeats:
        odd = f" '{shorten(profile.odd_example)}' is not a number." if profile.odd else ""
        raise DataError(
            f"{option}: looks like an identifier: {profile.distinct:,} unique values in "
            f"{profile.filled:,} rows, which are too many for classes, and they are not numbers."
            f"{odd} Choose a column whose values repeat."
        )
    counts = one_spelling(profile.cells.drop_nulls()).value_counts(name="rows")
    kind = "binary" if profile.distinct == 2 else "classification"
    return Target(
        profile,
        {"type": kind},
        f"{profile.distinct:,} classes",
        dict(zip(counts[profile.name], counts["rows"], strict=True)),
    )


def likely_targets(profiles: list[ColumnProfile]) -> list[str]:
    """Names of columns that are likely to be targets, likeliest first."""

    def rank(profile: ColumnProfile) -> tuple[int, int]:
        words = name_words(profile.name)
        named = [index for index, word in enumerate(_TARGET_WORDS) if word in words]
        return min(named, default=len(_TARGET_WORDS)), -profiles.index(profile)

    likely = sorted(filter(_is_possible, profiles), key=rank)
    return [profile.name for profile in likely[:_SUGGESTED]]


def _is_possible(profile: ColumnProfile) -> bool:
    if profile.distinct < 2 or profile.type in ("file", "date", "datetime", "nested"):
        return False
    if name_words(profile.name)[-1] in ("id", "fold", "split"):
        return False
    return profile.repeats or (profile.type == "number" and not profile.whole)


def _label_separator(profile: ColumnProfile) -> str | None:
    """The separator of labels: splitting at it leaves few labels, which recur in many cells."""
    cells = profile.cells.drop_nulls()
    for separator in SEPARATORS:
        has_it = cells.str.contains(separator, literal=True).sum()
        if has_it < len(cells) / 20:
            continue
        labels = cells.str.split(separator).explode().str.strip_chars()
        found = labels.n_unique()
        # As many labels as combinations may be names such as 'Paris, FR' and 'Lyon, FR'.
        is_fewer = found < profile.distinct or (found == profile.distinct and has_it < len(cells))
        if found <= _MAX_LABELS and is_fewer and len(labels) >= 3 * found:
            return separator
    return None
