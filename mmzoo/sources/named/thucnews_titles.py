"""Titles of THUCNews, in Chinese: a balanced part of them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from mmzoo.sources.data import Splits
from mmzoo.sources.formats.rows import read_labelled_texts
from mmzoo.sources.named.entry import NamedSet, OfficialFile


def _read(files: Mapping[str, Path]) -> Splits:
    splits = {"train": "train", "test": "test"}
    return read_labelled_texts(files["thucnews_titles_20k.csv"], splits)


THUCNEWS_TITLES = NamedSet(
    name="thucnews_titles",
    description="Chinese titles of news of ten kinds.",
    homepage="https://github.com/649453932/Chinese-Text-Classification-Pytorch",
    licence="MIT for the titles' repository; THUCNews itself is for research",
    citation='Sun et al., "THUCTC: an efficient Chinese text classifier", 2016',
    examples={"train": 10_000, "test": 10_000},
    inputs={"text": "text"},
    classes={
        "label": (
            "finance",
            "realty",
            "stocks",
            "education",
            "science",
            "society",
            "politics",
            "sports",
            "game",
            "entertainment",
        )
    },
    folder="text",
    files=(
        # The hash is that of the file which the figures in configs were measured on.
        OfficialFile(
            "thucnews_titles_20k.csv",
            1_378_941,
            "dfab4569d5f12d395aa57a2b74ed16e7b8593a4978090b6de898c9df2564cf5c",
        ),
    ),
    mirrors=(),
    made=(
        "It is a table of text, label, label_name and split, made of 20,000 of the titles of "
        "https://github.com/649453932/Chinese-Text-Classification-Pytorch"
    ),
    read=_read,
)
