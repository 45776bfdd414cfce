"""The key of features changes with every part of their origin, and with nothing else."""

from __future__ import annotations

import subprocess
import sys

import pytest

from mmzoo.features import Origin

PARTS = {"examples": "ab12", "copies": 0, "width": 0.35, "clip": None, "flip": True, "name": "é"}


def test_a_key_is_64_hexadecimal_digits():
    key = Origin("net on photos", PARTS).key
    assert len(key) == 64
    assert set(key) <= set("0123456789abcdef")


def test_neither_the_order_of_parts_nor_the_words_for_people_matter():
    backwards = dict(reversed(PARTS.items()))
    assert Origin("net", PARTS).key == Origin("other words", backwards).key


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("examples", "ab13"), ("examples", ""), ("copies", 1), ("copies", 0.0)),
        *(("copies", False), ("copies", None), ("copies", "0"), ("width", 0.35000000000000003)),
    ],
)
def test_every_part_matters(name, value):
    assert Origin("net", {**PARTS, name: value}).key != Origin("net", PARTS).key


def test_a_part_more_or_less_matters():
    without = {name: value for name, value in PARTS.items() if name != "clip"}
    assert Origin("net", without).key != Origin("net", PARTS).key


def test_the_key_is_the_same_in_every_process():
    code = f"from mmzoo.features import Origin; print(Origin('', {PARTS!r}).key)"
    said = subprocess.run(
        [sys.executable, "-X", "utf8", "-c", code], capture_output=True, text=True, check=True
    )
    assert said.stdout.strip() == Origin("", PARTS).key


def test_a_part_that_is_no_number_is_refused():
    with pytest.raises(ValueError, match="JSON"):
        Origin("net", {"width": float("nan")}).key  # noqa: B018
