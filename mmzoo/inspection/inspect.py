"""Inspects all that a training would meet, and goes on after what would stop it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from mmzoo.absence import absent_rows, require_present
from mmzoo.errors import ConfigError, DataError, TrainingError
from mmzoo.examples import fit_config, open_data, prepare
from mmzoo.inspection.found import Found
from mmzoo.inspection.repeats import find_repeats
from mmzoo.inspection.rows import count_classes, count_missing, measure_lengths
from mmzoo.run_log import shown_by
from mmzoo.sources import settled
from mmzoo.unlabelled import unlabelled_notes

if TYPE_CHECKING:
    from mmzoo.config import Config
    from mmzoo.sources import Data


def inspect(config: Config) -> tuple[Config, Found]:
    """Reads all data of a config, decodes every file, builds the network and takes a few steps.

    Args:
        config: with columns.

    Returns:
        The config, fitted if it could be, and what was found.

    Raises:
        DataError: the source has nothing that could be looked at.
    """
    found = Found()
    raw = config.source.load(config.wanted(), config.train.seed_of_splits)
    found.data = raw.name
    count_missing(raw, found)
    data = _settled(config, raw, found)
    found.examples = {split: data.examples(split) for split in data.splits}
    found.notes += data.notes
    found.absent = absent_rows(data, config.presence)
    found.warnings += unlabelled_notes(config.heads, config.columns, data)
    count_classes(config, data, found)
    find_repeats(config, data, found)
    try:
        require_present(data, config.presence)
        fitted, preprocessing = fit_config(config, data)
        measure_lengths(fitted, data, found)
        with shown_by(found.notes.append):
            prepared = prepare(fitted, data, preprocessing)
    except DataError as error:
        found.errors.append(str(error))
        return config, found
    _look_at_network(fitted, prepared, found)
    return fitted, found


def _settled(config: Config, raw: Data, found: Found) -> Data:
    """The opened data without bad rows, all of which are found, by decoding every file."""
    data, bad = open_data(config, raw, "skip")
    rest = settled(data, bad, "skip")
    stops = config.source.on_bad_row == "error"
    rows = found.errors if stops else found.warnings
    rows += [f"{row.split}: {row.file}: {row.reason}" for row in rest.skipped]
    return replace(rest, notes=data.notes)


def _look_at_network(config: Config, data: Data, found: Found) -> None:
    from mmzoo.devices import memory_errors
    from mmzoo.inspection.cost import cost_of
    from mmzoo.inspection.network import walk

    try:
        with memory_errors():
            walk(config, found)
            if found.network:
                found.cost = cost_of(config, data)
    except (ConfigError, DataError, TrainingError) as error:
        found.errors.append(str(error))
