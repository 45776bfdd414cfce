"""Target leakage: columns that determine the target, and so are known only once it is."""

from __future__ import annotations

import math

from mmzoo.data.column_types import FEW_VALUES, SAMPLE, parse_numbers, strip_texts
from mmzoo.lazy import pl

ONE_TO_ONE = "it is one-to-one with"
_SIGNIFICANT = math.log(1e-6)
"""The logarithm of the p-value below which a pattern is not chance."""


def find_leak(column: pl.Series, target: pl.Series, is_media: bool) -> str | None:
    """How a column leaks the target, as a clause; None if it does not.

    Every row counts: one counter-example clears a column, and patterns likely to be chance are
    ignored (p > 1e-6). Rows in which one of the two is missing are ignored.

    Args:
        column: Any column.
        target: The target, of the same length.
        is_media: Whether it holds text or files, from which the target can be predicted: then only
            a one-to-one relation counts.
    """
    if column.dtype.is_nested() or target.dtype.is_nested():
        return None
    name = target.name
    both = pl.DataFrame({"column": strip_texts(column), "target": strip_texts(target)}).drop_nulls()
    if len(both) < 2 or both["target"].n_unique() < 2:
        return None
    if (both["column"] == both["target"]).all():
        return f"it is equal to {name}"
    if is_media and both["column"].n_unique() > both["target"].n_unique():
        return None
    determines = _determines(both, "column", "target")
    is_determined = _determines(both, "target", "column")
    if determines and _chance(both, "column", "target") < _SIGNIFICANT:
        if is_determined:
            return f"{ONE_TO_ONE} {name}"
        return f"each of its values has only one {name}"
    if is_determined and _chance(both, "target", "column") < _SIGNIFICANT:
        return f"each {name} has only one of its values"
    return _order(both, name, determines)


def _determines(both: pl.DataFrame, key: str, value: str) -> bool:
    """Whether rows with equal keys always have equal values."""
    # Most columns are cleared by the first rows.
    for rows in (both.head(SAMPLE), both):
        if rows.group_by(key).agg(pl.col(value).n_unique())[value].max() != 1:
            return False
    return True


def _chance(both: pl.DataFrame, key: str, value: str) -> float:
    """The log probability that one of two independent columns determines the other by chance.

    Each row whose key occurred before has to repeat that key's value.
    """
    shares = both[value].value_counts()["count"] / len(both)
    alike = float((shares**2).sum())
    return (len(both) - both[key].n_unique()) * math.log(alike)


def _order(both: pl.DataFrame, name: str, determines: bool) -> str | None:
    """Whether numbers are in the order of the target, so thresholds or a curve determine it."""
    values = _finite(both["column"])
    if values.null_count():
        return None
    scale = _finite(both["target"])
    if scale.null_count() == 0 and scale.n_unique() > FEW_VALUES:
        if _arrangements(both["column"]) > _SIGNIFICANT:
            return None
        pairs = pl.DataFrame({"column": values, "target": scale})
        for word, sign in (("rises", 1), ("falls", -1)):
            ordered = pairs.with_columns(target=sign * scale).sort("column", "target")
            if (ordered["target"].diff().drop_nulls() >= 0).all():
                return f"{name} always {word} with it"
        return None
    if not determines:
        return None
    classes = both["target"].n_unique()
    in_order = both.with_columns(column=values).sort("column")["target"]
    blocks = 1 + int((in_order != in_order.shift()).sum())
    by_chance = _arrangements(in_order) + math.lgamma(classes + 1)
    return (
        f"thresholds on it determine {name}"
        if blocks == classes and by_chance < _SIGNIFICANT
        else None
    )


def _finite(column: pl.Series) -> pl.Series:
    values = parse_numbers(column)
    return values.set(~values.is_finite(), None)


def _arrangements(column: pl.Series) -> float:
    """The log probability of one order of the values among all orders."""
    counts = column.value_counts()["count"].to_list()
    return sum(math.lgamma(count + 1) for count in counts) - math.lgamma(len(column) + 1)
