"""The files of what inputs are worth, and of how a model bears worse ones.

They take long to make, so they stay where the same weights are evaluated again without them.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mmzoo.errors import RunError
from mmzoo.evaluation.modalities.as_json import modalities_json
from mmzoo.evaluation.modalities.modalities import Modalities
from mmzoo.evaluation.modalities.page import modality_page
from mmzoo.evaluation.modalities.plot import modality_plot
from mmzoo.evaluation.reports.report import Report
from mmzoo.evaluation.robustness.page import robustness_page
from mmzoo.evaluation.robustness.plot import robustness_plot
from mmzoo.evaluation.robustness.robustness import Robustness
from mmzoo.files import write_text
from mmzoo.lazy import keras
from mmzoo.records import read_json

_PAGES = {"modalities": "What the inputs are worth", "robustness": "As the inputs get worse"}


@dataclass(frozen=True)
class Origin:
    """What the figures of an evaluation are of."""

    checkpoint: str
    """Which weights: "best", "last" or a file."""
    weights: str
    """Hexadecimal digits that other weights do not have."""
    data: str
    """The name of the data that was used."""
    fingerprint: str
    """Of the data."""

    def is_of(self, content: dict[str, Any]) -> bool:
        """Whether a file has figures of the same weights and data."""
        return all(content.get(key) == getattr(self, key) for key in ("weights", "fingerprint"))


def weights_digest(model: keras.Model) -> str:
    """Hexadecimal digits that a model with other weights does not have."""
    digest = hashlib.sha256()
    for array in model.get_weights():
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()[:16]


def write_modalities(folder: Path, origin: Origin, report: Report, found: Modalities) -> None:
    """Writes modalities.png, modalities.html and modalities.json.

    Args:
        folder: of the split's evaluation.
        origin: what the figures are of.
        report: of the same evaluation.
        found: what was measured.
    """
    plot = folder / "modalities.png"
    modality_plot(plot, found)
    write_text(folder / "modalities.html", modality_page(report, found, plot))
    _write_json(folder / "modalities.json", origin, modalities_json(found))


def write_robustness(folder: Path, origin: Origin, report: Report, found: Robustness) -> None:
    """Writes robustness.png, robustness.html and robustness.json; arguments likewise."""
    plot = folder / "robustness.png"
    robustness_plot(plot, found)
    write_text(folder / "robustness.html", robustness_page(report, found, plot))
    _write_json(folder / "robustness.json", origin, found.as_json())


def pages_of(folder: Path, origin: Origin) -> dict[str, str]:
    """The pages that are of an evaluation, by what they say; those of another are removed."""
    pages = {}
    for name, what in _PAGES.items():
        if _is_of(folder / f"{name}.json", origin):
            pages[what] = f"{name}.html"
        else:
            for ending in ("json", "html", "png"):
                (folder / f"{name}.{ending}").unlink(missing_ok=True)
    return pages


def _is_of(path: Path, origin: Origin) -> bool:
    try:
        return path.is_file() and origin.is_of(read_json(path))
    except RunError:  # What is damaged is of nothing.
        return False


def _write_json(path: Path, origin: Origin, content: dict[str, Any]) -> None:
    write_text(path, json.dumps({**asdict(origin), **content}, indent=2) + "\n")
