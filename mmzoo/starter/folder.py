"""A starter config for a folder with a folder of files per class."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from mmzoo.errors import DataError
from mmzoo.sources.folder.layout import class_folders
from mmzoo.sources.folder.listing import Aside, files_below
from mmzoo.spec.wording import printable, shorten
from mmzoo.starter.cells import SUFFIXES
from mmzoo.starter.media import Looked, look_at_pictures, look_at_sounds
from mmzoo.starter.plan import Part, Plan, as_name, training

_SUFFIXES = {
    media: tuple(suffix for suffix, of in SUFFIXES.items() if of == media)
    for media in ("image", "audio")
}
_TOLD_FILES = 3


def plan_for_folder(path: Path) -> Plan:
    """What to begin with for a folder of pictures or sounds, one folder per class.

    Raises:
        DataError: it is not laid out like that, or has files of neither kind.
    """
    root = os.path.realpath(path)
    media, splits, nested = _files(root)
    files = [file for classes in splits.values() for names in classes.values() for file in names]
    found = (look_at_pictures if media == "image" else look_at_sounds)(files, root)
    told = [f"{printable(file)}: {why}" for file, why in list(found.bad.items())[:_TOLD_FILES]]
    if not found.fields:
        raise DataError(
            f"{printable(str(path))}: none of {found.looked:,} files that were looked at can be "
            "read:\n" + "\n".join(f"  {line}" for line in told)
        )
    classes = sorted(splits["train"])
    counts = Counter({name: len(names) for name, names in splits["train"].items()})
    name = as_name(os.path.basename(root), (), "folder")
    warnings = [
        f"{len(found.bad):,} of {found.looked:,} files that were looked at cannot be read, such as "
        f"{told[0]}. They are left out, as `on_bad_row: skip` says."
        for _ in told[:1]
    ]
    train_rows = sum(counts.values())
    shares = 0.7 if len(splits) == 1 else 1.0
    fields, why = _source(path, media, splits, nested)
    if found.bad:
        fields["on_bad_row"] = "skip"
        why["on_bad_row"] = f"{len(found.bad):,} files cannot be read"
    input_name = "photo" if media == "image" else "sound"
    encoder: Mapping[str, Any] = found.fields["encoder"]
    return Plan(
        name=name,
        head=f"Tells apart {len(classes):,} classes, by {len(files):,} {media} files.",
        source=Part(fields, why),
        inputs={input_name: Part(found.fields, found.why)},
        heads={"kind": _head(classes, counts)},
        train=training(round(train_rows * shares), encoder.get("trainable") is False),
        seen=_seen(media, found, counts),
        warnings=tuple(warnings),
    )


def _files(root: str) -> tuple[str, dict[str, dict[str, list[str]]], bool]:
    """What the files are, those of each class by split, and whether some lie deeper."""
    suffixes = tuple(SUFFIXES)
    folders = class_folders(root, "auto", suffixes, Aside())
    found = _listed(root, folders, suffixes)
    media = Counter(
        SUFFIXES[os.path.splitext(file)[1].lower()]
        for classes in found.values()
        for files in classes.values()
        for file in files
    )
    if not media:
        raise DataError(
            f"{printable(root)}: there are no pictures or sounds in its folders. mmzoo reads "
            f"{' '.join(suffixes)}"
        )
    [(most, _)] = media.most_common(1)
    found = _listed(root, folders, _SUFFIXES[most])
    nested = any(
        os.path.dirname(file) != folders[split][name]
        for split, classes in found.items()
        for name, files in classes.items()
        for file in files
    )
    return most, found, nested


def _listed(
    root: str, folders: Mapping[str, Mapping[str, str]], suffixes: tuple[str, ...]
) -> dict[str, dict[str, list[str]]]:
    return {
        split: {
            name: files_below(root, folder, suffixes, "include", Aside())
            for name, folder in classes.items()
        }
        for split, classes in folders.items()
    }


def _source(
    path: Path, media: str, splits: Collection[str], nested: bool
) -> tuple[dict[str, Any], dict[str, str]]:
    fields: dict[str, Any] = {"type": "folder", "path": str(path)}
    why = {}
    if media == "audio":
        fields["suffixes"] = list(_SUFFIXES["audio"])
    if nested:
        fields["nested"] = "include"
        why["nested"] = "there are folders within class folders; `ignore` leaves them aside"
    for split, share in {"validation": 0.1, "test": 0.2}.items():
        if split not in splits:
            fields[split] = share
            why[split] = "a share of the files, as there is no folder of them"
    return fields, why


def _head(classes: list[str], counts: Counter[str]) -> Part:
    kind = "binary" if len(classes) == 2 else "classification"
    most, least = max(counts.values()), min(counts.values())
    if least and most >= 10 * least:
        why = {"class_weights": f"the classes have {least:,} to {most:,} files"}
        return Part({"type": kind, "class_weights": "auto"}, why)
    return Part({"type": kind}, {"type": f"{len(classes):,} classes: the folders' names"})


def _seen(media: str, found: Looked, counts: Counter[str]) -> tuple[tuple[str, str, str], ...]:
    shown = [(shorten(name), "class", f"{count:,} files") for name, count in counts.items()]
    return (("file", media, "; ".join(found.why.values())), *shown[:20])
