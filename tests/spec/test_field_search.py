"""Unknown fields that belong elsewhere: the message names the place, over all paths of a config."""

from __future__ import annotations

import pytest

from mmzoo.config import load_config
from mmzoo.errors import ConfigError

CONFIG = {
    "name": "x",
    "source": {"type": "dataset", "name": "digits"},
    "inputs": {
        "photo": {
            "type": "image",
            "shape": [8, 8, 1],
            "encoder": {"type": "cnn", "filters": [4]},
            "augment": [{"type": "rotation"}],
        },
        "title": {"type": "text", "encoder": {"type": "embedding"}},
    },
    "heads": {"digit": {"type": "classification"}},
}


def error_message(*overrides: str, **fields: object) -> str:
    with pytest.raises(ConfigError) as caught:
        load_config({**CONFIG, **fields}, overrides)
    return str(caught.value)


@pytest.mark.parametrize(
    ("key", "meant"),
    [
        # The field itself, elsewhere.
        ("epochs", "'train.epochs'"),
        ("Batch-Size", "'train.batch_size'"),
        ("optimizer", "'train.optimizer'"),
        ("train.learning_rate", "'train.optimizer.learning_rate'"),
        ("train.patience", "'train.early_stopping.patience'"),
        ("weight_decay", "'train.optimizer.weight_decay'"),
        ("inputs.photo.filters", "'inputs.photo.encoder.filters'"),
        ("photo.shape", "'inputs.photo.shape'"),
        ("inputs.title.degrees", "'inputs.photo.augment.0.degrees'"),
        ("classes", "'heads.digit.classes'"),
        ("momentum", "'train.optimizer.momentum' (of type sgd or rmsprop)"),
        (
            "dropout",
            "'inputs.photo.encoder.dropout', 'inputs.title.encoder.dropout' or 'fusion.dropout'",
        ),
        # Other words for it.
        ("lr", "'train.optimizer.learning_rate'"),
        ("train.lr", "'train.optimizer.learning_rate'"),
        ("train.optimizer.lr", "'train.optimizer.learning_rate'"),
        ("optimizer.lr", "'train.optimizer.learning_rate'"),
        ("train.adam.lr", "'train.optimizer.learning_rate'"),
        ("fine_tune.lr", "'train.fine_tune.learning_rate'"),
        ("training.epochs", "'train.epochs'"),
        ("n_epochs", "'train.epochs'"),
        ("train.steps", "'train.epochs'"),
        ("heads.digit.num_classes", "'heads.digit.classes'"),
        ("vocab_size", "'inputs.title.vocabulary_size'"),
        ("random_state", "'train.seed'"),
        ("val_split", "'source.validation'"),
        ("scheduler.warmup_steps", "'train.optimizer.schedule.warmup'"),
        # A slip.
        ("train.optimizer.lerning_rate", "'learning_rate'"),
        ("lerning_rate", "'train.optimizer.learning_rate'"),
    ],
)
def test_unknown_field_has_its_place_elsewhere(key: str, meant: str) -> None:
    message = error_message(f"{key}=3")
    assert "\n" not in message
    assert f"unknown field; did you mean {meant}?" in message


def test_unknown_field_of_a_file_has_its_place_elsewhere() -> None:
    assert error_message(train={"lr": 0.1, "n_epochs": 3}).splitlines() == [
        "train.lr: unknown field; did you mean 'train.optimizer.learning_rate'?",
        "train.n_epochs: unknown field; did you mean 'train.epochs'?",
    ]
    assert error_message(optimizer={"type": "sgd", "learning_rate": 0.1}) == (
        "optimizer: unknown field; did you mean 'train.optimizer'?"
    )


def test_the_name_of_a_type_and_of_an_option() -> None:
    assert error_message("sgd=1").endswith(
        "sgd: unknown field; write `train.optimizer: {type: sgd}`"
    )
    assert error_message("train.device=gpu").endswith(
        "train.device: unknown field; it is an option of the command: --device gpu"
    )
    assert (
        "train.optimizer: expected a mapping, got text 'Adam'; write {type: adam}"
        in error_message("train.optimizer=Adam")
    )


def test_the_fields_are_listed_where_nothing_is_similar() -> None:
    assert error_message("zzz=1") == (
        "--set zzz=1: zzz: unknown field. Fields here: name, source, inputs, fusion, heads, share, "
        "objective, probes, train"
    )


def test_the_nearest_of_many_types_are_listed() -> None:
    message = error_message("inputs.photo.encoder.type=resnte")
    assert message.startswith(
        "--set inputs.photo.encoder.type=resnte: inputs.photo.encoder.type: unknown type 'resnte'; "
        "did you mean 'resnet'? The nearest of "
    )
    assert message.endswith("; `mmzoo list encoders` lists all")
    assert message.count("resnet") > 3
    assert len(message) < 300


def test_field_of_a_nested_section_is_found() -> None:
    source = {"type": "table", "path": "a.csv"}
    message = error_message("source.validation=0.2", source=source)
    assert "source.validation: unknown field; did you mean 'source.split.validation'?" in message
