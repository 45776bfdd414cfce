"""The source `tfds`: a data set of TensorFlow Datasets."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Literal

from annotated_types import Gt, Lt, MinLen
from pydantic import AfterValidator

from mmzoo.column_spec import ColumnSpec
from mmzoo.data.frame import ROW, SPLIT, Frame, Issues, OnBadRow, Splits, issues_table, table_of
from mmzoo.data.media_paths import problems
from mmzoo.data.split_assignment import Assignment, SplitInfo, assign_splits
from mmzoo.data.splits import SPLITS
from mmzoo.data.tfds_builder import load_builder, set_name, split_name
from mmzoo.data.tfds_columns import check_features, class_columns, read_columns
from mmzoo.directories import cache_directory
from mmzoo.errors import DataError
from mmzoo.lazy import np, pl
from mmzoo.spec import Problem, Spec, did_you_mean
from mmzoo.spec.wording import list_choices

if TYPE_CHECKING:
    from tensorflow_datasets.core import DatasetBuilder


Split = Annotated[str, AfterValidator(split_name)]


class Tfds(Spec):
    """A data set of TensorFlow Datasets; needs `pip install 'mmzoo[tfds]'`.

    A prepared data set is read from its folder, without running its code; others are downloaded
    and prepared first. The columns are the data set's images and labels, usually `image` and
    `label`; other features are not read. Images of one size are held in memory up to 1 GB. Others
    are unpacked once into mmzoo's cache, without re-encoding, and read as files.
    """

    type: Literal["tfds"] = "tfds"
    name: Annotated[str, AfterValidator(set_name)]
    """The data set: `beans`; with a version, `beans:0.1.0`; or with a configuration,
    `cifar10_corrupted/fog_1`."""
    data_dir: Annotated[str, MinLen(1)] | None = None
    """The folder of prepared data sets, relative to the working directory; by default
    `TFDS_DATA_DIR`, or else `~/tensorflow_datasets`."""
    train_split: Split = "train"
    """The data set's split to train on."""
    validation_split: Split | None = "validation"
    """The data set's validation split. If it is null, or the default does not exist, the split is
    sampled from the training split."""
    test_split: Split | None = "test"
    """The data set's test split. If it is null, or the default does not exist, the split is sampled
    from the training split."""
    on_bad_row: OnBadRow = "error"
    """What to do about images that cannot be read: stop with an error, or skip them and list them
    in the run."""
    validation: Annotated[float, Gt(0), Lt(1)] = 0.1
    """Share of the training examples that is held out for validation, stratified by the first
    column of labels, if there is no validation split."""
    test: Annotated[float, Gt(0), Lt(1)] = 0.2
    """Share of the training examples that is held out for testing, before those for validation, if
    there is no test split."""

    def rules(self) -> Iterator[Problem]:
        used: dict[str | None, str] = {}
        for field in ("train_split", "validation_split", "test_split"):
            split = getattr(self, field)
            if split is not None and split in used:
                yield Problem((field,), f"expected another split than {used[split]}, or null")
            used[split] = field

    def columns(self) -> dict[str, Literal["input", "target"]] | None:
        """None: the columns are not known before the data set is prepared."""
        return None

    def read(self, specs: Mapping[str, ColumnSpec], seed: int) -> Frame:
        """Finds or prepares the data set, reads it and samples missing splits.

        Args:
            specs: Its keys are the columns to read.
            seed: Decides which examples are held out for validation.

        Returns:
            A frame with images as uint8 `[examples, height, width, channels]` or absolute paths,
            and labels as int64 `[examples]`.

        Raises:
            DataError: tensorflow-datasets is not installed, the data set cannot be prepared, is
                damaged, has no such column or no labels, or a class has too few examples.
        """
        builder = load_builder(self.name, self.data_dir)
        name = builder.info.full_name
        check_features(builder, specs)
        classes = class_columns(builder)
        official = self._official_splits(builder)
        by = next(iter(classes), None)
        if by is None and len(official) < 3:
            raise DataError(
                f"data set {name} has no labels to stratify sampled splits by: set "
                "`source.validation_split` and `source.test_split` to splits that it has: "
                f"{', '.join(builder.info.splits)}."
            )
        unpacked = cache_directory() / "tfds"
        columns = dict.fromkeys([*specs, *([by] if by else [])])
        splits = read_columns(builder, official, columns, unpacked)
        assigned: Assignment | None = None
        sizes = [len(next(iter(of.values()))) for of in splits.values()]
        given = np.repeat([SPLITS.index(split) for split in splits], sizes)
        if by:
            _require_labels(name, official, splits, classes)
            shares = {"validation": self.validation, "test": self.test}
            labels = np.concatenate([of[by] for of in splits.values()])
            info = SplitInfo(given, classes=labels, class_names=classes[by], by=by)
            assigned = assign_splits(name, info, shares, seed)
            given = assigned.splits
        names = _row_names(splits)
        table = table_of(
            {split: {column: of[column] for column in specs} for split, of in splits.items()}
        )
        split_names = pl.Series(SPLIT, given).replace_strict([0, 1, 2], list(SPLITS))
        table = table.with_columns(split_names)
        if names is not None:
            table = table.with_columns(pl.Series(ROW, names))
        frame = Frame(
            table,
            name=name,
            fingerprint="",
            issues=issues_table(_problems(table, str(unpacked))),
            class_names={column: classes[column] for column in specs if column in classes},
            notes=assigned.notes if assigned else (),
            assignment=assigned,
        )
        sampled = assigned.sampled if assigned else {}
        return replace(frame, fingerprint=_fingerprint(builder, official, frame, sampled))

    def _official_splits(self, builder: DatasetBuilder) -> dict[str, str]:
        """Our split -> the data set's split, without those to be sampled."""
        existing = [split for split, info in builder.info.splits.items() if info.num_examples]
        found = {}
        for split in ("train", "validation", "test"):
            field = f"{split}_split"
            name = getattr(self, field)
            if name in existing:
                found[split] = name
            elif split == "train" or name not in (None, type(self).model_fields[field].default):
                raise DataError(
                    f"source.{field}: data set {builder.info.full_name} has no split "
                    f"'{name}'{did_you_mean(name, existing) or '.'} {list_choices(existing)}."
                )
        return found


def _require_labels(
    name: str,
    official: Mapping[str, str],
    splits: Splits,
    classes: Mapping[str, tuple[str, ...]],
) -> None:
    """Checks that all examples have labels, which the test splits of some data sets lack."""
    for split, columns in splits.items():
        for column in columns.keys() & classes.keys():
            unlabelled = int((columns[column] < 0).sum())
            if unlabelled:
                hint = (
                    "Prepare a configuration that has labels."
                    if split == "train"
                    else f"Set `source.{split}_split` to another split, or to null to sample it "
                    "from the training split."
                )
                raise DataError(
                    f"data set {name}: {unlabelled:,} of {len(columns[column]):,} examples of its "
                    f"{official[split]} split have no `{column}`. {hint}"
                )


def _row_names(splits: Splits) -> list[str] | None:
    """The names of rows, if a column has files: the last folder and the file name; else None."""
    for column, values in next(iter(splits.values())).items():
        if values.dtype.kind == "U":
            paths = [path for of in splits.values() for path in of[column].tolist()]
            return ["/".join(path.split(os.sep)[-2:]) for path in paths]
    return None


def _problems(table: pl.DataFrame, root: str) -> Issues:
    """The rows whose files must not be opened."""
    return {
        row: (column, reason)
        for column, kind in table.schema.items()
        if kind == pl.String and column not in (ROW, SPLIT)
        for row, reason in problems(table[column].to_list(), root).items()
    }


def _fingerprint(
    builder: DatasetBuilder,
    official: Mapping[str, str],
    frame: Frame,
    cuts: Mapping[str, tuple[float, int]],
) -> str:
    """sha256 of the arrays and splits; the code that reads the files adds their content."""
    content = {
        "set": builder.info.full_name,
        "splits": {
            split: [
                name,
                builder.info.splits[name].num_examples,
                builder.info.splits[name].num_bytes,
            ]
            for split, name in official.items()
        },
        "cuts": cuts,
        "content": {
            f"{split}/{column}": hashlib.sha256(
                frame.table[column].gather(rows).to_numpy().data
            ).hexdigest()
            for split, rows in frame.rows.items()
            for column, kind in frame.table.schema.items()
            if kind != pl.String
        },
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
