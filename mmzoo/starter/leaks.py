"""Columns that give the target away: what they say is known only once the target is."""

from __future__ import annotations

import math

from mmzoo.lazy import pl
from mmzoo.starter.cells import SAMPLE, numbers, texts

ONE_TO_ONE = "it is one-to-one with"
_SURE = math.log(1e-6)
"""The logarithm of a probability: what chance would bring about less often is not its doing."""
_MANY_NUMBERS = 20
"""From so many values on, numbers are a scale and no classes."""


def leak(column: pl.Series, target: pl.Series, is_media: bool) -> str | None:
    """How a column gives the target away, as a clause; None if it does not.

    Exact: a single row that does not fit clears a column. Rows that lack one of the two do not
    count.

    Args:
        column: Any column.
        target: What is to be predicted, as long as the column.
        is_media: Whether it holds texts or files, which are expected to tell the target: then only
            what names the target counts.
    """

    if column.dtype.is_nested() or target.dtype.is_nested():
        return None
    name = target.name
    both = pl.DataFrame({"column": texts(column), "target": texts(target)}).drop_nulls()
    if len(both) < 2 or both["target"].n_unique() < 2:
        return None
    if (both["column"] == both["target"]).all():
        return f"it is equal to {name}"
    if is_media and both["column"].n_unique() > both["target"].n_unique():
        return None
    decides = _decides(both, "column", "target")
    is_decided = _decides(both, "target", "column")
    if decides and _chance(both, "column", "target") < _SURE:
        if is_decided:
            return f"{ONE_TO_ONE} {name}"
        return f"each of its values goes with one {name} only"
    if is_decided and _chance(both, "target", "column") < _SURE:
        return f"each {name} goes with one of its values only"
    return _order(both, name, decides)


def _decides(both: pl.DataFrame, key: str, value: str) -> bool:
    """Whether rows that agree in one column always agree in the other."""

    # Most columns are cleared by the first rows.
    for rows in (both.head(SAMPLE), both):
        if rows.group_by(key).agg(pl.col(value).n_unique())[value].max() != 1:
            return False
    return True


def _chance(both: pl.DataFrame, key: str, value: str) -> float:
    """The log probability that one of two independent columns decides the other.

    Each row whose key came before has to repeat the value that it came with.
    """
    shares = both[value].value_counts()["count"] / len(both)
    alike = float((shares**2).sum())
    return (len(both) - both[key].n_unique()) * math.log(alike)


def _order(both: pl.DataFrame, name: str, decides: bool) -> str | None:
    """Whether numbers are in the order of the target, so that thresholds or a curve give it."""

    values = numbers(both["column"])
    if values.null_count():
        return None
    scale = numbers(both["target"])
    if scale.null_count() == 0 and scale.n_unique() > _MANY_NUMBERS:
        if _arrangements(both["column"]) > _SURE:
            return None
        pairs = pl.DataFrame({"column": values, "target": scale})
        for word, sign in (("rises", 1), ("falls", -1)):
            ordered = pairs.with_columns(target=sign * scale).sort("column", "target")
            if (ordered["target"].diff().drop_nulls() >= 0).all():
                return f"{name} always {word} with it"
        return None
    if not decides:
        return None
    classes = both["target"].n_unique()
    in_order = both.with_columns(column=values).sort("column")["target"]
    blocks = 1 + int((in_order != in_order.shift()).sum())
    by_chance = _arrangements(in_order) + math.lgamma(classes + 1)
    return f"thresholds of it give {name}" if blocks == classes and by_chance < _SURE else None


def _arrangements(column: pl.Series) -> float:
    """The log probability of one order of the values among all that there are."""
    counts = column.value_counts()["count"].to_list()
    return sum(math.lgamma(count + 1) for count in counts) - math.lgamma(len(column) + 1)
