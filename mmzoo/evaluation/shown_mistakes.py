"""The worst mistakes of a head as pictures with captions, for the report and for TensorBoard."""

from __future__ import annotations

import numpy as np

from mmzoo.config import Config
from mmzoo.data import naming_files
from mmzoo.evaluation.evaluate import Evaluation
from mmzoo.evaluation.mistakes import mistake_captions, worst_mistakes
from mmzoo.heads import Binary, Classification
from mmzoo.lazy import tf
from mmzoo.sources import Data


def shown_mistakes(
    name: str, config: Config, data: Data, evaluation: Evaluation
) -> tuple[list[np.ndarray], list[str]]:
    """Pictures, uint8 `[height, width, channels]`, and captions of what a head got most wrong.

    The pictures are as the model saw them. Both are empty where the head does not choose a class,
    or got nothing wrong, or no input can be looked at.
    """
    head = config.heads[name]
    shown = next((one for one, spec in config.inputs.items() if spec.pictured), None)
    if shown is None or not isinstance(head, Classification | Binary):
        return [], []
    predicted = evaluation.predictions[name]
    true, said = head.class_labels(evaluation.labels[name]), head.decided(predicted)
    confidence = confidence_in(head.class_probabilities(predicted), said)
    rows = worst_mistakes(true, said, confidence)
    if not rows.size:
        return [], []
    spec = config.inputs[shown]
    raw = data.splits[evaluation.split][config.columns[shown]][rows]
    with tf.device("CPU"), naming_files(config, data, evaluation.split):
        values = spec.preprocess(tf.constant(raw)).numpy()
    captions = mistake_captions(true[rows], said[rows], confidence[rows], head.class_names or ())
    return [spec.picture(value) for value in values], captions


def confidence_in(probabilities: np.ndarray, said: np.ndarray) -> np.ndarray:
    """The probability of the class that was said, float `[rows]`.

    Not always the largest: a binary head with another threshold than one half may say the less
    probable class.
    """
    return np.take_along_axis(probabilities, said[:, None], axis=1)[:, 0]
