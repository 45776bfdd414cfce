"""An experiment with one of its inputs alone, to hold the whole against."""

from __future__ import annotations

from mmzoo.config import Config, load_config
from mmzoo.errors import ConfigError
from mmzoo.sharing import with_its_encoder

_LONGEST_NAME = 64
_BEHIND = ("units", "activation", "dropout")
"""What fusions of features have behind the place where inputs are joined."""


def alone(config: Config, name: str) -> Config:
    """The experiment with one of its inputs, and everything else as it is.

    Of the fusion the dense layers stay that follow where inputs are joined. An encoder that
    another input lends is its own then. Examples without the input, where it may be absent, are
    left out: nothing could be said of them. Rows that are alike in this input are not, whatever
    is said of those that are alike in all.

    Args:
        config: with its columns named, as an input may read all that the others leave.
        name: the input's.

    Raises:
        ConfigError: the experiment cannot be without the other inputs.
    """
    # The only input is never taken away in training.
    spec = with_its_encoder(name, config.inputs).replace(modality_dropout=0.0)
    values = config.model_dump(mode="json")
    values["name"] = f"{config.name}_{name}"[:_LONGEST_NAME]
    values["inputs"] = {name: spec.model_dump(mode="json")}
    layers = {field: values["fusion"][field] for field in _BEHIND if field in values["fusion"]}
    values["fusion"] = {"type": "concat", **layers}
    if spec.may_be_absent and "on_bad_row" in values["source"]:
        values["source"]["on_bad_row"] = "skip"
    if "on_duplicate" in values["source"]:
        values["source"]["on_duplicate"] = "warn"
    fine_tune = config.train.fine_tune
    if fine_tune and spec.encoder.unfrozen(fine_tune.last_layers) == spec.encoder:
        # Nothing of it is frozen, so that there is no second stage: it has all epochs in the first.
        epochs = config.train.epochs + fine_tune.epochs
        values["train"] |= {"fine_tune": None, "epochs": epochs}
    return load_config(values)


def refuse_one_input(config: Config) -> None:
    """Raises a ConfigError where there is nothing to compare with."""
    if len(config.inputs) == 1:
        [name] = config.inputs
        raise ConfigError(
            f"inputs: --baselines trains each of several inputs alone, and there is one, {name}: "
            "leave --baselines out"
        )
