"""Config: the whole YAML file as one tree, and the rules that span its parts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Annotated, Any

from annotated_types import MinLen
from pydantic import StringConstraints, model_validator

from mmzoo.fusion import Concat, Fusion
from mmzoo.heads import Head
from mmzoo.inputs import Files, Input
from mmzoo.objectives import Objective, Supervised
from mmzoo.probes import ChosenProbe
from mmzoo.recipe import Train
from mmzoo.rules import absent_columns, experiment_rules, no_column
from mmzoo.sharing import with_shared_fields
from mmzoo.sources import Source, Synthetic, Table, columns_of, is_there
from mmzoo.spec import Problem, Spec, load_spec
from mmzoo.wanted import Wanted, column_of, together

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_]*$", max_length=64)]
"""A name that serves as a folder, a layer and a column: letters, digits and underscores."""

Preprocessing = Mapping[str, Files]
"""Of each input, what it was fitted to: vocabularies and statistics as text files by name."""


class Config(Spec):
    """One experiment: where its examples come from, what goes in, what comes out, how it trains."""

    name: Name
    """The experiment's name; runs go to `runs/<name>`."""
    source: Source
    """Where the examples come from."""
    inputs: Annotated[dict[Name, Input], MinLen(1)]
    """What goes in: each input by its name."""
    fusion: Fusion = Concat()
    """How the features of the inputs become one."""
    heads: Annotated[dict[Name, Head], MinLen(1)]
    """What is predicted: each head by its name."""
    share: bool = True
    """Whether all heads predict from the same encoders and fusion. If false, each head has its own,
    and they learn nothing from one another."""
    objective: Objective = Supervised()
    """What is minimised."""
    probes: tuple[ChosenProbe, ...] = ()
    """Classical models to fit, once the network is trained, to what its heads read: names such as
    `svm`, or mappings with fields of theirs."""
    train: Train = Train()
    """How the model is trained."""

    @model_validator(mode="before")
    @classmethod
    def _share_fields(cls, fields: Any) -> Any:
        if not isinstance(fields, Mapping) or "inputs" not in fields:
            return fields
        return {**fields, "inputs": with_shared_fields(fields["inputs"])}

    def rules(self) -> Iterator[Problem]:
        return experiment_rules(self)

    def watchable(self) -> tuple[str, ...]:
        """The metrics that `train.monitor` may name."""
        metrics = (
            f"validation_{name}_{metric}"
            for name, head in self.heads.items()
            for metric in head.metric_names
        )
        return ("validation_loss", *metrics)

    def monitor(self) -> str:
        """The metric that is watched: the one that was named, or the default."""
        if self.train.monitor:
            return self.train.monitor
        if len(self.heads) > 1:
            return "validation_loss"
        [(name, head)] = self.heads.items()
        return f"validation_{name}_{head.metric_names[0]}"

    @property
    def soft_targets(self) -> bool:
        """Whether targets must be such that they can be mixed by averaging."""
        return self.train.mixing is not None

    @property
    def evaluation_batch_size(self) -> int:
        return self.train.evaluation_batch_size or 4 * self.train.batch_size

    def with_columns(self) -> Config:
        """The same config with every column named, as far as the source knows them unread."""
        known = self.source.columns() or {}
        heads = {
            name: spec.replace(column=spec.column or column_of(name, "target", known))
            for name, spec in self.heads.items()
        }
        inputs: dict[str, Input] = dict(self.inputs)
        taken = {head.column for head in heads.values() if head.column is not None}
        taking = [name for name, spec in inputs.items() if spec.takes_the_rest]
        taken.update(column for name in taking for column in inputs[name].source_columns())
        for name in (*(inputs.keys() - taking), *taking):  # Who takes the rest comes last.
            inputs[name] = inputs[name].with_columns(name, known, taken)
            taken.update(inputs[name].source_columns())
        return self.replace(inputs=inputs, heads=heads)

    @property
    def columns(self) -> dict[str, str]:
        """What the data calls the values of each input and head, by its name.

        That is their column, save for an input that reads several or shares one: what is made of
        them is its own. Needs `with_columns`, as all below do.
        """
        heads = {name: head.column for name, head in self.heads.items() if head.column is not None}
        reads = {name: spec.source_columns() for name, spec in self.inputs.items()}
        readers = Counter([*heads.values(), *chain.from_iterable(reads.values())])
        inputs = {
            name: spec.key(name, shared=any(readers[column] > 1 for column in reads[name]))
            for name, spec in self.inputs.items()
        }
        return {**inputs, **heads}

    @property
    def presence(self) -> dict[str, str]:
        """Of each input that an example may lack, what the data calls bool `[rows]` that say so.

        An only input is there in every example: what lacked it would have nothing.
        """
        if len(self.inputs) == 1:
            return {}
        return {
            name: f"inputs.{name}.present"
            for name, spec in self.inputs.items()
            if spec.may_be_absent
        }

    def wanted(self, *, labelled: bool = True) -> dict[str, Wanted]:
        """What the experiment asks of the source, by column.

        Args:
            labelled: whether that of the heads is among it.

        Raises:
            ConfigError: two parts ask for different things of one column.
        """
        families: tuple[str, ...] = ("inputs", "heads") if labelled else ("inputs",)
        return together(
            (f"{family}.{name}", part.wanted())
            for family in families
            for name, part in getattr(self, family).items()
        )

    def smoke(self) -> Config:
        """A copy that trains for two steps on made-up data, to show that the config works.

        Pretrained encoders begin with random weights, and each stage has its two steps.
        """
        # Half of the rows train; with fewer than these, a class might have no row.
        rows = max(2 * 2 * self.train.batch_size, 32)
        fine_tune, frozen = self.train.fine_tune, self.train.frozen_features
        inputs = dict(self.inputs)
        if any(spec.takes_the_rest for spec in inputs.values()):
            inputs = self.with_columns().inputs  # Made-up rows would not say what the rest is.
        return self.replace(
            name=f"{self.name[:58]}_smoke",
            source=Synthetic(rows=rows),
            inputs={
                name: spec.replace(encoder=spec.encoder.from_scratch())
                for name, spec in inputs.items()
            },
            heads={name: head.unnamed() for name, head in self.heads.items()},
            train=self.train.replace(
                epochs=1,
                early_stopping=None,
                fine_tune=fine_tune and fine_tune.replace(epochs=1),
                frozen_features=frozen if frozen.keep == "off" else frozen.replace(keep="memory"),
            ),
        )

    def absent_files(self) -> Iterator[Problem]:
        """Yields a Problem for each file that a training begins with and that is not there."""
        for name, spec in self.inputs.items():
            for problem in spec.encoder.absent_files():
                yield Problem(("inputs", name, "encoder", *problem.path), problem.message)

    def absent_columns(self) -> Iterator[Problem]:
        """Yields a Problem for each column that is named and that the source's table has not.

        Only the beginning of the table is read, if there is such a file.

        Raises:
            DataError: the table is not written as the source says.
        """
        source = self.source
        if not isinstance(source, Table) or not is_there(source.path):
            return
        named = self.with_columns()
        known = columns_of(source.path, source, [*named.wanted(), *source.split.columns()])
        if known is None:
            return
        for field in ("column", "folds", "group"):
            column = getattr(source.split, field)
            if column is not None and column not in known:
                yield no_column(("source", "split", field), column, known)
        yield from absent_columns(named, known)

    def obstacles(self) -> Iterator[Problem]:
        """Yields a Problem for whatever on this machine keeps a training from beginning."""
        yield from self.absent_files()
        yield from self.absent_columns()


def load_config(
    source: Path | str | Mapping[str, Any],
    overrides: Sequence[str] = (),
    *,
    begins: bool = False,
) -> Config:
    """The config of a YAML file, or of a mapping with the same keys.

    Args:
        source: the file's path, or the mapping.
        overrides: `KEY=VALUE` texts that are applied before validation: "train.epochs=3".
        begins: whether a training is to begin with it, for which weights files must be there, and
            the columns that it names.

    Raises:
        ConfigError: lists everything that is wrong, with its place.
        DataError: `begins`, and the source's table is not written as the source says.
    """
    return load_spec(
        Config,
        Path(source) if isinstance(source, str) else source,
        overrides,
        Config.obstacles if begins else None,
    )
