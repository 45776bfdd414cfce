"""A catalogue of photos and words, and a run with a contrastive head on it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from PIL import Image

from mmzoo import train
from mmzoo.runs import Run
from mmzoo.trained_model import load_model

ROWS = 30
SIDES = ("left", "right", "top")
NO_WORDS = 3
"""The row without a text."""


class Catalogue(NamedTuple):
    """A folder with photos and `catalogue.csv`, and the run that was trained on it."""

    folder: Path
    run: Run

    @property
    def table(self) -> Path:
        return self.folder / "catalogue.csv"

    @property
    def photos(self) -> list[Path]:
        return sorted(self.folder.glob("photos/*.png"))

    def vectors(self) -> np.ndarray:
        """Of all rows, float32 `[rows, photo and words, dim]`, by the Keras model itself."""
        words = pl.read_csv(self.table)["words"].to_list()
        tokens = self.run.preprocessing()["words"]["vocabulary.txt"].split()
        ids = np.zeros((ROWS, 2), "int32")
        for row, text in enumerate(words):
            for place, word in enumerate((text or "").split()):
                ids[row, place] = tokens.index(word) + 2
        inputs = {
            "photo": np.stack([np.asarray(Image.open(path))[..., None] for path in self.photos]),
            "words": ids,
            "words_present": np.array([text is not None for text in words], "float32"),
        }
        return load_model(self.run)(inputs)["pair"].numpy()[..., :-2]


def experiment(table: Path) -> dict[str, Any]:
    image = {"type": "image", "shape": [6, 6, 1], "encoder": {"type": "cnn", "filters": [4]}}
    text = {"type": "text", "length": 2, "encoder": {"type": "embedding", "dim": 6}}
    return {
        "name": "catalogue",
        "source": {"type": "table", "path": str(table), "split": {"validation": 0.2, "test": 0.3}},
        "inputs": {"photo": image, "words": {**text, "missing": "learned"}},
        "heads": {
            "pair": {"type": "contrastive", "inputs": ["photo", "words"], "dim": 5},
            "side": {"type": "classification", "stop_gradient": True},
        },
        "train": {"epochs": 1, "batch_size": 9, "optimizer": {"type": "adam"}},
    }


def train_catalogue(folder: Path) -> Catalogue:
    """Draws the photos and words, and trains on them."""
    (folder / "photos").mkdir()
    random, lines = np.random.RandomState(0), ["id,photo,words,side"]
    for row in range(ROWS):
        side = SIDES[row % 3]
        pixels = random.randint(0, 200, (6, 6)).astype(np.uint8)
        pixels[{"left": np.s_[:, :3], "right": np.s_[:, 3:], "top": np.s_[:3]}[side]] += 50
        Image.fromarray(pixels).save(folder / f"photos/{row:02d}.png")
        words = "" if row == NO_WORDS else f"{side} {('dark', 'grey', 'bright')[row % 2]}"
        lines.append(f"P{row},photos/{row:02d}.png,{words},{side}")
    table = folder / "catalogue.csv"
    table.write_text("\n".join(lines) + "\n")
    return Catalogue(folder, train(experiment(table), run=folder / "001", device="cpu"))
