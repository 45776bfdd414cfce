"""File formats of word vectors: GloVe and fastText text, word2vec binary, numpy arrays."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from mmzoo.errors import DataError
from mmzoo.lazy import np

Places = Mapping[bytes, int]
"""The words that are looked for, in UTF-8, each with its place in the vocabulary."""


@dataclass(frozen=True)
class Entry:
    """One word of a file.

    Attributes:
        place: where the word is in the vocabulary.
        vector: float `[dim]`.
        where: the line, byte or row of the file.
    """

    place: int
    vector: np.ndarray
    where: str


Entries = Iterator[Entry]


def damaged(path: Path, where: str, problem: str) -> DataError:
    """What is said of a file that is not as its format wants it."""
    return DataError(f"word vectors: {path}, {where}: {problem}")


def other_width(path: Path, width: int, dim: int) -> DataError:
    """What is said of vectors that are too narrow or too wide."""
    return DataError(
        f"word vectors: {path} has vectors of {width} numbers, expected {dim}, which is the "
        f"encoder's `dim`: set `dim: {width}`, or take another file"
    )


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


_LONGEST_LINE = 1_000_000
"""In bytes. A file without line ends is of something else, and must not fill the memory."""


def entries_of_lines(path: Path, places: Places, dim: int) -> Entries:
    """Reads lines of a word and `dim` numbers, separated by spaces.

    The first line may say how many lines follow and how wide the vectors are. A word may have
    spaces in it, as some of GloVe's do.

    Args:
        path: the file.
        places: the words that are looked for; only their numbers are looked at.
        dim: how many numbers a vector must have.

    Raises:
        DataError: a line is of something else, or the vectors have another width.
    """
    with path.open("rb") as file:
        number = 0
        while line := file.readline(_LONGEST_LINE):
            number += 1
            line = line.strip()
            if number == 1:
                if _is_header(line):
                    if int(line.split()[1]) != dim:
                        raise other_width(path, int(line.split()[1]), dim)
                    continue
                if (width := _width(line)) != dim:
                    raise other_width(path, width, dim) if width else _no_vector(path, number, dim)
            spaces = line.count(b" ")
            if spaces < dim:
                raise _no_vector(path, number, dim)
            # Cutting every line up would take most of the time, and few words are looked for.
            word = line.partition(b" ")[0] if spaces == dim else line.rsplit(b" ", dim)[0]
            if word in places:
                vector = _vector(line.rsplit(b" ", dim)[1:])
                if vector is None:
                    raise _no_vector(path, number, dim)
                yield Entry(places[word], vector, f"line {number:,}")


def _no_vector(path: Path, number: int, dim: int) -> Exception:
    return damaged(
        path,
        f"line {number:,}",
        f"expected a word and {dim} numbers, separated by spaces; the file is damaged, or not of "
        "word vectors",
    )


def _is_header(line: bytes) -> bool:
    fields = line.split()
    return len(fields) == 2 and all(field.isdigit() and len(field) < 10 for field in fields)


def _width(line: bytes) -> int:
    """How many numbers stand at the end of the first line, behind something else."""
    fields = line.split(b" ")[1:]
    numbers = 0
    while numbers < len(fields) and _vector([fields[-1 - numbers]]) is not None:
        numbers += 1
    return numbers


def _vector(fields: list[bytes]) -> np.ndarray | None:
    """The numbers, float32; or None where one of the fields is not a number."""

    try:
        return np.array([float(field) for field in fields], dtype="float32")
    except ValueError:
        return None


_LONGEST_HEADER = 100
_LONGEST_WORD = 10_000
"""Bytes. Google's vectors have phrases and addresses of a few hundred."""
_FASTTEXT_MODEL = (793712314).to_bytes(4, "little")


def entries_of_word2vec(path: Path, places: Places, dim: int) -> Entries:
    """Reads a line with two numbers, the words and their width, then each word and its floats.

    A word ends with a space; its vector is little-endian float32, perhaps with a line end behind.

    Args:
        path: the file.
        places: the words that are looked for.
        dim: how many numbers a vector must have.

    Raises:
        DataError: the file has another format, ends early, or its vectors have another width.
    """

    with path.open("rb") as file:
        words, width = _header(file.readline(_LONGEST_HEADER), path)
        if width != dim:
            raise other_width(path, width, dim)
        for number in range(1, words + 1):
            where = f"byte {file.tell():,}"
            word = _word(file)
            content = file.read(4 * dim)
            if word is None or len(content) < 4 * dim:
                raise damaged(
                    path,
                    where,
                    f"the file is damaged, or cut off: expected word {number:,} of {words:,} and "
                    f"its {dim} numbers",
                )
            if word in places:
                yield Entry(places[word], np.frombuffer(content, "<f4"), where)


def _header(line: bytes, path: Path) -> tuple[int, int]:
    """How many words there are, and how wide their vectors."""
    if line.startswith(_FASTTEXT_MODEL):
        raise damaged(
            path, "byte 0", "this is a whole model of fastText; take its vectors, the `.vec` file"
        )
    fields = line.split()
    if len(fields) != 2 or not all(field.isdigit() for field in fields):
        raise damaged(
            path,
            "byte 0",
            "expected word2vec's binary format, which begins with how many words there are and how "
            "wide their vectors; a file of text must not end in .bin",
        )
    return int(fields[0]), int(fields[1])


def _word(file: IO[bytes]) -> bytes | None:
    """The next word; or None where the file ends, or no word does."""
    word = bytearray()
    while (byte := file.read(1)) != b" ":
        if not byte or len(word) == _LONGEST_WORD:
            return None
        word += byte
    return bytes(word.lstrip(b"\n"))
