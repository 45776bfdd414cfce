"""The image input of a first config: as many channels as the files have."""

from __future__ import annotations

import pytest
from PIL import Image

from mmzoo.starter.media import look_at_pictures


def looked(folder, modes, suffix="png"):
    names = [f"{number}.{suffix}" for number in range(len(modes))]
    for name, mode in zip(names, modes, strict=True):
        Image.new(mode, (24, 20)).save(folder / name)
    found = look_at_pictures(names, str(folder))
    assert not found.bad
    return found


@pytest.mark.parametrize("modes", [["L"] * 3, ["1", "LA", "I;16"]])
def test_grey_files_have_one_channel(tmp_path, modes):
    found = looked(tmp_path, modes)
    assert found.fields["shape"] == [20, 24, 1]
    assert found.why["shape"] == "the files are 20 x 24, and grey; 3 in the place of 1 is colour"


def test_one_in_colour_is_reason_for_three(tmp_path):
    found = looked(tmp_path, ["L", "RGB", "L"])
    assert found.fields["shape"] == [20, 24, 3]
    assert found.why["shape"] == "the files are 20 x 24; 1 in the place of 3 is grey"


def test_scans_in_grey_are_known_by_their_headers(tmp_path):
    assert looked(tmp_path, ["L", "L"], "jpg").fields["shape"] == [20, 24, 1]
