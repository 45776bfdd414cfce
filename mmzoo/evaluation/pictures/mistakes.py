"""The worst mistakes: what a model is sure of and wrong about, as pictures to look at."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmzoo.evaluation.pictures.figures import class_labels
from mmzoo.evaluation.pictures.grid import captioned_grid
from mmzoo.files import replacing


def worst_mistakes(
    true: NDArray[Any], said: NDArray[Any], confidence: NDArray[Any], most: int = 24
) -> NDArray[np.int64]:
    """The wrong predictions, the most confident first.

    Args:
        true: integers [n].
        said: integers [n], the classes that were predicted.
        confidence: float [n], the probability of what was said.
        most: how many at most.

    Returns:
        Numbers of examples, int64 [k]; examples that tie keep their order.
    """
    wrong = np.flatnonzero(said != true)
    order = np.argsort(-confidence[wrong], kind="stable")
    return wrong[order][:most].astype(np.int64)


def mistake_captions(
    true: NDArray[Any], said: NDArray[Any], confidence: NDArray[Any], names: Sequence[str]
) -> list[str]:
    """A line for each example, as "true 4, said 9 (98 %)".

    Args:
        true: integers [k].
        said: integers [k].
        confidence: float [k].
        names: the classes' names.
    """
    labels = class_labels(names)
    return [
        f"true {labels[was]}, said {labels[one]} ({math.floor(100 * share)} %)"
        for was, one, share in zip(true, said, confidence, strict=True)
    ]


def mistakes_picture(
    path: Path, pictures: Sequence[NDArray[np.uint8]], captions: Sequence[str]
) -> NDArray[np.uint8]:
    """Writes their `captioned_grid` as a PNG, whole or not at all, and returns it."""
    from PIL import Image

    grid = captioned_grid(pictures, captions)
    with replacing(path) as temporary:
        Image.fromarray(grid).save(temporary, format="PNG")
    return grid
