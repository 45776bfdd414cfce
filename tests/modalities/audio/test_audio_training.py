"""A folder of recordings from many devices: training, evaluation, prediction."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest
from sample_sounds import hiss, tone, write

from mmzoo import evaluate, predict
from mmzoo.config import load_config
from mmzoo.errors import DataError
from mmzoo.model_summary import summarize
from mmzoo.runs import Run
from mmzoo.spec import dump_yaml
from mmzoo.training.train import train
from mmzoo.visualization.augmented_examples import draw_augmented_examples

PITCHES = {"high": 2_000.0, "low": 300.0}
CONTAINERS = ("WAV", "FLAC", "OGG", "MP3")
RATES = (8_000, 16_000, 44_100)


def recording(pitch: float, number: int) -> tuple[np.ndarray, int]:
    """A tone in noise, at one of three rates, mono or stereo, all of different lengths."""
    rate, seconds = RATES[number % 3], 0.3 + 0.02 * number
    values = tone(pitch * (1 + 0.01 * number), rate, seconds)[:, None]
    return values + 0.1 * hiss(len(values), channels=1 + number % 2, seed=number), rate


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("data") / "sounds"
    for name, pitch in PITCHES.items():
        for number in range(20):
            container = CONTAINERS[number % 4]
            values, rate = recording(pitch, number)
            path = root / name / f"{number:02}.{container.lower()}"
            write(path, values, rate, container=container)
    return root


def config(folder: Path, **train: Any) -> dict[str, Any]:
    return {
        "name": "sounds",
        "source": {
            "type": "folder",
            "path": str(folder),
            "suffixes": [".wav", ".flac", ".ogg", ".mp3"],
            "validation": 0.2,
            "test": 0.25,
        },
        "inputs": {
            "sound": {
                "type": "audio",
                "rate": 8_000,
                "seconds": 0.5,
                "spectrogram": {"type": "log_mel", "bins": 20},
                "augment": [{"type": "time_shift"}, {"type": "noise", "snr": [20.0, 40.0]}],
                "masking": {},
                "normalize": "example",  # Batch norm needs more steps than these.
                "encoder": {"type": "gru", "units": [8], "bidirectional": False},
            }
        },
        "heads": {"pitch": {"type": "classification"}},
        "train": {
            "epochs": 8,
            "batch_size": 8,
            "optimizer": {"type": "adam", "learning_rate": 0.03},
            **train,
        },
    }


@pytest.fixture(scope="module")
def run(folder, tmp_path_factory) -> Run:
    return train(config(folder), run=tmp_path_factory.mktemp("runs") / "sounds")


def test_training_learns_and_notes_changes_to_audio(run):
    assert run.metrics()["test"]["pitch"]["accuracy"] > 0.8
    log = run.log_file.read_text()
    for note in (
        "sound: 26 of 40 files are resampled, from 16,000 to 44,100 to 8,000 Hz",
        "sound: 20 of 40 files have several channels, which are averaged into one",
        "sound: 18 of 40 files are longer than 0.5 s, and truncated to their start",
        "sound: 20 of 40 files are shorter than 0.5 s, and padded with silence",
        "Decoded 40 files once: 0.6 MB, cached in memory.",
    ):
        assert log.count(note) == 1, note


@pytest.mark.slow
def test_predictions_of_files_match_the_evaluation(run, folder):
    assert evaluate(run) == run.metrics()["test"]
    with (run.evaluation("test") / "predictions.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert all((folder / row["file"]).is_file() for row in rows)
    table = predict(run, [folder / row["file"] for row in rows])
    assert table["pitch"] == [row["pitch"] for row in rows]
    np.testing.assert_allclose(
        table["pitch_probability"], [float(row["pitch_probability"]) for row in rows], rtol=1e-5
    )


def test_unusable_files_are_named_by_predict(run, folder, tmp_path):
    cut = tmp_path / "cut.flac"
    cut.write_bytes((folder / "low" / "01.flac").read_bytes()[:3_000])
    (tmp_path / "text.wav").write_text("no sound")
    with pytest.raises(DataError) as caught:
        predict(run, [folder / "low" / "00.wav", cut, tmp_path / "text.wav"])
    assert "cut.flac: the audio is damaged: " in str(caught.value)
    assert "text.wav: not an audio file that mmzoo can read: expected WAV, FLAC" in str(
        caught.value
    )
    with pytest.raises(DataError, match=r"cut\.flac: the audio is damaged"):
        predict(run, cut)


def test_the_summary_shows_the_spectrogram(run):
    shown = summarize(run.directory)
    layers = {layer.name: layer.output for layer in shown.layers}
    assert layers["sound"] == "4000"
    assert layers["sound_encoder/log_mel"] == "48 x 20"
    assert "GRU" in {layer.kind for layer in shown.layers}


def test_audio_is_drawn_as_the_model_receives_it(folder, tmp_path):
    path = tmp_path / "sounds.yaml"
    path.write_text(dump_yaml(load_config(config(folder))))
    drawing = draw_augmented_examples(path, [], rows=2, epochs=2, output=tmp_path / "view.png")
    with PIL.Image.open(drawing.path) as image:
        pixels = np.asarray(image)
    assert pixels.shape[0] > 2 * 200
    assert len(np.unique(pixels.reshape(-1, 3), axis=0)) > 100  # The colours of spectrograms.


@pytest.mark.slow
def test_the_worst_mistakes_are_shown(folder, tmp_path):
    """A head that learns nothing makes many."""
    spec = config(folder, epochs=1, optimizer={"type": "sgd", "learning_rate": 1e-9})
    done = train(spec, run=tmp_path / "mistaken")
    assert evaluate(done)["pitch"]["accuracy"] < 1
    with PIL.Image.open(done.evaluation("test") / "mistakes.png") as grid:
        assert grid.width > 200


def test_a_damaged_file_is_named_or_skipped(folder, tmp_path):
    recordings = Path(shutil.copytree(folder, tmp_path / "sounds"))
    damaged = recordings / "high" / "05.flac"
    damaged.write_bytes(damaged.read_bytes()[:-2_000])
    with pytest.raises(DataError, match=r"high/05\.flac: the audio is damaged: "):
        train(config(recordings, epochs=1), run=tmp_path / "refused")
    skipping = config(recordings, epochs=1)
    skipping["source"]["on_bad_row"] = "skip"
    done = train(skipping, run=tmp_path / "skipped")
    assert "high/05.flac" in (done.directory / "skipped.csv").read_text()
