from __future__ import annotations

from typing import Any

import pytest
from spec_tree import Experiment

from mmzoo.spec import json_schema


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    return json_schema(Experiment)


def test_schema_names_its_draft(schema: dict[str, Any]) -> None:
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_docstrings_are_descriptions(schema: dict[str, Any]) -> None:
    cnn = schema["$defs"]["CNN"]
    assert cnn["description"] == "Convolutions."
    assert cnn["properties"]["filters"]["description"] == "Filters of each convolution."
    assert schema["properties"]["name"]["description"] == "What it is called."


def test_unknown_fields_are_rejected_everywhere(schema: dict[str, Any]) -> None:
    assert all(
        node["additionalProperties"] is False for node in [schema, *schema["$defs"].values()]
    )


def test_family_is_a_choice_by_type(schema: dict[str, Any]) -> None:
    encoder = schema["$defs"]["Image"]["properties"]["encoder"]
    assert encoder["oneOf"] == [{"$ref": "#/$defs/CNN"}, {"$ref": "#/$defs/LeNet"}]
    assert encoder["discriminator"]["propertyName"] == "type"


def test_family_of_one_is_its_member(schema: dict[str, Any]) -> None:
    assert schema["properties"]["fusion"]["$ref"] == "#/$defs/Concat"
    [inputs] = schema["properties"]["inputs"]["patternProperties"].values()
    assert inputs == {"$ref": "#/$defs/Image"}
    assert schema["$defs"]["Image"]["properties"]["type"]["const"] == "image"


def test_type_is_required(schema: dict[str, Any]) -> None:
    required = {name: node.get("required", []) for name, node in schema["$defs"].items()}
    assert required["CNN"] == ["type"]
    assert required["Image"] == ["type", "shape", "encoder"]
    assert required["Train"] == []
    assert schema["required"] == ["name", "inputs", "heads"]


def test_ranges_lengths_and_choices(schema: dict[str, Any]) -> None:
    shape = schema["$defs"]["Image"]["properties"]["shape"]
    assert (shape["type"], shape["minItems"], shape["maxItems"]) == ("array", 3, 3)
    assert schema["$defs"]["Train"]["properties"]["epochs"]["minimum"] == 1
    assert schema["$defs"]["CNN"]["properties"]["padding"]["enum"] == ["same", "valid"]
