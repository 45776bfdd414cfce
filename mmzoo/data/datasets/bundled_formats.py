"""Readers of the data files bundled with scikit-learn."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping
from pathlib import Path

from mmzoo.data.frame import Splits
from mmzoo.errors import DataError
from mmzoo.lazy import np

TARGET = "target"
"""The target column of all tables."""


def read_digits(files: Mapping[str, Path]) -> Splits:
    """Reads the 8x8 digits, with pixels scaled from 0 to 16 to 0 to 255."""
    path = bundled_file("datasets/data/digits.csv.gz", "digits")
    if path:
        table = np.loadtxt(path, delimiter=",", dtype=np.uint16)
    else:
        # The public API, which takes half a second longer, as `sklearn.datasets` imports much.
        from sklearn.datasets import load_digits

        digits = load_digits()
        # uint16, as 16 * 255 does not fit into a byte.
        table = np.column_stack([digits.data, digits.target]).astype(np.uint16)
    pixels, label = table[:, :64], table[:, 64]
    image = ((pixels * 255 + 8) // 16).astype(np.uint8).reshape(-1, 8, 8, 1)
    return {"train": {"image": image, "label": label.astype(np.int64)}}


def table_reader(
    name: str, columns: tuple[str, ...], classes: bool
) -> Callable[[Mapping[str, Path]], Splits]:
    """The reader of a table; its target is int64 if it has `classes`, else float64."""

    def read(files: Mapping[str, Path]) -> Splits:
        table = bundled_table(name)
        inputs = {column: table[:, index] for index, column in enumerate(columns)}
        target = table[:, -1]
        return {"train": {**inputs, TARGET: target.astype("int64") if classes else target}}

    return read


def bundled_table(name: str) -> np.ndarray:
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
