"""Pretrained word vectors of a vocabulary, read from a file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from mmzoo.errors import DataError
from mmzoo.lazy import np
from mmzoo.modalities.text.word_vector_formats import (
    Entries,
    WordIndex,
    format_error,
    read_npz_entries,
    read_text_entries,
    read_word2vec_entries,
)
from mmzoo.spec.wording import shorten

_READERS: dict[str, Callable[[Path, WordIndex, int], Entries]] = {
    ".bin": read_word2vec_entries,
    ".npz": read_npz_entries,
}
"""Readers by file extension; other files are read as text."""

_COMPRESSION_MAGIC = {
    b"\x1f\x8b": "gzip",
    b"PK\x03\x04": "zip",
    b"BZh": "bzip2",
    b"\xfd7zXZ\x00": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
}
"""First bytes of compressed files."""


@dataclass(frozen=True)
class WordVectors:
    """Pretrained vectors of the vocabulary's words that a file contains.

    Attributes:
        indices: int64 `[found]`, positions of these words in the vocabulary, ascending.
        vectors: float32 `[found, dim]`.
    """

    indices: np.ndarray
    vectors: np.ndarray


def read_vectors(path: Path, vocabulary: Sequence[str], dim: int) -> WordVectors:
    """Reads the vectors of a vocabulary's words from a file.

    If a word occurs several times, its first vector is used.

    Args:
        path: text file of lines of a word and its numbers, word2vec binary (`.bin`), or numpy
            arrays `words` and `vectors` (`.npz`).
        vocabulary: words to look up.
        dim: expected length of the vectors.

    Raises:
        DataError: the file is missing or damaged, or its vectors do not have `dim` numbers.
    """

    if not path.is_file():
        raise DataError(
            f"word vectors: {path}: there is no such file; relative paths start at {Path.cwd()}"
        )
    indices = {word.encode(): index for index, word in enumerate(vocabulary)}
    found: dict[int, np.ndarray] = {}
    try:
        _require_uncompressed(path)
        for entry in _READERS.get(path.suffix.lower(), read_text_entries)(path, indices, dim):
            if entry.index in found:
                continue
            if not np.isfinite(entry.vector).all():
                word = shorten(vocabulary[entry.index])
                raise format_error(path, entry.where, f"the vector of '{word}' is not finite")
            found[entry.index] = entry.vector
    except OSError as error:
        raise DataError(f"word vectors: {path}: cannot be read ({error})") from error
    known = sorted(found)
    vectors = [found[index] for index in known]
    return WordVectors(
        np.array(known, dtype="int64"), np.array(vectors, dtype="float32").reshape(-1, dim)
    )


def _require_uncompressed(path: Path) -> None:
    """Raises a DataError if the file is compressed, as published word vectors often are."""
    with path.open("rb") as file:
        start = file.read(6)
    kinds = [kind for magic, kind in _COMPRESSION_MAGIC.items() if start.startswith(magic)]
    if kinds and path.suffix.lower() != ".npz":
        raise format_error(
            path, "byte 0", f"the file is compressed ({kinds[0]}): decompress it first"
        )
