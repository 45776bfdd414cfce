"""The tables that come with scikit-learn, read from its folder.

The documented way, `sklearn.datasets.load_iris()` and the like, takes half a second for all that
`sklearn.datasets` imports; it serves where the files are elsewhere.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

from mmzoo.errors import DataError
from mmzoo.lazy import np


def bundled_file(path: str, name: str) -> Path | None:
    """A file of scikit-learn's package, without importing it; None if there is no such file.

    Args:
        path: Relative to the package.
        name: Of the data set, for the error.

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
    """The numbers of `iris`, `wine`, `breast_cancer` or `diabetes`, float64, target last.

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
