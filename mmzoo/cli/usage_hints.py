"""Suggestions for options, arguments and commands that do not exist."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import click

from mmzoo.spec.wording import escape, fold

_COMMANDS = {
    "eval": "evaluate evaluation test score validate metrics",
    "train": "fit run start learn training resume",
    "predict": "infer inference prediction classify",
    "generate": "sample samples decode reconstruct create_images",
    "board": "tensorboard logs curves",
    "init": "new create config starter",
    "check": "inspect lint profile",
    "show": "summary info describe gradcam cam",
    "data": "datasets dataset download fetch cache",
    "list": "ls models zoo",
    "fetch": "download get pull install",
    "build": "make create convert",
    "where": "path paths dir location",
    "view": "show draw plot preview",
}
"""Command -> words of other tools for it."""
_OPTIONS = {
    "--device gpu": "gpu cuda gpus use_gpu",
    "--device cpu": "cpu no_gpu no_cuda",
    "--output": "out output_dir outdir o save out_file output_file",
    "--run": "run_dir output output_dir outdir save_dir o",
    "--resume": "continue resume_from",
    "--fold": "folds kfold cv cross_validation",
    "--baselines": "baseline unimodal",
    "--smoke": "test dry_run quick",
    "--checkpoint": "weights ckpt epoch",
    "--data": "input table csv file dataset source",
    "--target": "column label labels label_column y",
    "--top": "top_k topk k",
    "--modalities": "ablation ablate modality",
    "--force": "overwrite f",
    "--clear": "delete remove clean purge rm",
    "--probabilities": "proba probs probability scores",
}
"""Option -> words of other tools for it."""
_CONFIG_WORDS = ("config", "cfg", "c")
_RUN_WORDS = ("model", "run", "checkpoint_dir", "m")


def with_hint(error: click.UsageError, arguments: Sequence[str]) -> click.UsageError:
    """The error with a suggestion, or the same error if there is none.

    Args:
        error: a usage error.
        arguments: of the whole command line.
    """
    message = None
    match error:
        case click.NoSuchOption(ctx=click.Context() as context):
            message = _unknown_option(_given(error.option_name, arguments), context, arguments)
        case click.UsageError(ctx=click.Context() as context):
            if "unexpected extra argument" in error.message:
                message = _extra_argument(error.message, context, arguments)
            elif isinstance(context.command, click.Group) and "No such command" in error.message:
                message = _unknown_command(error.message.split("'")[1], context.command, arguments)
            elif isinstance(error, click.BadParameter) and "integer range" in error.message:
                message = error.message.replace("integer range", "whole number")
                return click.BadParameter(message, error.ctx, error.param, error.param_hint)
    return error if message is None else click.UsageError(message, error.ctx)


def _unknown_command(word: str, group: click.Group, arguments: Sequence[str]) -> str | None:
    start = f"No such command '{escape(word)}'."
    meant = [name for name in group.commands if _is_meant(word, name)]
    if meant:
        return f"{start} Did you mean '{meant[0]}'?"
    if fold(word) in ("help", "version"):
        return f"{start} Did you mean '{' '.join(['mmzoo', *arguments[1:2], f'--{fold(word)}'])}'?"
    if word.endswith((".yaml", ".yml")):
        return f"{start} Did you mean 'mmzoo train {escape(word)}'?"
    return None


def _is_meant(word: str, command: str) -> bool:
    return fold(word) in _COMMANDS.get(command, "").split()


def _given(name: str, arguments: Sequence[str]) -> str:
    """The option as it was typed: Click takes `-epochs` for the options `-e`, `-p` and so on."""
    typed = (one for one in arguments if one.startswith(name) and not name.startswith("--"))
    return next(typed, name)


def _unknown_option(name: str, context: click.Context, arguments: Sequence[str]) -> str | None:
    option = name.partition("=")[0]
    word, value = fold(option.lstrip("-")), _value_of(option, arguments)
    known = {one: param for param in context.command.params for one in param.opts}
    start = f"No such option '{escape(option)}'."
    for meant, words in _OPTIONS.items():
        if word in words.split() and meant.split()[0] in known:
            return f"{start} Did you mean '{meant}'?"
    if f"--{word.replace('_', '-')}" in known:
        return f"{start} Did you mean '--{word.replace('_', '-')}'?"
    if word in _CONFIG_WORDS and any(param.name == "config" for param in context.command.params):
        return f"{start} The config needs none: `{context.command_path} {value or 'CONFIG'}`."
    if word in _RUN_WORDS and any(param.name in ("run", "runs") for param in known.values()):
        return f"{start} The run needs none: `{context.command_path} {value or 'RUN'}`."
    if isinstance(context.command, click.Group):
        owners = [
            str(command.name)
            for command in context.command.commands.values()
            if any(option in param.opts for param in command.params)
        ]
        if owners:
            return f"{start} It is one of {', '.join(owners)}, and stands after the command."
        if len(places := _fields(word, arguments)) == 1:
            value = escape(value) or "VALUE"
            return f"{start} Use 'mmzoo train CONFIG --set {places[0]}={value}'."
    if "--set" in known:
        places = _fields(word, arguments)
        if len(places) == 1:
            return f"{start} Use '--set {places[0]}={escape(value) or 'VALUE'}'."
        if places:
            return f"{start} Use --set with {' or '.join(places)}, as in '--set {places[0]}=VALUE'."
    return None


def _value_of(option: str, arguments: Sequence[str]) -> str:
    """The argument that follows an option, or that behind its `=`; empty if there is none."""
    for place, argument in enumerate(arguments):
        if argument.startswith(f"{option}="):
            return argument.partition("=")[2]
        if argument == option:
            value = "".join(arguments[place + 1 : place + 2])
            return "" if value.startswith("--") else value
    return ""


def _extra_argument(message: str, context: click.Context, arguments: Sequence[str]) -> str | None:
    extra = message.partition("(")[2].removesuffix(")").split(" ")
    names = {param.name for param in context.command.params}
    if "overrides" in names:
        pairs = pairwise(arguments)
        keys = [key for option, key in pairs if option == "--set" and "=" not in key]
        if keys:
            value = "".join(extra).lstrip("=") or "VALUE"
            return f"{message}. Did you mean '--set {escape(keys[0])}={escape(value)}'?"
        if all("=" in one for one in extra):
            options = " ".join(f"--set {one}" for one in extra)
            return f"{message}. Did you mean '{escape(options)}'?"
    if "config" in names and extra[0].endswith((".yaml", ".yml")):
        return f"{message}. It takes one config: call it for each."
    if "resume" in names and "--resume" in arguments:
        return f"{message}. Did you mean '--resume --run {escape(extra[0])}'?"
    if any("--target" in param.opts for param in context.command.params):
        return f"{message}. Did you mean '--target {escape(','.join(extra))}'?"
    return None


def _fields(word: str, arguments: Sequence[str]) -> list[str]:
    """The paths of the config's fields that a word means, in the config of the command line."""
    from mmzoo.config import Config
    from mmzoo.errors import MmzooError
    from mmzoo.spec.config_file import read_text
    from mmzoo.spec.field_search import find_fields
    from mmzoo.spec.yaml_reader import read_document

    values: object = {}
    for argument in arguments:
        if argument.endswith((".yaml", ".yml")):
            try:
                values = read_document(read_text(Path(argument)), argument).values
            except MmzooError:
                continue  # Errors in the config are reported once the options are right.
    return find_fields(Config, values, word)
