"""Missing inputs: presence masks, and notes and errors about missing values."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence

from mmzoo.data.frame import Frame, scanned_column
from mmzoo.errors import DataError
from mmzoo.lazy import np

PresenceMasks = dict[str, "np.ndarray"]
"""Split -> bool `[rows]`: whether each example has an input."""


def presence_masks(frame: Frame, name: str) -> PresenceMasks:
    """Presence masks of an input of a scanned frame."""
    present = frame.table[scanned_column(name)].is_not_null().to_numpy()
    return {split: present[rows] for split, rows in frame.rows.items()}


def missing_counts(frame: Frame, presence: Mapping[str, str]) -> dict[str, dict[str, int]]:
    """Input -> split -> number of examples without it, for inputs with any missing value.

    Args:
        frame: scanned frame.
        presence: optional inputs, see `Config.presence`.
    """
    counts = {
        name: {split: int((~mask).sum()) for split, mask in presence_masks(frame, name).items()}
        for name in presence
    }
    return {name: by_split for name, by_split in counts.items() if any(by_split.values())}


def missing_digests(frame: Frame, presence: Mapping[str, str]) -> dict[str, str]:
    """Mask -> its sha256, for inputs with any missing value; part of the data's fingerprint."""
    digests = {}
    for name in missing_counts(frame, presence):
        content = b"".join(mask.tobytes() for mask in presence_masks(frame, name).values())
        digests[presence[name]] = hashlib.sha256(content).hexdigest()
    return digests


def missing_notes(frame: Frame, presence: Mapping[str, str]) -> Iterator[str]:
    """Yields a note on each input with any missing value."""
    for name, counts in missing_counts(frame, presence).items():
        listed = ", ".join(
            f"{count:,} of {frame.examples(split):,} {split} examples"
            for split, count in counts.items()
        )
        yield f"inputs.{name} is missing in {listed}: learned features replace it"


def mark_missing(captions: Sequence[str], name: str, missing: Sequence[bool]) -> list[str]:
    """Captions with a remark on examples that lack the input."""
    return [
        f"{caption} (no {name})" if is_missing else caption
        for caption, is_missing in zip(captions, missing, strict=True)
    ]


def require_present(frame: Frame, presence: Mapping[str, str]) -> None:
    """Raises a DataError if an input is missing in all training examples."""
    for name in presence:
        if not presence_masks(frame, name)["train"].any():
            raise DataError(
                f"inputs.{name}: all {frame.examples('train'):,} training examples of {frame.name} "
                "lack it, so the model cannot learn from it. Fill its column, remove the input or, "
                "if it reads files, check whether their paths are relative to "
                "`source.media_root`."
            )
