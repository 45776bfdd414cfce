"""easy-VQA: questions on pictures of simple shapes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from mmzoo.lazy import np
from mmzoo.sources.data import Splits
from mmzoo.sources.formats.rows import paths_of, read_rows
from mmzoo.sources.named.entry import SUMS, NamedSet, OfficialFile

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
"""In the order of the set's own answers.txt."""


def _read(files: Mapping[str, Path]) -> Splits:

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
    description="Questions on 64x64 pictures of simple shapes, with 13 answers.",
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
    made=(
        "train.csv and test.csv are tables of image, question, label and label_name; SHA256SUMS is "
        "what sha256sum says of train/images/ and test/images/, which go beside them, from "
        "https://github.com/vzhou842/easy-VQA"
    ),
    read=_read,
)
