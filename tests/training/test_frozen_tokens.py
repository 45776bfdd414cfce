"""Features of an input whose tokens the fusion reads are not cached."""

from __future__ import annotations

import numpy as np
import pytest
from trainings import FROZEN_IMAGE

from mmzoo.batches import evaluation_batches
from mmzoo.config import Config, load_config
from mmzoo.devices import prepare_devices
from mmzoo.model import Network, build_network
from mmzoo.preprocessing import fit_config, load_frame, transform
from mmzoo.run_log import shown_by
from mmzoo.training.frozen_features import TrainingInputs, cache_frozen_features

MODULATED = {"type": "film", "modulated": "right", "dim": 4, "blocks": 1}
CROSS = {"type": "cross_attention", "dim": 4, "num_heads": 1, "blocks": 1}


def training_inputs(
    fusion, names=("left", "right")
) -> tuple[Network, Config, TrainingInputs, TrainingInputs, list[str]]:
    """A network, what would be trained without and with cached features, and the notes."""
    config = load_config(
        {
            "name": "tokens",
            "source": {"type": "synthetic", "rows": 24},
            "inputs": {name: {**FROZEN_IMAGE, "missing": "learned"} for name in names},
            "fusion": fusion,
            "heads": {"kind": {"type": "classification", "classes": 3}},
            "train": {"batch_size": 8, "frozen_features": {"keep": "memory"}},
        }
    ).with_columns()
    data = load_frame(config)
    config, preprocessing = fit_config(config, data)
    data = transform(config, data, preprocessing)
    network = build_network(config)
    notes: list[str] = []
    with shown_by(notes.append):
        kept = cache_frozen_features(network, config, data, prepare_devices("cpu", config.train))
    return network, config, TrainingInputs(network.model, data), kept, notes


@pytest.fixture(scope="module")
def modulated():
    return training_inputs(MODULATED)


def recomputed_note(name: str, fusion: str) -> str:
    return (
        f"{name}: the frozen squeezenet runs in every epoch, since the fusion {fusion} reads "
        "its tokens, and only vectors are cached."
    )


def test_film_uses_tokens_of_the_modulated_input_only(modulated):
    *_, kept, notes = modulated
    assert [line for line in notes if "runs in every epoch" in line] == [
        recomputed_note("right", "film")
    ]
    assert sum(line.startswith("left: computed the features of") for line in notes) == 3
    assert len(kept.model.input["left"].shape) == 2
    assert kept.model.input["right"].shape == (None, 32, 32, 3)


def test_the_rest_of_the_model_gives_equal_outputs(modulated):
    _, config, complete, kept, _ = modulated
    [(inputs,)] = list(evaluation_batches(config, complete.data.splits["test"], labelled=False))
    [(vectors,)] = list(evaluation_batches(config, kept.data.splits["test"], labelled=False))
    expected = complete.model(inputs, training=False)["kind"]
    np.testing.assert_allclose(kept.model(vectors, training=False)["kind"], expected, atol=1e-5)


def test_placeholder_tokens_of_missing_inputs_exist_only_if_used(modulated):
    network, *_ = modulated
    weights = {
        name: network.model.get_layer(f"{name}_missing").weights for name in network.features
    }
    assert {name: len(of) for name, of in weights.items()} == {"left": 1, "right": 2}


def test_cross_attention_uses_tokens_of_all_inputs():
    *_, complete, kept, notes = training_inputs(CROSS)
    assert notes == [
        recomputed_note("left", "cross_attention"),
        recomputed_note("right", "cross_attention"),
    ]
    assert kept.model is complete.model


def test_a_single_input_needs_no_tokens():
    *_, notes = training_inputs(CROSS, names=("left",))
    assert all(line.startswith("left: computed the features of") for line in notes)
