"""ELBO and log-likelihood of a variational autoencoder, checked by integrals on a grid."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from mmzoo.cli.main_command import cli
from mmzoo.evaluation.evaluation_data import load_split
from mmzoo.evaluation.evidence import evidence
from mmzoo.lazy import keras
from mmzoo.preprocessing import transform
from mmzoo.runs import Run
from mmzoo.trained_model import load_model

SIDE = np.linspace(-5, 5, 401)
CODES = np.stack(np.meshgrid(SIDE, SIDE, indexing="ij"), axis=-1).reshape(-1, 2)
AREA = (SIDE[1] - SIDE[0]) ** 2


def normal(mean: np.ndarray, variance: np.ndarray) -> np.ndarray:
    """Densities of a diagonal Gaussian at the codes of the grid."""
    factors = np.exp(-((CODES - mean) ** 2) / (2 * variance)) / np.sqrt(2 * np.pi * variance)
    return factors.prod(axis=1)


@pytest.fixture
def parts(pairs_run: Run, monkeypatch: pytest.MonkeyPatch) -> tuple[Any, Any, Any]:
    """The model, its config and its test data."""
    monkeypatch.chdir(pairs_run.directory.parent)  # Where its table is.
    config = pairs_run.config()
    data = transform(config, load_split(pairs_run, config, "test"), pairs_run.preprocessing())
    return load_model(pairs_run), config, data


def test_elbo_and_log_likelihood_are_integrals(parts) -> None:
    model, config, data = parts
    columns = data.splits["test"]
    photos, cells = (columns[config.columns[name]] for name in ("photo", "cells"))
    photos = np.where(photos >= 127.5, 255, 0).astype("uint8")
    there = columns[config.presence["cells"]]
    given = {
        "photo": photos,
        "cells": cells.astype("float32"),
        **{
            f"{name}_present": columns[config.presence[name]].astype("float32")
            for name in ("photo", "cells")
        },
    }
    product = model.get_layer("fusion_product").output
    means, log_variances = (np.asarray(one) for one in keras.Model(model.input, product)(given))
    codes = CODES.astype("float32")
    white = np.asarray(model.get_layer("photo_again")(codes)).reshape(len(codes), -1)
    white = np.clip(white.astype(np.float64), 1e-7, 1 - 1e-7)  # As Keras' cross-entropy.
    logits = np.asarray(model.get_layer("cells_again")(codes), np.float64)
    categories = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    prior = normal(np.zeros(2), np.ones(2))
    bounds, likelihoods = [], []
    for row, photo in enumerate(photos):
        pixels = photo.ravel() / 255
        given_code = (pixels * np.log(white) + (1 - pixels) * np.log(1 - white)).sum(axis=1)
        if there[row]:
            given_code += categories[:, int(cells[row, 0])]
        likelihoods.append(np.log((np.exp(given_code) * prior).sum() * AREA))
        posterior = normal(means[row], np.exp(log_variances[row]))
        inside = posterior > 1e-30
        terms = (given_code + np.log(prior) - np.log(np.where(inside, posterior, 1)))[inside]
        bounds.append((posterior[inside] * terms).sum() * AREA)
    config = config.replace(fusion=config.fusion.replace(importance_samples=300))
    found = evidence(model, config, data, "test")
    assert found["elbo"] == pytest.approx(np.mean(bounds), abs=0.1)
    assert found["log_likelihood"] == pytest.approx(np.mean(likelihoods), abs=0.05)
    assert found["elbo"] == pytest.approx(found["reconstruction_log_likelihood"] - found["kl"])
    assert found == evidence(model, config, data, "test")
    batches = config.replace(train=config.train.replace(evaluation_batch_size=5))
    again = evidence(model, batches, data, "test")
    assert again["log_likelihood"] == pytest.approx(found["log_likelihood"], abs=1e-4)


def test_a_run_and_its_report_have_the_elbo(pairs_run: Run, parts) -> None:
    found = pairs_run.metrics()["test"]["fusion"]
    assert found["elbo_ci95"][0] < found["elbo"] < found["elbo_ci95"][1]
    assert found["elbo"] < found["log_likelihood"]
    assert found["importance_samples"] == 20
    folder = pairs_run.directory.parent / "evaluated"
    words = ["eval", str(pairs_run.directory), "--output", str(folder), "--modalities"]
    result = CliRunner().invoke(cli, words)
    assert result.exit_code == 0, result.output
    assert "  fusion: ELBO -" in result.output
    again = json.loads((folder / "metrics.json").read_text())["test"]["fusion"]
    assert again["elbo"] == pytest.approx(found["elbo"], rel=1e-4)
    rows = json.loads((folder / "modalities.json").read_text())["rows"]
    left_out = {(row["head"], row["variant"]): row["value"] for row in rows if row["condition"]}
    # Its side is in both inputs, so either gives the image, which few of the grey images do alone.
    assert left_out["photo_again", "cells alone"] < 0.25
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "importance samples" in page
    assert "samples of the prior" in page
    events = b"".join(path.read_bytes() for path in pairs_run.logs.rglob("events*"))
    assert b"photo_again/samples" in events
    assert b"test/fusion/elbo" in events


def test_there_is_no_elbo_without_likelihoods(parts) -> None:
    model, config, data = parts
    heads = dict(config.heads)
    heads["photo_again"] = heads["photo_again"].replace(loss=None)
    assert evidence(model, config.replace(heads=heads), data, "test").keys() == {"kl"}
    none = config.replace(fusion=config.fusion.replace(importance_samples=0))
    assert "log_likelihood" not in evidence(model, none, data, "test")
