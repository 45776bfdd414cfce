"""The suggested image input has as many channels as the files."""

from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest
from PIL import Image

from mmzoo.data.column_profile import profile_column
from mmzoo.modalities.image import Image as ImageInput


def suggested(folder, modes, suffix="png"):
    names = [f"{number}.{suffix}" for number in range(len(modes))]
    for name, mode in zip(names, modes, strict=True):
        Image.new(mode, (24, 20)).save(folder / name)
    column = profile_column(pl.Series("photo", names), ImageInput.suffixes)
    files = tuple(str(folder / name) for name in names)
    suggestion = ImageInput.suggest(replace(column, files=files))
    assert not suggestion.unreadable
    return suggestion


@pytest.mark.parametrize("modes", [["L"] * 3, ["1", "LA", "I;16"]])
def test_greyscale_files_suggest_one_channel(tmp_path, modes):
    found = suggested(tmp_path, modes)
    assert found.fields["shape"] == [20, 24, 1]
    assert (
        found.reasons["shape"]
        == "the files are 20 x 24, in greyscale; with 3 channels they become RGB"
    )


def test_one_colour_image_suggests_three_channels(tmp_path):
    found = suggested(tmp_path, ["L", "RGB", "L"])
    assert found.fields["shape"] == [20, 24, 3]
    assert (
        found.reasons["shape"]
        == "the files are 20 x 24, in colour; with 1 channel they become greyscale"
    )


def test_greyscale_scans_are_recognized_by_their_headers(tmp_path):
    assert suggested(tmp_path, ["L", "L"], "jpg").fields["shape"] == [20, 24, 1]
