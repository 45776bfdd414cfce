"""Training examples as the model gets them, beside what they are made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mmzoo.absence import saying_absent
from mmzoo.config import Config, Preprocessing, load_config
from mmzoo.data import TrainingOrder, epoch_order, evaluation_batches, training_batches
from mmzoo.errors import DataError
from mmzoo.evaluation.pictures.grid import captioned_grid
from mmzoo.examples import as_text, fit_config, load_data, prepare
from mmzoo.files import replacing
from mmzoo.heads import Head, Regression
from mmzoo.inputs import presence
from mmzoo.sources import Data
from mmzoo.visualization.drawing import Drawing, require_png
from mmzoo.visualization.gradcam import labels_of, values_of

_SIDE = 224
"""Of one picture, in pixels."""
_WORTH_SAYING = 0.005
"""A smaller share of a class would be written as 0 %."""

Example = dict[str, np.ndarray]
"""What one example has for each input and head, by name."""


def draw_augmented(
    path: Path, overrides: Sequence[str], *, rows: int, epochs: int, output: Path
) -> Drawing:
    """Draws the first training examples of a config: as they are, and as in the first epochs.

    What can be read is written out as the model reads it.

    Args:
        path: the config file.
        overrides: `KEY=VALUE` texts that change it: "train.epochs=3".
        rows: how many examples of the first batch, at most.
        epochs: how many epochs; in each, an example is augmented and mixed anew.
        output: the PNG to write.

    Raises:
        ConfigError: the config is wrong.
        DataError: the data cannot be had, there is nothing to look at or to read in it, or the PNG
            has another ending.
    """
    require_png(output)
    config = load_config(path, overrides).with_columns()
    shown = [name for name, spec in config.inputs.items() if spec.pictured]
    read = [name for name, spec in config.inputs.items() if spec.worded]
    left_out = [
        f"{name} ({spec.type})"
        for name, spec in config.inputs.items()
        if not spec.pictured and not spec.worded
    ]
    if not shown and not read:
        raise DataError(f"{path}: none of its inputs can be looked at: {', '.join(left_out)}")
    data = load_data(config)
    config, preprocessing = fit_config(config, data)
    data = prepare(config, data, preprocessing)
    order = TrainingOrder(config.train.seed, data.examples("train"), config.train.batch_size)
    chosen = order.step_rows(0)[:rows]
    examples = _examples(config, data, preprocessing, chosen, read)
    facts = {"inputs": [*shown, *read], "left_out": left_out, "examples": examples}
    if not shown:
        return Drawing(None, _read_text(config, data, examples, left_out), facts)
    columns = [_as_they_are(config, data, chosen, shown)]
    columns += [_in_epoch(config, data, order, chosen, epoch) for epoch in range(epochs)]
    _write(output, _grid(config, shown, columns, [example["label"] for example in examples]))
    text = "\n".join([_text(config, data, len(chosen), epochs, left_out), *_written(examples)])
    return Drawing(output, text, {**facts, "epochs": epochs})


def _examples(
    config: Config,
    data: Data,
    preprocessing: Preprocessing,
    rows: np.ndarray,
    read: Sequence[str],
) -> list[dict[str, Any]]:
    """What some training rows are called, what is true of them, and the texts of some inputs."""
    labels = _labels(config, data, rows)
    examples: list[dict[str, Any]] = [
        {"row": data.row_name("train", int(row)), "label": label}
        for row, label in zip(rows, labels, strict=True)
    ]
    columns = {column: values[rows] for column, values in data.splits["train"].items()}
    for name in read:
        texts = as_text(config, name, columns, preprocessing)
        for example, text in zip(examples, texts, strict=True):
            example.setdefault("texts", {})[name] = text
    return examples


def _grid(
    config: Config,
    shown: Sequence[str],
    columns: Sequence[Sequence[Example]],
    labels: Sequence[str],
) -> np.ndarray:
    """A row of pictures for each input of each example: as it is, and as each epoch has it.

    Args:
        config: says what the inputs are.
        shown: those that have pictures.
        columns: the examples as they are, and then of each epoch.
        labels: what is true of each example.
    """
    pictures, captions = [], []
    for label, versions in zip(labels, zip(*columns, strict=True), strict=True):
        for name in shown:
            pictures += [config.inputs[name].picture(version[name]) for version in versions]
            said = [label if len(shown) == 1 else f"{name}: {label}"]
            said += [
                _caption(config, version, epoch)
                for epoch, version in enumerate(versions[1:], start=1)
            ]
            absent = [version.get(presence(name)) == 0 for version in versions]
            captions += saying_absent(said, name, absent)
    return captioned_grid(pictures, captions, in_a_row=len(columns), side=_SIDE)


def _as_they_are(
    config: Config, data: Data, rows: np.ndarray, names: Sequence[str]
) -> list[Example]:
    """Some inputs of some training rows, with no augmentation; each of one shape throughout."""
    columns = {name: values[rows] for name, values in data.splits["train"].items()}
    batches = [inputs for (inputs,) in evaluation_batches(config, columns, labelled=False)]
    said = [*names, *(presence(name) for name in names if name in config.presence)]
    whole = {name: np.concatenate([batch[name] for batch in batches]) for name in said}
    return [{name: values[place] for name, values in whole.items()} for place in range(len(rows))]


def _in_epoch(
    config: Config, data: Data, order: TrainingOrder, rows: np.ndarray, epoch: int
) -> list[Example]:
    """The inputs and targets of some training rows as an epoch's own batches have them.

    What a row is mixed with depends on its batch, so no other batch would do.
    """
    places = np.argsort(epoch_order(order.seed, epoch, order.rows))[rows]
    steps, within = np.divmod(places, order.batch_size)
    batches = {}
    for step in set((epoch * order.steps_per_epoch + steps).tolist()):
        one = training_batches(config, data.splits["train"], order, step, step + 1)
        inputs, targets = next(one.as_numpy_iterator())[:2]
        batches[step - epoch * order.steps_per_epoch] = {**inputs, **targets}
    return [
        {name: values[place] for name, values in batches[step].items()}
        for step, place in zip(steps.tolist(), within.tolist(), strict=True)
    ]


def _labels(config: Config, data: Data, rows: np.ndarray) -> list[str]:
    """What is true of some training rows, over all heads: "4", "4, even"."""
    train, columns = data.splits["train"], config.columns
    words = (
        ("?" if one is None else str(one) for one in head.truths(train[columns[name]][rows]))
        for name, head in config.heads.items()
    )
    return [", ".join(of_row) for of_row in zip(*words, strict=True)]


def _caption(config: Config, version: Example, epoch: int) -> str:
    """Which epoch it is and, where examples are mixed, of what: "epoch 1: 70 % cat, 30 % dog"."""
    if config.train.mixing is None:
        return f"epoch {epoch}"
    heads = config.heads.items()
    mixed = "; ".join(_mixture(name, head, version[name]) for name, head in heads)
    return f"epoch {epoch}: {mixed}"


def _mixture(name: str, head: Head, target: np.ndarray) -> str:
    labels, values = labels_of(name, head), values_of(head, target[None])
    if isinstance(head, Regression):
        return ", ".join(
            f"{label} {value:.4g}" for label, value in zip(labels, values, strict=True)
        )
    shares = sorted(zip(values, labels, strict=True), key=lambda pair: -pair[0])
    return ", ".join(f"{100 * v:.0f} % {label}" for v, label in shares if v >= _WORTH_SAYING)


def _write(path: Path, picture: np.ndarray) -> None:
    from PIL import Image

    with replacing(path) as temporary:
        Image.fromarray(picture).save(temporary, format="PNG")


def _read_text(
    config: Config, data: Data, examples: Sequence[Mapping[str, Any]], left_out: Sequence[str]
) -> str:
    counted = "1 example" if len(examples) == 1 else f"{len(examples)} examples"
    lines = [f"{counted} of {data.name}, as {config.name} reads them:", *_written(examples)]
    if left_out:
        lines.append(f"Left out, as there is nothing to read: {', '.join(left_out)}.")
    return "\n".join(lines)


def _written(examples: Sequence[Mapping[str, Any]]) -> list[str]:
    """A line for each text of each example, below what the example is called."""
    lines = []
    for example in examples:
        if texts := example.get("texts"):
            lines.append(f"{example['row']}, {example['label']}:")
            named = len(texts) > 1
            lines += [f"  {name}: {t}" if named else f"  {t}" for name, t in texts.items()]
    return lines


def _text(config: Config, data: Data, rows: int, epochs: int, left_out: Sequence[str]) -> str:
    counted = "1 example" if rows == 1 else f"{rows} examples"
    through = "in the first epoch" if epochs == 1 else f"in the first {epochs} epochs"
    lines = [f"{counted} of {data.name}: as they are, then as {config.name} gets them {through}."]
    if config.train.mixing is None and not any(
        spec.augmentations for spec in config.inputs.values()
    ):
        lines.append("Nothing changes them: no input has `augment`, and there is no `mixing`.")
    if left_out:
        lines.append(f"Left out, as there is nothing to look at: {', '.join(left_out)}.")
    return "\n".join(lines)
