"""Audio and multimodal data sets: FSDD, easy-VQA and av_digits."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from mmzoo.data.datasets.dataset_entry import SUMS, CombinedSet, NamedSet, OfficialFile
from mmzoo.data.datasets.image_datasets import MNIST
from mmzoo.data.datasets.text_formats import paths_of, read_rows
from mmzoo.data.frame import Splits
from mmzoo.lazy import np

# FSDD.

_SPEAKERS = ("george", "jackson", "lucas", "nicolas", "theo", "yweweler")


def _read_fsdd(files: Mapping[str, Path]) -> Splits:
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
        # For all 3,000 recordings: v1.0.9, the archive with a published checksum, has fewer.
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
    provenance=(
        "fsdd.csv is a table of file, label, speaker, index, split and seconds; SHA256SUMS is the "
        "output of sha256sum for recordings/, which goes next to them, from "
        "https://github.com/Jakobovski/free-spoken-digit-dataset"
    ),
    read=_read_fsdd,
)


# easy-VQA.

_ANSWERS = (
    "circle",
    "green",
    "red",
    "gray",
    "yes",
    "teal",
    "black",
    "rectangle",
    "yellow",
    "triangle",
    "brown",
    "blue",
    "no",
)
"""The classes, in the order of the data set's answers.txt."""


def _read_easy_vqa(files: Mapping[str, Path]) -> Splits:
    splits = {}
    for split in ("train", "test"):
        rows = read_rows(files[f"{split}.csv"], ("image", "question", "label"))
        splits[split] = {
            "image": paths_of(rows["image"], files[SUMS].parent),
            "question": rows["question"].to_numpy(),
            "label": rows["label"].to_numpy().astype(np.int64),
            "name": rows["image"].to_numpy().astype(np.str_),
        }
    return splits


EASY_VQA = NamedSet(
    name="easy_vqa",
    description="Questions about 64x64 images of simple shapes, with 13 answers.",
    homepage="https://github.com/vzhou842/easy-VQA",
    licence="MIT",
    citation='Zhou, "Easy visual question answering", victorzhou.com/blog/easy-vqa, 2019',
    examples={"train": 38_575, "test": 9_673},
    inputs={"image": "file", "question": "text"},
    classes={"label": _ANSWERS},
    groups="image",
    files=(
        OfficialFile(
            "train.csv",
            2_289_995,
            "e1295de47d54dd1c08bc82662e50a5c7ecd5eee72376163e63047bdc096ecf1d",
        ),
        OfficialFile(
            "test.csv",
            556_540,
            "aa81ef308ef62c010d831402ba24e2312bcec5d32aa8765c6157c38bcee5f160",
        ),
        OfficialFile(
            SUMS,
            447_091,
            "cc46d64bf8d1229fb30b2805b0db5103b9a759eff854d56903a162c2f69881bc",
        ),
    ),
    mirrors=(),
    media=("train/images", "test/images"),
    provenance=(
        "train.csv and test.csv are tables of image, question, label and label_name; SHA256SUMS is "
        "the output of sha256sum for train/images/ and test/images/, which go next to them, from "
        "https://github.com/vzhou842/easy-VQA"
    ),
    read=_read_easy_vqa,
)


# av_digits, combined by the source of the same name.

AV_DIGITS = CombinedSet(
    name="av_digits",
    description="Pairs of images and recordings of digits, both with noise; `type: av_digits`.",
    parts=(MNIST, FSDD),
    examples={"train": 6_000, "validation": 1_000, "test": 2_000},
    inputs={"image": "image", "audio": "file"},
    classes=FSDD.classes,
    citation='Vielzeuf et al., "CentralNet: a multilayer approach for multimodal fusion", 2018',
)
