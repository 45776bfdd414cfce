"""The config of a baseline: the experiment with one of its inputs alone."""

from __future__ import annotations

from mmzoo.config import Config, load_config
from mmzoo.errors import ConfigError
from mmzoo.shared_encoders import resolve_encoder

_LONGEST_NAME = 64
_AFTER_FUSION = ("units", "activation", "dropout")
"""Fields of feature-level fusions for the dense layers after the inputs are joined."""


def unimodal_config(config: Config, name: str) -> Config:
    """The experiment with one of its inputs, everything else unchanged.

    The dense layers after the fusion stay. An encoder shared by another input becomes the input's
    own. Where the input may be missing, examples without it are skipped. Rows that are duplicates
    in this input alone are kept, whatever `on_duplicate` says of duplicates in all inputs.

    Args:
        config: with its columns named, since an input may use all columns that the others do not.
        name: the input's.

    Raises:
        ConfigError: the experiment is not valid without the other inputs.
    """
    # The only input is never dropped in training.
    spec = resolve_encoder(name, config.inputs).replace(modality_dropout=0.0)
    values = config.model_dump(mode="json")
    values["name"] = f"{config.name}_{name}"[:_LONGEST_NAME]
    values["inputs"] = {name: spec.model_dump(mode="json")}
    # Only heads with labels are compared; others may need the inputs that are left out, and without
    # them there is nothing to decode.
    values["inputs"][name].pop("decoder", None)
    values["heads"] = {head: values["heads"][head] for head in config.labelled_heads}
    fusion = values["fusion"]
    layers = {field: fusion[field] for field in _AFTER_FUSION if field in fusion}
    values["fusion"] = {"type": "concat", **layers}
    if spec.is_optional and "on_bad_row" in values["source"]:
        values["source"]["on_bad_row"] = "skip"
    if "on_duplicate" in values["source"]:
        values["source"]["on_duplicate"] = "warn"
    fine_tune = config.train.fine_tune
    if fine_tune and spec.encoder.unfrozen(fine_tune.last_layers) is spec.encoder:
        # Nothing is frozen, so there is no second stage: all epochs are in the first.
        epochs = config.train.epochs + fine_tune.epochs
        values["train"] |= {"fine_tune": None, "epochs": epochs}
    return load_config(values)


def require_multimodal(config: Config) -> None:
    """Raises a ConfigError for a single input, which has nothing to be compared with."""
    if len(config.inputs) == 1:
        [name] = config.inputs
        raise ConfigError(
            f"inputs: --baselines trains each of several inputs alone, and there is only one, "
            f"{name}: leave --baselines out"
        )
    if not config.labelled_heads:
        raise ConfigError("heads: --baselines compares heads with labels, and there is none")
