"""The worst mistakes of a head as pictures and texts, for the report and for TensorBoard."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from mmzoo.absence import saying_absent
from mmzoo.config import Config, Preprocessing
from mmzoo.data import naming_files
from mmzoo.evaluation.evaluate import Evaluation
from mmzoo.evaluation.pictures.mistakes import mistake_captions, worst_mistakes
from mmzoo.examples import as_text, lacking
from mmzoo.heads import Binary, Classification
from mmzoo.lazy import tf
from mmzoo.sources import Data


@dataclass(frozen=True)
class ShownMistakes:
    """What a head got most wrong, the worst first, as the model saw it."""

    captions: list[str] = field(default_factory=list)
    """What is true and what was said; none where the head chooses no class or got nothing wrong."""
    rows: list[str] = field(default_factory=list)
    """What each example is called."""
    pictures: list[np.ndarray] = field(default_factory=list)
    """Uint8 `[height, width, channels]` each; none where no input can be looked at."""
    texts: Mapping[str, list[str]] = field(default_factory=dict)
    """Of each input that can be read, by its name."""


def shown_mistakes(
    name: str, config: Config, data: Data, preprocessing: Preprocessing, evaluation: Evaluation
) -> ShownMistakes:
    """The worst mistakes of a head.

    Args:
        name: The head's.
        config: That of the model.
        data: As it was evaluated.
        preprocessing: What the inputs were fitted to.
        evaluation: What the model said.
    """
    head = config.heads[name]
    if not isinstance(head, Classification | Binary):
        return ShownMistakes()
    predicted = evaluation.predictions[name]
    true, said = head.class_labels(evaluation.labels[name]), head.decided(predicted)
    confidence = confidence_in(head.class_probabilities(predicted), said)
    there = np.flatnonzero(head.labelled(evaluation.labels[name]))
    rows = there[worst_mistakes(true[there], said[there], confidence[there])]
    if not rows.size:
        return ShownMistakes()
    chosen = {one: values[rows] for one, values in data.splits[evaluation.split].items()}
    captions = mistake_captions(true[rows], said[rows], confidence[rows], head.class_names or ())
    shown = next((one for one, spec in config.inputs.items() if spec.pictured), None)
    if shown is not None:
        captions = saying_absent(captions, shown, lacking(config, shown, chosen))
    return ShownMistakes(
        captions=captions,
        rows=[data.row_name(evaluation.split, int(row)) for row in rows],
        pictures=_pictures(config, data, evaluation.split, rows, shown),
        texts={
            one: as_text(config, one, chosen, preprocessing)
            for one, spec in config.inputs.items()
            if spec.worded
        },
    )


def _pictures(
    config: Config, data: Data, split: str, rows: np.ndarray, shown: str | None
) -> list[np.ndarray]:
    """Those of an input, if there is one to be looked at."""
    if shown is None:
        return []
    spec = config.inputs[shown]
    raw = data.splits[split][config.columns[shown]][rows]
    with tf.device("CPU"), naming_files(config, data, split):
        values = spec.preprocess(tf.constant(raw)).numpy()
    return [spec.picture(value) for value in values]


def confidence_in(probabilities: np.ndarray, said: np.ndarray) -> np.ndarray:
    """The probability of the class that was said, float `[rows]`.

    Not always the largest: a binary head with another threshold than one half may say the less
    probable class.
    """
    return np.take_along_axis(probabilities, said[:, None], axis=1)[:, 0]
