"""Which input of a run is looked at."""

from __future__ import annotations

import pytest
from squares import config_of

from mmzoo.errors import RunError
from mmzoo.inputs.kept import KeptFeatures
from mmzoo.visualization.drawing import image_input

IMAGE = config_of({"found": {"type": "binary"}}).inputs["image"]
OTHER = KeptFeatures(column="features", reads=("image",))


@pytest.mark.parametrize(
    ("inputs", "asked", "name"),
    [
        ({"photo": IMAGE}, None, "photo"),
        ({"text": OTHER, "photo": IMAGE}, None, "photo"),
        ({"left": IMAGE, "right": IMAGE}, "right", "right"),
    ],
)
def test_the_only_image_or_the_one_that_is_asked_for(inputs, asked, name):
    assert image_input(inputs, asked, "runs/x") == (name, inputs[name])


@pytest.mark.parametrize(
    ("inputs", "asked", "said"),
    [
        (
            {"left": IMAGE, "right": IMAGE},
            None,
            "has 2 inputs of pictures: left, right. Say which by --input NAME.",
        ),
        (
            {"left": IMAGE, "right": IMAGE},
            "rigth",
            "has no input 'rigth'; did you mean 'right'? There are: left, right",
        ),
        (
            {"text": OTHER},
            None,
            "has no input of pictures to look at, only text (kept_features)",
        ),
        (
            {"text": OTHER, "photo": IMAGE},
            "text",
            "input 'text' is kept_features, not image",
        ),
    ],
)
def test_what_cannot_be_looked_at_is_said(inputs, asked, said):
    with pytest.raises(RunError) as caught:
        image_input(inputs, asked, "runs/x")
    assert str(caught.value) == f"runs/x: {said}"
