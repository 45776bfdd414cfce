"""`mmzoo show`: a component's fields, a model's layers, or visualizations of a trained model."""

from __future__ import annotations

import json
from pathlib import Path

import click

from mmzoo.cli.command_options import PATH, check_output, json_option


@click.command(short_help="Show a component, a model's layers, filters or Grad-CAM.")
@click.argument("what", metavar="NAME|CONFIG|RUN")
@click.option(
    "--cam", type=PATH, metavar="IMAGE", help="Draw a Grad-CAM heat map of IMAGE for RUN."
)
@click.option("--filters", is_flag=True, help="Draw the first-layer filters of RUN.")
@click.option(
    "--maps",
    type=PATH,
    metavar="IMAGE",
    help="Draw the feature maps of IMAGE at each stage of RUN.",
)
@click.option("--head", metavar="NAME", help="The head that --cam explains.")
@click.option(
    "--class",
    "label",
    metavar="NAME|INDEX",
    help="The class that --cam explains; by default the predicted one.",
)
@click.option(
    "--input", "input_name", metavar="NAME", help="The image input to use, if there are several."
)
@click.option(
    "--output",
    type=PATH,
    metavar="FILE.png",
    help="The image to write; by default a new file in RUN.",
)
@click.option("--force", is_flag=True, help="Replace --output if it exists.")
@click.option("--layers", is_flag=True, help="List the layers of pretrained networks too.")
@json_option
def show(
    what: str,
    cam: Path | None,
    filters: bool,
    maps: Path | None,
    head: str | None,
    label: str | None,
    input_name: str | None,
    output: Path | None,
    force: bool,
    layers: bool,
    as_json: bool,
) -> None:
    """Show a component's fields and notes, or the layers, parameters and FLOPs of a model.

    A pretrained network takes one line; --layers lists all its layers. Layers that training does
    not change are marked as frozen.

    For a run, --cam draws a Grad-CAM heat map of the image regions that raise the score of a class,
    --filters the filters of the first convolution, and --maps the feature maps of each stage.

    \b
    Example:
      mmzoo show lenet
      mmzoo show configs/mnist_cnn.yaml
      mmzoo show runs/mnist_cnn
      mmzoo show runs/mnist_cnn --cam digit.png --class 3
      mmzoo show runs/mnist_cnn --filters
      mmzoo show runs/mnist_cnn --maps digit.png
    """
    options = {"--cam": cam is not None, "--filters": filters, "--maps": maps is not None}
    drawn = [option for option, given in options.items() if given]
    if len(drawn) > 1:
        raise click.UsageError(f"{' and '.join(drawn)} cannot be combined: give one of them.")
    _refuse_without({"--head": head, "--class": label}, "--cam", cam is not None)
    _refuse_without(
        {"--input": input_name, "--output": output}, "--cam, --filters or --maps", bool(drawn)
    )
    if not drawn:
        _show_text(what, layers, as_json)
        return
    if layers:
        raise click.UsageError(f"--layers cannot be combined with {drawn[0]}.")
    from mmzoo.cli.terminal_text import print_drawing
    from mmzoo.visualization.feature_maps import draw_feature_maps, draw_filters
    from mmzoo.visualization.gradcam_plot import draw_gradcam

    check_output(output, (".png",), force)
    run = Path(what)
    if cam is not None:
        drawing = draw_gradcam(
            run, cam, input_name=input_name, head=head, label=label, output=output
        )
    elif maps is not None:
        drawing = draw_feature_maps(run, maps, input_name=input_name, output=output)
    else:
        drawing = draw_filters(run, input_name=input_name, output=output)
    print_drawing(drawing, as_json)


def _refuse_without(options: dict[str, object], needed: str, there: bool) -> None:
    for option, value in options.items():
        if value is not None and not there:
            raise click.UsageError(f"{option} requires {needed}.")


def _show_text(what: str, layers: bool, as_json: bool) -> None:
    from mmzoo.catalogue import find_components
    from mmzoo.cli.terminal_text import quote, wrapped
    from mmzoo.errors import ConfigError
    from mmzoo.spec import is_table

    # Names of components have neither a slash nor an extension.
    if "/" not in what and "." not in what and not Path(what).exists():
        components = find_components(what)
        if as_json:
            click.echo(json.dumps([component.as_dict() for component in components]))
        else:
            click.echo(wrapped("\n\n".join(map(str, components))))
        return
    if is_table(Path(what)):
        raise ConfigError(
            f"{what}: a table, not a component, config or run; write a config for it: "
            f"`mmzoo init {quote(Path(what))} --target COLUMN`"
        )
    from mmzoo.model_summary import summarize

    summary = summarize(Path(what))
    click.echo(json.dumps(summary.as_dict()) if as_json else summary.text(layers))
