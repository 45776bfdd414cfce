"""What baselines.json says of a head: a table of the fusion and of each input alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mmzoo.evaluation.scale import Scale, scale_of

_MARK = " *"
"""Behind a difference that is not the one of the figures in the table."""
_NOTHING = "-"


@dataclass(frozen=True)
class BaselineTable:
    """One head's.

    Attributes:
        titles: of the columns; the first and the last hold words, the others figures.
        rows: the fusion's, then one for each input.
        notes: sentences on the differences that are marked.
        sentence: whether the fusion beats the best input.
    """

    titles: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...]
    sentence: str


def baseline_tables(said: Mapping[str, Any]) -> list[BaselineTable]:
    """A table for each head; `said` is what baselines.json holds."""
    return [_table(said, head) for head in said["heads"]]


def _table(said: Mapping[str, Any], head: str) -> BaselineTable:
    found, fusion, inputs = said["heads"][head], said["fusion"], said["inputs"]
    scale = scale_of(fusion["metrics"][head])
    gains: Mapping[str, Mapping[str, Any]] = found["gains"]
    return BaselineTable(
        ("input", f"{head}: {scale.label}", "95 % CI", "parameters", "the fusion"),
        (
            (" + ".join(inputs), *_figures(fusion, head, scale), ""),
            *(
                (name, *_figures(entry, head, scale), _gain_words(gains.get(name), scale))
                for name, entry in inputs.items()
            ),
        ),
        tuple(
            f"* {name}: on the {gain['examples']:,} of {gain['of_examples']:,} test examples that "
            f"both have, the fusion has {scale.text(gain['fusion'])} and {name} alone "
            f"{scale.text(gain['alone'])}"
            for name, gain in gains.items()
            if _is_of_some(gain)
        ),
        found["sentence"],
    )


def _figures(entry: Mapping[str, Any], head: str, scale: Scale) -> tuple[str, str, str]:
    """The metric, its interval and the parameters; of no labels there are no metrics."""
    metrics = entry["metrics"][head]
    value = metrics.get(scale.metric)
    bounds = metrics.get(f"{scale.metric}_ci95") or ()
    interval = " to ".join(scale.number(bound) for bound in bounds)
    return _NOTHING if value is None else scale.text(value), interval, f"{entry['parameters']:,}"


def _gain_words(gain: Mapping[str, Any] | None, scale: Scale) -> str:
    """By how much the fusion is better, of the examples that both were tested on."""
    if gain is None:
        return "was tested on other examples"
    word = "better" if gain["difference"] >= 0 else "worse"
    by = scale.difference_text(abs(gain["difference"]))
    return f"{word} by {by}{_MARK if _is_of_some(gain) else ''}"


def _is_of_some(gain: Mapping[str, Any]) -> bool:
    """Whether one of the two was tested on more; files of before that was noted do not say."""
    return gain["examples"] < gain.get("of_examples", gain["examples"])
