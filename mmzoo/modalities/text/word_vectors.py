"""Word vectors: pretrained embeddings of the words in a vocabulary, read from a file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from mmzoo.errors import DataError
from mmzoo.lazy import np
from mmzoo.modalities.text.word_vector_formats import (
    Entries,
    Places,
    damaged,
    entries_of_arrays,
    entries_of_lines,
    entries_of_word2vec,
)
from mmzoo.spec.wording import shorten

_READERS: dict[str, Callable[[Path, Places, int], Entries]] = {
    ".bin": entries_of_word2vec,
    ".npz": entries_of_arrays,
}
"""By the file's ending; all others are text."""

_PACKED = {
    b"\x1f\x8b": "gzip",
    b"PK\x03\x04": "zip",
    b"BZh": "bzip2",
    b"\xfd7zXZ\x00": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
}
"""How packed files begin."""


@dataclass(frozen=True)
class WordVectors:
    """What a file has of a vocabulary.

    Attributes:
        places: int64 `[found]`: which words of the vocabulary they are, in ascending order.
        vectors: float32 `[found, dim]`.
    """

    places: np.ndarray
    vectors: np.ndarray


def read_vectors(path: Path, vocabulary: Sequence[str], dim: int) -> WordVectors:
    """The vectors that a file has for the words of a vocabulary; of several of a word, the first.

    Args:
        path: lines of a word and its numbers, word2vec's binary format (`.bin`), or numpy's arrays
            `words` and `vectors` (`.npz`).
        vocabulary: the words that are looked for.
        dim: how many numbers a vector must have.

    Raises:
        DataError: there is no such file, it is damaged, or its vectors are of another width.
    """

    if not path.is_file():
        raise DataError(
            f"word vectors: {path}: there is no such file; the path is relative to {Path.cwd()}"
        )
    places = {word.encode(): place for place, word in enumerate(vocabulary)}
    found: dict[int, np.ndarray] = {}
    try:
        _require_unpacked(path)
        for entry in _READERS.get(path.suffix.lower(), entries_of_lines)(path, places, dim):
            if entry.place in found:
                continue
            if not np.isfinite(entry.vector).all():
                word = shorten(vocabulary[entry.place])
                raise damaged(path, entry.where, f"the vector of '{word}' is not finite")
            found[entry.place] = entry.vector
    except OSError as error:
        raise DataError(f"word vectors: {path}: cannot be read ({error})") from error
    known = sorted(found)
    vectors = [found[place] for place in known]
    return WordVectors(
        np.array(known, dtype="int64"), np.array(vectors, dtype="float32").reshape(-1, dim)
    )


def _require_unpacked(path: Path) -> None:
    """Raises a DataError for the archives that such files are published in."""
    with path.open("rb") as file:
        begin = file.read(6)
    kinds = [kind for sign, kind in _PACKED.items() if begin.startswith(sign)]
    if kinds and path.suffix.lower() != ".npz":
        raise damaged(path, "byte 0", f"the file is packed ({kinds[0]}): unpack it first")
