"""One long table for every comparison of models: baselines, modalities, robustness, ensembles.

A comparison has one row for each head, variant (an input alone, a corrupted input, a member of an
ensemble) and, where there are several, condition and level. All kinds of comparison share one JSON
form (`as_json`), one table for the terminal and HTML (`table`) and one wording of differences.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from mmzoo.metrics import Estimate, MetricInfo, PairedDifference, main_metric, metric_info, negate

if TYPE_CHECKING:
    from mmzoo.evaluation.evaluate import Evaluation

Kind = Literal["baselines", "modalities", "robustness", "ensemble"]

_TITLES: dict[Kind, tuple[str, str]] = {
    "baselines": ("inputs", ""),
    "modalities": ("inputs", "other inputs"),
    "robustness": ("corrupted input", "corruption"),
    "ensemble": ("run", ""),
}
"""Titles of the columns of variants and conditions."""
_INTERVAL = "95 % CI"


@dataclass(frozen=True)
class ComparisonRow:
    """The metric of one head for one variant, and its difference from the reference variant.

    Attributes:
        head: the head's name.
        variant: what is compared: "audio alone", a corrupted input, a run.
        metric: the metric's name, as in metrics.json.
        value: None where the variant has no labelled examples.
        interval: the 95 % confidence interval of the value.
        difference: the value minus that of the reference, on the examples that both have.
        difference_interval: its 95 % confidence interval, by a paired bootstrap.
        condition: how the variant was made: "shuffled", "blur".
        level: the severity of a corruption, in `unit`.
        unit: of the level.
        parameters: of the variant's model, where that has its own.
    """

    head: str
    variant: str
    metric: str
    value: float | None
    interval: tuple[float, float] | None = None
    difference: float | None = None
    difference_interval: tuple[float, float] | None = None
    condition: str = ""
    level: float | None = None
    unit: str = ""
    parameters: int | None = None

    @property
    def lead(self) -> PairedDifference | None:
        """How much better the reference is, in mean scores: above 0 the variant is worse."""
        if self.difference is None or self.difference_interval is None:
            return None
        difference = PairedDifference(self.difference, *self.difference_interval)
        return negate(metric_info(self.metric).of_score_difference(difference))

    @property
    def verdict(self) -> str:
        """Whether the variant is better or worse than the reference; empty for the reference."""
        lead = self.lead
        if lead is None:
            return ""
        if lead.low > 0:
            return "worse"
        if lead.high < 0:
            return "better"
        return "identical" if lead.low == lead.high == 0 else "no clear difference"

    def as_json(self) -> dict[str, Any]:
        """A row of the long table; intervals are lists `[low, high]`."""
        values = asdict(self)
        for name, key in (("interval", "ci95"), ("difference_interval", "difference_ci95")):
            bounds = values.pop(name)
            values[key] = list(bounds) if bounds else None
        return {**values, "verdict": self.verdict}


def comparison_row(
    head: str,
    variant: str,
    info: MetricInfo,
    estimate: Estimate,
    lead: PairedDifference | None = None,
    **fields: Any,
) -> ComparisonRow:
    """A row from an estimate, and the lead of the reference, in mean scores (higher is better)."""
    value, low, high = info.of_scores(estimate)
    row = ComparisonRow(head, variant, info.name, value, (low, high), **fields)
    return row if lead is None else with_lead(row, lead)


def with_lead(row: ComparisonRow, lead: PairedDifference) -> ComparisonRow:
    """The row with its difference from the reference, which is better by `lead` in mean scores."""
    found = metric_info(row.metric).of_score_difference(negate(lead))
    return replace(row, difference=found.difference, difference_interval=(found.low, found.high))


def metrics_row(
    head: str, variant: str, info: MetricInfo, metrics: Mapping[str, Any], **fields: Any
) -> ComparisonRow:
    """A row from a head's entry in metrics.json, whose interval it takes."""
    interval = metrics.get(f"{info.name}_ci95")
    value = metrics.get(info.name)
    bounds = (interval[0], interval[1]) if interval else None
    return ComparisonRow(head, variant, info.name, value, bounds, **fields)


def constant_row(head: str, info: MetricInfo, metrics: Mapping[str, Any]) -> ComparisonRow:
    """The row of the constant predictor, such as the majority-class baseline."""
    return ComparisonRow(head, info.baseline_label, info.name, metrics[info.baseline])


@dataclass(frozen=True)
class Comparison:
    """Variants of a model, or several models, beside a reference on the same examples.

    Attributes:
        kind: what is compared.
        title: the same as a heading.
        split: the split's name.
        examples: how many it has.
        rows: the long table; the rows of a head follow one another.
        reference: head -> the variant that differences are to.
        best: head -> the best single input, or the best member of an ensemble.
        findings: head -> sentences; the last one is the verdict on all inputs together.
        warnings: what to know before trusting that all inputs are needed.
        notes: how to read the table.
        details: settings and further figures, for the JSON form only.
    """

    text_columns: ClassVar = ("inputs", "other inputs", "corrupted input", "corruption", "run", "")
    """Titles of the columns of text in a table; all others hold numbers."""

    kind: Kind
    title: str
    split: str
    examples: int
    rows: tuple[ComparisonRow, ...]
    reference: Mapping[str, str] = field(default_factory=dict)
    best: Mapping[str, str] = field(default_factory=dict)
    findings: Mapping[str, Sequence[str]] = field(default_factory=dict)
    warnings: Sequence[str] = ()
    notes: Sequence[str] = ()
    details: Mapping[str, Any] = field(default_factory=dict)

    @property
    def heads(self) -> list[str]:
        return list(dict.fromkeys(row.head for row in self.rows))

    @property
    def heading(self) -> str:
        """Such as "Robustness to corrupted inputs on test (359 examples)"."""
        counted = "1 example" if self.examples == 1 else f"{self.examples:,} examples"
        return f"{self.title} on {self.split} ({counted})"

    def of_head(self, head: str) -> list[ComparisonRow]:
        return [row for row in self.rows if row.head == head]

    def row(self, head: str, variant: str, condition: str = "") -> ComparisonRow:
        """The first row of a variant."""
        return next(
            row
            for row in self.of_head(head)
            if (row.variant, row.condition) == (variant, condition)
        )

    def info(self, head: str) -> MetricInfo:
        """The metric in which a head is compared."""
        return metric_info(self.of_head(head)[0].metric)

    def as_json(self) -> dict[str, Any]:
        """The JSON form, whose `rows` are the long table."""
        return {
            **{key: value for key, value in self.__dict__.items() if key != "details"},
            "rows": [row.as_json() for row in self.rows],
            "findings": {head: list(texts) for head, texts in self.findings.items()},
            "warnings": list(self.warnings),
            "notes": list(self.notes),
            **self.details,
        }

    def table(self, head: str) -> tuple[list[str], list[list[str]]]:
        """The rows of a head as text: titles and cells, without the columns that are empty."""
        variant, condition = _TITLES[self.kind]
        titles = [variant, condition, "level", "value", _INTERVAL, "difference", _INTERVAL, ""]
        titles.append("parameters")
        rows = [_cells(row, self.info(head)) for row in self.of_head(head)]
        shown = [place for place in range(len(titles)) if any(row[place] for row in rows)]
        return [titles[at] for at in shown], [[row[at] for at in shown] for row in rows]


def comparison_from_json(content: Mapping[str, Any]) -> Comparison:
    """The comparison that a JSON file holds; `as_json` backwards."""
    values = dict(content)
    rows = []
    for entry in values.pop("rows"):
        fields = {key: value for key, value in entry.items() if key != "verdict"}
        for name, key in (("interval", "ci95"), ("difference_interval", "difference_ci95")):
            bounds = fields.pop(key)
            fields[name] = tuple(bounds) if bounds else None
        rows.append(ComparisonRow(**fields))
    own = {name: values.pop(name) for name in Comparison.__dataclass_fields__ if name in values}
    return Comparison(rows=tuple(rows), details=values, **own)


def comparable_heads(evaluation: Evaluation) -> dict[str, MetricInfo]:
    """The heads that have labelled examples and a main metric, with that metric."""
    found = {name: main_metric(evaluation.metrics[name]) for name in evaluation.measured}
    return {name: info for name, info in found.items() if info}


def fusion_verdict(single: str, lead: PairedDifference, info: MetricInfo) -> str:
    """Whether a fusion with this lead, in mean scores, beats its best single input."""
    if lead.low > 0:
        return f"the fusion beats {single} alone by {difference_words(lead, info)}"
    if lead.high < 0:
        return f"the fusion is worse than {single} alone by {difference_words(negate(lead), info)}"
    return f"the fusion does not beat {single} alone (difference {difference_words(lead, info)})"


def difference_words(found: PairedDifference, info: MetricInfo) -> str:
    """As `4.1 points, 95 % CI 3.2 to 5.0`."""
    return f"{info.difference_text(found.difference)}, {interval_words(found, info)}"


def interval_words(found: PairedDifference, info: MetricInfo) -> str:
    """As `95 % CI 3.2 to 5.0`, in the unit of the difference."""
    return f"{_INTERVAL} {info.difference_interval_text(found.low, found.high)}"


def _cells(row: ComparisonRow, info: MetricInfo) -> list[str]:
    """All cells of a row as text; empty where it has no value."""
    bounds, difference_bounds = row.interval, row.difference_interval
    return [
        row.variant,
        row.condition,
        "" if row.level is None else f"{row.level:g} {row.unit}",
        "-" if row.value is None else info.text(row.value),
        info.interval_text(*bounds) if bounds else "",
        "" if row.difference is None else info.difference_text(row.difference),
        info.difference_interval_text(*difference_bounds) if difference_bounds else "",
        row.verdict,
        f"{row.parameters:,}" if row.parameters else "",
    ]
