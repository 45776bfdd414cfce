"""The files of what inputs are worth, and of how a model bears worse ones."""

from __future__ import annotations

import json
from pathlib import Path

from mmzoo.evaluation.modalities.as_json import modalities_json
from mmzoo.evaluation.modalities.modalities import Modalities
from mmzoo.evaluation.modalities.page import modality_page
from mmzoo.evaluation.modalities.plot import modality_plot
from mmzoo.evaluation.robustness.plot import robustness_plot
from mmzoo.evaluation.robustness.robustness import Robustness
from mmzoo.files import write_text


def write_modalities(folder: Path, title: str, data: str, found: Modalities) -> None:
    """Writes modalities.png, modalities.json and modalities.html.

    Args:
        folder: of the split's evaluation.
        title: the config's name.
        data: the name of the data that was used.
        found: what was measured.
    """
    plot = folder / "modalities.png"
    modality_plot(plot, found)
    write_text(folder / "modalities.json", json.dumps(modalities_json(found), indent=2) + "\n")
    write_text(folder / "modalities.html", modality_page(title, data, found, plot))


def write_robustness(folder: Path, found: Robustness) -> None:
    """Writes robustness.png and robustness.json; arguments likewise."""
    robustness_plot(folder / "robustness.png", found)
    write_text(folder / "robustness.json", json.dumps(found.as_json(), indent=2) + "\n")
