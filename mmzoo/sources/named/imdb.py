"""IMDb: the Large Movie Review Dataset."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from mmzoo.sources.data import Splits
from mmzoo.sources.formats.acl_imdb import read_archive, read_tables
from mmzoo.sources.named.entry import NamedSet, OfficialFile

_ARCHIVE = "aclImdb_v1.tar.gz"
_EXAMPLES = {"train": 25_000, "test": 25_000}
_TRAIN, _TEST = "imdb_train.csv.xz", "imdb_test.csv.xz"


def _read(files: Mapping[str, Path]) -> Splits:
    if _ARCHIVE in files:
        return read_archive(files[_ARCHIVE], _EXAMPLES)
    return read_tables(files[_TRAIN], files[_TEST])


IMDB = NamedSet(
    name="imdb",
    description="Film reviews, for or against, with their stars.",
    homepage="https://ai.stanford.edu/~amaas/data/sentiment/",
    licence="none stated by the authors, who ask to be cited",
    citation='Maas et al., "Learning word vectors for sentiment analysis", ACL, 2011',
    examples=_EXAMPLES,
    inputs={"text": "text"},
    classes={"label": ("neg", "pos")},
    numbers=("rating",),
    files=(
        # TensorFlow Datasets publishes this checksum, and loaders in Julia, Rust and Go agree.
        OfficialFile(
            _ARCHIVE,
            84_125_825,
            "c40f74a18d3b61f90feba1e17730e0d38e8b97c05fde7008942e91923d1658fe",
        ),
    ),
    mirrors=("https://ai.stanford.edu/~amaas/data/sentiment",),
    # The labelled reviews of the archive as tables of id, text, label, label_name and rating.
    instead=(
        OfficialFile(
            _TRAIN,
            9_297_500,
            "114cf65f8417312e377e1ee92a25073320ee3fa85d82852dac1ea8ce5ef5c182",
        ),
        OfficialFile(
            _TEST,
            9_054_316,
            "8d88d96abf235d209260937388a6c21c95d76ddb9052b15721b87e7142621433",
        ),
    ),
    read=_read,
)
