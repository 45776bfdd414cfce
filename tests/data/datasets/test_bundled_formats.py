"""Audio data sets: recordings are trimmed or padded; other formats are refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from mmzoo.data.datasets.table_formats import read_recordings
from mmzoo.errors import DataError


def put(folder: Path, name: str, values: np.ndarray, rate: int = 8_000) -> str:
    path = folder / name
    soundfile.write(path, values.astype(np.int16), rate, "PCM_16")
    return str(path)


def test_recordings_are_trimmed_or_padded(tmp_path: Path) -> None:
    paths = [put(tmp_path, f"{count}.wav", np.arange(1, count + 1)) for count in (3, 5, 8)]
    waveforms, lengths = read_recordings(np.array(paths), 8_000, 5)
    assert waveforms.dtype == np.int16
    assert waveforms.tolist() == [[1, 2, 3, 0, 0], [1, 2, 3, 4, 5], [1, 2, 3, 4, 5]]
    assert lengths.tolist() == [3, 5, 5]


@pytest.mark.parametrize(
    ("values", "rate", "message"),
    [
        (
            np.zeros(4),
            16_000,
            "has 4 samples of 1 channels at 16,000 Hz, expected a recording of one",
        ),
        (np.zeros((4, 2)), 8_000, "has 4 samples of 2 channels at 8,000 Hz"),
        (np.zeros(0), 8_000, "has 0 samples of 1 channels"),
    ],
)
def test_recordings_in_another_format_are_named(
    values: np.ndarray, rate: int, message: str, tmp_path: Path
) -> None:
    path = put(tmp_path, "one.wav", values, rate)
    with pytest.raises(DataError, match=f"^{path} {message}"):
        read_recordings(np.array([path]), 8_000, 4)


def test_files_that_are_not_audio_are_named(tmp_path: Path) -> None:
    path = tmp_path / "one.wav"
    path.write_text("no sound")
    with pytest.raises(DataError, match=f"^{path} cannot be read as audio: "):
        read_recordings(np.array([str(path)]), 8_000, 4)
