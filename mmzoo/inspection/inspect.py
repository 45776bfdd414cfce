"""`mmzoo check --data`: everything that a training would meet, past the first error; and the output
shape and number of weights of each part of the model."""

from __future__ import annotations

from dataclasses import replace

from mmzoo.config import Config
from mmzoo.data.bad_rows import apply_on_bad_row
from mmzoo.data.frame import Frame
from mmzoo.devices import memory_errors
from mmzoo.errors import ConfigError, DataError, TrainingError
from mmzoo.inspection.cost import estimate_cost
from mmzoo.inspection.data_report import (
    DataReport,
    ShapeTrace,
    count_classes,
    count_missing,
    find_duplicates,
    measure_lengths,
)
from mmzoo.lazy import keras, np
from mmzoo.missing_values import missing_counts, missing_label_notes, require_present
from mmzoo.modalities import Input
from mmzoo.model import Network, build_network
from mmzoo.model_graph import encoders_of
from mmzoo.preprocessing import Arrays, fit_config, resolve_duplicates, scan, transform
from mmzoo.reused_encoders import reused_preprocessing
from mmzoo.run_log import shown_by
from mmzoo.shared_encoders import encoder_owner
from mmzoo.spec.wording import escape

_LONGEST_REASON = 300
"""Characters of an error of Keras that are shown."""


def inspect(config: Config) -> tuple[Config, DataReport]:
    """Reads all data of a config, decodes every file, builds the model and takes a few steps.

    Args:
        config: With columns.

    Returns:
        The config, fitted if it could be, and the report.

    Raises:
        DataError: The source cannot be read at all.
    """
    report = DataReport()
    raw = config.source.read(config.required_columns(), config.train.effective_split_seed)
    report.data = raw.name
    count_missing(config, raw, report)
    frame = _without_bad_rows(config, raw, report)
    report.examples = {split: frame.examples(split) for split in frame.splits}
    report.notes += frame.notes
    report.absent = missing_counts(frame, config.presence)
    report.warnings += missing_label_notes(config.labelled_heads, config.columns, frame)
    count_classes(config, frame, report)
    find_duplicates(config, frame, report)
    report.warnings += frame.warnings
    try:
        require_present(frame, config.presence)
        fitted, preprocessing = fit_config(config, frame, reused_preprocessing(config))
        measure_lengths(fitted, frame, report)
        with shown_by(report.notes.append):
            arrays = transform(fitted, frame, preprocessing)
    except DataError as error:
        report.errors.append(str(error))
        return config, report
    _inspect_model(fitted, arrays, report)
    return fitted, report


def _without_bad_rows(config: Config, raw: Frame, report: DataReport) -> Frame:
    """The scanned frame without bad rows, which are all reported; every file is decoded."""
    frame = scan(config, raw).assign_again()
    rest = apply_on_bad_row(frame, "skip")
    stops = config.source.on_bad_row == "error"
    rows = report.errors if stops else report.warnings
    rows += [f"{row.split}: {row.file}: {row.reason}" for row in rest.skipped]
    rest = replace(rest, notes=frame.notes)
    try:
        return resolve_duplicates(config, rest)
    except DataError as error:
        report.errors.append(str(error))
        return rest


def _inspect_model(config: Config, data: Arrays, report: DataReport) -> None:
    try:
        with memory_errors():
            trace_shapes(config, report)
            if report.network:
                report.cost = estimate_cost(config, data)
    except (ConfigError, DataError, TrainingError) as error:
        report.errors.append(str(error))


def trace_shapes(config: Config, report: DataReport) -> None:
    """Builds the model of a fitted config and adds its shapes to the report.

    An encoder or fusion that cannot be built is added as an error, and there is no trace.
    """
    problems = {
        name: _encoder_problem(name, spec)
        for name, spec in config.inputs.items()
        if encoder_owner(spec) is None
    }
    report.errors += [f"inputs.{name}.encoder: {why}" for name, why in problems.items() if why]
    if any(problems.values()):
        return
    try:
        network = build_network(config)
    except ConfigError:
        raise
    except Exception as error:  # Keras and TensorFlow raise of all kinds.
        report.errors.append(f"fusion: {_reason(error)}")
        return
    model = network.model
    report.network += _trace(config, network)
    report.parameters = model.count_params()
    report.trainable = sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)


def _encoder_problem(name: str, spec: Input) -> str | None:
    try:
        spec.features(spec.placeholder(name))
    except Exception as error:
        return _reason(error)
    return None


def _reason(error: Exception) -> str:
    """The message of a Keras error without the pages on arguments that follow."""
    words = escape(" ".join(str(error).split("\n\n")[0].split()))
    return f"it cannot be built: {words[:_LONGEST_REASON]}"


def _trace(config: Config, network: Network) -> list[ShapeTrace]:
    steps = []
    for name, spec in config.inputs.items():
        placeholder = network.model.input[name]
        steps.append(ShapeTrace(name, f"{spec.type} input", _shape(placeholder), 0))
        features = network.features[name]
        output = _shape(features.vector)
        if features.tokens is not None:
            output += f", tokens {_shape(features.tokens)}"
        other = encoder_owner(spec)
        for encoder in encoders_of(network.model, name):
            kind = spec.encoder.type if other is None else f"shared with {other}"
            parameters = int(encoder.count_params()) if other is None else 0
            steps.append(ShapeTrace(encoder.name, kind, output, parameters))
    encoders = {step.name for step in steps}
    for layer in network.model.layers:
        if layer.name in encoders or isinstance(layer, keras.layers.InputLayer):
            continue
        kind = type(layer).__name__
        if layer.name in config.heads:
            kind = f"{config.heads[layer.name].type} head"
        # Features with tokens are lists that start with the vector.
        output = layer.output[0] if isinstance(layer.output, list) else layer.output
        steps.append(ShapeTrace(layer.name, kind, _shape(output), int(layer.count_params())))
    return steps


def _shape(tensor: keras.KerasTensor) -> str:
    """The shape of one example, with `?` for sizes that differ between batches."""
    return " x ".join("?" if size is None else str(size) for size in tensor.shape[1:]) or "1"
