"""Readers of data sets in CSV tables, of recordings, and of the archive of IMDb reviews."""

from __future__ import annotations

import io
import lzma
import os
import re
import tarfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from mmzoo.data.datasets.dataset_entry import SUMS
from mmzoo.data.frame import Splits
from mmzoo.errors import DataError
from mmzoo.lazy import np, pl


def read_csv_columns(path: Path, columns: Sequence[str]) -> pl.DataFrame:
    """Reads columns of a `.csv` or `.csv.xz` table, with all cells as strings.

    Raises:
        DataError: The file cannot be read, or has no such columns.
    """
    try:
        content = path.read_bytes()
        if path.suffix == ".xz":
            content = lzma.decompress(content)
        table = pl.read_csv(io.BytesIO(content), infer_schema=False, columns=list(columns))
    except (lzma.LZMAError, OSError, pl.exceptions.PolarsError) as error:
        raise DataError(f"{path} is not a valid table of {', '.join(columns)}: {error}.") from error
    return table


def read_labelled_texts(path: Path, split_names: Mapping[str, str]) -> Splits:
    """Reads a table of `text`, `label` and `split`.

    Args:
        path: The table.
        split_names: Split -> its name in the table.

    Returns:
        For each split `text`, objects `[rows]`, `label`, int64 `[rows]`, and `name`, the number of
        the row below the header.

    Raises:
        DataError: The file cannot be read, or has no such columns.
    """
    rows = read_csv_columns(path, ("text", "label", "split")).with_row_index("name", offset=1)
    return {
        split: {
            "text": part["text"].to_numpy(),
            "label": part["label"].to_numpy().astype("int64"),
            "name": part["name"].to_numpy().astype("int64"),
        }
        for split, name in split_names.items()
        for part in [rows.filter(rows["split"] == name)]
    }


def read_mr(files: Mapping[str, Path]) -> Splits:
    """Reads `mr.csv`; `fold` counts from 0."""
    rows = read_csv_columns(files["mr.csv"], ("text", "label", "fold"))
    return {
        "train": {
            "text": rows["text"].to_numpy(),
            "label": rows["label"].to_numpy().astype(np.int64),
            "fold": rows["fold"].to_numpy().astype(np.int64),
            "name": np.arange(1, len(rows) + 1),
        }
    }


def read_sst2(files: Mapping[str, Path]) -> Splits:
    """Reads `sst2.csv`."""
    splits = {"train": "train", "validation": "dev", "test": "test"}
    return read_labelled_texts(files["sst2.csv"], splits)


def read_thucnews_titles(files: Mapping[str, Path]) -> Splits:
    """Reads `thucnews_titles_20k.csv`."""
    return read_labelled_texts(files["thucnews_titles_20k.csv"], {"train": "train", "test": "test"})


# Tables of media files.

SPEAKERS = ("george", "jackson", "lucas", "nicolas", "theo", "yweweler")
"""The speakers of FSDD."""


def read_fsdd(files: Mapping[str, Path]) -> Splits:
    """Reads `fsdd.csv`; the recordings are next to it."""
    rows = read_csv_columns(files["fsdd.csv"], ("file", "label", "speaker", "split"))
    return {
        split: {
            "audio": paths_of(part["file"], files[SUMS].parent),
            "label": part["label"].to_numpy().astype(np.int64),
            "speaker": np.searchsorted(SPEAKERS, part["speaker"].to_numpy().astype(np.str_)),
            "name": part["file"].to_numpy().astype(np.str_),
        }
        for split in ("train", "test")
        for part in [rows.filter(rows["split"] == split)]
    }


def read_easy_vqa(files: Mapping[str, Path]) -> Splits:
    """Reads `train.csv` and `test.csv` of easy-VQA; the images are next to them."""
    splits = {}
    for split in ("train", "test"):
        rows = read_csv_columns(files[f"{split}.csv"], ("image", "question", "label"))
        splits[split] = {
            "image": paths_of(rows["image"], files[SUMS].parent),
            "question": rows["question"].to_numpy(),
            "label": rows["label"].to_numpy().astype(np.int64),
            "name": rows["image"].to_numpy().astype(np.str_),
        }
    return splits


def paths_of(names: pl.Series, folder: Path) -> np.ndarray:
    """The absolute paths of files in a folder, text `[rows]`."""
    root = os.path.join(os.path.abspath(folder), "")
    return np.char.add(root, names.to_numpy().astype(np.str_))


def read_recordings(paths: np.ndarray, rate: int, samples: int) -> tuple[np.ndarray, np.ndarray]:
    """Reads mono recordings, truncated or padded with silence at the end.

    Args:
        paths: Paths of WAV files, text `[recordings]`.
        rate: The expected sampling rate, in hertz.
        samples: The length of each waveform.

    Returns:
        The waveforms, int16 `[recordings, samples]`; and the number of samples before the padding,
        int64 `[recordings]`.

    Raises:
        DataError: A file cannot be decoded, is empty, has several channels or another rate.
    """
    import soundfile

    waveforms = np.zeros((len(paths), samples), np.int16)
    lengths = np.empty(len(paths), np.int64)
    for row, path in enumerate(paths.tolist()):
        try:
            values, found = soundfile.read(path, samples, dtype="int16", always_2d=True)
        except (OSError, soundfile.SoundFileError) as error:
            raise DataError(f"{path} cannot be read as audio: {error}.") from error
        if found != rate or values.shape[1] != 1 or not len(values):
            raise DataError(
                f"{path} has {len(values):,} samples of {values.shape[1]} channels at {found:,} "
                f"Hz, expected a recording of one channel at {rate:,} Hz."
            )
        lengths[row] = len(values)
        waveforms[row, : len(values)] = values[:, 0]
    return waveforms, lengths


# IMDb.

IMDB_ARCHIVE = "aclImdb_v1.tar.gz"
IMDB_TABLES = ("imdb_train.csv.xz", "imdb_test.csv.xz")


def read_imdb(files: Mapping[str, Path]) -> Splits:
    """Reads the archive, or the two tables of the same reviews."""
    if IMDB_ARCHIVE in files:
        return read_archive(files[IMDB_ARCHIVE], {"train": 25_000, "test": 25_000})
    train, test = (files[name] for name in IMDB_TABLES)
    return read_tables(train, test)


_REVIEW = re.compile(r"aclImdb/((train|test)/(pos|neg)/(\d+)_(\d+))\.txt")
_LARGEST = 1_000_000
"""Largest review, in bytes; the longest has about 14,000."""


def read_archive(path: Path, examples: Mapping[str, int]) -> Splits:
    """Reads the labelled reviews of the archive in memory; nothing is written to disk.

    Args:
        path: The tar.gz archive.
        examples: Split -> expected number of reviews.

    Returns:
        For each split `text`, objects `[reviews]`; `label`, int64, 1 for positive reviews;
        `rating`, float64, 1 to 10 stars; and `name`, such as "train/pos/0_9". Positive reviews
        come first, each half ordered by number.

    Raises:
        DataError: The archive is damaged, reviews are missing, or one is too long or not UTF-8.
    """
    found: dict[str, list[tuple[bool, int, float, str, str]]] = {"train": [], "test": []}
    for (name, split, side, number, rating), text in _reviews(path):
        found[split].append((side == "neg", int(number), float(rating), name, text))
    splits: Splits = {}
    for split, reviews in found.items():
        if len(reviews) != examples[split]:
            raise DataError(
                f"{path} has {len(reviews):,} {split} reviews, expected {examples[split]:,}."
            )
        reviews.sort(key=lambda review: review[:2])
        splits[split] = {
            "text": np.array([review[4] for review in reviews], dtype=object),
            "label": np.array([not review[0] for review in reviews], dtype=np.int64),
            "rating": np.array([review[2] for review in reviews], dtype=np.float64),
            "name": np.array([review[3] for review in reviews], dtype=np.str_),
        }
    return splits


def _reviews(path: Path) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yields the name, split, class, number and rating of each review, and its text."""
    try:
        with tarfile.open(path, "r:gz") as archive:
            for member in archive:
                name = _REVIEW.fullmatch(member.name)
                if name is None or not member.isreg():
                    continue
                if member.size > _LARGEST:
                    raise DataError(
                        f"{path}: {member.name} has {member.size:,} bytes, expected at most "
                        f"{_LARGEST:,}."
                    )
                content = archive.extractfile(member)
                assert content is not None
                yield name.groups(), content.read().decode().strip(" \t\r\n")
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: {member.name} is not UTF-8 text.") from error
    except (tarfile.TarError, zlib.error, EOFError, OSError) as error:
        raise DataError(f"{path} is not a valid tar.gz archive: {error}.") from error


def read_tables(train: Path, test: Path) -> Splits:
    """Reads the same reviews from a table of `id`, `text`, `label` and `rating` per split.

    Returns:
        As `read_archive`.

    Raises:
        DataError: A file cannot be read, or has no such columns.
    """
    with ThreadPoolExecutor(2) as threads:  # Decompressing xz takes most of the time.
        splits = threads.map(_table, (train, test))
    return dict(zip(("train", "test"), splits, strict=True))


def _table(path: Path) -> dict[str, np.ndarray]:
    rows = read_csv_columns(path, ("id", "text", "label", "rating"))
    return {
        "text": rows["text"].to_numpy(),
        "label": rows["label"].to_numpy().astype(np.int64),
        "rating": rows["rating"].to_numpy().astype(np.float64),
        "name": rows["id"].to_numpy().astype(np.str_),
    }
