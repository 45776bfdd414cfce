"""Every component is documented, loads from YAML and is listed."""

from __future__ import annotations

import json
import re
import shutil
from inspect import cleandoc
from typing import Any, get_args

import pytest
from pydantic import ValidationError

from mmzoo.catalogue import FAMILIES, KINDS, family_members, find_components, list_names
from mmzoo.config import Config
from mmzoo.errors import ConfigError
from mmzoo.modalities.audio.encoders import AudioCNN
from mmzoo.modalities.image.encoders import LeNet
from mmzoo.modalities.text.encoders import TextLSTM
from mmzoo.spec import Spec, dump_yaml, field_notes, json_schema, load_spec

NEEDED: dict[tuple[str, str], dict[str, Any]] = {
    ("inputs", "audio"): {"seconds": 1.0, "encoder": AudioCNN()},
    ("inputs", "image"): {"shape": (28, 28, 1), "encoder": LeNet()},
    ("inputs", "text"): {"encoder": TextLSTM()},
    **{(f"{kind} encoders", "shared"): {"input": "x"} for kind in ("image", "text", "audio")},
    **{
        (f"{kind} encoders", "run"): {"path": "runs/x", "input": "x"}
        for kind in ("image", "text", "audio", "tabular")
    },
    ("heads", "adversarial"): {"inputs": ("photo", "sound")},
    ("heads", "reconstruction"): {"input": "photo"},
    ("heads", "contrastive"): {"inputs": ("photo", "text")},
    ("schedules", "step"): {"epochs": (2.0, 4.0)},
    ("sources", "dataset"): {"name": "digits"},
    ("sources", "folder"): {"path": "photos"},
    ("sources", "table"): {"path": "products.csv"},
    ("sources", "tfds"): {"name": "beans"},
}
"""The fields of a component that have no default."""

FROM_PAPERS = (
    "image encoders",
    "audio encoders",
    "text encoders",
    "mixings",
    "optimizers",
    "probes",
)
EVERY = [(family, name) for family in FAMILIES for name in family_members(family)]


every_family = pytest.mark.parametrize("family", FAMILIES)


def components(family: str) -> list[Spec]:
    """Each member of a family with all its defaults."""
    return [
        spec(type=name, **NEEDED.get((family, name), {}))
        for name, spec in family_members(family).items()
    ]


def test_every_family_has_members():
    assert len(EVERY) >= 30
    assert all(family_members(family) for family in FAMILIES)


def test_members_are_keyed_by_type():
    for family in FAMILIES:
        for name, spec in family_members(family).items():
            assert name in get_args(spec.model_fields["type"].annotation)


@every_family
def test_every_component_and_field_is_documented(family):
    """A component by a sentence that `mmzoo list` shows."""
    for name, spec in family_members(family).items():
        assert "__doc__" in vars(spec), name
        first = cleandoc(spec.__doc__).split("\n\n")[0]
        assert first[0].isupper(), name
        assert first.endswith("."), name
        for field in spec.model_fields.keys() - {"type"}:
            assert field_notes(spec).get(field, "").endswith("."), f"{spec.__name__}.{field}"


@pytest.mark.parametrize("family", FROM_PAPERS)
def test_papers_are_referenced(family):
    for spec in family_members(family).values():
        assert re.search(r"\n\s*References?: ", spec.__doc__ or ""), spec.__name__


@every_family
def test_references_have_authors_title_and_year(family):
    for spec in family_members(family).values():
        _, found, references = cleandoc(spec.__doc__ or "").partition("Reference")
        for one in references.removeprefix("s").removeprefix(": ").split("; ") if found else ():
            text = " ".join(one.split())
            assert re.match(r'[A-Z][\w ,.-]+, "[^"]+", (1[89]|20)\d\d\b', text), text


@every_family
def test_components_round_trip_through_yaml(family, tmp_path):
    path = tmp_path / "x.yaml"
    for component in components(family):
        path.write_text(dump_yaml(component))
        assert path.read_text().startswith(f"type: {component.type}\n")
        assert load_spec(type(component), path) == component


@every_family
def test_components_are_immutable_and_reject_unknown_fields(family):
    for component in components(family):
        with pytest.raises(ValidationError, match="frozen"):
            component.type = "other"
        with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
            component.replace(nonsense=1)


def types(definition: dict[str, Any]) -> list[str]:
    """The types that a spec serves, by its JSON Schema."""
    described = definition["properties"]["type"]
    return described["enum"] if "enum" in described else [described["const"]]


def test_schema_contains_every_component():
    # Names of generic classes go on with their parameters.
    definitions = {
        name.partition("_")[0]: definition
        for name, definition in json_schema(Config)["$defs"].items()
    }
    for family, name in EVERY:
        spec = family_members(family)[name]
        definition = definitions[spec.__name__]
        assert definition["required"][0] == "type"
        assert name in types(definition)
        assert definition["additionalProperties"] is False
        for field in spec.model_fields.keys() - {"type"}:
            assert definition["properties"][field]["description"], f"{name}.{field}"


# Lists.


@every_family
def test_family_is_listed_with_descriptions(family):
    rows = list_names(family)
    assert set(rows) == set(family_members(family))
    assert all(note and "\n" not in note for note in rows.values())


def test_wildcards_select_names():
    assert set(list_names("optimizers", "ad*")) == {"adagrad", "adam", "adamw"}
    assert list_names("optimizers", "adam") == {"adam": list_names("optimizers")["adam"]}
    assert list_names("optimizers", "x*") == {}


def test_data_sets_are_listed():
    assert {"cifar10", "digits", "imdb", "mnist", "mr"} <= set(list_names("datasets"))


def test_configs_are_listed_with_their_first_line(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert list_names("configs") == {}
    (tmp_path / "configs" / "deep").mkdir(parents=True)
    (tmp_path / "configs" / "a.yaml").write_text("# A small net.\n#   mmzoo train\nname: a\n")
    (tmp_path / "configs" / "deep" / "b.yaml").write_text("name: b\n")
    assert list_names("configs") == {"a": "A small net.", "b": ""}
    assert list_names("configs", "b*") == {"b": ""}


def test_runs_are_listed_with_their_main_metrics(tmp_path, monkeypatch, trained_run):
    monkeypatch.chdir(tmp_path)
    assert list_names("runs") == {}
    shutil.copytree(trained_run.directory, tmp_path / "runs" / "tiny" / "001")
    shutil.copytree(trained_run.directory, tmp_path / "runs" / "tiny" / "002")
    (tmp_path / "runs" / "tiny" / "002" / "metrics.json").unlink()
    rows = list_names("runs")
    accuracy = trained_run.metrics()["test"]["digit"]["accuracy"]
    assert rows["runs/tiny/001"].startswith(f"digit accuracy {accuracy:.4g} on 359 test examples")
    assert "digits" in rows["runs/tiny/001"]
    assert list(rows) == ["runs/tiny/001", "runs/tiny/002"]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_can_be_listed_anywhere(kind, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert isinstance(list_names(kind), dict)


# Components.


@every_family
def test_every_component_is_found_by_its_name(family):
    for name, spec in family_members(family).items():
        [found] = [one for one in find_components(name) if one.family == family]
        assert set(found.fields) == spec.model_fields.keys() - {"type"}
        text = str(found)
        assert text.startswith(f"{name} ({family})\n")
        for field, (kind, _default, note) in found.fields.items():
            assert f"  {field}: {kind}" in text
            assert note, f"{name}.{field}"
        assert json.loads(json.dumps(found.as_dict()))["name"] == name


def test_a_field_is_shown_with_its_type_default_and_note():
    [lenet] = find_components("lenet")
    assert lenet.fields["filters"] == (
        "a list of whole numbers of at least 1",
        "[6, 16]",
        "Filters of each convolution; one stage per entry.",
    )
    assert lenet.fields["pool_type"][:2] == ("'average' or 'max'", "average")
    [image] = find_components("image")
    assert image.fields["shape"][1] == ""  # It has no default.


def test_limits_are_described_once():
    [adam] = find_components("adam")
    assert adam.fields["learning_rate"][0] == "a number above 0"
    assert adam.fields["beta_1"][0] == "a number of at least 0 and below 1"


def test_unknown_name_gets_a_suggestion():
    with pytest.raises(ConfigError) as caught:
        find_components("lent")
    message = str(caught.value)
    assert message.startswith("no component is named 'lent'; did you mean 'lenet'")
    assert message.endswith("For a config or a run, give its path.")


def test_families_are_the_unions_of_configs():
    """The listed components are those of the config's unions; there is no second list."""
    schema = json_schema(Config)["$defs"]
    typed = {
        name
        for definition in schema.values()
        if "type" in definition.get("properties", {})
        for name in types(definition)
    }
    assert typed == {name for _, name in EVERY}
