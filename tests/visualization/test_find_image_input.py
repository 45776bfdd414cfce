"""Choice of the image input of a run."""

from __future__ import annotations

import pytest
from pydantic import TypeAdapter
from squares import config_of

from mmzoo.errors import RunError
from mmzoo.modalities import Input
from mmzoo.visualization.drawing import find_image_input

IMAGE = config_of({"found": {"type": "binary"}}).inputs["image"]
OTHER = TypeAdapter(Input).validate_python(
    {"type": "text", "length": 8, "encoder": {"type": "embedding", "dim": 2}}
)


@pytest.mark.parametrize(
    ("inputs", "requested", "name"),
    [
        ({"photo": IMAGE}, None, "photo"),
        ({"text": OTHER, "photo": IMAGE}, None, "photo"),
        ({"left": IMAGE, "right": IMAGE}, "right", "right"),
    ],
)
def test_only_or_requested_image_input(inputs, requested, name):
    assert find_image_input(inputs, requested, "runs/x") == (name, inputs[name])


@pytest.mark.parametrize(
    ("inputs", "requested", "message"),
    [
        (
            {"left": IMAGE, "right": IMAGE},
            None,
            "has 2 image inputs: left, right. Choose one with --input NAME.",
        ),
        (
            {"left": IMAGE, "right": IMAGE},
            "rigth",
            "has no input 'rigth'; did you mean 'right'? There are: left, right",
        ),
        (
            {"text": OTHER},
            None,
            "has no image input, only text (text)",
        ),
        (
            {"text": OTHER, "photo": IMAGE},
            "text",
            "input 'text' is text, not image",
        ),
    ],
)
def test_missing_image_input_is_reported(inputs, requested, message):
    with pytest.raises(RunError) as caught:
        find_image_input(inputs, requested, "runs/x")
    assert str(caught.value) == f"runs/x: {message}"
