"""Catalogue of components, data sets, configs and runs, for `mmzoo list` and `mmzoo show`.

The families are the unions of the config itself, and those of a modality are found in the fields of
its input, so a new member is listed automatically.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from mmzoo.data import Listing, Source, catalogue
from mmzoo.errors import ConfigError, RunError
from mmzoo.find_runs import all_runs
from mmzoo.fusion import Fusion
from mmzoo.heads import Head
from mmzoo.mixing import Mixing
from mmzoo.modalities import Input, input_types
from mmzoo.objectives import Objective
from mmzoo.optimizers import Optimizer
from mmzoo.probes import Probe
from mmzoo.schedules import Schedule
from mmzoo.spec import Spec, field_notes
from mmzoo.spec.config_file import find_config
from mmzoo.spec.expected_types import ExpectedType
from mmzoo.spec.wording import flow_yaml, join_or, shorten

_NOUNS = {"encoder": "{} encoders", "augment": "{} augmentations"}
"""Name of the family that a field shared by several modalities chooses from, by field."""


def _families_of_inputs(field: str | None = None) -> dict[str, Any]:
    """The families that fields of inputs choose from: of one field, or of all others."""
    families = {}
    for modality, spec in input_types().items():
        for name, info in spec.model_fields.items():
            expected = ExpectedType.from_annotation(info.annotation, info)
            for one in (expected, *(expected.parts if expected.is_list() else ())):
                is_asked = name == field if field else name not in _NOUNS
                if one.family and is_asked:
                    label = _NOUNS.get(name, f"{name}s").format(modality)
                    union: Any = one.annotation
                    families[label] = one.spec or Annotated[union, Field(discriminator="type")]
    return families


FAMILIES: dict[str, Any] = {
    "inputs": Input,
    **_families_of_inputs("encoder"),
    **_families_of_inputs(),
    "fusions": Fusion,
    "heads": Head,
    "objectives": Objective,
    "sources": Source,
    "optimizers": Optimizer,
    "schedules": Schedule,
    **_families_of_inputs("augment"),
    "mixings": Mixing,
    "probes": Probe,
}
"""Family -> union of its members."""

_MAX_HEADER = 200
"""Maximum number of characters to read of a config's first line."""


def family_members(family: str) -> dict[str, type[Spec]]:
    """`type` value -> spec, for the members of a family."""
    return ExpectedType.from_annotation(FAMILIES[family]).family


def list_names(kind: str, pattern: str = "*") -> dict[str, str]:
    """Name -> one-line description, for the names of a kind that match a pattern.

    Args:
        kind: one of `KINDS`.
        pattern: a name, with wildcards as in `mnist_*`.
    """
    rows = _LISTS[kind]() if kind in _LISTS else _summaries_of_kind(kind)
    return {
        name: note
        for name, note in rows.items()
        if fnmatchcase(name, pattern) or fnmatchcase(name.removeprefix("runs/"), pattern)
    }


@dataclass(frozen=True)
class Component:
    """A component as `mmzoo show` displays it."""

    family: str
    name: str
    notes: str
    fields: dict[str, tuple[str, str, str]]
    """Field name -> its type, its default ("" if required) and its description."""

    def as_dict(self) -> dict[str, Any]:
        """The component as JSON-serializable values."""
        keys = ("type", "default", "note")
        fields = {name: dict(zip(keys, row, strict=True)) for name, row in self.fields.items()}
        return {"family": self.family, "name": self.name, "notes": self.notes, "fields": fields}

    def __str__(self) -> str:
        """Each paragraph as a single line, to be wrapped when it is printed."""
        lines = [f"{self.name} ({self.family})", "", _join_lines(self.notes)]
        if self.fields:
            lines += ["", "Fields:"]
        for name, (kind, default, note) in self.fields.items():
            lines.append(f"  {name}: {kind} = {default}" if default else f"  {name}: {kind}")
            lines += [f"      {' '.join(note.split())}"] if note else []
        return "\n".join(lines)


def find_components(name: str) -> list[Component]:
    """The components with this `type`, and the data set of this name.

    There may be several: `cnn` is an encoder for images, text and audio.

    Raises:
        ConfigError: there is none; the message suggests the closest names.
    """
    found = [
        describe_component(family, name, specs[name])
        for family in FAMILIES
        if name in (specs := family_members(family))
    ]
    if name in (sets := {listing.name: listing for listing in catalogue()}):
        found.append(_data_set(sets[name]))
    if not found:
        names = {*sets, *(name for family in FAMILIES for name in family_members(family))}
        near = get_close_matches(name, sorted(names), 3, cutoff=0.5)
        config = find_config(Path(name))
        # Parts of a name such as `digits_cnn` are those of a config.
        if config and ("_" in name or config.stem == name or not near):
            near = [str(config)]
        meant = f"did you mean {join_or([repr(one) for one in near])}? " if near else ""
        raise ConfigError(
            f"no component is named '{shorten(name)}'; {meant}`mmzoo list` shows all components. "
            "For a config or a run, give its path."
        )
    return found


def _summaries_of_kind(kind: str) -> dict[str, str]:
    """Name -> description, for all families of a kind.

    A name with several meanings gets one description per modality: "Image: ... Text: ...".
    """
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
    """The kind of a family: encoders of all modalities are one kind."""
    return family.rpartition(" ")[2]


def _summaries(family: str) -> dict[str, str]:
    return {
        name: _first_line(spec.describe_type(name)) for name, spec in family_members(family).items()
    }


def _first_line(notes: str) -> str:
    return notes.split("\n\n")[0].replace("\n", " ")


def describe_component(family: str, name: str, spec: type[Spec]) -> Component:
    """The description of a spec, with all its fields but `type`."""
    fields = {
        field: (
            ExpectedType.from_annotation(info.annotation, info).describe(),
            "" if info.is_required() else flow_yaml(_plain(info.default)),
            field_notes(spec).get(field, ""),
        )
        for field, info in spec.model_fields.items()
        if field != "type"
    }
    return Component(family, name, spec.describe_type(name), fields)


def _data_set(listing: Listing) -> Component:
    notes = (
        f"{listing.description}\n\n{listing.contents}.\n\n"
        f"Columns: {', '.join(listing.columns)}.\n\nLicence: {listing.licence}.\n\n"
        f"Home page: {listing.homepage}\n\nReference: {listing.citation}.\n\n"
        + (f"Place: {listing.place}" if listing.place else f"How to get it: {listing.how_to_get}.")
    )
    return Component("datasets", listing.name, notes, {})


def _join_lines(text: str) -> str:
    """The text with each paragraph on one line, except indented ones."""
    paragraphs = (part if "\n " in part else part.replace("\n", " ") for part in text.split("\n\n"))
    return "\n\n".join(paragraphs)


def _plain(value: Any) -> Any:
    """A spec as in YAML: its type, and the fields that differ from the defaults."""
    if not isinstance(value, Spec):
        return value
    named = {"type": value.type} if hasattr(value, "type") else {}
    return {**named, **value.model_dump(exclude_defaults=True)}


def _datasets() -> dict[str, str]:
    return {listing.name: listing.description for listing in catalogue()}


def _configs() -> dict[str, str]:
    """The configs in `configs/`, each with the first line of its header comment."""
    rows = {}
    for path in sorted(Path("configs").rglob("*.yaml")):
        if not path.is_file():
            continue
        with path.open(encoding="utf-8", errors="replace") as file:
            first = file.readline(_MAX_HEADER)
        rows[path.stem] = first.removeprefix("#").strip() if first.startswith("#") else ""
    return rows


def _runs() -> dict[str, str]:
    """The runs in `runs/`, each with its main test metrics."""
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
    from mmzoo.metrics import number_text

    heads = {
        name: values
        for name, values in entry.items()
        if isinstance(values, Mapping) and name != "probes"
    }
    first = {head: next(iter(values.items())) for head, values in heads.items()}
    shown = (
        f"{head} {metric} {'not finite' if value is None else number_text(value)}"
        for head, (metric, value) in first.items()
    )
    return f"{', '.join(shown)} on {entry['examples']:,} test examples of {entry['data']}"


_LISTS: dict[str, Callable[[], dict[str, str]]] = {
    "datasets": _datasets,
    "configs": _configs,
    "runs": _runs,
}
KINDS = (*dict.fromkeys(map(_kind_of, FAMILIES)), *_LISTS)
