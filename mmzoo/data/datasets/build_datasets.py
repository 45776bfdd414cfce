"""Builds the files of data sets from their authors' repositories, cloned or as archives.

Each builder takes a folder and returns the content of every file, media included, by its name in
the data set's folder. The caller verifies the result, so builders check only what names a fault
better than a wrong checksum would.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from mmzoo.data.datasets.dataset_entry import SUMS
from mmzoo.errors import DataError

Files = dict[str, bytes]

_DEPTH = 4
"""Deepest level of folders that is searched."""
_LARGEST = 100_000_000
"""Largest file that is read, in bytes; the largest expected one has 2 MB."""
_SENTIMENTS = ("negative", "positive")


def build_mr(folder: Path) -> Files:
    """Builds `mr.csv`: the negative sentences, then the positive ones, with their folds.

    The folds were drawn at random and stratified; `mr_folds.txt` has one digit per sentence.
    """
    folder = _find(folder, "rt-polarity.neg", "rt-polarity.pos")
    sentences = [
        (text.strip(), label)
        for label, name in enumerate(("rt-polarity.neg", "rt-polarity.pos"))
        for text in _lines(folder / name, "cp1252")
    ]
    drawn = Path(__file__).with_name("mr_folds.txt").read_text(encoding="ascii")
    folds = drawn.replace("\n", "")
    if len(sentences) != len(folds):
        raise DataError(f"{folder} has {len(sentences):,} sentences, expected {len(folds):,}.")
    rows = (
        (text, label, _SENTIMENTS[label], fold)
        for (text, label), fold in zip(sentences, folds, strict=True)
    )
    return {"mr.csv": _csv(("text", "label", "label_name", "fold"), rows)}


def build_sst2(folder: Path) -> Files:
    """Builds `sst2.csv` from the sentences of all three splits."""
    names = [f"stsa.binary.{split}" for split in ("train", "dev", "test")]
    folder = _find(folder, *names)
    rows = []
    for name in names:
        for line in _lines(folder / name):
            label, _, text = line.partition(" ")
            _check_label(label, _SENTIMENTS, folder / name)
            rows.append((text.strip(), label, _SENTIMENTS[int(label)], name.rpartition(".")[2]))
    return {"sst2.csv": _csv(("text", "label", "label_name", "split"), rows)}


def build_thucnews_titles(folder: Path) -> Files:
    """Builds `thucnews_titles_20k.csv`: the repository's dev split to train on, and its test split.

    Its training split has 180,000 more titles, which are not used.
    """
    folder = _find(folder, "class.txt", "dev.txt", "test.txt")
    names = list(_lines(folder / "class.txt"))
    rows = []
    for name, split in (("dev.txt", "train"), ("test.txt", "test")):
        for line in _lines(folder / name):
            text, _, label = line.rpartition("\t")
            _check_label(label, names, folder / name)
            rows.append((text, label, names[int(label)], split))
    header = ("text", "label", "label_name", "split")
    return {"thucnews_titles_20k.csv": _csv(header, rows)}


def build_fsdd(folder: Path) -> Files:
    """Builds `fsdd.csv` and the list of checksums, and collects the 3,000 recordings of v1.0.10.

    Recordings of speakers that joined later are left out.
    """
    import soundfile

    speakers = ("george", "jackson", "lucas", "nicolas", "theo", "yweweler")
    names = sorted(
        f"{digit}_{speaker}_{index}.wav"
        for digit in range(10)
        for speaker in speakers
        for index in range(50)
    )
    recordings = _media(_find(folder, names[0]), names, "recordings")
    rows = []
    for name, content in recordings.items():
        digit, speaker, index = Path(name).stem.split("_")
        try:
            info = soundfile.info(io.BytesIO(content))
        except (OSError, soundfile.SoundFileError) as error:
            raise DataError(f"{folder}: {name} cannot be read as audio: {error}.") from error
        # The official test split: the first five recordings of each digit by each speaker.
        split = "test" if int(index) < 5 else "train"
        rows.append((name, digit, speaker, index, split, round(info.frames / 8_000, 4)))
    header = ("file", "label", "speaker", "index", "split", "seconds")
    files = {"fsdd.csv": _csv(header, rows), **recordings}
    # The official list also has three files of the repository that mmzoo does not read.
    others = {
        ".gitignore": "2bbf6df803371ab7187532ae6d548c9016d3f26fb8f7352a28b1ca8d1b075478",
        "README.md": "523de3cafa0f54707a0ab2760a2d32b640ccfe834a081d7d35c894f1fb6d79f5",
        "metadata.py": "b7fcb538c27ec10ef94031de437b6b9da4724e8fdd2a1c6f25e7b3d76a067c76",
    }
    return {**files, SUMS: _checksums(files, others)}


def build_easy_vqa(folder: Path) -> Files:
    """Builds the tables of questions and the list of checksums, and collects the images."""
    folder = _find(folder, "answers.txt", "train/questions.json", "test/questions.json")
    answers = list(_lines(folder / "answers.txt"))
    files: Files = {}
    for split, images in (("train", 4_000), ("test", 1_000)):
        path = folder / split / "questions.json"
        rows = []
        try:
            for question, answer, image in json.loads(_content(path)):
                label = answers.index(answer)
                rows.append((f"{split}/images/{int(image)}.png", question, label, answer))
        except (TypeError, ValueError) as error:
            raise DataError(f"{path} is not a list of questions of easy-VQA: {error}.") from error
        files[f"{split}.csv"] = _csv(("image", "question", "label", "label_name"), rows)
        names = [f"{image}.png" for image in range(images)]
        files |= _media(folder / split / "images", names, f"{split}/images")
    # The official list also has two files of the repository that mmzoo does not read.
    others = {
        "LICENSE": "19f1a7aeffed7aef46e540a8ffc418c5ca64848beeada805d4c8d676bb5d3bba",
        "answers.txt": "f004fd115e14db5f70a3a4e1b06d89fd76d45d7446a62d12b50ed1ac2a1a824c",
    }
    return {**files, SUMS: _checksums(files, others)}


def _find(root: Path, *names: str) -> Path:
    """The folder, at or below `root`, that has all files of these names.

    Raises:
        DataError: There is none. The message tells a wrong folder from missing files.
    """
    level, partial = [root], None
    for _ in range(_DEPTH + 1):
        for folder in level:
            missing = [name for name in names if not (folder / name).is_file()]
            if not missing:
                return folder
            if len(missing) < len(names):
                partial = partial or DataError(f"{folder} has no {' and no '.join(missing)}.")
        level = [child for folder in level for child in _folders(folder)]
    raise partial or DataError(f"{' and '.join(names)} not found in {root} or its subfolders.")


def _folders(folder: Path) -> list[Path]:
    try:
        return sorted(
            child for child in folder.iterdir() if child.is_dir() and not child.is_symlink()
        )
    except OSError:
        return []


def _content(path: Path) -> bytes:
    try:
        if not path.is_file() or path.stat().st_size > _LARGEST:
            raise DataError(f"{path} is not a file of at most {_LARGEST:,} bytes.")
        return path.read_bytes()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}.") from error


def _lines(path: Path, encoding: str = "utf-8") -> Iterator[str]:
    """The lines of a text file that are not empty; only line feeds end a line."""
    try:
        text = _content(path).decode(encoding)
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not {encoding} text: {error.reason}.") from error
    return (line for line in (part.removesuffix("\r") for part in text.split("\n")) if line)


def _check_label(label: str, names: Sequence[str], path: Path) -> None:
    if not (label.isascii() and label.isdecimal() and int(label) < len(names)):
        raise DataError(
            f"{path} has the label '{label[:20]}', expected 0 to {len(names) - 1}: it is another "
            "file."
        )


def _media(folder: Path, names: Sequence[str], target: str) -> Files:
    """The content of media files, under their names in the data set."""
    missing = [name for name in names if not (folder / name).is_file()]
    if missing:
        raise DataError(
            f"{folder} has {len(names) - len(missing):,} of the expected {len(names):,} files: "
            f"{missing[0]} is missing."
        )
    return {f"{target}/{name}": _content(folder / name) for name in names}


def _csv(header: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue().encode()


def _checksums(files: Mapping[str, bytes], others: Mapping[str, str]) -> bytes:
    """The output of `sha256sum` for files, and for others whose checksum is known."""
    sums = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    lines = (f"{digest}  ./{name}\n" for name, digest in sorted({**sums, **others}.items()))
    return "".join(lines).encode()
