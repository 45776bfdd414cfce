"""Trainings on audio: exact resume with SpecAugment, and cached features."""

from __future__ import annotations

import numpy as np
import pytest
from trainings import differences, train_with_crash

from mmzoo.lazy import keras
from mmzoo.modalities.audio.encoders import AudioCNN
from mmzoo.training.train import train

CONFIG = {
    "name": "sounds",
    "source": {"type": "synthetic", "rows": 128},
    "inputs": {
        "sound": {
            "type": "audio",
            "rate": 8_000,
            "seconds": 0.2,
            "spectrogram": {"type": "mfcc", "bins": 20, "coefficients": 12},
            "augment": [{"type": "noise"}, {"type": "time_shift"}],
            "masking": {},
            "encoder": {"type": "cnn", "filters": [4], "dropout": 0.2},
        }
    },
    "heads": {"digit": {"type": "classification", "classes": 3}},
    "train": {
        "epochs": 2,
        "batch_size": 16,
        "checkpoint_seconds": 0,
        "log_steps": 1,
        "optimizer": {"type": "adam", "learning_rate": 1e-2},
    },
}


@pytest.mark.slow
def test_a_resume_after_a_crash_is_bit_identical(tmp_path):
    """The masks' seed is among the model's variables."""
    uninterrupted = train(CONFIG, run=tmp_path / "whole")
    broken = train_with_crash(CONFIG, tmp_path / "broken", step=6)
    assert not differences(uninterrupted, broken)


@pytest.mark.slow
def test_features_of_a_frozen_audio_encoder_are_cached(tmp_path, monkeypatch):
    """A frozen audio encoder is a sub-model like any other."""
    build = AudioCNN.build

    def frozen_build(encoder, x):
        features = build(encoder, x)
        for layer in keras.Model(x, features.vector).layers:
            layer.trainable = False
        return features

    monkeypatch.setattr(AudioCNN, "frozen", property(lambda self: True))
    monkeypatch.setattr(AudioCNN, "build", frozen_build)
    changes = {"augment": [], "masking": None, "normalize": "example"}  # Nothing at random.
    changes["encoder"] = {"type": "cnn", "filters": [4]}
    recording = {**CONFIG["inputs"]["sound"], **changes}
    frozen = {**CONFIG, "inputs": {"sound": recording}}
    through = {**frozen, "train": {**CONFIG["train"], "frozen_features": {"keep": "off"}}}
    kept = train(frozen, run=tmp_path / "kept")
    assert "sound: computed the features of 64 train examples once" in kept.log_file.read_text()
    for name, run in {"again": train(frozen, run=tmp_path / "again"), "kept": kept}.items():
        assert ("computed by an earlier run" in run.log_file.read_text()) == (name == "again")
    other = train(through, run=tmp_path / "through")
    for mine, theirs in zip(kept.history(), other.history(), strict=True):
        assert mine["validation_loss"] == pytest.approx(theirs["validation_loss"], rel=1e-3)
        assert np.isfinite(mine["loss"])
