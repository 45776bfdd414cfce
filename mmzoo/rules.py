"""Validation rules that span several parts of a config. A rule about one part is defined there."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Protocol

from mmzoo.column_spec import ROLE_NOUNS
from mmzoo.data import Source
from mmzoo.fusion import Fusion, HasPrior
from mmzoo.heads import BaseHead, LabelledHead
from mmzoo.modalities import Input
from mmzoo.modalities.abilities import Mixable, Reconstructs
from mmzoo.objectives import Objective
from mmzoo.probes import ChosenProbe, probes_of
from mmzoo.shared_encoders import resolve_encoders, sharing_rules
from mmzoo.spec import Problem, did_you_mean
from mmzoo.spec.wording import escape, shorten
from mmzoo.train_config import Train

RESERVED_HEAD_NAMES = {
    **dict.fromkeys(("data", "examples", "fusion", "loss", "probes"), "metrics.json"),
    **dict.fromkeys(("file", "row"), "predictions.csv"),
}
"""Names that a head cannot have -> the file of a run in which they would clash."""
_COLUMN_SUFFIXES = ("_true", "_probability", "_error", "_similarity")
"""Suffixes of the further columns that predictions.csv has for each head."""
_LAYER_SUFFIXES = ("encoder", "present", "missing")
"""Suffixes of the layers that a model has for each input."""


class Experiment(Protocol):
    """The parts of a config that the rules use."""

    @property
    def name(self) -> str: ...
    @property
    def source(self) -> Source: ...
    @property
    def inputs(self) -> Mapping[str, Input]: ...
    @property
    def heads(self) -> Mapping[str, BaseHead]: ...
    @property
    def fusion(self) -> Fusion: ...
    @property
    def objective(self) -> Objective: ...
    @property
    def probes(self) -> tuple[ChosenProbe, ...]: ...
    @property
    def share(self) -> bool: ...
    @property
    def train(self) -> Train: ...
    def monitorable(self) -> tuple[str, ...]: ...
    def monitor(self) -> str: ...


def experiment_rules(experiment: Experiment) -> Iterator[Problem]:
    """Yields a Problem for each combination of parts that is invalid."""
    if experiment.name == "ensembles":
        yield Problem(
            ("name",), "the folder runs/ensembles is reserved for ensembles: choose another name"
        )
    yield from _head_names(experiment)
    yield from _layer_names(experiment)
    yield from _columns(experiment)
    yield from _probes(experiment)
    yield from sharing_rules(experiment.inputs)
    yield from _fusion(experiment)
    yield from _heads(experiment)
    yield from _opposing_heads(experiment)
    yield from _decoders(experiment)
    yield from experiment.objective.experiment_rules(experiment)
    yield from _modality_dropout(experiment)
    yield from _mixing(experiment)
    yield from _fine_tuning(experiment)
    yield from _monitor(experiment)


def _head_names(experiment: Experiment) -> Iterator[Problem]:
    heads = experiment.heads
    if not heads and experiment.objective.generated_input(experiment.inputs) is None:
        yield Problem(("heads",), "expected at least one head, which predicts something; got none")
    types = [f"_{probe.type}" for probe in probes_of(experiment.probes)]
    suffixes = (*_COLUMN_SUFFIXES, *types, *(f"{ending}_probability" for ending in types))
    for name in heads:
        if name in RESERVED_HEAD_NAMES:
            yield Problem(
                ("heads", name),
                f"{RESERVED_HEAD_NAMES[name]} has its own {name!r}: choose another name",
            )
        if any(name.removesuffix(ending) in heads.keys() - {name} for ending in suffixes):
            yield Problem(
                ("heads", name),
                f"predictions.csv has a column {name!r} of another head: choose another name",
            )
        if name in experiment.inputs:
            yield Problem(("heads", name), "an input has the same name: choose another name")


def _layer_names(experiment: Experiment) -> Iterator[Problem]:
    """Inputs and heads become layers with their names, which must not clash with others."""
    own = {f"{name}_{part}" for name in experiment.inputs for part in _LAYER_SUFFIXES}
    for family, names in (("inputs", experiment.inputs), ("heads", experiment.heads)):
        for name in names:
            if name in own or name == "concat" or name.startswith("fusion_"):
                yield Problem(
                    (family, name),
                    f"the model has its own layer {name!r}: choose another name",
                )


def _columns(experiment: Experiment) -> Iterator[Problem]:
    known = experiment.source.columns()
    if known is not None:
        yield from missing_columns(experiment, known)


def missing_columns(experiment: Experiment, known: Collection[str]) -> Iterator[Problem]:
    """Yields a Problem for each column that an input or a head names and the data does not have."""
    for name, spec in experiment.inputs.items():
        field = "columns" if "columns" in type(spec).model_fields else "column"
        for column in spec.source_columns():
            if column not in known:
                yield unknown_column(("inputs", name, field), column, known)
    for name, head in experiment.heads.items():
        if isinstance(head, LabelledHead) and head.column and head.column not in known:
            yield unknown_column(("heads", name, "column"), head.column, known)


def unknown_column(path: tuple[str, ...], column: str, known: Collection[str]) -> Problem:
    """The problem of a column that the data does not have, with the closest known name."""
    meant = did_you_mean(column, known)
    has = f"{' It' if meant else '; it'} has: {', '.join(map(escape, known))}"
    return Problem(path, f"the data has no column '{shorten(column)}'{meant}{has}")


def _probes(experiment: Experiment) -> Iterator[Problem]:
    probes, seen = probes_of(experiment.probes), set()
    for index, probe in enumerate(probes):
        if probe.type in seen:
            yield Problem(("probes", index), f"{probe.type} is listed twice; keep one")
        seen.add(probe.type)
        labelled = [head for head in experiment.heads.values() if isinstance(head, LabelledHead)]
        if not any(head.role in probe.predicts for head in labelled):
            learns = " or ".join(ROLE_NOUNS[role] for role in probe.predicts)
            types = ", ".join(dict.fromkeys(head.type for head in experiment.heads.values()))
            yield Problem(
                ("probes", index),
                f"{probe.type} predicts {learns}, but no head does ({types})",
            )


def _fusion(experiment: Experiment) -> Iterator[Problem]:
    fusion = experiment.fusion
    for problem in (
        *fusion.head_rules(experiment.heads),
        *fusion.input_rules(tuple(experiment.inputs)),
    ):
        yield Problem(("fusion", *problem.path), problem.message)
    if isinstance(fusion, HasPrior) and not experiment.share:
        yield Problem(
            ("share",), f"expected true: with the fusion {fusion.type} all heads share one code"
        )


def _heads(experiment: Experiment) -> Iterator[Problem]:
    inputs = resolve_encoders(experiment.inputs)
    for name, head in experiment.heads.items():
        for problem in (*head.input_rules(inputs), *head.head_rules(experiment.heads)):
            yield Problem(("heads", name, *problem.path), problem.message)


def _opposing_heads(experiment: Experiment) -> Iterator[Problem]:
    heads = experiment.heads
    opposing = [name for name, head in heads.items() if head.opposes_others]
    if not opposing:
        return
    if len(opposing) == len(heads):
        yield Problem(
            ("heads", opposing[0]),
            "expected another head beside it, such as a classification: alone it makes the "
            "features of all examples equal",
        )
        return
    if not experiment.share:
        yield Problem(
            ("share",), f"expected true: heads.{opposing[0]} would align only its own encoders"
        )
    better = [
        f"validation_{name}_{metric}"
        for name, head in heads.items()
        if name not in opposing
        for metric in head.metric_names
    ]
    own = (
        f"validation_{name}_{metric}" for name in opposing for metric in heads[name].metric_names
    )
    if better and experiment.monitor() in ("validation_loss", *own):
        yield Problem(
            ("train", "monitor"),
            f"expected a metric of another head than {opposing[0]}, such as {better[0]}, to choose "
            "the best epoch by: the loss is low where the discriminator tells the inputs apart",
        )


def _decoders(experiment: Experiment) -> Iterator[Problem]:
    for name, spec in experiment.inputs.items():
        used = name == experiment.objective.generated_input(experiment.inputs)
        used |= any(name in head.needed_inputs for head in experiment.heads.values())
        if isinstance(spec, Reconstructs) and spec.decoder is not None and not used:
            yield Problem(
                ("inputs", name, "decoder"),
                "expected none, as no head rebuilds this input: add a head "
                f"`{{type: reconstruction, input: {name}}}`, or leave this out",
            )


def _modality_dropout(experiment: Experiment) -> Iterator[Problem]:
    for name, spec in experiment.inputs.items():
        if len(experiment.inputs) == 1 and spec.modality_dropout:
            yield Problem(
                ("inputs", name, "modality_dropout"),
                "expected none for the only input: dropping it would leave nothing to predict from",
            )


def _mixing(experiment: Experiment) -> Iterator[Problem]:
    if experiment.train.mixing is None:
        return
    for name, spec in experiment.inputs.items():
        if spec.is_optional:
            yield Problem(
                ("train", "mixing"),
                f"cannot be combined with inputs.{name}.missing: learned, as missing inputs cannot "
                "be mixed",
            )
        if not isinstance(spec, Mixable):
            yield Problem(
                ("train", "mixing"),
                f"expected none: inputs.{name} is {spec.type}, which cannot be mixed",
            )
    for name, head in experiment.heads.items():
        if getattr(head, "class_weights", None):
            yield Problem(
                ("train", "mixing"),
                f"cannot be combined with heads.{name}.class_weights: a mixture has no single "
                "class",
            )
        if getattr(head, "labels", None):
            yield Problem(
                ("train", "mixing"),
                f"cannot be combined with heads.{name}.labels: a mixture has no single class",
            )
        if isinstance(head, LabelledHead) and head.missing == "ignore":
            yield Problem(
                ("train", "mixing"),
                f"cannot be combined with heads.{name}.missing: ignore: one of two mixed rows may "
                "have no label",
            )


def _fine_tuning(experiment: Experiment) -> Iterator[Problem]:
    if experiment.train.fine_tune is None:
        return
    layers = experiment.train.fine_tune.last_layers
    encoders = [spec.encoder for spec in experiment.inputs.values()]
    if all(encoder.unfrozen(layers) is encoder for encoder in encoders):
        types = ", ".join(encoder.type for encoder in encoders)
        yield Problem(
            ("train", "fine_tune"),
            "expected none: all layers that it would unfreeze are trained in the first stage "
            f"already ({types}). Give a pretrained encoder `trainable: false`, or leave this "
            "out",
        )


def _monitor(experiment: Experiment) -> Iterator[Problem]:
    monitor, monitorable = experiment.train.monitor, experiment.monitorable()
    if monitor is None or monitor in monitorable:
        return
    meant = did_you_mean(monitor, monitorable) or "."
    yield Problem(
        ("train", "monitor"),
        f"unknown metric '{shorten(monitor)}'{meant} There are: {', '.join(monitorable)}",
    )
