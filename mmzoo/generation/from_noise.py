"""Generation by a GAN: from noise, and the class or the other inputs that say what to generate."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from mmzoo.batches import Columns, evaluation_batches
from mmzoo.config import Config
from mmzoo.errors import DataError, RunError
from mmzoo.evaluation.generated_images import as_images, class_head
from mmzoo.generation.generated_rows import GeneratedRows
from mmzoo.generation.given_examples import Examples
from mmzoo.lazy import keras, tf
from mmzoo.modalities.abilities import HasText
from mmzoo.preprocessing import as_text
from mmzoo.randomness import Randomness
from mmzoo.runs import Run
from mmzoo.spec import did_you_mean


def condition_inputs(config: Config) -> Config:
    """The config with the inputs that the generator is given, to read examples of them alone."""
    generated = config.objective.generated_input(config.inputs)
    others = {name: spec for name, spec in config.inputs.items() if name != generated}
    # Not `replace`: a GAN needs the image, which the examples need not have.
    return config.model_copy(update={"inputs": others})


def require_conditions(config: Config, where: str, from_examples: bool) -> None:
    """Raises a RunError if there are examples and the class alone is asked for, or vice versa."""
    others = ", ".join(condition_inputs(config).inputs)
    if from_examples and not others:
        raise RunError(
            f"{where}: its images depend on the class alone: give --samples, not examples"
        )
    if others and not from_examples:
        raise RunError(
            f"{where}: its images depend on {others}: give examples by --from or --split"
        )


def from_classes(
    config: Config, model: keras.Model, samples: int, seed: int | None
) -> Iterator[GeneratedRows]:
    """Generates images of all classes in turn."""
    found = class_head(config)
    assert found is not None
    name, head = found
    names, size = head.class_names or (), config.evaluation_batch_size
    for first in range(0, samples, size):
        rows = np.arange(first, min(first + size, samples))
        classes = rows % len(names)
        images = as_images(
            config, model, model.generate(_noise(config, model, seed, rows), classes, {})
        )
        labels = {_label_column(config, name): [names[one] for one in classes]}
        yield GeneratedRows({_image_column(config, model): [*images]}, labels)


def from_conditions(
    run: Run,
    config: Config,
    model: keras.Model,
    examples: Examples,
    samples: int | None,
    seed: int | None,
) -> Iterator[GeneratedRows]:
    """Generates one image, or several, for each example."""
    classes = _classes(config, examples.labels)
    each, first = samples or 1, 0
    columns = examples.data.splits[examples.split]
    known = {**_texts(run, config, columns), **examples.labels}
    for (inputs,) in evaluation_batches(condition_inputs(config), columns, labelled=False):
        count = len(next(iter(inputs.values())))
        rows = np.repeat(np.arange(first, first + count), each)
        repeated = {name: tf.repeat(values, each, axis=0) for name, values in inputs.items()}
        drawn = np.arange(first * each, (first + count) * each)
        asked = None if classes is None else classes[rows]
        values = model.generate(_noise(config, model, seed, drawn), asked, repeated)
        labels = {name: [of[row] for row in rows.tolist()] for name, of in known.items()}
        images = as_images(config, model, values)
        yield GeneratedRows({_image_column(config, model): [*images]}, labels)
        first += count


def _noise(config: Config, model: keras.Model, seed: int | None, rows: np.ndarray) -> tf.Tensor:
    chosen = config.train.seed if seed is None else seed
    examples = tf.constant(rows, tf.int64)
    randomness = Randomness(chosen, tf.constant(0, tf.int64), examples).fold("noise")
    return randomness.normal(model.settings.dim)


def _classes(config: Config, labels: Any) -> np.ndarray | None:
    """The class that each example asks for; None without a head."""
    found = class_head(config)
    if found is None:
        return None
    name, head = found
    column, names = _label_column(config, name), head.class_names or ()
    if column not in labels:
        meant = did_you_mean(column, labels) or "."
        raise DataError(
            f"the examples have no column '{column}', which says the class to generate{meant} "
            f"There are: {', '.join(labels)}"
        )
    given: Sequence[str] = [str(value) for value in labels[column]]
    for row, value in enumerate(given, start=1):
        if value not in names:
            raise DataError(
                f"column '{column}', example {row}: unknown class '{value}'"
                f"{did_you_mean(value, names) or '.'} There are: {', '.join(names)}"
            )
    return np.array([names.index(value) for value in given], np.int64)


def _texts(run: Run, config: Config, columns: Columns) -> dict[str, list[str]]:
    """The texts to generate images for, as the model reads them, by column."""
    preprocessing = run.preprocessing()
    return {
        spec.source_columns()[0]: as_text(config, name, columns, preprocessing)
        for name, spec in condition_inputs(config).inputs.items()
        if isinstance(spec, HasText)
    }


def _label_column(config: Config, head: str) -> str:
    return config.labelled_heads[head].column or head


def _image_column(config: Config, model: keras.Model) -> str:
    column: str = config.inputs[model.generated].source_columns()[0]
    return column
