"""Plans for folders of files with one folder per class."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from mmzoo.data import Folder
from mmzoo.data.column_types import profile_column
from mmzoo.data.folder_listing import Ignored, class_folders, files_below
from mmzoo.errors import DataError
from mmzoo.lazy import pl
from mmzoo.modalities.suggestion import Section
from mmzoo.spec.wording import escape, shorten
from mmzoo.starter.infer import file_suffixes, file_types, with_suggestion
from mmzoo.starter.plan import Plan, as_name, train_section

_SHARES = {"validation": 0.1, "test": 0.2}
_TRAIN_SHARE = 0.7
_IMBALANCED = 10
"""How many times rarer than the majority class the rarest one is, for classes to be weighted."""
_SHOWN_CLASSES = 20

Files = Mapping[str, Mapping[str, list[str]]]
"""Split -> class -> paths relative to the root."""


def plan_for_folder(path: Path) -> Plan:
    """A starter config for a folder of files, one folder per class.

    Raises:
        DataError: The folder has another layout, or no files that an input reads.
    """
    root = os.path.realpath(path)
    input_type, splits, nested = _files(root)
    files = [file for classes in splits.values() for names in classes.values() for file in names]
    profile = profile_column(pl.Series("file", files), file_suffixes())
    column = with_suggestion(profile, root)
    if column.suggestion is None:
        raise DataError(f"{escape(str(path))}: {column.reason}")
    unreadable = column.suggestion.unreadable
    counts = {name: len(names) for name, names in sorted(splits["train"].items())}
    train_rows = sum(counts.values())
    encoder: Mapping[str, Any] = column.suggestion.fields["encoder"]
    warnings = []
    for file, reason in list(unreadable.items())[:1]:
        warnings.append(
            f"{len(unreadable):,} of {column.sampled_files:,} sampled files cannot be read, such "
            f"as {escape(file)}: {reason}. `on_bad_row: skip` skips them."
        )
    shown = [(shorten(name), "class", f"{count:,} files") for name, count in counts.items()]
    reasons = "; ".join(column.suggestion.reasons.values())
    return Plan(
        name=as_name(os.path.basename(root), (), "folder"),
        title=f"Classifies {len(files):,} {input_type} files into {len(counts):,} classes.",
        source=_source(path, input_type, splits, nested, len(unreadable)),
        inputs={input_type: column.suggestion},
        heads={"kind": _head(counts)},
        train=train_section(
            round(train_rows * (_TRAIN_SHARE if len(splits) == 1 else 1)),
            encoder.get("trainable") is False,
        ),
        columns=(("file", input_type, reasons), *shown[:_SHOWN_CLASSES]),
        warnings=tuple(warnings),
    )


def _files(root: str) -> tuple[str, Files, bool]:
    """The input type that reads most files, its files, and whether some are in nested folders."""
    types = file_types()
    suffixes = file_suffixes()
    folders = class_folders(root, "auto", suffixes, Ignored())
    endings = Counter(
        os.path.splitext(file)[1].lower()
        for classes in _listed(root, folders, suffixes).values()
        for files in classes.values()
        for file in files
    )
    if not endings:
        raise DataError(
            f"{escape(root)}: its folders have no files that mmzoo reads: {' '.join(suffixes)}"
        )
    most = max(types, key=lambda name: sum(endings[suffix] for suffix in types[name].suffixes))
    found = _listed(root, folders, types[most].suffixes)
    nested = any(
        os.path.dirname(file) != folders[split][name]
        for split, classes in found.items()
        for name, files in classes.items()
        for file in files
    )
    return most, found, nested


def _listed(
    root: str, folders: Mapping[str, Mapping[str, str]], suffixes: tuple[str, ...]
) -> Files:
    return {
        split: {
            name: files_below(root, folder, suffixes, "include", Ignored())
            for name, folder in classes.items()
        }
        for split, classes in folders.items()
    }


def _source(
    path: Path, input_type: str, splits: Collection[str], nested: bool, unreadable: int
) -> Section:
    fields: dict[str, Any] = {"type": "folder", "path": str(path)}
    reasons = {}
    suffixes = file_types()[input_type].suffixes
    if not set(suffixes) <= set(Folder.model_fields["suffixes"].default):
        fields["suffixes"] = list(suffixes)
    if nested:
        fields["nested"] = "include"
        reasons["nested"] = "class folders have subfolders; `ignore` excludes those"
    for split, share in _SHARES.items():
        if split not in splits:
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
