"""A frozen encoder shared by two inputs, with probes and auxiliary losses."""

from __future__ import annotations

from unittest.mock import patch

import numpy as np
import pytest
from trainings import FROZEN_IMAGE

from mmzoo.data.frame import Frame, table_of
from mmzoo.evaluation.evaluate_run import evaluate
from mmzoo.preprocessing import scan
from mmzoo.training.train import train

CONFIG = {
    "name": "pairs",
    "source": {"type": "synthetic"},
    "inputs": {
        "left": FROZEN_IMAGE,
        "right": {"type": "image", "encoder": {"type": "shared", "input": "left"}},
    },
    "fusion": {"type": "concat", "auxiliary_loss": 0.2},
    "heads": {"kind": {"type": "classification"}},
    "probes": ["knn"],
    "train": {"epochs": 1, "batch_size": 8, "frozen_features": {"keep": "memory"}},
}


@pytest.mark.slow
def test_features_of_all_inputs_of_a_frozen_encoder_are_cached(tmp_path):
    random = np.random.RandomState(0)
    splits = {
        split: {
            "left": random.randint(0, 256, (rows, 32, 32, 3)).astype("uint8"),
            "right": random.randint(0, 256, (rows, 32, 32, 3)).astype("uint8"),
            "kind": np.arange(rows) % 2,
        }
        for split, rows in (("train", 24), ("validation", 8), ("test", 8))
    }
    frame = Frame(table_of(splits), "pairs", "0" * 64, class_names={"kind": ("a", "b")})
    with (
        patch("mmzoo.training.train.load_frame", lambda config: scan(config, frame)),
        patch("mmzoo.evaluation.evaluation_data.load_frame", lambda config: scan(config, frame)),
    ):
        run = train(CONFIG, run=tmp_path / "run")
        log = run.log_file.read_text()
        for name in ("left", "right"):
            assert f"{name}: computed the features of 24 train examples once" in log
        metrics = evaluate(run, split="test")
    assert metrics["kind"]["accuracy"] == pytest.approx(run.metrics()["test"]["kind"]["accuracy"])
    assert metrics["loss"] == pytest.approx(run.metrics()["test"]["loss"], rel=1e-4)
    assert "knn" in metrics["probes"]["kind"]
