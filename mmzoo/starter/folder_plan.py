"""Plans for folders of files with one folder per class."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmzoo.data import Folder
from mmzoo.data.column_profile import profile_column
from mmzoo.data.folder_listing import Ignored, class_folders, files_below
from mmzoo.errors import DataError
from mmzoo.lazy import pl
from mmzoo.modalities.suggestion import Section
from mmzoo.spec.wording import escape, shorten
from mmzoo.starter.infer import InferredColumn, file_suffixes, file_types, with_suggestion
from mmzoo.starter.media_files import UNSUPPORTED
from mmzoo.starter.plan import SHARES, TRAIN_SHARE, Plan, as_name, rare_classes, train_section

_IMBALANCED = 10
"""How many times rarer than the majority class the rarest one is, for classes to be weighted."""
_SHOWN_CLASSES = 20
_SHOWN_SUFFIXES = 4

Files = Mapping[str, Mapping[str, list[str]]]
"""Split -> class -> paths relative to the root."""


@dataclass(frozen=True)
class _Listing:
    """The files of a folder.

    Attributes:
        input_type: The `type` of the input that reads most of them.
        splits: The files that it reads.
        nested: Whether some of them are in folders within class folders; None if there are no such
            folders.
        others: Suffix -> the number of all other files.
    """

    input_type: str
    splits: Files
    nested: bool | None
    others: Mapping[str, int]


def plan_for_folder(path: Path) -> Plan:
    """A starter config for a folder of files, one folder per class.

    Raises:
        DataError: The folder has another layout, or no files that an input reads.
    """
    where, root = escape(str(path)), os.path.realpath(path)
    listing = _list(where, root)
    input_type, splits = listing.input_type, listing.splits
    files = [file for classes in splits.values() for names in classes.values() for file in names]
    profile = profile_column(pl.Series("file", files), file_suffixes())
    column = with_suggestion(profile, root)
    if column.suggestion is None:
        raise DataError(f"{where}: {column.reason}")
    unreadable = column.suggestion.unreadable
    counts = {name: len(names) for name, names in sorted(splits["train"].items())}
    given, train_rows = len(splits) - 1, sum(counts.values())
    if given < 2 and 0 < max(counts.values()) < 3 - given:
        raise DataError(
            f"{where}: no class has {3 - given} files, one for each split that is sampled: add "
            "files"
        )
    encoder: Mapping[str, Any] = column.suggestion.fields["encoder"]
    shown = [(shorten(name), "class", _files(count)) for name, count in counts.items()]
    reasons = "; ".join(column.suggestion.reasons.values())
    return Plan(
        name=as_name(os.path.basename(root), (), "folder"),
        title=f"Classifies {len(files):,} {input_type} files into {len(counts):,} classes.",
        source=_source(path, listing, len(unreadable)),
        inputs={input_type: column.suggestion},
        heads={"kind": _head(counts)},
        train=train_section(
            round(train_rows * (TRAIN_SHARE if len(splits) == 1 else 1)),
            encoder.get("trainable") is False,
        ),
        columns=(("file", input_type, reasons), *shown[:_SHOWN_CLASSES]),
        warnings=(*_warnings(where, listing, len(files), counts), *_unreadable(column)),
    )


def _files(count: int) -> str:
    return "1 file" if count == 1 else f"{count:,} files"


def _list(where: str, root: str) -> _Listing:
    """Lists the files; the input type that reads most of them is chosen."""
    types = file_types()
    suffixes = file_suffixes()
    folders = class_folders(root, "auto", suffixes, Ignored())
    ignored = Ignored()
    listed = [file for _, _, file in _entries(_listed(root, folders, suffixes, ignored))]
    endings = Counter(os.path.splitext(file)[1].lower() for file in listed)
    others = Counter(os.path.splitext(file)[1].lower() for file in ignored.other)
    if not endings:
        found = f", but {_counts(others)}" if others else ""
        raise DataError(
            f"{where}: its folders have no files that mmzoo reads ({' '.join(suffixes)}){found}"
        )
    most = max(types, key=lambda name: sum(endings[suffix] for suffix in types[name].suffixes))
    splits = _listed(root, folders, types[most].suffixes, Ignored())
    nested = [
        os.path.dirname(file) != folders[split][name] for split, name, file in _entries(splits)
    ]
    inside = Ignored()
    for classes in folders.values():
        for folder in classes.values():
            files_below(root, folder, (), "ignore", inside)
    unused = {one: count for one, count in endings.items() if one not in types[most].suffixes}
    return _Listing(most, splits, any(nested) if inside.nested else None, {**others, **unused})


def _entries(splits: Files) -> Iterator[tuple[str, str, str]]:
    """The split, class and path of each file."""
    for split, classes in splits.items():
        for name, files in classes.items():
            for file in files:
                yield split, name, file


def _listed(
    root: str,
    folders: Mapping[str, Mapping[str, str]],
    suffixes: tuple[str, ...],
    ignored: Ignored,
) -> Files:
    return {
        split: {
            name: files_below(root, folder, suffixes, "include", ignored)
            for name, folder in classes.items()
        }
        for split, classes in folders.items()
    }


def _warnings(
    where: str, listing: _Listing, files: int, counts: Mapping[str, int]
) -> Iterator[str]:
    media = {one: n for one, n in listing.others.items() if one in (*UNSUPPORTED, *file_suffixes())}
    left_out = listing.others if sum(listing.others.values()) >= files else media
    if left_out:
        total = files + sum(left_out.values())
        yield (
            f"{where}: {sum(left_out.values()):,} of {total:,} files are left out, as the input "
            f"`{listing.input_type}` does not read them: {_counts(left_out)}. Convert them to use "
            "them"
        )
    if len(listing.splits) == 1:
        yield from rare_classes(where, counts, "file")


def _counts(suffixes: Mapping[str, int]) -> str:
    """`80 .tif, 3 .heic`"""
    most = sorted(suffixes, key=lambda one: -suffixes[one])[:_SHOWN_SUFFIXES]
    return ", ".join(f"{suffixes[one]:,} {escape(one) or 'without a suffix'}" for one in most)


def _unreadable(column: InferredColumn) -> Iterator[str]:
    if column.suggestion is not None and (unreadable := column.suggestion.unreadable):
        file, reason = next(iter(unreadable.items()))
        yield (
            f"{len(unreadable):,} of {column.sampled_files:,} sampled files cannot be read, such "
            f"as {escape(file)}: {reason}. `on_bad_row: skip` skips them"
        )


def _source(path: Path, listing: _Listing, unreadable: int) -> Section:
    fields: dict[str, Any] = {"type": "folder", "path": str(path)}
    reasons = {}
    suffixes = file_types()[listing.input_type].suffixes
    if not set(suffixes) <= set(Folder.model_fields["suffixes"].default):
        fields["suffixes"] = list(suffixes)
    if listing.nested is not None:
        fields["nested"] = "include" if listing.nested else "ignore"
        reasons["nested"] = (
            "class folders have subfolders; `ignore` excludes those"
            if listing.nested
            else "the folders within class folders have no such files"
        )
    for split, share in SHARES.items():
        if split not in listing.splits:
            fields[split] = share
            reasons[split] = "sampled from the files, as there is no folder for it"
    if unreadable:
        fields["on_bad_row"] = "skip"
        reasons["on_bad_row"] = f"{unreadable:,} files cannot be read"
    return Section(fields, reasons)


def _head(counts: Mapping[str, int]) -> Section:
    kind = "binary" if len(counts) == 2 else "classification"
    most, least = max(counts.values()), min(counts.values())
    if least and most >= _IMBALANCED * least:
        reasons = {"class_weights": f"class imbalance: {least:,} to {most:,} files per class"}
        return Section({"type": kind, "class_weights": "auto"}, reasons)
    return Section({"type": kind}, {"type": f"{len(counts):,} classes, named by the folders"})
