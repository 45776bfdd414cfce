"""Word vectors as numpy arrays."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

from mmzoo.encoders.text.vectors.entry import Entries, Entry, Places, damaged, other_width

if TYPE_CHECKING:
    import numpy as np

_DAMAGE = (
    AttributeError,
    EOFError,
    KeyError,
    RuntimeError,
    TypeError,
    ValueError,
    zipfile.BadZipFile,
    zlib.error,
)
"""What numpy raises for a file that is not as it was written."""


def entries_of_arrays(path: Path, places: Places, dim: int) -> Entries:
    """Reads `words`, text or bytes `[words]`, and `vectors`, float `[words, dim]`.

    Args:
        path: a `.npz` file, as of `numpy.savez(path, words=words, vectors=vectors)`.
        places: the words that are looked for.
        dim: how many numbers a vector must have.

    Raises:
        DataError: the file is damaged, has other arrays, or vectors of another width.
    """
    import numpy as np

    words, vectors = _arrays(path)
    if words.ndim != 1 or words.dtype.kind not in "US":
        raise damaged(path, "words", f"expected text [words], got {_shown(words)}")
    if vectors.ndim != 2 or vectors.dtype.kind != "f" or len(vectors) != len(words):
        wanted = f"expected float [{len(words)}, {dim}], a row for each word"
        raise damaged(path, "vectors", f"{wanted}; got {_shown(vectors)}")
    if vectors.shape[1] != dim:
        raise other_width(path, vectors.shape[1], dim)
    for row, word in enumerate(words.tolist()):
        place = places.get(word if isinstance(word, bytes) else word.encode())
        if place is not None:
            with np.errstate(over="ignore"):  # What float32 cannot hold becomes infinite.
                vector = vectors[row].astype("float32")
            yield Entry(place, vector, f"row {row}")


def _arrays(path: Path) -> tuple[np.ndarray, np.ndarray]:
    import numpy as np

    try:
        # Not by its path: of a damaged archive, numpy would leave the file open.
        with path.open("rb") as content, np.load(content, allow_pickle=False) as file:
            words, vectors = file["words"], file["vectors"]
            if isinstance(words, np.ndarray) and isinstance(vectors, np.ndarray):
                return words, vectors
        problem = "they are something else"
    except _DAMAGE as error:
        problem = str(error)
    raise damaged(
        path,
        "as a whole",
        f"expected numpy arrays `words` and `vectors`, without objects ({problem})",
    )


def _shown(array: np.ndarray) -> str:
    return f"{array.dtype.name} {list(array.shape)}"
