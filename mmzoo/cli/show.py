"""`mmzoo show`."""

from __future__ import annotations

import json
from pathlib import Path

import click

from mmzoo.cli.options import PATH, json_option


@click.command(short_help="Show a component, a model's layers, or what a model sees.")
@click.argument("what", metavar="NAME|CONFIG|RUN")
@click.option(
    "--cam", type=PATH, metavar="IMAGE", help="Draw where in IMAGE the model of RUN looks."
)
@click.option("--filters", is_flag=True, help="Draw the first filters that RUN has learnt.")
@click.option(
    "--maps", type=PATH, metavar="IMAGE", help="Draw what each stage of RUN makes of IMAGE."
)
@click.option("--head", metavar="NAME", help="The head that --cam explains.")
@click.option(
    "--class",
    "label",
    metavar="NAME|INDEX",
    help="The class that --cam explains; by default the predicted one.",
)
@click.option("--input", "input_name", metavar="NAME", help="The input whose pictures are meant.")
@click.option(
    "--output",
    type=PATH,
    metavar="FILE.png",
    help="The picture to write; by default a new one in RUN.",
)
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
    layers: bool,
    as_json: bool,
) -> None:
    """Show a component's fields and notes, or the layers, parameters and FLOPs of a model.

    A pretrained network is one line, unless --layers lists all of it; what training leaves as it
    is, is said to be frozen.

    Of a run it also draws what the model sees: --cam colours what in a picture speaks for a class
    (Grad-CAM), --filters and --maps show the first filters and what the stages pass on.

    \b
    Example:
      mmzoo show lenet
      mmzoo show configs/mnist_cnn.yaml
      mmzoo show runs/mnist_cnn
      mmzoo show runs/mnist_cnn --cam digit.png --class 3
      mmzoo show runs/mnist_cnn --filters
      mmzoo show runs/mnist_cnn --maps digit.png
    """
    wanted = {"--cam": cam is not None, "--filters": filters, "--maps": maps is not None}
    drawn = [option for option, given in wanted.items() if given]
    if len(drawn) > 1:
        raise click.UsageError(f"{' and '.join(drawn)} are pictures of their own: give one.")
    _refuse_without({"--head": head, "--class": label}, "--cam", cam is not None)
    _refuse_without(
        {"--input": input_name, "--output": output}, "--cam, --filters or --maps", bool(drawn)
    )
    if not drawn:
        _show_text(what, layers, as_json)
        return
    if layers:
        raise click.UsageError(f"{drawn[0]} draws a picture, which --layers adds nothing to.")
    from mmzoo.cli.drawing import print_drawing
    from mmzoo.visualization.feature_maps import draw_filters, draw_maps
    from mmzoo.visualization.gradcam import draw_cam

    run = Path(what)
    if cam is not None:
        drawing = draw_cam(run, cam, input_name=input_name, head=head, label=label, output=output)
    elif maps is not None:
        drawing = draw_maps(run, maps, input_name=input_name, output=output)
    else:
        drawing = draw_filters(run, input_name=input_name, output=output)
    print_drawing(drawing, as_json)


def _refuse_without(options: dict[str, object], needed: str, there: bool) -> None:
    for option, value in options.items():
        if value is not None and not there:
            raise click.UsageError(f"{option} goes with {needed}.")


def _show_text(what: str, layers: bool, as_json: bool) -> None:
    from mmzoo.catalogue import find_components
    from mmzoo.cli.text import wrapped

    # A name of ours has neither a slash nor an ending.
    if "/" not in what and "." not in what and not Path(what).exists():
        components = find_components(what)
        if as_json:
            click.echo(json.dumps([component.as_dict() for component in components]))
        else:
            click.echo(wrapped("\n\n".join(map(str, components))))
        return
    from mmzoo.summary import summarise

    summary = summarise(Path(what))
    click.echo(json.dumps(summary.as_dict()) if as_json else summary.text(layers))
