"""MR: sentences of film reviews."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from mmzoo.lazy import np
from mmzoo.sources.data import Splits
from mmzoo.sources.formats.rows import read_rows
from mmzoo.sources.named.entry import NamedSet, OfficialFile


def _read(files: Mapping[str, Path]) -> Splits:

    rows = read_rows(files["mr.csv"], ("text", "label", "fold"))
    return {
        "train": {
            "text": rows["text"].to_numpy(),
            "label": rows["label"].to_numpy().astype(np.int64),
            "fold": rows["fold"].to_numpy().astype(np.int64),
            "name": np.arange(1, len(rows) + 1),
        }
    }


MR = NamedSet(
    name="mr",
    description="Sentences of film reviews, for or against; ten folds.",
    homepage="https://www.cs.cornell.edu/people/pabo/movie-review-data/",
    licence="none stated by the authors, who ask to be cited",
    citation=(
        'Pang and Lee, "Seeing stars: exploiting class relationships for sentiment '
        'categorization with respect to rating scales", ACL, 2005'
    ),
    examples={"train": 10_662},
    inputs={"text": "text"},
    classes={"label": ("negative", "positive")},
    folds=10,
    folder="text",
    files=(
        # The hash is that of the file which the figures in configs were measured on.
        OfficialFile(
            "mr.csv",
            1_380_002,
            "d23d07146de674cdd60a4dc72bbe9a4039426299391ed6093aa71b20ed548a18",
        ),
    ),
    mirrors=(),
    made=(
        "It is a table of text, label, label_name and fold, made of rt-polaritydata as "
        "https://github.com/harvardnlp/sent-conv-torch has it"
    ),
    read=_read,
)
