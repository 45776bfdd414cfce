"""Training examples as the model gets them, beside what they are made of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from mmzoo.config import Config, load_config
from mmzoo.data import TrainingOrder, epoch_order, evaluation_batches, training_batches
from mmzoo.errors import DataError
from mmzoo.evaluation.grid import captioned_grid
from mmzoo.files import replacing
from mmzoo.heads import Head, Regression
from mmzoo.seeing.drawing import Drawing, require_png
from mmzoo.seeing.score import labels_of, values_of
from mmzoo.sources import Data

_SIDE = 224
"""Of one picture, in pixels."""
_WORTH_SAYING = 0.005
"""A smaller share of a class would be written as 0 %."""

Example = dict[str, np.ndarray]
"""What one example has for each input and head, by name."""


def draw_augmented(
    path: Path,
    overrides: Sequence[str],
    *,
    rows: int,
    epochs: int,
    output: Path,
    tell: Callable[[str], None],
) -> Drawing:
    """Draws the first training examples of a config: as they are, and as in the first epochs.

    Args:
        path: the config file.
        overrides: `KEY=VALUE` texts that change it: "train.epochs=3".
        rows: how many examples of the first batch, at most.
        epochs: how many epochs; in each, an example is augmented and mixed anew.
        output: the PNG to write.
        tell: receives what the source says.

    Raises:
        ConfigError: the config is wrong.
        DataError: the data cannot be had, there is nothing to look at in it, or the PNG has
            another ending.
    """
    require_png(output)
    config = load_config(path, overrides).with_columns()
    shown = [name for name, spec in config.inputs.items() if spec.pictured]
    left_out = [f"{name} ({config.inputs[name].type})" for name in config.inputs.keys() - shown]
    if not shown:
        raise DataError(f"{path}: none of its inputs can be looked at: {', '.join(left_out)}")
    data = config.load_data(tell)
    config, preprocessing = config.fitted(data)
    data = config.prepared(data, preprocessing, tell)
    order = TrainingOrder(config.train.seed, data.examples("train"), config.train.batch_size)
    chosen = order.step_rows(0)[:rows]
    columns = [_as_they_are(config, data, chosen)]
    columns += [_in_epoch(config, data, order, chosen, epoch) for epoch in range(epochs)]

    labels = _labels(config, data, chosen)
    pictures, captions = [], []
    for label, versions in zip(labels, zip(*columns, strict=True), strict=True):
        for name in shown:
            pictures += [config.inputs[name].picture(version[name]) for version in versions]
            captions.append(label if len(shown) == 1 else f"{name}: {label}")
            captions += [
                _caption(config, version, epoch)
                for epoch, version in enumerate(versions[1:], start=1)
            ]
    _write(output, captioned_grid(pictures, captions, in_a_row=len(columns), side=_SIDE))
    names = [data.row_name("train", int(row)) for row in chosen]
    examples = [{"row": r, "label": label} for r, label in zip(names, labels, strict=True)]
    facts = {"inputs": shown, "left_out": left_out, "epochs": epochs, "examples": examples}
    return Drawing(output, _text(config, data, len(chosen), epochs, left_out), facts)


def _as_they_are(config: Config, data: Data, rows: np.ndarray) -> list[Example]:
    """The inputs of some training rows, with no augmentation."""
    columns = {name: values[rows] for name, values in data.splits["train"].items()}
    batches = [inputs for (inputs,) in evaluation_batches(config, columns, labelled=False)]
    whole = {name: np.concatenate([batch[name] for batch in batches]) for name in config.inputs}
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
        map(str, head.written_labels(train[columns[name]][rows]))
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
