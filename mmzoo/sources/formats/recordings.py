"""Recordings of one rate and one channel, of whose files every byte is known."""

from __future__ import annotations

from mmzoo.errors import DataError
from mmzoo.lazy import np


def read_recordings(paths: np.ndarray, rate: int, samples: int) -> tuple[np.ndarray, np.ndarray]:
    """Reads recordings from their beginning, and pads them with silence at the end.

    Args:
        paths: Of WAV files, text `[recordings]`.
        rate: The samples a second that each must have.
        samples: How many of each are kept.

    Returns:
        The waveforms, int16 `[recordings, samples]`; and of each, how many samples are the
        recording's own, int64 `[recordings]`.

    Raises:
        DataError: A file is no sound, has several channels or none of its samples, or another
            rate.
    """
    import soundfile

    waveforms = np.zeros((len(paths), samples), np.int16)
    lengths = np.empty(len(paths), np.int64)
    for row, path in enumerate(paths.tolist()):
        try:
            values, found = soundfile.read(path, samples, dtype="int16", always_2d=True)
        except (OSError, soundfile.SoundFileError) as error:
            raise DataError(f"{path} cannot be read as a sound: {error}.") from error
        if found != rate or values.shape[1] != 1 or not len(values):
            raise DataError(
                f"{path} has {len(values):,} samples of {values.shape[1]} channels at {found:,} "
                f"Hz, expected some of one channel at {rate:,} Hz."
            )
        lengths[row] = len(values)
        waveforms[row, : len(values)] = values[:, 0]
    return waveforms, lengths
