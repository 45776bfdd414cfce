"""Collects finished runs into rows of docs/results.csv; used by scripts/reproduce."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from results_table import Result

from mmzoo.config import load_config
from mmzoo.errors import MmzooError
from mmzoo.modalities.run_encoder import RunEncoder
from mmzoo.runs import Run
from mmzoo.training.resume import requested_config

CONFIGS = Path(__file__).resolve().parent.parent / "configs"
MAIN_METRICS = (
    *("accuracy", "subset_accuracy", "mean_absolute_error", "mean_squared_error"),
    *("token_cross_entropy", "cell_error", "class_at_1", "recall_at_1"),
)
"""The metric of a head is the first of these that it has."""

_FUSION = "fusion"
"""The entry of the fusion in metrics.json, for a model with an ELBO."""
_ELBO = "elbo"
_SEED = "train.seed"
_FOLD = "source.fold"


def collected(folder: Path, configs: Collection[str], tell: Callable[[str], None]) -> list[Result]:
    """Results of the finished runs in `folder/<config>[@<variant>]/<seed>[/<fold>]`.

    Args:
        folder: folder of all runs.
        configs: names of the configs to collect.
        tell: called with a message about each config whose runs cannot be used.
    """
    found = []
    for path in sorted(folder.glob("*/")):
        name, _, variant = path.name.partition("@")
        if name not in configs:
            continue
        try:
            seeds = seeds_of(path)
            found += _results(name, variant, seeds)
            for alone in dict.fromkeys(_inputs_alone(seeds)):
                below = {
                    seed: [run.baseline(alone) for run in runs] for seed, runs in seeds.items()
                }
                label = f"{variant}, {alone} alone" if variant else f"{alone} alone"
                found += _results(name, label, below)
        except MmzooError as error:
            tell(f"{path}: skipped: {error}")
    return found


def seeds_of(path: Path) -> dict[int, list[Run]]:
    """The runs in the folder of a config, by seed: one run, or one per fold."""
    seeds = sorted((one for one in path.glob("*/") if one.name.isdecimal()), key=_number)
    runs = {}
    for seed in seeds:
        folds = sorted((one for one in seed.glob("*/") if one.name.isdecimal()), key=_number)
        runs[_number(seed)] = [Run(one) for one in folds] or [Run(seed)]
    return runs


def finished(run: Run, baselines: bool = False) -> bool:
    """Whether a run was trained to the end and, with `baselines`, each input alone too."""
    if baselines and not run.baselines_file.is_file():
        return False
    return run.config_file.is_file() and "test" in run.metrics()


def _results(name: str, variant: str, seeds: dict[int, list[Run]]) -> Iterator[Result]:
    """One row per head, and one of the ELBO if there is any, over all finished seeds."""
    done = {seed: runs for seed, runs in seeds.items() if all(map(finished, runs)) and _whole(runs)}
    if not done:
        return
    runs = [run for of_seed in done.values() for run in of_seed]
    environments = [run.environment() for run in runs]
    _check(name, variant, done)
    config, metrics = runs[0].config(), [run.metrics()["test"] for run in runs]
    trained = [environment.get("trained", {}) for environment in environments]
    seconds = [one.get("seconds") for one in trained]
    for entry in (*config.heads, *([_FUSION] if _ELBO in metrics[0].get(_FUSION, {}) else [])):
        found = metrics[0][entry]
        metric = _ELBO if entry == _FUSION else next(one for one in MAIN_METRICS if one in found)
        values = tuple(float(f"{of_run[entry][metric]:.6g}") for of_run in metrics)
        is_named = len(config.heads) > 1 and entry != _FUSION
        yield Result(
            config=name,
            variant=variant,
            inputs=" + ".join(spec.type for spec in config.inputs.values()),
            data=environments[0]["data"]["name"],
            metric=f"{entry}_{metric}" if is_named else metric,
            seeds=tuple(done),
            folds=len(runs) // len(done) if _fold(runs[0]) else None,
            values=values,
            mean=statistics.fmean(values),
            std=statistics.stdev(values) if len(values) > 1 else None,
            parameters=max((one["parameters"] for one in trained if one), default=None),
            seconds=sum(seconds) / len(done) if all(seconds) else None,
            commit=_joined(_short(environment.get("git_commit")) for environment in environments),
            machine=_joined(map(_machine, environments)),
            date=max((one["date"][:10] for one in trained if one), default=""),
        )


def _whole(runs: Sequence[Run]) -> bool:
    """Whether no fold is missing."""
    folds = [_fold(run) for run in runs]
    wanted = runs[0].environment().get("requested", {}).get(f"{_FOLD}.of")
    return folds == ([None] if wanted is None else list(range(1, wanted + 1)))


def _fold(run: Run) -> int | None:
    return run.environment().get("requested", {}).get(f"{_FOLD}.index")


def _check(name: str, variant: str, seeds: dict[int, list[Run]]) -> None:
    """Rejects runs with another seed, other data or another config.

    Fields that did not exist when a run was made are not compared.
    """
    first: dict[str, Any] = {}
    free = (_SEED, _FOLD, *open_fields(name), *started_inputs(name).values())
    if not variant:
        first = requested_config(load_config(CONFIGS / f"{name}.yaml").with_columns())
    for seed, runs in seeds.items():
        for run in runs:
            environment = run.environment()
            its = environment["requested"]
            if environment["seed"] != seed:
                raise MmzooError(f"{run.directory} was trained with seed {environment['seed']}")
            if wanted := environment["data"]["fallback_for"]:
                used = environment["data"]["name"]
                raise MmzooError(f"{run.directory} was trained on {used} instead of {wanted}")
            for key in sorted(its.keys() & first.keys()):
                if its[key] != first[key] and not key.startswith(free):
                    raise MmzooError(
                        f"{run.directory} was trained with {key} {its[key]!r}, not {first[key]!r}"
                    )
            first = first or its


def command_of(name: str) -> list[str]:
    """The arguments after the config in the command of its head, such as `--fold all/10`."""
    text = (CONFIGS / f"{name}.yaml").read_text(encoding="utf-8")
    [line] = [line for line in text.splitlines() if line.startswith("#   mmzoo train ")]
    return line.removeprefix("#").partition("#")[0].split()[3:]


def open_fields(name: str) -> set[str]:
    """Fields that the user must set: `source.path` for `--set source.path=FOLDER`."""
    words = command_of(name)
    given = [word for before, word in pairwise(words) if before == "--set"]
    return {key for key, _, value in (one.partition("=") for one in given) if value.isupper()}


def started_inputs(name: str) -> dict[str, str]:
    """Inputs whose encoder starts from a run -> the field with its path."""
    inputs = load_config(CONFIGS / f"{name}.yaml").inputs
    return {
        one: f"inputs.{one}.encoder.path"
        for one, spec in inputs.items()
        if isinstance(spec.encoder, RunEncoder)
    }


def _inputs_alone(seeds: dict[int, list[Run]]) -> Iterator[str]:
    """Inputs that were also trained alone (`--baselines`) in some of the runs."""
    for runs in seeds.values():
        for run in runs:
            if run.config_file.is_file():
                inputs = run.config().inputs
                yield from (name for name in inputs if run.baseline(name).directory.is_dir())


def _number(path: Path) -> int:
    return int(path.name)


def _short(commit: str | None) -> str:
    return (commit[:9] + "+" * commit.endswith("+")) if commit else ""


def _machine(environment: dict[str, Any]) -> str:
    device = environment["device"]
    threads = "1 thread" if device["threads"] == 1 else f"{device['threads']} threads"
    what = threads if device["kind"] == "cpu" else ", ".join(device["names"])
    return f"{environment['machine']['processor']}, {what}"


def _joined(words: Iterable[str]) -> str:
    return "; ".join(dict.fromkeys(word for word in words if word))
