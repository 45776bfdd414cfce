"""Options that several commands share."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Any

import click


class Choice(click.Choice):
    """One of some words; a slip is answered with the nearest, as Click does for option names."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            return super().convert(value, param, ctx)
        except click.BadParameter as error:
            begun = [choice for choice in self.choices if str(value) and choice.startswith(value)]
            near = begun or difflib.get_close_matches(str(value), self.choices, n=1)
            meant = f" Did you mean '{near[0]}'?" if near else ""
            message = f"{error.message.rstrip('.')}.{meant}"
            raise click.BadParameter(message, ctx=ctx, param=param) from None


PATH = click.Path(path_type=Path, readable=False)
"""Click would refuse what cannot be read as a slip of usage, before we say it as of other files."""

set_option = click.option(
    "--set",
    "overrides",
    multiple=True,
    metavar="KEY=VALUE",
    help="Change a field of the config, as in train.epochs=3; may be given many times.",
)
device_option = click.option(
    "--device",
    type=Choice(["auto", "cpu", "gpu"]),
    default="auto",
    show_default=True,
    help="Where to compute; auto takes GPUs if there are any.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
checkpoint_option = click.option(
    "--checkpoint",
    default="best",
    show_default=True,
    metavar="best|last|FILE",
    help="Which weights to use.",
)
data_option = click.option(
    "--data",
    type=PATH,
    metavar="FILE",
    help="Take the rows of this table: .csv, .tsv, .jsonl or .parquet.",
)
on_bad_row_option = click.option(
    "--on-bad-row",
    type=Choice(["error", "skip"]),
    default="error",
    show_default=True,
    metavar="error|skip",
    help="Stop at rows of --data that cannot be used, or leave them out.",
)
config_argument = click.argument("config", type=PATH)
run_argument = click.argument("run", type=PATH)
