"""Originals beside their reconstructions, for the report and TensorBoard."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from mmzoo.batches import evaluation_batches
from mmzoo.config import Config, Preprocessing
from mmzoo.decoded_files import reraise_with_file_names
from mmzoo.evaluation.evaluate import Evaluation
from mmzoo.evaluation.image_grid import captioned_grid
from mmzoo.heads import RebuildsInput
from mmzoo.lazy import keras
from mmzoo.metrics import number_text
from mmzoo.preprocessing import Arrays

_SHOWN = 12


@dataclass(frozen=True)
class Reconstructions:
    """The first examples of a split that have an input, and the input as it was rebuilt.

    Attributes:
        rows: names of the examples.
        errors: the error of each example, as text.
        originals: images, uint8 `[height, width, 1 or 3]`, or texts.
        rebuilt: likewise.
    """

    rows: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    originals: Sequence[np.ndarray] | Sequence[str] = ()
    rebuilt: Sequence[np.ndarray] | Sequence[str] = ()

    @property
    def are_images(self) -> bool:
        return len(self.originals) > 0 and not isinstance(self.originals[0], str)

    def grid(self) -> np.ndarray:
        """Each original beside its reconstruction, uint8 `[height, width, 3]`."""
        pairs = zip(self.originals, self.rebuilt, strict=True)
        images = [np.asarray(image) for pair in pairs for image in pair]
        captions = [
            one
            for row, error in zip(self.rows, self.errors, strict=True)
            for one in (row, f"rebuilt, error {error}")
        ]
        return captioned_grid(images, captions)

    def texts(self) -> list[list[str]]:
        """Rows of a table: the example, the original, the rebuilt text and the error."""
        columns = (self.rows, self.originals, self.rebuilt, self.errors)
        return [[str(cell) for cell in row] for row in zip(*columns, strict=True)]


def reconstructions(
    name: str,
    config: Config,
    data: Arrays,
    preprocessing: Preprocessing,
    evaluation: Evaluation,
    model: keras.Model,
) -> Reconstructions:
    """The first examples of an evaluation and their reconstructions; none for other heads.

    Args:
        name: name of the head.
        config: config of the model.
        data: the evaluated data.
        preprocessing: the fitted preprocessing of the inputs.
        evaluation: the evaluation of the model on a split.
        model: the model.
    """
    head = config.heads[name]
    if not isinstance(head, RebuildsInput):
        return Reconstructions()
    rows = np.flatnonzero(evaluation.scored[name])[:_SHOWN]
    if not rows.size:
        return Reconstructions()
    chosen = {one: values[rows] for one, values in data.splits[evaluation.split].items()}
    parts: list[tuple[np.ndarray, np.ndarray]] = []
    small = config.replace(train=config.train.replace(evaluation_batch_size=_SHOWN))
    with reraise_with_file_names(config, data, evaluation.split):
        for (inputs,) in evaluation_batches(small, chosen, labelled=False):
            rebuilt = model(inputs, training=False)[name].numpy()
            parts.append((head.target_from_inputs(inputs).numpy(), rebuilt))
    [(target, rebuilt)] = parts
    files: Mapping[str, str] = preprocessing.get(head.input, {})
    originals, again = head.show_reconstruction(target, rebuilt, files)
    return Reconstructions(
        rows=[data.row_name(evaluation.split, int(row)) for row in rows],
        errors=[number_text(float(one), 3) for one in evaluation.predictions[name][rows, 0]],
        originals=originals,
        rebuilt=again,
    )
