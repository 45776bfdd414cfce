"""`mmzoo data view`."""

from __future__ import annotations

from pathlib import Path

import click

from mmzoo.cli.options import PATH, config_argument, json_option, set_option


@click.command(short_help="Draw training examples as the model gets them, augmented and mixed.")
@config_argument
@set_option
@click.option(
    "--rows",
    type=click.IntRange(1, 64),
    default=8,
    show_default=True,
    metavar="N",
    help="How many examples of the first batch to draw.",
)
@click.option(
    "--epochs",
    type=click.IntRange(1, 16),
    default=4,
    show_default=True,
    metavar="K",
    help="In how many epochs: each augments an example in another way.",
)
@click.option(
    "--output",
    type=PATH,
    default="view.png",
    show_default=True,
    metavar="FILE.png",
    help="The picture to write.",
)
@json_option
def view(
    config: Path, overrides: tuple[str, ...], rows: int, epochs: int, output: Path, as_json: bool
) -> None:
    """Draw training examples as the model of CONFIG gets them, augmented and mixed.

    The first examples of the first batch, a row each: as they are, then as they are in the first
    epochs of a training. Texts are printed as the model reads them.

    \b
    Example:
      mmzoo data view configs/mnist_best.yaml
      mmzoo data view configs/mnist_cnn.yaml --set 'train.mixing={type: mixup}'
    """
    from mmzoo.cli.drawing import print_drawing
    from mmzoo.visualization.augmented_examples import draw_augmented

    drawing = draw_augmented(config, overrides, rows=rows, epochs=epochs, output=output)
    print_drawing(drawing, as_json)
