"""Training examples before and after augmentation and mixing, for `mmzoo data view`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mmzoo.batches import batches_of_steps, evaluation_batches
from mmzoo.config import Config, Preprocessing, load_config
from mmzoo.errors import DataError
from mmzoo.evaluation.image_grid import captioned_grid
from mmzoo.files import replacing
from mmzoo.heads import LabelledHead
from mmzoo.missing_values import mark_missing
from mmzoo.modalities.abilities import HasImage, HasText, augmentations_of, draw
from mmzoo.modalities.base_input import presence
from mmzoo.order import TrainingOrder, epoch_order
from mmzoo.preprocessing import Arrays, as_text, fit_config, load_frame, transform
from mmzoo.visualization.drawing import Drawing, require_png
from mmzoo.visualization.gradcam import values_of

_SIDE = 224
"""Width and height of one image of the grid, in pixels."""
_MIN_SHARE = 0.005
"""Smaller shares of a class would be written as 0 %."""

Example = dict[str, np.ndarray]
"""Input or head name -> its array for one example."""


def draw_augmented_examples(
    path: Path, overrides: Sequence[str], *, rows: int, epochs: int, output: Path
) -> Drawing:
    """Draws the first training examples of a config: the originals, and as in the first epochs.

    Images and spectrograms are drawn; the tokens of texts are listed.

    Args:
        path: the config file.
        overrides: `KEY=VALUE` strings, such as "train.epochs=3".
        rows: maximum number of examples, from the first batch.
        epochs: number of epochs; each augments and mixes an example differently.
        output: the PNG to write.

    Raises:
        ConfigError: the config is invalid.
        DataError: the data cannot be read, no input can be displayed, or `output` is not a PNG.
    """
    require_png(output)
    config = load_config(path, overrides).with_columns()
    drawn = [name for name, spec in config.inputs.items() if isinstance(spec, HasImage)]
    text_inputs = [name for name, spec in config.inputs.items() if isinstance(spec, HasText)]
    left_out = [
        f"{name} ({spec.type})"
        for name, spec in config.inputs.items()
        if not isinstance(spec, HasImage | HasText)
    ]
    if not drawn and not text_inputs:
        raise DataError(f"{path}: none of its inputs can be displayed: {', '.join(left_out)}")
    frame = load_frame(config)
    config, preprocessing = fit_config(config, frame)
    data = transform(config, frame, preprocessing)
    order = TrainingOrder(config.train.seed, data.examples("train"), config.train.batch_size)
    chosen = order.step_rows(0)[:rows]
    examples = _examples(config, data, preprocessing, chosen, text_inputs)
    facts = {"inputs": [*drawn, *text_inputs], "left_out": left_out, "examples": examples}
    if not drawn:
        return Drawing(None, _describe_texts(config, data, examples, left_out), facts)
    columns = [_originals(config, data, chosen, drawn)]
    columns += _in_epochs(config, data, order, chosen, epochs)
    _write(output, _grid(config, drawn, columns, [example["label"] for example in examples]))
    text = "\n".join(
        [_describe_images(config, data, len(chosen), epochs, left_out), *_text_lines(examples)]
    )
    return Drawing(output, text, {**facts, "epochs": epochs})


def _examples(
    config: Config,
    data: Arrays,
    preprocessing: Preprocessing,
    rows: np.ndarray,
    text_inputs: Sequence[str],
) -> list[dict[str, Any]]:
    """Row name, true labels, and texts of the given inputs, for some training rows."""
    labels = _labels(config, data, rows)
    examples: list[dict[str, Any]] = [
        {"row": data.row_name("train", int(row)), "label": label}
        for row, label in zip(rows, labels, strict=True)
    ]
    columns = {column: values[rows] for column, values in data.splits["train"].items()}
    for name in text_inputs:
        texts = as_text(config, name, columns, preprocessing)
        for example, text in zip(examples, texts, strict=True):
            example.setdefault("texts", {})[name] = text
    return examples


def _grid(
    config: Config,
    drawn: Sequence[str],
    columns: Sequence[Sequence[Example]],
    labels: Sequence[str],
) -> np.ndarray:
    """An image grid with a row for each input of each example.

    Args:
        config: the config of the inputs.
        drawn: names of the inputs to draw.
        columns: the original examples, then those of each epoch.
        labels: the true labels of each example.
    """
    images, captions = [], []
    for label, versions in zip(labels, zip(*columns, strict=True), strict=True):
        for name in drawn:
            images += [draw(config.inputs[name], version[name]) for version in versions]
            row = [label if len(drawn) == 1 else f"{name}: {label}"]
            row += [
                _caption(config, version, epoch)
                for epoch, version in enumerate(versions[1:], start=1)
            ]
            absent = [version.get(presence(name)) == 0 for version in versions]
            captions += mark_missing(row, name, absent)
    return captioned_grid(images, captions, in_a_row=len(columns), side=_SIDE)


def _originals(
    config: Config, data: Arrays, rows: np.ndarray, names: Sequence[str]
) -> list[Example]:
    """The given inputs of some training rows, without augmentation, padded to equal shapes."""
    columns = {name: values[rows] for name, values in data.splits["train"].items()}
    batches = [inputs for (inputs,) in evaluation_batches(config, columns, labelled=False)]
    keys = [*names, *(presence(name) for name in names if name in config.presence)]
    arrays = {name: np.concatenate([batch[name] for batch in batches]) for name in keys}
    return [{name: values[index] for name, values in arrays.items()} for index in range(len(rows))]


def _in_epochs(
    config: Config, data: Arrays, order: TrainingOrder, rows: np.ndarray, epochs: int
) -> list[list[Example]]:
    """The inputs and targets of some training rows in each epoch, from the batches of training.

    The original batches are needed because mixing combines the rows of a batch.
    """
    positions = [np.argsort(epoch_order(order.seed, e, order.rows))[rows] for e in range(epochs)]
    within = np.stack(positions) % order.batch_size
    steps = np.stack(positions) // order.batch_size
    steps += order.steps_per_epoch * np.arange(epochs)[:, None]
    needed = np.unique(steps).tolist()
    batches = batches_of_steps(config, data.splits["train"], order, needed)
    examples: list[list[Example]] = [[{} for _ in rows] for _ in range(epochs)]
    for step, (inputs, targets, *_) in zip(needed, batches.as_numpy_iterator(), strict=True):
        for epoch, place in np.argwhere(steps == step).tolist():
            examples[epoch][place] = {
                name: values[within[epoch, place]].copy()
                for name, values in {**inputs, **targets}.items()
            }
    return examples


def _labels(config: Config, data: Arrays, rows: np.ndarray) -> list[str]:
    """The true labels of some training rows, over all heads: "4", "4, even"; else their names."""
    train, columns = data.splits["train"], config.columns
    if not config.labelled_heads:
        return [data.row_name("train", int(row)) for row in rows]
    words = (
        ("?" if one is None else str(one) for one in head.true_labels(train[columns[name]][rows]))
        for name, head in config.labelled_heads.items()
    )
    return [", ".join(of_row) for of_row in zip(*words, strict=True)]


def _caption(config: Config, version: Example, epoch: int) -> str:
    """The epoch and, if examples are mixed, the labels: "epoch 1: 70 % cat, 30 % dog"."""
    if config.train.mixing is None:
        return f"epoch {epoch}"
    heads = config.labelled_heads.items()
    mixed = "; ".join(_mixture(name, head, version[name]) for name, head in heads)
    return f"epoch {epoch}: {mixed}"


def _mixture(name: str, head: LabelledHead, target: np.ndarray) -> str:
    labels, values = head.output_names(name), values_of(head, head.predictions(target[None]))
    if head.output_kind == "numbers":
        return ", ".join(
            f"{label} {value:.4g}" for label, value in zip(labels, values, strict=True)
        )
    shares = sorted(zip(values, labels, strict=True), key=lambda pair: -pair[0])
    return ", ".join(f"{100 * v:.0f} % {label}" for v, label in shares if v >= _MIN_SHARE)


def _write(path: Path, image: np.ndarray) -> None:
    from PIL import Image

    with replacing(path) as temporary:
        Image.fromarray(image).save(temporary, format="PNG")


def _describe_texts(
    config: Config, data: Arrays, examples: Sequence[Mapping[str, Any]], left_out: Sequence[str]
) -> str:
    counted = "1 example" if len(examples) == 1 else f"{len(examples)} examples"
    lines = [f"{counted} of {data.name}, as {config.name} gets them:", *_text_lines(examples)]
    if left_out:
        lines.append(f"Not shown, as they have no text: {', '.join(left_out)}.")
    return "\n".join(lines)


def _text_lines(examples: Sequence[Mapping[str, Any]]) -> list[str]:
    """A line for each example, followed by a line for each of its texts."""
    lines = []
    for example in examples:
        if texts := example.get("texts"):
            lines.append(f"{example['row']}, {example['label']}:")
            named = len(texts) > 1
            lines += [f"  {name}: {t}" if named else f"  {t}" for name, t in texts.items()]
    return lines


def _describe_images(
    config: Config, data: Arrays, rows: int, epochs: int, left_out: Sequence[str]
) -> str:
    counted = "1 example" if rows == 1 else f"{rows} examples"
    through = "in the first epoch" if epochs == 1 else f"in the first {epochs} epochs"
    lines = [f"{counted} of {data.name}: original, then as {config.name} gets them {through}."]
    if config.train.mixing is None and not any(
        augmentations_of(spec) for spec in config.inputs.values()
    ):
        lines.append("They are not changed: no input has `augment`, and there is no `mixing`.")
    if left_out:
        lines.append(f"Not shown, as they have no image or text: {', '.join(left_out)}.")
    return "\n".join(lines)
