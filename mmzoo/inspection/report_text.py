"""A DataReport as text for the terminal, in lines of at most 80 columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from mmzoo.inspection.data_report import Cost, DataReport, LengthSummary, Repeats
from mmzoo.spec.wording import escape

_WIDTH = 80
_HANG = "  "
_MOST_ROWS = 20
_MOST_CLASSES = 20
_FEW_CLASSES = 12
"""Of more than `_MOST_CLASSES`, this many are shown: half the most and half the least frequent."""
_NAME = 28
_NOTED_SECONDS = 1.0
_SPLITS = ("train", "validation", "test")


def report_text(report: DataReport) -> str:
    """The whole report; warnings and errors come last, where one looks first."""
    return "\n".join(_lines(report))


def _lines(report: DataReport) -> Iterator[str]:
    yield from _table(
        ["rows", *_SPLITS], [[report.data, *(f"{report.examples[s]:,}" for s in _SPLITS)]]
    )
    for note in report.notes:
        yield from _paragraph(f"- {note}")
    if report.missing:
        yield from _counts("missing values", report.missing)
    if report.absent:
        yield from _counts("missing inputs", report.absent)
    for head, splits in report.classes.items():
        yield from _classes(head, splits)
    for name, lengths in report.lengths.items():
        yield from _lengths(name, lengths)
    if report.repeats:
        yield from _repeats(report.repeats)
    if report.network:
        rows = [[w.name, w.kind, w.output, f"{w.parameters:,}"] for w in report.network]
        yield from _table(["network", "", "output", "parameters"], rows, left=3)
        yield from _paragraph(
            f"{report.parameters:,} parameters, {report.trainable:,} of them trainable"
        )
    if report.cost is not None:
        yield ""
        yield from _paragraph(_cost(report.cost))
    yield ""
    yield from _listed("Warning", report.warnings)
    yield from _listed("Error", report.errors)
    if not report.errors:
        yield "No errors found: ready to train."


def _listed(what: str, sentences: Sequence[str]) -> Iterator[str]:
    for sentence in sentences[:_MOST_ROWS]:
        yield from _paragraph(f"{what}: {sentence}")
    if len(sentences) > _MOST_ROWS:
        yield f"{what}: and {len(sentences) - _MOST_ROWS:,} more of these; --json lists all"


def _classes(head: str, splits: Mapping[str, Mapping[str, int]]) -> Iterator[str]:
    order = sorted(splits["train"], key=lambda name: -splits["train"][name])
    shown = order
    if len(order) > _MOST_CLASSES:
        shown = [*order[: _FEW_CLASSES // 2], *order[-_FEW_CLASSES // 2 :]]
    rows = [[name, *(f"{splits[split].get(name, 0):,}" for split in _SPLITS)] for name in shown]
    if len(order) > len(shown):
        left_out = f"... {len(order) - len(shown):,} more"
        rows.insert(_FEW_CLASSES // 2, [left_out, "", "", ""])
    yield from _table([f"{head}: {len(order):,} classes", *_SPLITS], rows)


def _lengths(name: str, splits: Mapping[str, LengthSummary]) -> Iterator[str]:
    rows = [
        [
            split,
            *(f"{of.percentiles[percent]:,g}" for percent in ("50", "95", "100")),
            f"{of.limit:,g}",
            f"{of.cut:,}",
        ]
        for split, of in splits.items()
    ]
    units = {of.unit for of in splits.values()}
    header = [f"{name}: {', '.join(units)}", "median", "95 %", "longest", "kept", "truncated"]
    yield from _table(header, rows)


def _counts(title: str, counts: Mapping[str, Mapping[str, int]]) -> Iterator[str]:
    rows = [[name, *(f"{of.get(split, 0):,}" for split in _SPLITS)] for name, of in counts.items()]
    yield from _table([title, *_SPLITS], rows[:_MOST_ROWS])
    if len(rows) > _MOST_ROWS:
        yield f"... and {len(rows) - _MOST_ROWS:,} more columns; --json lists all"


def _repeats(repeats: Mapping[str, Mapping[str, Repeats]]) -> Iterator[str]:
    rows = [
        [name, *(f"{of[split].rows:,}" if split in of else "0" for split in _SPLITS[1:])]
        for name, of in repeats.items()
    ]
    yield from _table(["rows also in train, by", *_SPLITS[1:]], rows)


def _cost(cost: Cost) -> str:
    parts = []
    if cost.frozen:
        names = ", ".join(cost.frozen)
        parts.append(f"{_time(cost.once_seconds)} once for the cached features of {names}")
    elif cost.once_seconds >= _NOTED_SECONDS:
        parts.append(f"{_time(cost.once_seconds)} once to decode files")
    if cost.fine_tune_seconds:
        parts.append(f"{_time(cost.fine_tune_seconds)} for fine-tuning")
    included = f", including {' and '.join(parts)}" if parts else ""
    return (
        f"Estimate from {cost.steps} steps on {cost.device} under its current load: "
        f"{step_time(cost.step_seconds)} per step, "
        f"{_time(cost.epoch_seconds)} per epoch of {cost.steps_per_epoch:,} "
        f"{'step' if cost.steps_per_epoch == 1 else 'steps'}, "
        f"{_time(cost.total_seconds)} for all {cost.epochs} epochs{included}; "
        f"{cost.memory / 1e9:.1f} GB of memory."
    )


def step_time(seconds: float) -> str:
    """The time of a step: `16.3 ms`, from one second on `1.0 s`."""
    return f"{1000 * seconds:.3g} ms" if seconds < 0.9995 else f"{seconds:,.1f} s"


def _time(seconds: float) -> str:
    if seconds < 100:
        return f"{seconds:.2g} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def _paragraph(text: str) -> Iterator[str]:
    """The text wrapped with a hanging indent; wide characters count as two columns."""
    from rich.cells import cell_len, chop_cells

    words = [
        part for word in escape(text).split() for part in chop_cells(word, _WIDTH - len(_HANG))
    ]
    line = ""
    for word in words:
        if line.strip() and cell_len(f"{line} {word}") > _WIDTH:
            yield line
            line = f"{_HANG}{word}"
        else:
            line = f"{line} {word}" if line else word
    yield line


def _table(header: Sequence[str], rows: Sequence[Sequence[str]], left: int = 1) -> Iterator[str]:
    """A blank line, the header and the rows; numbers right-aligned, long names shortened."""
    from rich.cells import cell_len, set_cell_size

    cells = [[escape(cell) for cell in row] for row in (header, *rows)]
    widths = [max(cell_len(row[place]) for row in cells) for place in range(len(header))]
    spare = _WIDTH - 2 * (len(widths) - 1) - sum(widths[left:])
    for place in range(left):
        widths[place] = min(widths[place], max(_NAME, spare - sum(widths[:place])))
    while sum(widths) + 2 * (len(widths) - 1) > _WIDTH:
        widest = max(range(left), key=lambda place: widths[place])
        widths[widest] -= 1
    yield ""
    for row in cells:
        line = []
        for place, cell in enumerate(row):
            width = widths[place]
            if cell_len(cell) > width:
                cell = set_cell_size(cell, width - 1) + "…"
            padding = " " * (width - cell_len(cell))
            line.append(cell + padding if place < left else padding + cell)
        yield "  ".join(line).rstrip()
