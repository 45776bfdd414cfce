"""What there is to choose from: every component by its `type`, the configs, the runs.

For `mmzoo list` and `mmzoo show`. The families are read off the config's own unions, so a new
member is listed as soon as it can be used.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from mmzoo.errors import ConfigError, RunError
from mmzoo.fusion import Fusion
from mmzoo.heads import Head
from mmzoo.inputs import Input
from mmzoo.inputs.audio import AudioAugmentation, Spectrogram
from mmzoo.inputs.image import Augmentation as ImageAugmentation
from mmzoo.mixing import Mixing
from mmzoo.modalities.audio.encoders import AudioEncoder
from mmzoo.modalities.image.encoders import ImageEncoder
from mmzoo.modalities.tabular.encoders import TabularEncoder
from mmzoo.modalities.text.encoders import TextEncoder
from mmzoo.objectives import Objective
from mmzoo.optimizers import Optimizer
from mmzoo.probes import Probe
from mmzoo.runs import all_runs
from mmzoo.schedules import Schedule
from mmzoo.sources import Listing, Source, catalogue
from mmzoo.spec import Spec, field_notes
from mmzoo.spec.expected_types import Expected
from mmzoo.spec.load_spec import config_of_name
from mmzoo.spec.wording import either, flow, shorten

FAMILIES: dict[str, Any] = {
    "inputs": Input,
    "image encoders": ImageEncoder,
    "text encoders": TextEncoder,
    "audio encoders": AudioEncoder,
    "tabular encoders": TabularEncoder,
    "spectrograms": Spectrogram,
    "fusions": Fusion,
    "heads": Head,
    "objectives": Objective,
    "sources": Source,
    "optimizers": Optimizer,
    "schedules": Schedule,
    "image augmentations": ImageAugmentation,
    "audio augmentations": AudioAugmentation,
    "mixings": Mixing,
    "probes": Probe,
}
"""Each family with its union, in which a name stands once."""


_LONGEST_HEAD = 200
"""Characters of a config's first line that are looked at."""


def members(family: str) -> dict[str, type[Spec]]:
    """The specs of a family by the `type` that users write."""
    return Expected.of(FAMILIES[family]).family


def listed(kind: str, pattern: str = "*") -> dict[str, str]:
    """The names of one kind that match a pattern with wildcards, each with a line about it."""
    rows = _LISTS[kind]() if kind in _LISTS else _summaries_of_kind(kind)
    return {
        name: note
        for name, note in rows.items()
        if fnmatchcase(name, pattern) or fnmatchcase(name.removeprefix("runs/"), pattern)
    }


@dataclass(frozen=True)
class Component:
    """What `mmzoo show` says of one component."""

    family: str
    name: str
    notes: str
    fields: dict[str, tuple[str, str, str]]
    """Of each field: its type, its default, and the note on it."""

    def as_dict(self) -> dict[str, Any]:
        keys = ("type", "default", "note")
        fields = {name: dict(zip(keys, row, strict=True)) for name, row in self.fields.items()}
        return {"family": self.family, "name": self.name, "notes": self.notes, "fields": fields}

    def __str__(self) -> str:
        """With a line for each paragraph, however long: who prints it knows how wide it may be."""
        lines = [f"{self.name} ({self.family})", "", _unfolded(self.notes)]
        if self.fields:
            lines += ["", "Fields:"]
        for name, (kind, default, note) in self.fields.items():
            lines.append(f"  {name}: {kind} = {default}" if default else f"  {name}: {kind}")
            lines += [f"      {' '.join(note.split())}"] if note else []
        return "\n".join(lines)


def find_components(name: str) -> list[Component]:
    """Every component of this `type`, and the data set of this name.

    Several families may have one, as `cnn` may read texts too.

    Raises:
        ConfigError: there is none; the message has the nearest names.
    """
    found = [
        component(family, name, specs[name])
        for family in FAMILIES
        if name in (specs := members(family))
    ]
    if name in (sets := {listing.name: listing for listing in catalogue()}):
        found.append(_data_set(sets[name]))
    if not found:
        names = {*sets, *(name for family in FAMILIES for name in members(family))}
        config = config_of_name(Path(name))
        near = [str(config)] if config else get_close_matches(name, sorted(names), 3, cutoff=0.5)
        meant = f"did you mean {either([repr(one) for one in near])}? " if near else ""
        raise ConfigError(
            f"no component is named '{shorten(name)}'; {meant}`mmzoo list` shows all there are. "
            "For a config or a run, give its path."
        )
    return found


def _summaries_of_kind(kind: str) -> dict[str, str]:
    """The members of all families of a kind, with what each is to a modality where it is several
    things."""
    found: dict[str, dict[str, str]] = {}
    for family in FAMILIES:
        if kind in (family, _kind_of(family)):
            for name, note in _summaries(family).items():
                found.setdefault(name, {})[family.partition(" ")[0]] = note
    return {
        name: next(iter(notes.values()))
        if len(notes) == 1
        else " ".join(f"{modality.capitalize()}: {note}" for modality, note in notes.items())
        for name, notes in found.items()
    }


def _kind_of(family: str) -> str:
    """What a family is listed as: encoders of all modalities are one kind."""
    return family.rpartition(" ")[2]


def _summaries(family: str) -> dict[str, str]:
    return {name: _first_line(spec.about(name)) for name, spec in members(family).items()}


def _first_line(notes: str) -> str:
    return notes.split("\n\n")[0].replace("\n", " ")


def component(family: str, name: str, spec: type[Spec]) -> Component:
    """What there is to say of one spec; of its fields, all but `type`."""
    fields = {
        field: (
            Expected.of(info.annotation, info).words(),
            "" if info.is_required() else flow(_plain(info.default)),
            field_notes(spec).get(field, ""),
        )
        for field, info in spec.model_fields.items()
        if field != "type"
    }
    return Component(family, name, spec.about(name), fields)


def _data_set(listing: Listing) -> Component:
    notes = (
        f"{listing.description}\n\n{listing.contents}.\n\n"
        f"Columns: {', '.join(listing.columns)}.\n\nLicence: {listing.licence}.\n\n"
        f"Home page: {listing.homepage}\n\nReference: {listing.citation}."
    )
    return Component("datasets", listing.name, notes, {})


def _unfolded(text: str) -> str:
    """The text with each paragraph on one line, save what is set in."""
    paragraphs = (part if "\n " in part else part.replace("\n", " ") for part in text.split("\n\n"))
    return "\n\n".join(paragraphs)


def _plain(value: Any) -> Any:
    """A spec as one would write it: its type, and what differs from that type's defaults."""
    if not isinstance(value, Spec):
        return value
    named = {"type": value.type} if hasattr(value, "type") else {}
    return {**named, **value.model_dump(exclude_defaults=True)}


def _datasets() -> dict[str, str]:
    return {listing.name: listing.description for listing in catalogue()}


def _configs() -> dict[str, str]:
    """The configs in `configs/`, each with the first line of its head."""
    rows = {}
    for path in sorted(Path("configs").rglob("*.yaml")):
        if not path.is_file():
            continue
        with path.open(encoding="utf-8", errors="replace") as file:
            first = file.readline(_LONGEST_HEAD)
        rows[path.stem] = first.removeprefix("#").strip() if first.startswith("#") else ""
    return rows


def _runs() -> dict[str, str]:
    """The runs in `runs/`, each with its main metrics."""
    rows = {}
    for run in all_runs():
        try:
            test = run.metrics().get("test")
        except RunError as error:
            rows[str(run.directory)] = str(error)
        else:
            rows[str(run.directory)] = _main_metrics(test) if test else "not finished"
    return rows


def _main_metrics(entry: Mapping[str, Any]) -> str:
    heads = {
        name: values
        for name, values in entry.items()
        if isinstance(values, Mapping) and name != "probes"
    }
    shown = (
        f"{head} {next(iter(values))} {next(iter(values.values())):.4g}"
        for head, values in heads.items()
    )
    return f"{', '.join(shown)} on {entry['examples']:,} test examples of {entry['data']}"


_LISTS: dict[str, Callable[[], dict[str, str]]] = {
    "datasets": _datasets,
    "configs": _configs,
    "runs": _runs,
}
KINDS = (*dict.fromkeys(map(_kind_of, FAMILIES)), *_LISTS)
