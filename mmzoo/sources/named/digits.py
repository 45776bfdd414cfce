"""The 8x8 digits that come with scikit-learn: always there, so they can stand in for others."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from mmzoo.lazy import np
from mmzoo.sources.data import Splits
from mmzoo.sources.formats.scikit_learn import bundled_file
from mmzoo.sources.named.entry import NamedSet

_TABLE = "datasets/data/digits.csv.gz"


def _read(files: Mapping[str, Path]) -> Splits:

    # uint16, as 16 * 255 does not fit into a byte.
    table = np.asarray(_table(), dtype=np.uint16)
    pixels, label = table[:, :64], table[:, 64]
    image = ((pixels * 255 + 8) // 16).astype(np.uint8).reshape(-1, 8, 8, 1)
    return {"train": {"image": image, "label": label.astype(np.int64)}}


def _table() -> object:
    """A row of 64 pixels, 0 to 16, and the digit for each of the 1,797 examples."""

    path = bundled_file(_TABLE, "digits")
    if path:
        return np.loadtxt(path, delimiter=",", dtype=np.uint16)

    # The documented way takes half a second, for all that `sklearn.datasets` imports.
    from sklearn.datasets import load_digits

    digits = load_digits()
    return np.column_stack([digits.data, digits.target])


DIGITS = NamedSet(
    name="digits",
    description="Handwritten digits, 8x8, grey; needs no download.",
    homepage="https://archive.ics.uci.edu/dataset/80",
    licence="CC BY 4.0",
    citation='Alpaydin and Kaynak, "Optical recognition of handwritten digits", UCI, 1998',
    examples={"train": 1_797},
    classes={"label": ("0", "1", "2", "3", "4", "5", "6", "7", "8", "9")},
    files=(),
    mirrors=(),
    read=_read,
)
