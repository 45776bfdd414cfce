"""The files of the comparisons of one run: a plot, an HTML page and the long table as JSON.

They are expensive, so they are kept when the same weights are evaluated again without them.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np

from mmzoo.errors import RunError
from mmzoo.evaluation.comparison import Comparison
from mmzoo.evaluation.comparison_plots import comparison_plot
from mmzoo.evaluation.html_page import Plot, page, plots_html
from mmzoo.evaluation.report import Report, comparison_html, linked_header
from mmzoo.files import read_json, write_text
from mmzoo.lazy import keras

_PAGES = {"modalities": "Contribution of each input", "robustness": "Robustness"}
"""File name -> title of its link in the report."""


Origin = dict[str, str]
"""The evaluated weights and data: `checkpoint`, `weights` (a digest), `data` and `fingerprint`."""


def origin_of(report: Report, model: keras.Model) -> Origin:
    """The origin of an evaluation, with a digest of 16 hexadecimal digits of all weights."""
    digest = hashlib.sha256()
    for array in model.get_weights():
        digest.update(np.ascontiguousarray(array).tobytes())
    return {
        "checkpoint": report.checkpoint,
        "weights": digest.hexdigest()[:16],
        "data": report.data,
        "fingerprint": report.fingerprint,
    }


def write_comparison(folder: Path, origin: Origin, report: Report, comparison: Comparison) -> None:
    """Writes `<kind>.png`, `<kind>.html` and `<kind>.json` beside the report."""
    file = folder / comparison.kind
    comparison_plot(file.with_suffix(".png"), comparison)
    write_text(file.with_suffix(".html"), comparison_page(report, comparison, folder))
    content = {**origin, **comparison.as_json()}
    write_text(file.with_suffix(".json"), json.dumps(content, indent=2) + "\n")


def comparison_page(report: Report, comparison: Comparison, folder: Path) -> str:
    """The page as HTML text, with the plot that is in `folder`."""
    title = f"{report.title}: {comparison.title[0].lower()}{comparison.title[1:]}"
    plot = Plot("With 95 % intervals", folder / f"{comparison.kind}.png")
    return page(
        title,
        f"""{linked_header(title, report)}
<section>
{plots_html([plot])}
{comparison_html(comparison)}
</section>""",
    )


def linked_pages(folder: Path, origin: Origin) -> dict[str, str]:
    """Title -> file of the pages that match an evaluation; the files of others are removed."""
    pages = {}
    for name, title in _PAGES.items():
        if _matches(folder / f"{name}.json", origin):
            pages[title] = f"{name}.html"
        else:
            for ending in ("json", "html", "png"):
                (folder / f"{name}.{ending}").unlink(missing_ok=True)
    return pages


def _matches(path: Path, origin: Origin) -> bool:
    """Whether a JSON file is of the same weights and data."""
    try:
        content = read_json(path) if path.is_file() else {}
        return all(content.get(key) == origin[key] for key in ("weights", "fingerprint"))
    except RunError:  # It is damaged.
        return False
