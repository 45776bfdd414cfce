"""Readers of WAV recordings, and of the data files bundled with scikit-learn."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from mmzoo.errors import DataError
from mmzoo.lazy import np


def read_recordings(paths: np.ndarray, rate: int, samples: int) -> tuple[np.ndarray, np.ndarray]:
    """Reads mono recordings, truncated or padded with silence at the end.

    Args:
        paths: Paths of WAV files, text `[recordings]`.
        rate: The expected sampling rate, in hertz.
        samples: The length of each waveform.

    Returns:
        The waveforms, int16 `[recordings, samples]`; and the number of samples before the padding,
        int64 `[recordings]`.

    Raises:
        DataError: A file cannot be decoded, is empty, has several channels or another rate.
    """
    import soundfile

    waveforms = np.zeros((len(paths), samples), np.int16)
    lengths = np.empty(len(paths), np.int64)
    for row, path in enumerate(paths.tolist()):
        try:
            values, found = soundfile.read(path, samples, dtype="int16", always_2d=True)
        except (OSError, soundfile.SoundFileError) as error:
            raise DataError(f"{path} cannot be read as audio: {error}.") from error
        if found != rate or values.shape[1] != 1 or not len(values):
            raise DataError(
                f"{path} has {len(values):,} samples of {values.shape[1]} channels at {found:,} "
                f"Hz, expected a recording of one channel at {rate:,} Hz."
            )
        lengths[row] = len(values)
        waveforms[row, : len(values)] = values[:, 0]
    return waveforms, lengths


def bundled_file(path: str, name: str) -> Path | None:
    """The path of a file in scikit-learn's package, found without importing it; None if missing.

    Args:
        path: Relative to the package.
        name: The data set, for the error.

    Raises:
        DataError: scikit-learn is not installed.
    """
    package = importlib.util.find_spec("sklearn")
    if package is None or package.origin is None:
        raise DataError(
            f"data set `{name}` comes with scikit-learn, which is not installed: "
            "pip install scikit-learn"
        )
    found = Path(package.origin).parent / path
    return found if found.is_file() else None


def read_table(name: str) -> np.ndarray:
    """The table of `iris`, `wine`, `breast_cancer` or `diabetes`: float64, the target last.

    Raises:
        DataError: scikit-learn is not installed.
    """
    if name == "diabetes":
        inputs = bundled_file("datasets/data/diabetes_data_raw.csv.gz", name)
        target = bundled_file("datasets/data/diabetes_target.csv.gz", name)
        if inputs and target:
            return np.column_stack([np.loadtxt(inputs), np.loadtxt(target)])
    else:
        file = "wine_data" if name == "wine" else name
        table = bundled_file(f"datasets/data/{file}.csv", name)
        if table:
            return np.loadtxt(table, delimiter=",", skiprows=1)

    from sklearn import datasets

    options = {"scaled": False} if name == "diabetes" else {}
    bunch = getattr(datasets, f"load_{name}")(**options)
    return np.column_stack([bunch.data, bunch.target])
