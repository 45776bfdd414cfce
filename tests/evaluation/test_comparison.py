"""Comparisons: rows and verdicts; the same table as text, HTML and JSON."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import polars
import pytest

from mmzoo.cli.comparison_text import comparison_text
from mmzoo.evaluation.comparison import (
    Comparison,
    ComparisonRow,
    comparison_from_json,
    comparison_row,
    constant_row,
)
from mmzoo.evaluation.comparison_plots import comparison_plot
from mmzoo.evaluation.report import comparison_html
from mmzoo.metrics import Estimate, PairedDifference, metric_info

ACCURACY, ERROR = metric_info("accuracy"), metric_info("mean_absolute_error")


@pytest.fixture
def comparison() -> Comparison:
    """Two heads, and a photo that is blurred at two levels."""
    rows = [
        comparison_row("kind", "none", ACCURACY, Estimate(0.9, 0.85, 0.95)),
        *(
            comparison_row(
                "kind",
                "photo",
                ACCURACY,
                Estimate(0.9 - lead, 0.8, 0.9),
                PairedDifference(lead, lead - 0.01, lead + 0.01),
                condition="blur",
                level=level,
                unit="pixels",
            )
            for level, lead in ((1, 0.0), (2, 0.25))
        ),
        constant_row("kind", ACCURACY, {"majority": 0.5}),
        comparison_row("price", "none", ERROR, Estimate(-2.0, -2.5, -1.5)),
        comparison_row(
            "price",
            "photo",
            ERROR,
            Estimate(-3.0, -3.5, -2.5),
            PairedDifference(1.0, 0.5, 1.5),
            condition="blur",
            level=2.0,
            unit="pixels",
        ),
        constant_row("price", ERROR, {"baseline_mean_absolute_error": 4.0}),
    ]
    return Comparison(
        kind="robustness",
        title="Robustness to corrupted inputs",
        split="test",
        examples=1_200,
        rows=tuple(rows),
        reference={"kind": "none", "price": "none"},
        findings={"kind": ["photo, blur: degrades from 2 (pixels) on"], "price": ["<so> `run`"]},
        warnings=["Look."],
        notes=["One input at a time is corrupted."],
        details={"bootstrap_draws": 1000},
    )


def test_text_has_a_table_per_head(comparison):
    assert (
        comparison_text(comparison)
        == """\
Robustness to corrupted inputs on test (1,200 examples):

  kind: accuracy
    corrupted input          corruption     level   value       95 % CI    difference         95 % CI
    none                                           90.0 %  85.0 to 95.0
    photo                    blur        1 pixels  90.0 %  80.0 to 90.0    0.0 points     -1.0 to 1.0  no clear difference
    photo                    blur        2 pixels  65.0 %  80.0 to 90.0  -25.0 points  -26.0 to -24.0  worse
    majority-class baseline                        50.0 %

    photo, blur: degrades from 2 (pixels) on

  price: mean absolute error
    corrupted input  corruption     level  value     95 % CI  difference     95 % CI
    none                                       2  1.5 to 2.5
    photo            blur        2 pixels      3  2.5 to 3.5           1  0.5 to 1.5  worse
    mean baseline                              4

    <so> `run`
    Note: Look.

  One input at a time is corrupted."""  # noqa: E501
    )


def test_html_has_the_same_table(comparison):
    html = comparison_html(comparison)
    words = ("corrupted input", "corruption", "worse", "photo", "blur")
    assert set(re.findall(r'class="text">([^<]*)', html)) >= set(words)
    assert not re.search(r'class="text">[-0-9]', html)
    html = html.replace(' class="text"', "")
    for head in comparison.heads:
        titles, rows = comparison.table(head)
        assert "".join(f"<th>{title}</th>" for title in titles) in html
        for row in rows:
            assert f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" in html
    assert "<li>&lt;so&gt; <code>run</code></li>" in html
    assert '<p class="note">Look.</p>' in html


def test_json_is_a_long_table_and_round_trips(comparison):
    content = json.loads(json.dumps(comparison.as_json()))
    assert comparison_from_json(content) == comparison
    assert content["bootstrap_draws"] == 1000
    frame = polars.DataFrame(content["rows"])
    assert frame.columns == [
        *("head", "variant", "metric", "value", "difference", "condition", "level", "unit"),
        *("parameters", "ci95", "difference_ci95", "verdict"),
    ]
    worse = frame.filter(polars.col("verdict") == "worse")
    assert worse["difference"].to_list() == [-0.25, 1.0]
    assert worse["ci95"].to_list() == [[0.8, 0.9], [2.5, 3.5]]


@pytest.mark.parametrize(
    ("metric", "difference", "interval", "verdict"),
    [
        ("accuracy", 0.1, (0.05, 0.15), "better"),
        ("accuracy", -0.1, (-0.15, -0.05), "worse"),
        ("accuracy", 0.1, (-0.05, 0.25), "no clear difference"),
        ("accuracy", 0.0, (0.0, 0.0), "identical"),
        ("mean_absolute_error", 0.1, (0.05, 0.15), "worse"),
        ("mean_absolute_error", -0.1, (-0.15, -0.05), "better"),
        ("accuracy", None, None, ""),
    ],
)
def test_the_finding_is_about_the_variant(metric, difference, interval, verdict):
    row = ComparisonRow("kind", "photo", metric, 0.5, (0.4, 0.6), difference, interval)
    assert row.verdict == verdict


def test_levels_and_variants_are_plotted(comparison, tmp_path):
    rows = [row for row in comparison.rows if row.level is None]
    bars = Comparison("modalities", "Contribution", "test", 9, tuple(rows))
    for name, one in (("curves", comparison), ("bars", bars)):
        comparison_plot(tmp_path / f"{name}.png", one)
        assert (tmp_path / f"{name}.png").read_bytes().startswith(b"\x89PNG")


def test_bars_of_a_variant_are_centred_at_its_label(monkeypatch):
    figures = []
    monkeypatch.setattr(
        "mmzoo.evaluation.comparison_plots.write_figure",
        lambda figure, path: figures.append(figure),
    )
    variants = [("all", ""), ("photo", "absent"), ("photo", "shuffled"), ("text", "shuffled")]
    rows = [
        ComparisonRow("kind", variant, "accuracy", 0.5, (0.4, 0.6), condition=condition)
        for variant, condition in variants
    ]
    baseline = constant_row("kind", ACCURACY, {"majority": 0.3})
    comparison_plot(Path("x.png"), Comparison("modalities", "x", "test", 9, (*rows, baseline)))
    [axes] = figures[0].axes
    centres = [bar.get_y() + bar.get_height() / 2 for bar in axes.patches]
    np.testing.assert_allclose(sorted(centres), [0, 0.8, 1.2, 2])
