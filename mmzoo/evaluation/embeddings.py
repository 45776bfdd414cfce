"""Embeddings: the vectors that a model makes of examples, to be looked at as points."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mmzoo.anatomy import encoded, read_by
from mmzoo.config import Config, Preprocessing
from mmzoo.data import evaluation_batches
from mmzoo.evaluation.evaluate import Evaluation
from mmzoo.examples import as_text
from mmzoo.heads import Binary, Classification, Head
from mmzoo.lazy import keras, tf
from mmzoo.sharing import TOWER
from mmzoo.sources import Data

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST_EXAMPLES = 2_000
"""As many as a browser turns smoothly."""
_LONGEST_TEXT = 100
"""Characters of a text beside a point."""
_MOST_NUMBERS = 5_000_000
"""In all vectors of one kind: more than these a browser takes minutes to load."""


@dataclass(frozen=True)
class Embeddings:
    """Some examples of a split as points.

    Attributes:
        split: the split's name.
        vectors: float32 `[examples, width]`: what each encoder gives, as "<input>_encoder", and
            what the heads read, as "fusion", where that is something else.
        columns: what is known of each example, by its name: its row, what is true, what is said,
            and the beginning of its texts.
        pictures: uint8 `[examples, height, width, 1 or 3]`; None where no input can be looked at.
    """

    split: str
    vectors: dict[str, NDArray[np.float32]]
    columns: dict[str, list[Any]]
    pictures: NDArray[np.uint8] | None

    @property
    def examples(self) -> int:
        return len(next(iter(self.vectors.values())))


def embed(
    model: keras.Model,
    config: Config,
    data: Data,
    preprocessing: Preprocessing,
    evaluation: Evaluation,
) -> Embeddings:
    """Takes examples of an evaluated split at random, the same ones every time."""
    tensors = _tensors(model, config)
    widest = max(tensor.shape[-1] for tensor in tensors.values())
    split, columns = evaluation.split, data.splits[evaluation.split]
    most = min(MOST_EXAMPLES, max(1, _MOST_NUMBERS // widest))
    random = np.random.RandomState(config.train.seed)
    rows = np.sort(random.permutation(evaluation.examples)[:most])

    chosen = {name: values[rows] for name, values in columns.items()}
    shown = next((name for name, spec in config.inputs.items() if spec.pictured), None)
    to_vectors = keras.Model(model.input, tensors)
    compute = tf.function(lambda inputs: to_vectors(inputs, training=False), autograph=False)
    parts: list[dict[str, np.ndarray]] = []
    pictures: list[NDArray[np.uint8]] = []
    for (inputs,) in evaluation_batches(config, chosen, labelled=False):
        parts.append({name: vectors.numpy() for name, vectors in compute(inputs).items()})
        if shown is not None:
            pictures += [config.inputs[shown].picture(value) for value in inputs[shown].numpy()]
    return Embeddings(
        split=split,
        vectors={
            name: np.concatenate([part[name] for part in parts]).astype(np.float32)
            for name in tensors
        },
        columns={
            **_columns(config, data, evaluation, rows),
            **_texts(config, preprocessing, chosen),
        },
        pictures=np.stack(pictures) if pictures else None,
    )


def _tensors(model: keras.Model, config: Config) -> dict[str, keras.KerasTensor]:
    """The vectors of the encoders and, where it is another and there is but one, of the fusion."""
    tensors = {f"{name}_encoder": encoded(model, name) for name in config.inputs}
    if not config.share:
        for head in [*config.heads][1:]:
            for name in config.inputs:
                tensors[f"{name}_encoder{TOWER}{head}"] = encoded(model, name, head)
    read = read_by(model, config.heads)
    if len(read) == 1 and not any(read[0] is tensor for tensor in tensors.values()):
        tensors["fusion"] = read[0]
    return tensors


def _columns(
    config: Config, data: Data, evaluation: Evaluation, rows: np.ndarray
) -> dict[str, list[Any]]:
    table: dict[str, list[Any]] = {}
    for name, head in config.heads.items():
        table |= _of_head(
            name, head, evaluation.labels[name][rows], evaluation.predictions[name][rows]
        )
    return {**table, "example": [data.row_name(evaluation.split, int(row)) for row in rows]}


def _texts(
    config: Config, preprocessing: Preprocessing, columns: Mapping[str, np.ndarray]
) -> dict[str, list[str]]:
    """The beginning of what can be read."""
    return {
        name: [
            text if len(text) <= _LONGEST_TEXT else f"{text[:_LONGEST_TEXT]} ..."
            for text in as_text(config, name, columns, preprocessing)
        ]
        for name, spec in config.inputs.items()
        if spec.worded
    }


def _of_head(
    name: str, head: Head, labels: np.ndarray, predicted: np.ndarray
) -> dict[str, list[Any]]:
    """What is true and what is said, in the columns of predictions.csv, and whether they agree."""
    written = head.written(predicted, name)
    if not isinstance(head, Classification | Binary):
        # A multilabel head may have a thousand probabilities, too many to choose a colour from.
        said = {key: values for key, values in written.items() if not key.endswith("_probability")}
        return {f"{name}_true": _shown(head, labels), **said}
    right = head.decided(predicted) == head.class_labels(labels)
    correct = np.where(head.labelled(labels), np.where(right, "yes", "no"), "")
    return {f"{name}_true": _shown(head, labels), **written, f"{name}_correct": correct.tolist()}


def _shown(head: Head, labels: np.ndarray) -> list[Any]:
    return ["" if truth is None else truth for truth in head.truths(labels)]
