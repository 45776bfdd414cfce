"""Small data sets in the file layouts of MNIST and FSDD."""

from __future__ import annotations

import gzip
import hashlib
import struct
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from mmzoo.data import av_digits
from mmzoo.data.datasets import AV_DIGITS
from mmzoo.data.datasets.dataset_entry import SUMS, OfficialFile
from mmzoo.data.datasets.image_formats import read_idx
from mmzoo.data.frame import Splits

PICTURES = {"train": 60, "test": 20}
SPEAKERS = ("george", "theo")
RECORDINGS = 7
"""Recordings per digit and speaker; the first 5 are for testing."""


def make_digits(folder: Path, patch: pytest.MonkeyPatch) -> None:
    """Makes both sets in a folder, for the source `av_digits` to find there.

    A picture has its digit, its number and its split (0 trains, 1 tests) as its first pixels. A
    recording is a tone whose frequency tells the digit and whose length tells its index.
    """
    mnist, fsdd = AV_DIGITS.parts
    written, spoken = folder / "mnist", folder / "fsdd"
    for one in (written, spoken / "recordings"):
        one.mkdir(parents=True)
    for split in PICTURES:
        _write_pictures(written, split)
    _write_recordings(spoken)
    parts = (
        replace(mnist, files=tuple(_files(written)), mirrors=(), read=_read),
        replace(fsdd, files=tuple(_files(spoken)), archives=()),
    )
    patch.setattr(av_digits, "AV_DIGITS", replace(AV_DIGITS, parts=parts))
    patch.setenv("MMZOO_DATA_DIR", str(folder))


def _write_pictures(folder: Path, split: str) -> None:
    count = PICTURES[split]
    images = np.zeros((count, 8, 8), np.uint8)
    digits = np.random.RandomState(0).permutation(np.arange(count) % 10)
    images[:, 0, 0] = digits
    images[:, 0, 1] = np.arange(count)
    images[:, 0, 2] = split == "test"
    for name, values in (("images", images), ("labels", digits.astype(np.uint8))):
        header = struct.pack(f">HBB{values.ndim}I", 0, 8, values.ndim, *values.shape)
        (folder / f"{split}-{name}.gz").write_bytes(gzip.compress(header + values.tobytes()))


def _read(files: Mapping[str, Path]) -> Splits:
    return {
        split: {
            "image": read_idx(files[f"{split}-images.gz"], (count, 8, 8))[..., None],
            "label": read_idx(files[f"{split}-labels.gz"], (count,)).astype(np.int64),
        }
        for split, count in PICTURES.items()
    }


def _write_recordings(folder: Path) -> None:
    rows = ["file,label,speaker,index,split,seconds"]
    for digit in range(10):
        for speaker in SPEAKERS:
            for index in range(RECORDINGS):
                name = f"recordings/{digit}_{speaker}_{index}.wav"
                seconds = np.arange(1_000 + 100 * index) / 8_000
                tone = np.sin(2 * np.pi * (300 + 50 * digit) * seconds) / 4
                soundfile.write(folder / name, tone, 8_000, "PCM_16")
                split = "test" if index < 5 else "train"
                rows.append(f"{name},{digit},{speaker},{index},{split},{seconds[-1]}")
    (folder / "fsdd.csv").write_text("\n".join(rows) + "\n")
    sums = (
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  ./recordings/{path.name}\n"
        for path in sorted((folder / "recordings").iterdir())
    )
    (folder / SUMS).write_text("".join(sums))


def _files(folder: Path) -> Iterator[OfficialFile]:
    for path in sorted(folder.iterdir()):
        if path.is_file():
            content = path.read_bytes()
            yield OfficialFile(path.name, len(content), hashlib.sha256(content).hexdigest())
