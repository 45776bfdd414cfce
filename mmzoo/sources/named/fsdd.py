"""FSDD: the Free Spoken Digit Dataset."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from mmzoo.lazy import np
from mmzoo.sources.data import Splits
from mmzoo.sources.formats.rows import paths_of, read_rows
from mmzoo.sources.named.entry import SUMS, NamedSet, OfficialFile

_SPEAKERS = ("george", "jackson", "lucas", "nicolas", "theo", "yweweler")


def _read(files: Mapping[str, Path]) -> Splits:

    rows = read_rows(files["fsdd.csv"], ("file", "label", "speaker", "split"))
    return {
        split: {
            "audio": paths_of(part["file"], files[SUMS].parent),
            "label": part["label"].to_numpy().astype(np.int64),
            "speaker": np.searchsorted(_SPEAKERS, part["speaker"].to_numpy().astype(np.str_)),
            "name": part["file"].to_numpy().astype(np.str_),
        }
        for split in ("train", "test")
        for part in [rows.filter(rows["split"] == split)]
    }


FSDD = NamedSet(
    name="fsdd",
    description="Spoken digits, 8 kHz, six speakers.",
    homepage="https://github.com/Jakobovski/free-spoken-digit-dataset",
    licence="CC BY-SA 4.0",
    citation='Jackson et al., "Free spoken digit dataset", doi:10.5281/zenodo.1342401, 2018',
    examples={"train": 2_700, "test": 300},
    inputs={"audio": "file"},
    classes={"label": ("0", "1", "2", "3", "4", "5", "6", "7", "8", "9"), "speaker": _SPEAKERS},
    files=(
        # Of the 3,000 recordings; the archive whose checksum is published, v1.0.9, has fewer.
        OfficialFile(
            "fsdd.csv",
            155_134,
            "da0c57184539c42c80a80155f7ff4fdb67ad8a06fa704700c47af562060b1d86",
        ),
        OfficialFile(
            SUMS,
            285_214,
            "2e6f7df849ec511393c2e026142b174e7a588ca6ab9e024a60e38450c80f22ec",
        ),
    ),
    mirrors=(),
    media=("recordings",),
    made=(
        "fsdd.csv is a table of file, label, speaker, index, split and seconds; SHA256SUMS is what "
        "sha256sum says of recordings/, which goes beside them, from "
        "https://github.com/Jakobovski/free-spoken-digit-dataset"
    ),
    read=_read,
)
