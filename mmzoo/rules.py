"""The rules that span the parts of an experiment. What concerns one part alone is that part's."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Protocol

from mmzoo.fusion import Fusion
from mmzoo.heads import Head
from mmzoo.inputs import Input
from mmzoo.objectives import Objective
from mmzoo.probes import ChosenProbe, probes_of
from mmzoo.recipe import Train
from mmzoo.sharing import sharing_rules
from mmzoo.sources import Source
from mmzoo.spec import Problem, did_you_mean
from mmzoo.spec.wording import printable, shorten
from mmzoo.wanted import MEANS

RESERVED = {
    **dict.fromkeys(("data", "examples", "loss", "probes"), "metrics.json"),
    **dict.fromkeys(("file", "row"), "predictions.csv"),
}
"""What files of a run say besides the heads, and which of them do."""
_BESIDE = ("_true", "_probability")
"""What the names of columns end in that predictions.csv has beside that of a head."""


_PARTS_OF_INPUTS = ("encoder", "present", "missing")
"""What the names of layers end in that an input has in the model."""


class Experiment(Protocol):
    """What the rules look at: the parts of a config."""

    @property
    def name(self) -> str: ...
    @property
    def source(self) -> Source: ...
    @property
    def inputs(self) -> Mapping[str, Input]: ...
    @property
    def heads(self) -> Mapping[str, Head]: ...
    @property
    def fusion(self) -> Fusion: ...
    @property
    def objective(self) -> Objective: ...
    @property
    def probes(self) -> tuple[ChosenProbe, ...]: ...
    @property
    def train(self) -> Train: ...
    def watchable(self) -> tuple[str, ...]: ...


def experiment_rules(experiment: Experiment) -> Iterator[Problem]:
    """Yields a Problem for each pair of parts that do not go together."""
    if experiment.name == "ensembles":
        yield Problem(("name",), "runs/ensembles is for ensembles of runs: name it otherwise")
    yield from _head_names(experiment)
    yield from _layer_names(experiment)
    yield from _columns(experiment)
    yield from _probes(experiment)
    yield from sharing_rules(experiment.inputs)
    yield from _fusion(experiment)
    yield from _objective(experiment)
    yield from _absence(experiment)
    yield from _mixing(experiment)
    yield from _fine_tuning(experiment)
    yield from _monitor(experiment)


def _head_names(experiment: Experiment) -> Iterator[Problem]:
    heads = experiment.heads
    types = [f"_{probe.type}" for probe in probes_of(experiment.probes)]
    beside = (*_BESIDE, *types, *(f"{ending}_probability" for ending in types))
    for name in heads:
        if name in RESERVED:
            yield Problem(
                ("heads", name), f"{RESERVED[name]} has a {name!r} of its own: name it otherwise"
            )
        if any(name.removesuffix(ending) in heads.keys() - {name} for ending in beside):
            yield Problem(
                ("heads", name),
                f"predictions.csv has a {name!r} of another head: name it otherwise",
            )
        if name in experiment.inputs:
            yield Problem(("heads", name), "expected another name than an input's")


def _layer_names(experiment: Experiment) -> Iterator[Problem]:
    """Inputs and heads are layers by their names, and so are encoders and fusions."""
    own = {f"{name}_{part}" for name in experiment.inputs for part in _PARTS_OF_INPUTS}
    for family, names in (("inputs", experiment.inputs), ("heads", experiment.heads)):
        for name in names:
            if name in own or name == "concat" or name.startswith("fusion_"):
                yield Problem(
                    (family, name),
                    f"the model has a layer {name!r} of its own: name it otherwise",
                )


def _columns(experiment: Experiment) -> Iterator[Problem]:
    known = experiment.source.columns()
    if known is not None:
        yield from absent_columns(experiment, known)


def absent_columns(experiment: Experiment, known: Collection[str]) -> Iterator[Problem]:
    """Yields a Problem for each column that an input or a head names and that is not known."""
    for name, spec in experiment.inputs.items():
        for column in spec.source_columns():
            if column not in known:
                yield no_column(("inputs", name, spec.columns_field), column, known)
    for name, head in experiment.heads.items():
        if head.column is not None and head.column not in known:
            yield no_column(("heads", name, "column"), head.column, known)


def no_column(place: tuple[str, ...], column: str, known: Collection[str]) -> Problem:
    """That a column is not among those there are; says which was probably meant."""
    meant = did_you_mean(column, known)
    has = f"{' It' if meant else '; it'} has: {', '.join(map(printable, known))}"
    return Problem(place, f"the data has no column '{shorten(column)}'{meant}{has}")


def _probes(experiment: Experiment) -> Iterator[Problem]:
    probes, seen = probes_of(experiment.probes), set()
    for place, probe in enumerate(probes):
        if probe.type in seen:
            yield Problem(("probes", place), f"expected {probe.type} once; it comes twice")
        seen.add(probe.type)
        if not any(head.role in probe.predicts for head in experiment.heads.values()):
            learns = " or ".join(MEANS[role] for role in probe.predicts)
            types = ", ".join(dict.fromkeys(head.type for head in experiment.heads.values()))
            yield Problem(
                ("probes", place),
                f"{probe.type} learns {learns}, which no head here predicts ({types})",
            )


def _fusion(experiment: Experiment) -> Iterator[Problem]:
    fusion = experiment.fusion
    for problem in (
        *fusion.head_rules(experiment.heads),
        *fusion.input_rules(tuple(experiment.inputs)),
    ):
        yield Problem(("fusion", *problem.path), problem.message)


def _objective(experiment: Experiment) -> Iterator[Problem]:
    for problem in experiment.objective.head_rules(experiment.heads):
        yield Problem(("objective", *problem.path), problem.message)


def _absence(experiment: Experiment) -> Iterator[Problem]:
    for name, spec in experiment.inputs.items():
        if len(experiment.inputs) == 1 and spec.modality_dropout:
            yield Problem(
                ("inputs", name, "modality_dropout"),
                "expected none for an only input: without it nothing is left to predict from",
            )


def _mixing(experiment: Experiment) -> Iterator[Problem]:
    if experiment.train.mixing is None:
        return
    for name, spec in experiment.inputs.items():
        if spec.may_be_absent:
            yield Problem(
                ("train", "mixing"),
                f"expected none beside inputs.{name}.missing: learned, as what is absent cannot "
                "be mixed",
            )
        if not spec.mixable:
            yield Problem(
                ("train", "mixing"),
                f"expected none: inputs.{name} is {spec.type}, two of which cannot be mixed",
            )
    for name, head in experiment.heads.items():
        if getattr(head, "class_weights", None):
            yield Problem(
                ("train", "mixing"),
                f"expected none beside heads.{name}.class_weights: a mixture has no one class",
            )
        if head.missing == "ignore":
            yield Problem(
                ("train", "mixing"),
                f"expected none beside heads.{name}.missing: ignore: of two rows one may have no "
                "label",
            )


def _fine_tuning(experiment: Experiment) -> Iterator[Problem]:
    if experiment.train.fine_tune is None:
        return
    layers = experiment.train.fine_tune.last_layers
    encoders = [spec.encoder for spec in experiment.inputs.values()]
    if all(encoder.unfrozen(layers) == encoder for encoder in encoders):
        types = ", ".join(encoder.type for encoder in encoders)
        yield Problem(
            ("train", "fine_tune"),
            "expected none: all layers that it would thaw are trained in the first stage "
            f"already ({types}). Give a pretrained encoder `trainable: false`, or leave this "
            "out",
        )


def _monitor(experiment: Experiment) -> Iterator[Problem]:
    monitor, watchable = experiment.train.monitor, experiment.watchable()
    if monitor is None or monitor in watchable:
        return
    meant = did_you_mean(monitor, watchable) or "."
    yield Problem(
        ("train", "monitor"),
        f"unknown metric '{shorten(monitor)}'{meant} There are: {', '.join(watchable)}",
    )
