"""Absence: which examples lack which inputs, and what is said of it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence

from mmzoo.errors import DataError
from mmzoo.lazy import np
from mmzoo.sources import BadRows, Data

There = Mapping[str, Mapping[str, "np.ndarray"]]
"""Input -> split -> bool `[rows]`: which examples have it."""


def presence_columns(presence: Mapping[str, str], there: There) -> There:
    """Column -> split -> bool `[rows]`, for the data.

    Args:
        presence: Input -> column, as `Config.presence` has them.
        there: Of these inputs at least.
    """
    return {column: there[name] for name, column in presence.items()}


def without_any(there: There, bad: BadRows) -> dict[str, dict[int, str]]:
    """The bad rows together with those that lack all inputs, from which nothing can be predicted.

    Args:
        there: Of all inputs, each of which may be absent.
        bad: Those that are known.
    """

    why = f"it lacks all inputs ({', '.join(there)})" if len(there) > 1 else ""
    why = why or f"it lacks the only input, {next(iter(there))}"
    splits = next(iter(there.values()))
    found: dict[str, dict[int, str]] = {split: dict(rows) for split, rows in bad.items()}
    for split in splits:
        none = ~np.any([of[split] for of in there.values()], axis=0)
        found[split] = dict.fromkeys(np.flatnonzero(none).tolist(), why) | found.get(split, {})
    return found


def digest_of_absent(presence: There) -> dict[str, str]:
    """What tells data apart by what is absent in them: column -> sha256, of those with any."""
    digests = {}
    for column, of in presence.items():
        if not all(there.all() for there in of.values()):
            content = b"".join(there.tobytes() for there in of.values())
            digests[column] = hashlib.sha256(content).hexdigest()
    return digests


def absent_rows(data: Data, presence: Mapping[str, str]) -> dict[str, dict[str, int]]:
    """Input -> split -> how many of its examples lack it, of inputs that any example lacks.

    Args:
        data: Opened.
        presence: Input -> column that says whether it is there.
    """
    counts = {
        name: {split: int((~columns[column]).sum()) for split, columns in data.splits.items()}
        for name, column in presence.items()
    }
    return {name: of for name, of in counts.items() if any(of.values())}


def absence_notes(data: Data, absent: Mapping[str, Mapping[str, int]]) -> Iterator[str]:
    """A sentence, without a stop, on each input that any example lacks."""
    for name, counts in absent.items():
        told = ", ".join(
            f"{count:,} of {data.examples(split):,} {split} examples"
            for split, count in counts.items()
        )
        yield f"inputs.{name} is absent in {told}: what is learned stands in its place"


def saying_absent(captions: Sequence[str], name: str, absent: Sequence[bool]) -> list[str]:
    """Captions of pictures of an input, which say where an example lacks it."""
    return [
        f"{caption} (no {name})" if lacks else caption
        for caption, lacks in zip(captions, absent, strict=True)
    ]


def require_present(data: Data, presence: Mapping[str, str]) -> None:
    """Raises a DataError if an input is absent in all training examples."""
    for name, column in presence.items():
        if not data.splits["train"][column].any():
            raise DataError(
                f"inputs.{name}: none of the {data.examples('train'):,} training examples of "
                f"{data.name} has it, so there is nothing to learn. Fill its column, leave the "
                "input out or, if it reads files, see whether their paths are relative to "
                "`source.media_root`."
            )
