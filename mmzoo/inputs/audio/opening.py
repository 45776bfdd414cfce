"""Opening: what must be known of sound files before a pipeline decodes them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

from mmzoo.inputs.audio.files import Cut, Header, require_decodable, sound_header
from mmzoo.inputs.opening import FileKind
from mmzoo.inputs.reading import UnreadableError, read_file
from mmzoo.lazy import np


def _damage(file: np.ndarray) -> str | None:
    try:
        require_decodable(read_file(os.fsdecode(file[0]), "sound"))
    except UnreadableError as error:
        return str(error)
    return None


SOUNDS = FileKind(
    type="audio",
    noun="sound",
    header=sound_header,
    told=lambda header: f"{header.samples / header.rate:.3f}",
    damage=_damage,
)


def fitting_notes(headers: Sequence[Header], cut: Cut) -> Iterator[str]:
    """A sentence on each thing that is done to sounds, with how many it is done to."""
    of_all = f"of {len(headers):,} sounds"
    seconds = f"{cut.samples / cut.rate:g} s"
    lengths = [header.samples * cut.rate / header.rate for header in headers]
    resampled = [header.rate for header in headers if header.rate != cut.rate]
    if resampled:
        lowest, highest = min(resampled), max(resampled)
        rates = f"{lowest:,}" if lowest == highest else f"{lowest:,} to {highest:,}"
        yield f"{len(resampled):,} {of_all} are resampled, from {rates} to {cut.rate:,} Hz"
    if mixed := sum(header.channels > 1 for header in headers):
        yield f"{mixed:,} {of_all} have several channels, which are mixed into one"
    if longer := sum(length > cut.samples for length in lengths):
        kept = {"start": "start", "center": "middle"}[cut.keep]
        yield f"{longer:,} {of_all} are longer than {seconds}, and only their {kept} is used"
    if shorter := sum(length < cut.samples for length in lengths):
        yield f"{shorter:,} {of_all} are shorter than {seconds}, and padded with silence"
