"""Embeddings: the features of examples as points for TensorBoard's projector."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mmzoo.batches import evaluation_batches
from mmzoo.config import Config, Preprocessing
from mmzoo.evaluation.evaluate import Evaluation
from mmzoo.heads import ChoosesClass, LabelledHead, WritesPredictions
from mmzoo.lazy import keras, tf
from mmzoo.modalities.abilities import HasImage, HasText, draw
from mmzoo.model_graph import encoder_output, head_inputs
from mmzoo.preprocessing import Arrays, as_text
from mmzoo.shared_encoders import HEAD_SEPARATOR

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST_EXAMPLES = 2_000
"""Most points that a browser rotates smoothly."""
_LONGEST_TEXT = 100
"""Most characters of a text in the label of a point."""
_MOST_NUMBERS = 5_000_000
"""Most numbers in all vectors of one encoder: a browser takes minutes to load more."""


@dataclass(frozen=True)
class Embeddings:
    """The embeddings of some examples of a split.

    Attributes:
        split: the split's name.
        vectors: name -> float32 `[examples, width]`: "<input>_encoder" for the output of each
            encoder and, if it differs, "fusion" for the input of the heads.
        columns: labels of the points: row, true and predicted class, beginning of the texts.
        images: uint8 `[examples, height, width, 1 or 3]`; None if no input has an image.
    """

    split: str
    vectors: dict[str, NDArray[np.float32]]
    columns: dict[str, list[Any]]
    images: NDArray[np.uint8] | None

    @property
    def examples(self) -> int:
        return len(next(iter(self.vectors.values())))


def embed(
    model: keras.Model,
    config: Config,
    data: Arrays,
    preprocessing: Preprocessing,
    evaluation: Evaluation,
) -> Embeddings:
    """Embeds a random sample of an evaluated split, drawn from `train.seed` alone."""
    tensors = _tensors(model, config)
    widest = max(tensor.shape[-1] for tensor in tensors.values())
    split, columns = evaluation.split, data.splits[evaluation.split]
    most = min(MOST_EXAMPLES, max(1, _MOST_NUMBERS // widest))
    random = np.random.RandomState(config.train.seed)
    rows = np.sort(random.permutation(evaluation.examples)[:most])

    chosen = {name: values[rows] for name, values in columns.items()}
    shown = next((name for name, spec in config.inputs.items() if isinstance(spec, HasImage)), None)
    to_vectors = keras.Model(model.input, tensors)
    compute = tf.function(lambda inputs: to_vectors(inputs, training=False), autograph=False)
    parts: list[dict[str, np.ndarray]] = []
    images: list[NDArray[np.uint8]] = []
    for (inputs,) in evaluation_batches(config, chosen, labelled=False):
        parts.append({name: vectors.numpy() for name, vectors in compute(inputs).items()})
        if shown is not None:
            images += [draw(config.inputs[shown], value) for value in inputs[shown].numpy()]
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
        images=np.stack(images) if images else None,
    )


def _tensors(model: keras.Model, config: Config) -> dict[str, keras.KerasTensor]:
    """The outputs of the encoders and, if there is a single and different one, of the fusion."""
    tensors = {f"{name}_encoder": encoder_output(model, name) for name in config.inputs}
    if not config.share:
        for head in [*config.heads][1:]:
            for name in config.inputs:
                tensors[f"{name}_encoder{HEAD_SEPARATOR}{head}"] = encoder_output(model, name, head)
    read = head_inputs(model, config.labelled_heads or config.heads)
    if len(read) == 1 and not any(read[0] is tensor for tensor in tensors.values()):
        tensors["fusion"] = read[0]
    return tensors


def _columns(
    config: Config, data: Arrays, evaluation: Evaluation, rows: np.ndarray
) -> dict[str, list[Any]]:
    table: dict[str, list[Any]] = {}
    for name, head in config.heads.items():
        if isinstance(head, LabelledHead):
            table |= _labelled_columns(
                name, head, evaluation.labels[name][rows], evaluation.predictions[name][rows]
            )
        elif isinstance(head, WritesPredictions):
            table |= head.decode(evaluation.predictions[name][rows], name)
    return {**table, "example": [data.row_name(evaluation.split, int(row)) for row in rows]}


def _texts(
    config: Config, preprocessing: Preprocessing, columns: Mapping[str, np.ndarray]
) -> dict[str, list[str]]:
    """The beginnings of the texts of each text input."""
    return {
        name: [
            text if len(text) <= _LONGEST_TEXT else f"{text[:_LONGEST_TEXT]} ..."
            for text in as_text(config, name, columns, preprocessing)
        ]
        for name, spec in config.inputs.items()
        if isinstance(spec, HasText)
    }


def _labelled_columns(
    name: str, head: LabelledHead, labels: np.ndarray, predicted: np.ndarray
) -> dict[str, list[Any]]:
    """True and predicted labels, as in predictions.csv, and whether they agree."""
    decoded = head.decode(predicted, name)
    if not isinstance(head, ChoosesClass):
        # A multilabel head may have a thousand probabilities, too many to choose a colour from.
        columns = {key: of for key, of in decoded.items() if not key.endswith("_probability")}
        return {f"{name}_true": _true_column(head, labels), **columns}
    right = head.predicted_classes(predicted) == head.class_labels(labels)
    correct = np.where(head.labelled(labels), np.where(right, "yes", "no"), "")
    true = _true_column(head, labels)
    return {f"{name}_true": true, **decoded, f"{name}_correct": correct.tolist()}


def _true_column(head: LabelledHead, labels: np.ndarray) -> list[Any]:
    return ["" if truth is None else truth for truth in head.true_labels(labels)]
