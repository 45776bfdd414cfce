"""A look at some picture or sound files, for shapes and lengths that fit them."""

from __future__ import annotations

import math
import os
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from mmzoo.errors import DataError
from mmzoo.inputs.audio.files import sound_header
from mmzoo.inputs.image.files import picture_header
from mmzoo.inputs.reading import read_file
from mmzoo.modalities.image.encoders.mobilenet import MobileNet
from mmzoo.sources.media import problems

_FILES = 200
"""How many files are looked at."""
_LARGE = 96
"""Height or width in pixels from which pictures are photos, which pretrained networks know."""
_LARGEST = 128
"""For networks that begin with random weights, which larger pictures would only slow down."""
_FILTERS = (32, 64, 64, 128, 128)
_LAST_MAP = 4
"""Height and width that the last feature map of a convolutional network should have or exceed."""
_PRETRAINED_SIZE = 224
_SPEECH_RATE = 16_000
_LONGEST_SOUND = 10.0
"""Seconds that are heard at most: of longer recordings a part mostly tells what they are."""

_Found = TypeVar("_Found")


@dataclass(frozen=True)
class Looked:
    """An input for files, and what was seen of them.

    Attributes:
        fields: of the input.
        why: what they were chosen by, as clauses by field.
        looked: how many files were looked at.
        bad: why those of them that cannot be read cannot, by their paths.
    """

    fields: dict[str, Any]
    why: dict[str, str]
    looked: int
    bad: dict[str, str]


def look_at_pictures(paths: Sequence[str], root: str) -> Looked:
    """An image input for files like these.

    Args:
        paths: of all files, relative to the root.
        root: the folder that they must lie in.
    """
    headers, bad, looked = _sampled(
        paths, root, lambda path: picture_header(read_file(path, "picture"))
    )
    if not headers:
        return Looked({}, {}, looked, bad)
    sizes = sorted({(header.height, header.width) for header in headers})
    heights = sorted(header.height for header in headers)
    widths = sorted(header.width for header in headers)
    height, width = heights[len(heights) // 2], widths[len(widths) // 2]
    said = f"the files are {height} x {width}"
    if len(sizes) > 1:
        said = f"{len(sizes)} sizes, usually about {height} x {width}"
    fields: dict[str, Any] = {"type": "image"}
    if min(height, width) >= _LARGE and (pretrained := _pretrained()):
        side = _PRETRAINED_SIZE
        return Looked(
            {**fields, "shape": [side, side, 3], "resize": "crop", "encoder": pretrained},
            {"shape": said, "encoder": "its ImageNet weights are on this machine"},
            looked,
            bad,
        )
    if len(sizes) > 1 or max(height, width) > _LARGEST:
        height = width = min(height, width, _LARGEST)
        fields["resize"] = "crop"
    stages = 1
    while stages < len(_FILTERS) and min(height, width) // 2 ** (stages + 1) >= _LAST_MAP:
        stages += 1
    encoder = {
        "type": "cnn",
        "filters": list(_FILTERS[:stages]),
        "padding": "same",
        "dropout": 0.3,
    }
    grey = all(header.grey for header in headers)
    if grey:
        channels, said = 1, f"{said}, and grey; 3 in the place of 1 is colour"
    else:
        channels, said = 3, f"{said}; 1 in the place of 3 is grey"
    fields = {"type": "image", "shape": [height, width, channels], **fields, "encoder": encoder}
    return Looked(fields, {"shape": said}, looked, bad)


def look_at_sounds(paths: Sequence[str], root: str) -> Looked:
    """An audio input for files like these. Arguments are those of `look_at_pictures`."""
    headers, bad, looked = _sampled(
        paths, root, lambda path: sound_header(read_file(path, "sound"))
    )
    if not headers:
        return Looked({}, {}, looked, bad)
    [(found, _)] = Counter(header.rate for header in headers).most_common(1)
    rate = min(found, _SPEECH_RATE)
    lengths = sorted(header.samples / header.rate for header in headers)
    usual = lengths[min(len(lengths) - 1, int(0.95 * len(lengths)))]
    seconds = max(0.2, math.ceil(usual * 10) / 10)
    fields = {
        "type": "audio",
        "rate": rate,
        "seconds": min(seconds, _LONGEST_SOUND),
        "encoder": {"type": "cnn", "dropout": 0.3},
    }
    why = {
        "rate": f"samples a second: the files have {found:,}",
        "seconds": f"95 % of the files last {usual:.2g} seconds or less",
    }
    return Looked(fields, why, looked, bad)


def _pretrained() -> dict[str, Any] | None:
    """The widest MobileNetV2 whose weights are here already, as an encoder."""
    for alpha in (1.0, 0.75, 0.5, 0.35):
        network = MobileNet(type="mobilenet_v2", alpha=alpha)
        if network.weights_here(_PRETRAINED_SIZE, _PRETRAINED_SIZE):
            return {
                "type": "mobilenet_v2",
                "alpha": alpha,
                "weights": "imagenet",
                "trainable": False,
            }
    return None


def _sampled(
    paths: Sequence[str], root: str, look: Callable[[str], _Found]
) -> tuple[list[_Found], dict[str, str], int]:
    """What is found in some of the files, why others cannot be read, and how many those are."""
    few = [paths[place] for place in range(0, len(paths), max(1, len(paths) // _FILES))]
    shut = problems(few, root)
    found, bad = [], {few[place]: why for place, why in shut.items()}
    for path in few:
        if path in bad:
            continue
        try:
            found.append(look(os.path.join(root, path)))
        except DataError as error:
            bad[path] = str(error)
    return found, bad, len(few)
