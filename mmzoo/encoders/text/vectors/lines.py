"""Word vectors as text: GloVe's, fastText's `.vec`, word2vec's."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mmzoo.encoders.text.vectors.entry import Entries, Entry, Places, damaged, other_width

if TYPE_CHECKING:
    import numpy as np

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
    import numpy as np

    try:
        return np.array([float(field) for field in fields], dtype="float32")
    except ValueError:
        return None
