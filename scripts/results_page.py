"""docs/results.md, made of the rows of docs/results.csv alone; used by scripts/reproduce."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from results_table import Result

PAGE = Path(__file__).resolve().parent.parent / "docs" / "results.md"
TITLES = {"image": "Image", "text": "Text", "audio": "Audio", "tabular": "Tabular"}
"""Of each modality alone, the title of its table."""
TWO_SIDED = "av_digits"
"""The data of which all fusions stand in one table, beside the single inputs."""

HEAD = """\
# Results

What the configs come to on the test splits of their data: the mean over seeds, or over all folds of
the data, and the standard deviation between them. `scripts/reproduce` trains them and writes this
page and [results.csv](results.csv), which has each value and the machine too; edit neither. What is
empty is not known of a figure from before it was written down.

The time is that of one seed's training, with all of its folds, on a machine that was shared with
other work. The commit is what was checked out, or of a figure from before that was written down,
the one that brought it.
"""


def page(results: Sequence[Result]) -> str:
    """All of results.md."""
    return "\n".join([HEAD, *_sections(results)])


def _sections(results: Sequence[Result]) -> Iterator[str]:
    for modality, title in TITLES.items():
        of_one = [one for one in results if one.data != TWO_SIDED and _modality(one) == modality]
        if of_one:
            yield f"## {title}\n"
            yield from _table(of_one)
    several = [one for one in results if one.data != TWO_SIDED and _modality(one) is None]
    two_sided = [one for one in results if one.data == TWO_SIDED]
    if several or two_sided:
        yield "## Multimodal\n"
    if several:
        yield from _table(several)
    if two_sided:
        yield "### Written and spoken digits\n"
        yield from _two_sided(two_sided)


def _modality(result: Result) -> str | None:
    """That of all inputs; None where they are of several."""
    modalities = set(result.inputs.split(" + "))
    return modalities.pop() if len(modalities) == 1 else None


def _table(results: Sequence[Result]) -> Iterator[str]:
    titles = ("config", "data", "metric", "mean", "deviation", "seeds", "parameters")
    rows = [
        (
            _name(one),
            one.data,
            _metric(one),
            figure(one, one.mean),
            "" if one.deviation is None else figure(one, one.deviation),
            _seeds(one),
            "" if one.parameters is None else f"{one.parameters:,}",
            _time(one.seconds),
            f"`{one.commit}`" if one.commit else "",
            one.date,
        )
        for one in results
    ]
    header = (*titles, "time", "commit", "date")
    for row in (header, ("---",) * len(header), *rows):
        yield f"| {' | '.join(row)} |"
    yield ""


def _two_sided(results: Sequence[Result]) -> Iterator[str]:
    """Single inputs first, then fusions, the best first; and what the best adds."""
    alone = [one for one in results if _modality(one) is not None]
    fused = sorted((one for one in results if _modality(one) is None), key=lambda one: -one.mean)
    yield from _table([*sorted(alone, key=lambda one: -one.mean), *fused])
    if alone and fused:
        single, best = max(alone, key=lambda one: one.mean), fused[0]
        points = 100 * (best.mean - single.mean)
        yield (
            f"The best fusion, {_name(best)}, is {abs(points):.1f} points "
            f"{'above' if points > 0 else 'below'} the better single input, {_name(single)}.\n"
        )


def _name(result: Result) -> str:
    return f"`{result.config}`" + (f", {result.variant}" if result.variant else "")


def _metric(result: Result) -> str:
    return result.metric.replace("_", " ")


def figure(result: Result, value: float) -> str:
    """A mean or deviation as one reads it: shares in per cent."""
    return f"{100 * value:.2f} %" if is_share(result) else f"{value:.4g}"


def is_share(result: Result) -> bool:
    return result.metric.endswith("accuracy")


def _seeds(result: Result) -> str:
    seeds = ", ".join(map(str, result.seeds))
    return f"{seeds}, {result.folds} folds" if result.folds else seeds


def _time(seconds: float | None) -> str:
    if seconds is None:
        return ""
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.1f} min"
