"""Audio files for tests."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import soundfile


def tone(hertz: float = 440.0, rate: int = 8_000, seconds: float = 1.0) -> np.ndarray:
    """A sine of amplitude one half, float32 `[samples]`."""
    times = np.arange(round(rate * seconds)) / rate
    return (0.5 * np.sin(2 * np.pi * hertz * times)).astype("float32")


def hiss(samples: int = 8_000, channels: int = 1, seed: int = 0) -> np.ndarray:
    """White noise, float32 `[samples, channels]`."""
    return np.random.RandomState(seed).uniform(-0.5, 0.5, (samples, channels)).astype("float32")


def encoded(
    values: np.ndarray,
    rate: int = 8_000,
    container: str = "WAV",
    subtype: str | None = None,
    mode: str | None = None,
) -> bytes:
    """An encoded audio file; `mode` is the bitrate mode of MP3."""
    content = io.BytesIO()
    options = {"format": container, "subtype": subtype, "bitrate_mode": mode}
    soundfile.write(content, values, rate, **options)
    return content.getvalue()


def write(path: Path, values: np.ndarray, rate: int = 8_000, **options: str) -> Path:
    """Writes an audio file as WAV or in the given container, whatever its extension."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(encoded(values, rate, **options))
    return path
