"""Class encoding: names of classes and labels to ids, whatever their spelling."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence

from mmzoo.column_spec import ColumnSpec
from mmzoo.data import column_types
from mmzoo.errors import DataError
from mmzoo.lazy import np, pl
from mmzoo.spec.wording import shorten

_PLURAL = {"class": "classes", "label": "labels"}
_MAX_NAMED = 5
"""Most names in a message."""


def encode_columns(
    columns: Mapping[str, pl.Series], specs: Mapping[str, ColumnSpec], train: np.ndarray
) -> tuple[pl.DataFrame, dict[str, tuple[str, ...]], dict[int, tuple[str | None, str]]]:
    """Encodes classes and labels as ids.

    Args:
        columns: All parsed columns.
        specs: Their roles, with the known names of classes and labels.
        train: The training rows, which define the names where none are known.

    Returns:
        The columns; column -> class names; and issues for rows with unknown classes.
    """
    encoded, class_names = [], {}
    unknown: dict[int, tuple[str | None, str]] = {}
    for column, values in columns.items():
        names = specs[column].names
        if specs[column].role in ("class", "labels"):
            class_names[column] = names or names_in(values.gather(train))
            values, others = encode_names(values, class_names[column], names is not None)
            unknown |= {row: (column, reason) for row, reason in others.items()}
        encoded.append(values.alias(column))
    return pl.DataFrame(encoded), class_names, unknown


def encode_names(
    values: pl.Series, names: Sequence[str], known: bool
) -> tuple[pl.Series, dict[int, str]]:
    """Encodes classes as int64 ids, and lists of labels as multi-hot uint8 arrays.

    Args:
        values: Class names, or lists of label names. Null stays null.
        names: The names of class or label 0, 1, ...
        known: Whether the names were known before the data was read; otherwise they are those of
            the training rows. For the wording of the reasons.

    Returns:
        The column; and row -> reason, for rows with a class or label that is not in `names`.
    """
    column, what = values.name, "class" if values.dtype == pl.String else "label"
    if what == "class":
        codes = _codes(values, names)
        unknown = {row: values[row] for row in (codes.is_null() & values.is_not_null()).arg_true()}
    else:
        flat = pl.DataFrame({"row": pl.Series(range(len(values)), dtype=pl.Int64), "label": values})
        flat = flat.explode("label").drop_nulls()
        flat = flat.with_columns(_codes(flat["label"], names).alias("code"))
        unknown = {}
        for row, label, code in flat.sort("row", "label", descending=[False, True]).iter_rows():
            if code is None:
                unknown[row] = label  # The alphabetically first one is reported.
        flat = flat.drop_nulls()
        rows = np.zeros((len(values), len(names)), np.uint8)
        rows[flat["row"].to_numpy(), flat["code"].to_numpy()] = 1
        labels = pl.DataFrame({"labels": rows, "missing": values.is_null()})
        is_missing = pl.when("missing").then(None)
        codes = labels.select(is_missing.otherwise(pl.col("labels"))).to_series()
    if not known:
        return codes.alias(column), {
            row: f"its `{column}` has {what} '{shorten(name)}', which no training row has"
            for row, name in unknown.items()
        }
    return codes.alias(column), {
        row: f"its `{column}` has {what} '{shorten(name)}', expected one of the {_PLURAL[what]} "
        f"{first_names(names)}"
        for row, name in unknown.items()
    }


def first_names(names: Sequence[str]) -> str:
    """The first few names for a message: "'a', 'b' and 12 more"."""
    shown = ", ".join(f"'{shorten(one)}'" for one in names[:_MAX_NAMED])
    return shown + (f" and {len(names) - _MAX_NAMED:,} more" if len(names) > _MAX_NAMED else "")


def names_in(values: pl.Series) -> tuple[str, ...]:
    """The distinct classes or labels of a column, sorted, each in its most frequent spelling."""
    spellings = _spellings(values).unique("value", keep="first", maintain_order=True)
    return column_types.sort_names(spellings["name"].str.strip_chars().to_list())


def _spellings(values: pl.Series) -> pl.DataFrame:
    """The distinct names with the `value` that each spells, the most frequent ones first."""
    flat = values if values.dtype == pl.String else values.explode()
    counts = flat.drop_nulls().alias("name").value_counts(name="count")
    counts = counts.sort("count", "name", descending=[True, False])
    return counts.with_columns(column_types.one_spelling(counts["name"]).alias("value"))


def _codes(names: pl.Series, known: Sequence[str]) -> pl.Series:
    """The index of each name in `known`, where it may be spelled otherwise; null for others."""
    spelled = column_types.one_spelling(pl.Series(known, dtype=pl.String)).to_list()
    first = {value: index for index, value in reversed([*enumerate(spelled)])}
    exact = names.replace_strict(
        list(known), list(range(len(known))), default=None, return_dtype=pl.Int64
    )
    other = column_types.one_spelling(names).replace_strict(
        list(first), list(first.values()), default=None, return_dtype=pl.Int64
    )
    return pl.select(pl.coalesce(exact, other)).to_series()


def notes_on_names(column: str, found: pl.Series, spec: ColumnSpec, where: str) -> tuple[str, ...]:
    """A clause on names that differ only in case or whitespace, which may be meant as one class.

    Raises:
        DataError: All cells are empty.
    """
    names = spec.names or names_in(found)
    if not names:
        raise DataError(f"{where} is empty in all rows.")
    spellings = _spellings(found)
    kept = spellings.unique("value", keep="first", maintain_order=True)
    others = spellings.join(kept, "name", how="anti").join(kept, "value", suffix="_kept")
    if len(others):
        one, other = others["name_kept"][0], others["name"][0]
        is_unicode = one.isascii() is False and len(one) != len(other)
        how = " (composed and decomposed Unicode)" if is_unicode else ""
        return (
            f"`{column}`: '{shorten(one)}' and '{shorten(other)}'{how} are spellings of one value, "
            "and count as one",
        )
    seen: dict[str, str] = {}
    for one in names:
        other = seen.setdefault(_folded(one), one)
        if other != one:
            return (
                f"`{column}`: '{shorten(other)}' and '{shorten(one)}' differ only in case, "
                "whitespace or invisible characters, and count as different",
            )
    return ()


def _folded(name: str) -> str:
    """A name without case, whitespace around its words, wide forms and invisible characters."""
    visible = (one for one in name if unicodedata.category(one) != "Cf")
    return " ".join(unicodedata.normalize("NFKC", "".join(visible)).split()).casefold()
