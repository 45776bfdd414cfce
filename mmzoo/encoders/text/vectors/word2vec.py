"""Word vectors in the binary format of word2vec."""

from __future__ import annotations

from pathlib import Path
from typing import IO

from mmzoo.encoders.text.vectors.entry import Entries, Entry, Places, damaged, other_width

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
    import numpy as np

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
