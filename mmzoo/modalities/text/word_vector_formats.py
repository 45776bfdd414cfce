"""Readers of word vector files: GloVe and fastText text, word2vec binary, numpy arrays."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from mmzoo.errors import DataError
from mmzoo.lazy import np

WordIndex = Mapping[bytes, int]
"""Vocabulary words, UTF-8 encoded -> their index in the vocabulary."""


@dataclass(frozen=True)
class Entry:
    """One vocabulary word found in a file.

    Attributes:
        index: index of the word in the vocabulary.
        vector: float `[dim]`.
        where: line, byte offset or row in the file, for error messages.
    """

    index: int
    vector: np.ndarray
    where: str


Entries = Iterator[Entry]


def format_error(path: Path, where: str, problem: str) -> DataError:
    """DataError for a file that does not follow its format."""
    return DataError(f"word vectors: {path}, {where}: {problem}")


def dim_error(path: Path, width: int, dim: int) -> DataError:
    """DataError for vectors of the wrong length."""
    return DataError(
        f"word vectors: {path} has vectors of {width} numbers, expected {dim}, which is the "
        f"encoder's `dim`: set `dim: {width}`, or use another file"
    )


_NUMPY_ERRORS = (
    AttributeError,
    EOFError,
    KeyError,
    RuntimeError,
    TypeError,
    ValueError,
    zipfile.BadZipFile,
    zlib.error,
)
"""Exceptions that numpy raises for damaged files."""


def read_npz_entries(path: Path, indices: WordIndex, dim: int) -> Entries:
    """Reads arrays `words`, text or bytes `[words]`, and `vectors`, float `[words, dim]`.

    Args:
        path: `.npz` file, as written by `numpy.savez(path, words=words, vectors=vectors)`.
        indices: words to look up.
        dim: expected length of the vectors.

    Raises:
        DataError: the file is damaged, or the arrays have other names, dtypes or shapes.
    """

    words, vectors = _load_npz(path)
    if words.ndim != 1 or words.dtype.kind not in "US":
        raise format_error(path, "words", f"expected text [words], got {_describe(words)}")
    if vectors.ndim != 2 or vectors.dtype.kind != "f" or len(vectors) != len(words):
        expected = f"expected float [{len(words)}, {dim}], one row per word"
        raise format_error(path, "vectors", f"{expected}; got {_describe(vectors)}")
    if vectors.shape[1] != dim:
        raise dim_error(path, vectors.shape[1], dim)
    for row, word in enumerate(words.tolist()):
        index = indices.get(word if isinstance(word, bytes) else word.encode())
        if index is not None:
            with np.errstate(over="ignore"):  # Overflow becomes infinity.
                vector = vectors[row].astype("float32")
            yield Entry(index, vector, f"row {row}")


def _load_npz(path: Path) -> tuple[np.ndarray, np.ndarray]:

    try:
        # Opened here, as numpy does not close a damaged archive that it opened itself.
        with path.open("rb") as content, np.load(content, allow_pickle=False) as file:
            words, vectors = file["words"], file["vectors"]
            if isinstance(words, np.ndarray) and isinstance(vectors, np.ndarray):
                return words, vectors
        problem = "they are not arrays"
    except _NUMPY_ERRORS as error:
        problem = str(error)
    raise format_error(
        path,
        "whole file",
        f"expected numpy arrays `words` and `vectors`, without objects ({problem})",
    )


def _describe(array: np.ndarray) -> str:
    return f"{array.dtype.name} {list(array.shape)}"


_MAX_LINE_BYTES = 1_000_000
"""Limit that keeps a binary file, which may have no line breaks, from filling the memory."""


def read_text_entries(path: Path, indices: WordIndex, dim: int) -> Entries:
    """Reads text lines of a word and `dim` numbers, separated by spaces.

    The first line may be a header with the number of words and the vector length. Words may contain
    spaces, as some of GloVe's do.

    Args:
        path: text file.
        indices: words to look up; numbers of other words are not parsed.
        dim: expected length of the vectors.

    Raises:
        DataError: a line has another format, or the vectors do not have `dim` numbers.
    """
    with path.open("rb") as file:
        number = 0
        while line := file.readline(_MAX_LINE_BYTES):
            number += 1
            line = line.strip()
            if number == 1:
                if _is_header(line):
                    if int(line.split()[1]) != dim:
                        raise dim_error(path, int(line.split()[1]), dim)
                    continue
                if (width := _count_numbers(line)) != dim:
                    raise dim_error(path, width, dim) if width else _line_error(path, number, dim)
            spaces = line.count(b" ")
            if spaces < dim:
                raise _line_error(path, number, dim)
            # Only the word is parsed: splitting every line would take most of the time.
            word = line.partition(b" ")[0] if spaces == dim else line.rsplit(b" ", dim)[0]
            if word in indices:
                vector = _parse_vector(line.rsplit(b" ", dim)[1:])
                if vector is None:
                    raise _line_error(path, number, dim)
                yield Entry(indices[word], vector, f"line {number:,}")


def _line_error(path: Path, number: int, dim: int) -> Exception:
    return format_error(
        path,
        f"line {number:,}",
        f"expected a word and {dim} numbers, separated by spaces; the file is damaged, or is "
        "not a file of word vectors",
    )


def _is_header(line: bytes) -> bool:
    fields = line.split()
    return len(fields) == 2 and all(field.isdigit() and len(field) < 10 for field in fields)


def _count_numbers(line: bytes) -> int:
    """Number of numbers at the end of the first line, after the word."""
    fields = line.split(b" ")[1:]
    numbers = 0
    while numbers < len(fields) and _parse_vector([fields[-1 - numbers]]) is not None:
        numbers += 1
    return numbers


def _parse_vector(fields: list[bytes]) -> np.ndarray | None:
    """Numbers as float32, or None if a field is not a number."""

    try:
        return np.array([float(field) for field in fields], dtype="float32")
    except ValueError:
        return None


_MAX_HEADER_BYTES = 100
_MAX_WORD_BYTES = 10_000
"""Google's vectors contain phrases and URLs of a few hundred bytes."""
_FASTTEXT_MAGIC = (793712314).to_bytes(4, "little")


def read_word2vec_entries(path: Path, indices: WordIndex, dim: int) -> Entries:
    """Reads word2vec's binary format.

    A text line with the number of words and the vector length, then for each word: the word, a
    space, `dim` little-endian float32 numbers, and optionally a line break.

    Args:
        path: binary file.
        indices: words to look up.
        dim: expected length of the vectors.

    Raises:
        DataError: the file has another format or is truncated, or its vectors do not have `dim`
            numbers.
    """

    with path.open("rb") as file:
        words, width = _parse_header(file.readline(_MAX_HEADER_BYTES), path)
        if width != dim:
            raise dim_error(path, width, dim)
        for number in range(1, words + 1):
            where = f"byte {file.tell():,}"
            word = _read_word(file)
            content = file.read(4 * dim)
            if word is None or len(content) < 4 * dim:
                raise format_error(
                    path,
                    where,
                    f"the file is damaged or truncated: expected word {number:,} of {words:,} and "
                    f"its {dim} numbers",
                )
            if word in indices:
                yield Entry(indices[word], np.frombuffer(content, "<f4"), where)


def _parse_header(line: bytes, path: Path) -> tuple[int, int]:
    """Number of words and vector length."""
    if line.startswith(_FASTTEXT_MAGIC):
        raise format_error(
            path, "byte 0", "this is a fastText model; use its vectors, the `.vec` file"
        )
    fields = line.split()
    if len(fields) != 2 or not all(field.isdigit() for field in fields):
        raise format_error(
            path,
            "byte 0",
            "expected word2vec's binary format, which starts with the number of words and the "
            "length of the vectors; the name of a text file must not end in .bin",
        )
    return int(fields[0]), int(fields[1])


def _read_word(file: IO[bytes]) -> bytes | None:
    """The next word, or None if the file ends or the word is too long."""
    word = bytearray()
    while (byte := file.read(1)) != b" ":
        if not byte or len(word) == _MAX_WORD_BYTES:
            return None
        word += byte
    return bytes(word.lstrip(b"\n"))
