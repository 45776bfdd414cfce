"""Metrics, folds and reports as text for the terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mmzoo.cli.terminal_text import columns, escape_control, wrapped

if TYPE_CHECKING:
    from mmzoo.evaluation.head_report import Headline, HeadReport
    from mmzoo.evaluation.report import Report
    from mmzoo.training.folds import FoldSummary


_MOST_CLASSES = 20
_WORST_CLASSES = 10
"""The number of classes shown where there are more than `_MOST_CLASSES`."""
_CONFUSED_PAIRS = 5
_LARGEST_ERRORS = 5


def metrics_text(metrics: Mapping[str, Any]) -> str:
    """The contents of a metrics.json."""
    from mmzoo.evaluation.head_report import headline

    lines = []
    for split, entry in metrics.items():
        lines.append(_split_line(split, entry["examples"], entry["data"], entry["loss"]))
        for head, values in entry.items():
            if isinstance(values, Mapping) and head != "probes":
                lines += _figures(head, values, headline(values))
                lines += _probes(entry.get("probes", {}).get(head, {}))
    return "\n".join(lines)


def folds_text(summary: FoldSummary) -> str:
    """A line for each metric over the folds: mean, standard deviation and each fold."""
    from mmzoo.metrics import number_text

    done = len(summary.runs)
    lines = [f"{summary.name}: {done} of {summary.of} folds, on their test splits:"]
    for head, spreads in summary.metrics.items():
        lines.append(f"  {head}")
        rows = [
            (
                f"    {metric}",
                number_text(spread.mean),
                "" if spread.std is None else f"± {number_text(spread.std, 2)}",
                " ".join(map(number_text, spread.values)),
            )
            for metric, spread in spreads.items()
        ]
        lines += columns(rows)
    left = [str(one) for one in range(1, summary.of + 1) if one not in summary.runs]
    if left:
        lines.append(f"  not yet trained: {', '.join(left)}")
    return "\n".join(lines)


def evaluation_text(report: Report) -> str:
    """A report without its plots."""
    lines = [_split_line(report.split, report.examples, report.data, report.loss)]
    if report.data != report.requested_data:
        text = (
            f"{report.requested_data} was not available, used {report.data} instead: "
            f"these metrics are not of {report.requested_data}."
        )
        lines.append(wrapped(f"Note: {text}"))
    if metrics := report.generated_metrics:
        from mmzoo.evaluation.head_report import headline

        lines += ["", *_figures("generated images", metrics, headline(metrics))]
    for head in report.heads:
        lines += _head(head)
    return "\n".join(lines)


def _split_line(split: str, examples: int, data: str, loss: float | None) -> str:
    from mmzoo.metrics import number_text

    counted = "1 example" if examples == 1 else f"{examples:,} examples"
    loss_text = "not a number" if loss is None else number_text(loss)
    return f"{split}: {counted} of {data}, loss {loss_text}"


def _figures(
    name: str, metrics: Mapping[str, Any], found: Headline | None, positive: str = ""
) -> list[str]:
    from mmzoo.evaluation.head_report import other_metrics

    first = f"  {name}: {found.label} {found}" if found else f"  {name}:"
    rows = [(f"    {label}", value) for label, value in other_metrics(metrics, positive).items()]
    return [wrapped(escape_control(first)), *(columns(rows) if rows else [])]


def _probes(probes: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """A line for each probe of a head."""
    from mmzoo.evaluation.head_report import probe_figures

    rows = [(f"    probe {kind}", figure) for kind, figure in probe_figures(probes).items()]
    return columns(rows) if rows else []


def _head(head: HeadReport) -> Iterator[str]:
    from mmzoo.evaluation.head_report import confused_pairs, headline

    yield ""
    found = headline(head.metrics, head.confusion, head.class_names)
    yield from _figures(head.name, head.metrics, found, head.positive)
    yield from _probes(head.probes)
    yield from _errors(head)
    yield from _classes(head)
    if head.confusion is not None:
        pairs = confused_pairs(head.confusion, head.class_names, most=_CONFUSED_PAIRS)
        if pairs:
            yield from (
                "",
                "    most confused:",
                *(f"      {escape_control(pair)}" for pair in pairs),
            )
    for warning in head.warnings:
        yield from ("", wrapped(f"    Note: {escape_control(warning)}"))


def _errors(head: HeadReport) -> Iterator[str]:
    """Errors by the size of the true value, and the largest errors."""
    from mmzoo.evaluation.head_report import error_rows

    if head.errors:
        titles, rows = error_rows(head.errors)
        yield ""
        yield from (f"    {line}" for line in columns([titles, *rows], right=range(len(titles))))
    if head.predicts_numbers and head.mistakes.captions:
        mistakes = zip(head.mistakes.rows, head.mistakes.captions, strict=True)
        yield from ("", "    largest errors:")
        yield from (f"      {line}" for line in columns([*mistakes][:_LARGEST_ERRORS]))


def _classes(head: HeadReport) -> Iterator[str]:
    """A row for each class, or for the worst of many."""
    scores = head.per_class
    if scores is None:
        return
    kind = "label" if head.confusion is None else "class"
    shown: Sequence[int] = range(len(head.class_names))
    folded = len(shown) > _MOST_CLASSES
    if folded:
        # A class without examples has an F1 of 0, but is not bad.
        there = [number for number in shown if scores.support[number]]
        shown = sorted(there, key=lambda number: float(scores.f1[number]))[:_WORST_CLASSES]
    rows = [
        (
            _short(head.class_names[number]),
            *(f"{share[number]:.3f}" for share in (scores.precision, scores.recall, scores.f1)),
            f"{scores.support[number]:,}",
        )
        for number in shown
    ]
    titles = (f"worst {kind}" if folded else kind, "precision", "recall", "F1", "examples")
    yield ""
    yield from (f"    {line}" for line in columns([titles, *rows], right=range(1, 5)))
    if folded:
        yield f"    All {len(head.class_names)} are in the report."


def _short(name: str, longest: int = 32) -> str:
    name = escape_control(name).replace("\n", " ")
    return name if len(name) <= longest else f"{name[: longest - 1]}…"
