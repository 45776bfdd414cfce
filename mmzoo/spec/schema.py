"""The JSON Schema of a spec, by which editors complete and check config files."""

from __future__ import annotations

from typing import Any

from mmzoo.spec.base import Spec


def json_schema(cls: type[Spec]) -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a config, with the fields' notes as descriptions."""
    schema = cls.model_json_schema()
    for definition in schema.get("$defs", {}).values():
        _require_type(definition)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def _require_type(definition: dict[str, Any]) -> None:
    # Pydantic takes a field with a default for optional; a choice by `type` needs it written.
    properties = definition.get("properties", {})
    required = definition.get("required", [])
    if "type" in properties and "type" not in required:
        definition["required"] = ["type", *required]
