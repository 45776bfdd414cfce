"""Config: the whole YAML file as one tree, and the rules that span its parts."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from annotated_types import MinLen
from pydantic import StringConstraints, model_validator

from mmzoo.absence import (
    absence_notes,
    absent_rows,
    digest_of_absent,
    presence_columns,
    require_present,
    without_any,
)
from mmzoo.errors import DataError
from mmzoo.fusion import Concat, Fusion
from mmzoo.heads import BaseHead, Head
from mmzoo.inputs import Files, Input, Opened, are_files
from mmzoo.objectives import Objective, Supervised
from mmzoo.probes import ChosenProbe
from mmzoo.recipe import Train
from mmzoo.rules import experiment_rules
from mmzoo.sharing import as_the_other, shared_with, with_shared_fields
from mmzoo.sources import (
    BadRows,
    Data,
    OnBadRow,
    Source,
    Synthetic,
    other_rows,
    settled,
    with_column,
)
from mmzoo.spec import (
    Problem,
    Spec,
    load_spec,
)
from mmzoo.wanted import Wanted, column_of, together

if TYPE_CHECKING:
    import numpy as np

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_]*$", max_length=64)]
"""A name that serves as a folder, a layer and a column: letters, digits and underscores."""

_ABSENT = "(absent)"

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

    def wanted(self) -> dict[str, Wanted]:
        """What the experiment asks of the source, by column.

        Raises:
            ConfigError: two parts ask for different things of one column.
        """
        return together((*self._asked("inputs"), *self._asked("heads")))

    def _asked(self, family: Literal["inputs", "heads"]) -> Iterator[tuple[str, dict[str, Wanted]]]:
        parts: Mapping[str, Input | Head] = getattr(self, family)
        for name, part in parts.items():
            yield f"{family}.{name}", part.wanted()

    def load_data(self, tell: Callable[[str], None]) -> Data:
        """Reads the source and opens what the inputs have of it.

        Rows that cannot be used are refused or skipped, as the source says; what is in the files of
        the others becomes part of the fingerprint.

        Raises:
            DataError: the data cannot be had, or a part of it not be read.
        """
        data = self.source.load(self.wanted(), self.train.seed_of_splits, tell)
        data, bad = self.opened(data, self.source.on_bad_row, tell)
        data = settled(data, bad, self.source.on_bad_row)
        require_present(data, self.presence)
        return self._told_of_absent(data)

    def load_rows(
        self,
        path: str,
        split: str,
        tell: Callable[[str], None],
        *,
        labelled: bool,
        on_bad_row: OnBadRow = "error",
    ) -> Data:
        """All rows of another table or folder as one split, opened like those of the source.

        Args:
            path: a table; or a folder with one for each class.
            split: what to call the split.
            tell: receives sentences on what takes long.
            labelled: whether the heads' columns are read too.
            on_bad_row: what becomes of rows that cannot be used.

        Raises:
            DataError: there is nothing to be read, or a column is missing.
        """
        wanted = self.wanted() if labelled else together(self._asked("inputs"))
        data = other_rows(path, wanted, self.source, split)
        data, bad = self.opened(data, on_bad_row, tell)
        return self._told_of_absent(settled(data, bad, on_bad_row, "give `--on-bad-row skip`"))

    def opened(
        self, data: Data, on_bad_row: OnBadRow, tell: Callable[[str], None]
    ) -> tuple[Data, BadRows]:
        """A source's data, once the inputs have looked into it, and the rows they found bad.

        Args:
            data: of the source, for `wanted`.
            on_bad_row: with `skip`, every file is decoded too.
            tell: receives sentences on what takes long.
        """
        opened = {
            self.columns[name]: spec.opened(
                {split: spec.gathered(columns) for split, columns in data.splits.items()},
                bad=data.bad,
                decode=on_bad_row == "skip",
                tell=tell,
            )
            for name, spec in self.inputs.items()
        }
        there = {
            name: {
                split: spec.present(values)
                for split, values in opened[self.columns[name]].values.items()
            }
            for name, spec in self.inputs.items()
            if spec.may_be_absent
        }
        bad = _bad_rows(data, opened)
        if len(there) == len(self.inputs):
            bad = without_any(there, bad)
        columns = presence_columns(self.presence, there)
        return self._with_opened(data, opened, columns), bad

    def fitted(self, data: Data) -> tuple[Config, Preprocessing]:
        """The same config with everything written in that can be read off the data.

        Returns:
            The config; and what its inputs were fitted to beside that, as text files.

        Raises:
            DataError: the data does not fit the inputs or heads.
        """
        train = data.splits["train"]
        heads = {}
        for name, head in self.heads.items():
            column = self.columns[name]
            names, where = data.class_names.get(column), f"heads.{name}, {self._at(name, data)}"
            labels = train[column][head.labelled(train[column])]
            if not len(labels):
                raise DataError(f"{where}: no row to train on has a label")
            heads[name] = head.fit(labels, names, where)
        self._check(data, {**self.inputs, **heads})
        inputs: dict[str, Input] = {}
        preprocessing: dict[str, Files] = {}
        for name, spec in self.inputs.items():
            if shared_with(spec) is not None:
                continue
            values = train[self.columns[name]]
            if name in self.presence:
                values = values[train[self.presence[name]]]
            inputs[name], preprocessing[name] = spec.fit(
                values, f"inputs.{name}, {self._at(name, data)}"
            )
        for name, spec in self.inputs.items():
            if (other := shared_with(spec)) is not None:
                inputs[name] = as_the_other(spec, inputs[other])
                preprocessing[name] = preprocessing[other]
        inputs = {name: inputs[name] for name in self.inputs}
        return self.replace(inputs=inputs, heads=heads), preprocessing

    def prepared(
        self, data: Data, preprocessing: Preprocessing, tell: Callable[[str], None]
    ) -> Data:
        """The data as batches are made of it: texts as numbers of words, numbers normalised.

        Args:
            data: of `load_data`.
            preprocessing: what the inputs were fitted to.
            tell: receives sentences on how well the data fits that.

        Raises:
            DataError: values do not fit an input or a head.
        """
        self._check(data, {**self.inputs, **self.heads})
        return replace(
            data,
            splits={
                split: columns
                | {
                    self.columns[name]: spec.prepared(
                        columns[self.columns[name]],
                        preprocessing.get(name, {}),
                        f"inputs.{name}, {self._at(name, data)}, {split}",
                        tell,
                    )
                    for name, spec in self.inputs.items()
                }
                for split, columns in data.splits.items()
            },
        )

    def lacking(self, name: str, columns: Mapping[str, np.ndarray]) -> list[bool]:
        """Whether each row of a split's columns lacks an input."""
        if name not in self.presence:
            return [False] * len(columns[self.columns[name]])
        return (~columns[self.presence[name]]).tolist()

    def written(
        self, name: str, columns: Mapping[str, np.ndarray], preprocessing: Preprocessing
    ) -> list[str]:
        """The rows of prepared columns as text, of an input that is `worded`."""
        spec = self.inputs[name]
        texts = spec.written(columns[self.columns[name]], preprocessing.get(name, {}))
        absent = self.lacking(name, columns)
        return [_ABSENT if one else text for one, text in zip(absent, texts, strict=True)]

    def _check(self, data: Data, parts: Mapping[str, Input | Head]) -> None:
        for split, columns in data.splits.items():
            for name, part in parts.items():
                if self.columns[name] not in columns:  # Rows to predict from have no labels.
                    continue
                values = columns[self.columns[name]]
                if isinstance(part, BaseHead):
                    values = values[part.labelled(values)]
                part.check(values, f"{name}, {self._at(name, data)}, {split}")

    def _at(self, name: str, data: Data) -> str:
        """Where in the data the values of an input or head come from, for errors."""
        part = self.inputs.get(name)
        columns = part.source_columns() if part else (self.columns[name],)
        if len(columns) > 1:
            return f"columns '{columns[0]}' to '{columns[-1]}' of {data.name}"
        return f"column '{columns[0]}' of {data.name}"

    def _told_of_absent(self, data: Data) -> Data:
        notes = absence_notes(data, absent_rows(data, self.presence))
        return replace(data, notes=(*data.notes, *notes))

    def _with_opened(
        self,
        data: Data,
        opened: Mapping[str, Opened],
        presence: Mapping[str, Mapping[str, np.ndarray]],
    ) -> Data:
        """The data with opened columns and those that say which inputs are there.

        What is in their files, and what is absent, becomes part of the fingerprint.
        """
        content = {column: one.content for column, one in opened.items() if one.content is not None}
        content |= digest_of_absent(presence)
        told = json.dumps([data.fingerprint, content], sort_keys=True)
        labels = {head.column for head in self.heads.values()}
        notes = (
            f"{name}: {note}" for name in self.inputs for note in opened[self.columns[name]].notes
        )
        return replace(
            data,
            splits={
                split: {column: columns[column] for column in columns if column in labels}
                | {column: one.values[split] for column, one in opened.items()}
                | {column: there[split] for column, there in presence.items()}
                for split, columns in data.splits.items()
            },
            fingerprint=hashlib.sha256(told.encode()).hexdigest() if content else data.fingerprint,
            notes=(*data.notes, *notes),
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
        begins: whether a training is to begin with it, for which weights files must be there.

    Raises:
        ConfigError: lists everything that is wrong, with its place.
    """
    return load_spec(
        Config,
        Path(source) if isinstance(source, str) else source,
        overrides,
        Config.absent_files if begins else None,
    )


def _bad_rows(data: Data, opened: Mapping[str, Opened]) -> dict[str, dict[int, str]]:
    bad: dict[str, dict[int, str]] = {}
    for column, one in opened.items():
        for split, rows in one.bad.items():
            if are_files(one.values[split]):
                rows = with_column(data, column, one.values[split], rows)
            bad.setdefault(split, {}).update(rows)
    return bad
