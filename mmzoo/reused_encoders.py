"""Encoders that start from those of finished runs: `encoder: {type: run, path: RUN, input: NAME}`.

    start_problems(config)         missing or mismatched files, columns and runs, without TensorFlow
    reuse_encoders(config)         the config with the runs' encoders and preprocessing settings
    reused_preprocessing(config)   the runs' vocabularies and statistics

The training then copies the weights into its own run (`mmzoo.training.copied_encoders`), so that a
run needs no other one: an encoder in its config has the path and the checksum of the copy.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmzoo.config import Config, load_config
from mmzoo.errors import ConfigError, MmzooError
from mmzoo.find_runs import open_run
from mmzoo.modalities import Input
from mmzoo.modalities.run_encoder import RunEncoder
from mmzoo.modalities.scan import Files
from mmzoo.runs import NUMBER, Run
from mmzoo.shared_encoders import (
    INDEPENDENT_FIELDS,
    copy_fitted_from,
    encoder_owner,
    resolve_encoder,
    show_value,
)
from mmzoo.spec import Problem, did_you_mean
from mmzoo.spec.wording import escape, shorten

_INDEPENDENT = INDEPENDENT_FIELDS | {"masking", "category_dropout"}
"""Fields in which an input may differ from that of the run: the random changes of training too."""


@dataclass(frozen=True)
class _Origin:
    """The input of a finished run that an encoder is taken from.

    Attributes:
        run: the run.
        spec: the fitted input, with its own encoder if that is shared.
        requested: its fields before it was fitted, by dotted path.
        where: names it in messages.
    """

    run: Run
    spec: Input
    requested: Mapping[str, Any]
    where: str


def start_problems(config: Config) -> Iterator[Problem]:
    """Yields a Problem for each file, column or run that training needs and that does not fit.

    Raises:
        DataError: the source's table cannot be read.
    """
    yield from config.missing_prerequisites()
    for name, spec in config.inputs.items():
        if isinstance(spec.encoder, RunEncoder) and spec.encoder.sha256 is None:
            for problem in _problems(spec, spec.encoder):
                yield Problem(("inputs", name, *problem.path), problem.message)


def reuse_encoders(config: Config, resumed: Run | None = None) -> Config:
    """The config with the encoders of finished runs, and the settings that belong to them.

    Settings that an input leaves open are those of the run's input.

    Args:
        config: as it was loaded, before columns are named: replaced specs leave nothing open.
        resumed: a run that was started from this config, whose own copies are used instead.

    Raises:
        ConfigError: a run does not exist or does not fit.
    """
    found = {
        name: _reused(name, spec, spec.encoder, resumed)
        for name, spec in config.inputs.items()
        if isinstance(spec.encoder, RunEncoder)
    }
    if not found:
        return config
    inputs = {**config.inputs, **found}
    for name, spec in inputs.items():
        if (owner := encoder_owner(spec)) in found:
            inputs[name] = copy_fitted_from(spec, found[owner])
    values = config.model_dump(mode="json")
    values["inputs"] = {name: spec.model_dump(mode="json") for name, spec in inputs.items()}
    return load_config(values)  # Rules about the layers apply only now.


def reused_preprocessing(config: Config, resumed: Run | None = None) -> dict[str, Files]:
    """The fitted preprocessing of each input with an encoder of a run, by the input's name.

    Args:
        config: from `reuse_encoders`.
        resumed: as there.

    Raises:
        RunError: a run does not exist, or its files are damaged.
    """
    found: dict[str, Files] = {}
    for name, spec in config.inputs.items():
        if isinstance(spec.encoder, RunEncoder):
            run, given = resumed, name
            if run is None:
                (run, _), given = open_run(_path(spec.encoder)), spec.encoder.input
            found[name] = run.preprocessing().get(given, {})
    return found


def _reused(name: str, spec: Input, encoder: RunEncoder[Any], resumed: Run | None) -> Input:
    """An input with the encoder of a run."""
    if resumed is not None and (before := _started(name, encoder, resumed)) is not None:
        taken = before.encoder
        assert isinstance(taken, RunEncoder)
        copied = {field: getattr(taken, field) for field in ("path", "input", "network", "sha256")}
        return _with_settings(spec, before, _requested(resumed, name), encoder.replace(**copied))
    if encoder.sha256 is not None:
        return spec
    for problem in _problems(spec, encoder):
        raise ConfigError(
            f"{'.'.join(['inputs', name, *map(str, problem.path)])}: {problem.message}"
        )
    origin = _find(encoder)
    assert isinstance(origin, _Origin)
    network = origin.spec.encoder.architecture
    return _with_settings(spec, origin.spec, origin.requested, encoder.replace(network=network))


def _requested(run: Run, name: str) -> dict[str, Any]:
    """The fields of an input in the config of a run before it was fitted, as JSON has them.

    Fields of its parts have dotted paths.
    """
    start = f"inputs.{name}."
    values: dict[str, Any] = run.environment().get("requested", {})
    return {
        path.removeprefix(start): value for path, value in values.items() if path.startswith(start)
    }


def _started(name: str, encoder: RunEncoder[Any], run: Run) -> Input | None:
    """The input of a run that was started with this encoder; None if it was with another."""
    before = run.config().inputs.get(name)
    if before is None or not isinstance(before.encoder, RunEncoder):
        return None
    requested = _requested(run, name)
    was = (requested.get("encoder.path"), requested.get("encoder.input"))
    return before if was == (encoder.path, encoder.input) else None


def _with_settings(
    spec: Input, given: Input, requested: Mapping[str, Any], encoder: RunEncoder[Any]
) -> Input:
    """An input with another encoder, and with the other's settings where its own fit them."""
    settings = {
        field: getattr(given, field)
        for field in _settings(given)
        if field not in spec.model_fields_set or _fits(spec, given, field, requested)
    }
    return spec.replace(**settings, encoder=encoder)


def _settings(spec: Input) -> list[str]:
    """The fields that an encoder depends on."""
    return [field for field in type(spec).model_fields if field not in _INDEPENDENT]


def _fits(spec: Input, given: Input, field: str, requested: Mapping[str, Any]) -> bool:
    """Whether a setting equals the other's, as it was fitted or requested, or is open."""
    own, its = getattr(spec, field), getattr(given, field)
    return own == requested.get(field, its) or _is_part(own, its)


def _is_part(own: Any, its: Any) -> bool:
    """Whether a setting equals another one, apart from what is to be read off the data."""
    if isinstance(own, Mapping) and isinstance(its, Mapping):
        return [*own] == [*its] and all(_is_part(own[key], its[key]) for key in own)
    return own is None or own in ("auto", its)


def _problems(spec: Input, encoder: RunEncoder[Any]) -> Iterator[Problem]:
    """Yields what does not fit in an input that starts from a run."""
    origin = _find(encoder)
    if isinstance(origin, Problem):
        yield Problem(("encoder", *origin.path), origin.message)
        return
    if origin.spec.type != spec.type:
        yield Problem(
            ("encoder", "input"),
            f"expected an input of the same type, {spec.type}; {origin.where} is "
            f"{origin.spec.type}",
        )
        return
    for field in _settings(spec):
        is_written = field in spec.model_fields_set
        if is_written and not _fits(spec, origin.spec, field, origin.requested):
            yield Problem(
                (field,),
                f"expected {show_value(getattr(origin.spec, field))}, as in {origin.where}, whose "
                f"encoder it starts from; got {show_value(getattr(spec, field))}",
            )


def _find(encoder: RunEncoder[Any]) -> _Origin | Problem:
    """The input of the run, or why it cannot be used."""
    try:
        run, file = open_run(_path(encoder))
        config = run.config()
        is_finished = "test" in run.metrics()
        requested = _requested(run, encoder.input)
    except MmzooError as error:
        return Problem(("path",), f"{error}{_how_to_train(Path(encoder.path))}")
    if file is None and not is_finished:
        return Problem(
            ("path",),
            f"{run.directory}: is not finished. Continue it with --resume, or give one of its "
            "weights files",
        )
    if encoder.input not in config.inputs:
        meant = did_you_mean(encoder.input, config.inputs) or "."
        known = ", ".join(config.inputs)
        return Problem(
            ("input",),
            f"{run.directory} has no input '{shorten(encoder.input)}'{meant} There are: {known}",
        )
    where = f"inputs.{encoder.input} of {escape(str(run.directory))}"
    return _Origin(run, resolve_encoder(encoder.input, config.inputs), requested, where)


def _path(encoder: RunEncoder[Any]) -> Path:
    return Path(encoder.path).expanduser()


def _how_to_train(path: Path) -> str:
    """A hint at the config that makes a missing run, if it is one of those in `configs/`."""
    name = path.parent.name if NUMBER.fullmatch(path.name) else path.name
    config = Path("configs", f"{name}.yaml")
    return f" `mmzoo train {config}` makes it" if config.is_file() and not path.exists() else ""
