"""Config: one experiment, as its YAML file describes it."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Annotated, Any

from annotated_types import MinLen
from pydantic import StringConstraints, model_validator

from mmzoo.column_spec import ColumnSpec, default_column, merge_column_specs
from mmzoo.data import (
    COMBINED,
    NAMED,
    InMemoryTable,
    Source,
    Synthetic,
    Table,
    columns_of,
    table_exists,
)
from mmzoo.data.in_memory import write_dataframe
from mmzoo.errors import ConfigError
from mmzoo.fusion import Concat, Fusion
from mmzoo.heads import Head, LabelledHead
from mmzoo.modalities import Input
from mmzoo.modalities.scan import Files
from mmzoo.objectives import Objective, Supervised
from mmzoo.probes import ChosenProbe
from mmzoo.rules import experiment_rules, missing_columns, unknown_column
from mmzoo.shared_encoders import fill_shared_fields, resolve_encoders
from mmzoo.spec import Problem, Spec, load_spec
from mmzoo.train_config import Train

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_]*$", max_length=64)]
"""A name for a folder, a layer or a column: letters, digits and underscores."""

_NAMED_CONFIGS = 6

Preprocessing = Mapping[str, Files]
"""Input name -> its fitted preprocessing: vocabularies and statistics, as text files by name."""


class Config(Spec):
    """One experiment: the data source, the inputs, the outputs and the training."""

    name: Name
    """The experiment's name; runs go to `runs/<name>`."""
    source: Source
    """The data: a table, a folder, a named data set or synthetic examples."""
    inputs: Annotated[dict[Name, Input], MinLen(1)]
    """The inputs of the model, by name."""
    fusion: Fusion = Concat()
    """How the features of all inputs are combined."""
    heads: dict[Name, Head]
    """The outputs of the model, by name. A GAN that generates images from a text needs none:
    `{}`."""
    share: bool = True
    """Whether all heads share the encoders and the fusion. If false, each head has its own, so the
    heads do not influence one another."""
    objective: Objective = Supervised()
    """The loss to minimize, over all heads."""
    probes: tuple[ChosenProbe, ...] = ()
    """Classical models to fit to the features of the trained network: names such as `svm`, or
    mappings with their fields."""
    train: Train = Train()
    """How the model is trained."""

    @model_validator(mode="before")
    @classmethod
    def _share_fields(cls, fields: Any) -> Any:
        if not isinstance(fields, Mapping) or "inputs" not in fields:
            return fields
        return {**fields, "inputs": fill_shared_fields(fields["inputs"])}

    @model_validator(mode="before")
    @classmethod
    def _move_label_separator(cls, fields: Any) -> Any:
        """Runs of older versions have the separator of labels in the source, for all heads."""
        if not isinstance(fields, Mapping):
            return fields
        source, heads = fields.get("source"), fields.get("heads")
        if not isinstance(source, Mapping) or "label_separator" not in source:
            return fields
        source = dict(source)
        default = {"separator": source.pop("label_separator")}
        if isinstance(heads, Mapping):
            heads = {
                name: {**default, **head}
                if isinstance(head, Mapping) and head.get("type") == "multilabel"
                else head
                for name, head in heads.items()
            }
        return {**fields, "source": source, "heads": heads}

    def rules(self) -> Iterator[Problem]:
        return experiment_rules(self)

    @model_validator(mode="after")
    def _give_inputs_to_heads(self) -> Config:
        """Fitting replaces inputs, so the heads of each config are given its own."""
        inputs = resolve_encoders(self.inputs)
        self.__dict__["heads"] = {
            name: head.with_inputs(inputs) for name, head in self.heads.items()
        }
        return self

    def monitorable(self) -> tuple[str, ...]:
        """The metrics that `train.monitor` can name."""
        metrics = (
            f"validation_{name}_{metric}"
            for name, head in self.heads.items()
            for metric in head.metric_names
        )
        return (self.objective.monitor or "validation_loss", *metrics)

    def monitor(self) -> str:
        """The monitored metric: `train.monitor`, or its default."""
        if self.train.monitor:
            return self.train.monitor
        if self.objective.monitor:
            return self.objective.monitor
        if len(self.heads) > 1:
            return "validation_loss"
        [(name, head)] = self.heads.items()
        return (
            f"validation_{name}_{head.metric_names[0]}" if head.metric_names else "validation_loss"
        )

    @property
    def labelled_heads(self) -> dict[str, LabelledHead]:
        """The heads that learn a label column, by name."""
        return {name: head for name, head in self.heads.items() if isinstance(head, LabelledHead)}

    def reads_tokens(self, name: str) -> bool:
        """Whether the fusion or a head uses the tokens of an input."""
        return any(
            part.reads_tokens(name, self.inputs) for part in (self.fusion, *self.heads.values())
        )

    @property
    def soft_targets(self) -> bool:
        """Whether targets are float arrays that can be averaged, as mixing requires."""
        return self.train.mixing is not None

    @property
    def evaluation_batch_size(self) -> int:
        """`train.evaluation_batch_size`, or its default."""
        return self.train.evaluation_batch_size or 4 * self.train.batch_size

    def with_columns(self) -> Config:
        """A copy with the column names filled in that are known before the data is read."""
        known = self.source.columns() or {}
        heads: dict[str, Head] = dict(self.heads)
        for name, head in self.labelled_heads.items():
            heads[name] = head.replace(column=head.column or default_column(name, "target", known))
        inputs: dict[str, Input] = dict(self.inputs)
        taken = {
            head.column for head in heads.values() if isinstance(head, LabelledHead) and head.column
        }
        greedy = [name for name, spec in inputs.items() if spec.uses_remaining_columns]
        taken.update(column for name in greedy for column in inputs[name].source_columns())
        for name in (*(inputs.keys() - greedy), *greedy):  # The remaining columns come last.
            inputs[name] = inputs[name].with_columns(name, known, taken)
            taken.update(inputs[name].source_columns())
        return self.replace(inputs=inputs, heads=heads)

    @property
    def columns(self) -> dict[str, str]:
        """Input or head name -> the key of its values in the data.

        The key is the name of its column, unless an input reads several columns or shares one with
        another part. Requires `with_columns`, as do the methods below.
        """
        heads = {name: head.column for name, head in self.labelled_heads.items() if head.column}
        reads = {name: spec.source_columns() for name, spec in self.inputs.items()}
        readers = Counter([*heads.values(), *chain.from_iterable(reads.values())])
        inputs = {
            name: columns[0] if len(columns) == 1 and readers[columns[0]] == 1 else f"inputs.{name}"
            for name, columns in reads.items()
        }
        return {**inputs, **heads}

    @property
    def presence(self) -> dict[str, str]:
        """Optional input -> name of its boolean presence column, `[rows]`.

        Empty if there is only one input: an example without it would be empty.
        """
        if len(self.inputs) == 1:
            return {}
        return {
            name: f"inputs.{name}.present" for name, spec in self.inputs.items() if spec.is_optional
        }

    def required_columns(self, *, labelled: bool = True) -> dict[str, ColumnSpec]:
        """Column name -> what the inputs and heads require of it.

        Args:
            labelled: whether to include the columns of the heads.

        Raises:
            ConfigError: two parts have different requirements for one column.
        """
        families: tuple[str, ...] = ("inputs", "heads") if labelled else ("inputs",)
        return merge_column_specs(
            (f"{family}.{name}", part.required_columns())
            for family in families
            for name, part in getattr(self, family).items()
        )

    def smoke(self) -> Config:
        """A copy that trains for two steps per stage on synthetic data, to test the config.

        Pretrained encoders start from random weights.
        """
        # Half of the rows are for training; with fewer, a class might have no row.
        rows = max(2 * 2 * self.train.batch_size, 32)
        fine_tune, frozen = self.train.fine_tune, self.train.frozen_features
        inputs = dict(self.inputs)
        if any(spec.uses_remaining_columns for spec in inputs.values()):
            inputs = self.with_columns().inputs  # Synthetic data has no remaining columns.
        return self.replace(
            name=f"{self.name[:58]}_smoke",
            source=Synthetic(rows=rows),
            inputs={
                name: spec.replace(encoder=spec.encoder.from_scratch())
                for name, spec in inputs.items()
            },
            heads={name: head.without_names() for name, head in self.heads.items()},
            train=self.train.replace(
                epochs=1,
                early_stopping=None,
                fine_tune=fine_tune and fine_tune.replace(epochs=1),
                frozen_features=frozen if frozen.keep == "off" else frozen.replace(keep="memory"),
            ),
        )

    def missing_files(self) -> Iterator[Problem]:
        """Yields a Problem for each missing file that training starts from, such as weights."""
        for name, spec in self.inputs.items():
            for problem in spec.encoder.missing_file_problems():
                yield Problem(("inputs", name, "encoder", *problem.path), problem.message)

    def missing_columns(self) -> Iterator[Problem]:
        """Yields a Problem for each named column that is missing from the source's table.

        Reads only the beginning of the table, and nothing if the file does not exist.

        Raises:
            DataError: the table does not have the format that the source describes.
        """
        source = self.source
        if not isinstance(source, Table) or not table_exists(source.path):
            return
        named = self.with_columns()
        known = columns_of(
            source.path, source, [*named.required_columns(), *source.split.columns()]
        )
        if known is None:
            return
        for field in ("column", "folds", "group"):
            column = getattr(source.split, field)
            if column is not None and column not in known:
                yield unknown_column(("source", "split", field), column, known)
        yield from missing_columns(named, known)

    def missing_prerequisites(self) -> Iterator[Problem]:
        """Yields a Problem for each file or column that training needs and that is missing."""
        yield from self.missing_files()
        yield from self.missing_columns()


def load_config(
    source: Path | str | Mapping[str, Any],
    overrides: Sequence[str] = (),
    *,
    extra_rules: Callable[[Config], Iterable[Problem]] | None = None,
) -> Config:
    """Loads and validates a config.

        config = load_config("configs/mnist_cnn.yaml", ["train.epochs=1"])

    Args:
        source: the path of a YAML file, or a mapping with the same keys.
        overrides: `KEY=VALUE` strings that are applied before validation.
        extra_rules: yields further problems of a valid config, such as those of `start_problems`.

    Raises:
        ConfigError: the config is invalid; the message lists every problem with its location.
    """
    if isinstance(source, Path | str):
        source = Path(source)
        _refuse_data_set(source)
    return load_spec(Config, source, overrides, extra_rules)


def with_table(
    config: Config | Mapping[str, Any] | Path | str,
    data: InMemoryTable,
    overrides: Sequence[str] = (),
) -> Config:
    """A config with a table in memory as its source, which is written to `runs/tables/`.

    Other fields of a table source stay, such as its split. Paths of files are relative to the
    working directory by default.

    Args:
        config: a config, or the mapping or YAML file of one, which need not have a source.
        data: the table.
        overrides: `KEY=VALUE` texts applied to a mapping or file.

    Raises:
        ConfigError: the config is invalid.
        DataError: the table cannot be read.
    """
    path = str(write_dataframe(data))
    if not isinstance(config, Config):
        given = config
        try:
            kept = ["source.type=table", f"source.path={json.dumps(path)}"]
            config = load_config(given, [*overrides, *kept])
        except ConfigError:  # The source is of another type, or there is none.
            fields = json.dumps({"type": "table", "path": path})
            config = load_config(given, [f"source={fields}", *overrides])
    source = config.source if isinstance(config.source, Table) else Table(path=path)
    source = source.replace(path=path, media_root=source.media_root or ".")
    return config.replace(source=source)


def _refuse_data_set(path: Path) -> None:
    """Raises a ConfigError if this is the name of a data set, given instead of a config."""
    name = str(path)
    if name not in (*NAMED, *COMBINED) or path.exists():
        return
    section = re.compile(rf"^source:.*(\n[ \t]+.*)*?\b(name|type): *{name}\b", re.MULTILINE)
    configs = sorted(Path("configs").glob("*.yaml"))
    using = [str(one) for one in configs if section.search(one.read_text(encoding="utf-8"))]
    more = f" and {len(using) - _NAMED_CONFIGS} more" if len(using) > _NAMED_CONFIGS else ""
    listed = f"configs that use it: {', '.join(using[:_NAMED_CONFIGS])}{more}"
    hint = f"write a config with `source: {{type: dataset, name: {name}}}`"
    raise ConfigError(f"{name}: a data set, not a config; {listed if using else hint}")
