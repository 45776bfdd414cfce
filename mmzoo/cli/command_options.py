"""Options and arguments shared by several commands."""

from __future__ import annotations

import difflib
import os
from pathlib import Path
from typing import Any

import click

from mmzoo.errors import DataError

_CHOICES = {
    **dict.fromkeys(("cuda", "cuda:0", "gpu:0", "0"), "gpu"),
    **dict.fromkeys(("val", "valid", "dev"), "validation"),
    **dict.fromkeys(("mean", "avg"), "average"),
    **dict.fromkeys(("majority", "voting", "hard"), "vote"),
    **dict.fromkeys(("ignore", "drop"), "skip"),
    **dict.fromkeys(("stop", "raise", "fail"), "error"),
    **dict.fromkeys(("model", "models", "networks", "layers"), "encoders"),
}
"""Words of other tools -> choice."""


class Choice(click.Choice):
    """A choice that suggests the closest word for a typo, as Click does for option names."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            return super().convert(value, param, ctx)
        except click.BadParameter as error:
            completions = [
                choice for choice in self.choices if str(value) and choice.startswith(value)
            ]
            near = [_CHOICES[value]] if _CHOICES.get(value) in self.choices else completions
            near = near or difflib.get_close_matches(str(value), self.choices, n=1)
            meant = f" Did you mean '{near[0]}'?" if near else ""
            message = f"{error.message.rstrip('.')}.{meant}"
            raise click.BadParameter(message, ctx=ctx, param=param) from None


PATH = click.Path(path_type=Path, readable=False)
"""Unreadable files are not usage errors: commands report them like other file errors."""

set_option = click.option(
    "--set",
    "overrides",
    multiple=True,
    metavar="KEY=VALUE",
    help="Override a config field, as in train.epochs=3; can be repeated.",
)
device_option = click.option(
    "--device",
    type=Choice(["auto", "cpu", "gpu"]),
    default="auto",
    show_default=True,
    help="Device to compute on; auto uses GPUs if there are any.",
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
    help="Use the rows of this table: .csv, .tsv, .jsonl or .parquet.",
)
on_bad_row_option = click.option(
    "--on-bad-row",
    type=Choice(["error", "skip"]),
    default="error",
    show_default=True,
    metavar="error|skip",
    help="Stop at rows or files that cannot be used, or skip them.",
)
config_argument = click.argument("config", type=PATH)
run_argument = click.argument("run", type=PATH)


def check_output(path: Path | None, suffixes: tuple[str, ...], force: bool) -> None:
    """Raises a DataError if `--output` must not be written. Called before any other work."""
    if path is None:
        return
    from mmzoo.spec.wording import escape

    shown = escape(str(path))
    if path.suffix.lower() not in suffixes:
        raise DataError(f"--output {shown}: expected a name that ends in {suffixes[0]}")
    if os.path.isdir(path):
        raise DataError(f"--output {shown}: this is a folder")
    if os.path.lexists(path) and not force:
        raise DataError(
            f"--output {shown}: the file exists. Use --force to replace it, or another name."
        )
