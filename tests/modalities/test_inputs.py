"""Contract of all inputs: from columns into the model."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from frames import frame_of
from pydantic import TypeAdapter

from mmzoo.batches import evaluation_batches
from mmzoo.config import load_config
from mmzoo.data.frame import SPLIT, scanned_column
from mmzoo.errors import DataError
from mmzoo.lazy import keras, tf
from mmzoo.modalities import Input
from mmzoo.modalities.abilities import HasImage, HasText
from mmzoo.modalities.base_input import BaseInput
from mmzoo.model import build_model
from mmzoo.preprocessing import fit_config, load_frame, transform
from mmzoo.spec import field_notes
from mmzoo.spec.expected_types import ExpectedType

TYPES = list(ExpectedType.from_annotation(Input).family)
FIELDS = {
    "audio": {"rate": 8_000, "seconds": 0.5, "encoder": {"type": "cnn", "filters": [4]}},
    "image": {"shape": [8, 8, 1], "encoder": {"type": "cnn", "filters": [4]}},
    "tabular": {
        "columns": {"size": "number", "colour": "category"},
        "encoder": {"type": "mlp", "units": [4]},
    },
    "text": {"length": 30, "encoder": {"type": "embedding", "dim": 4}},
}
"""Fields per input type; a new one adds its own."""


class Road:
    """One fitted input of synthetic data."""

    def __init__(self, kind: str):
        self.config = load_config(
            {
                "name": kind,
                "source": {"type": "synthetic", "rows": 60},
                "inputs": {"given": {"type": kind, **FIELDS[kind]}},
                "heads": {"answer": {"type": "binary"}},
            }
        ).with_columns()
        self.data = load_frame(self.config)
        self.column = self.config.columns["given"]
        self.fitted_config, self.preprocessing = fit_config(self.config, self.data)
        self.unfitted: BaseInput = self.config.inputs["given"]
        self.spec: BaseInput = self.fitted_config.inputs["given"]
        self.files = self.preprocessing["given"]

    def values(self, split: str = "train") -> pl.Series:
        return self.data.values(scanned_column("given"), split)

    def prepared(self, values: pl.Series) -> np.ndarray:
        return self.spec.transform(values, self.files, "here")

    def model_takes(self, prepared: np.ndarray) -> np.ndarray:
        return self.spec.load(tf.constant(prepared)).numpy()


@pytest.fixture(scope="module", params=TYPES)
def road(request) -> Road:
    return Road(request.param)


def test_importing_inputs_does_not_import_numpy():
    heavy = ("tensorflow", "keras", "numpy", "polars", "PIL", "sklearn")
    code = f"import sys, mmzoo.modalities; print([name for name in {heavy} if name in sys.modules])"
    command = [sys.executable, "-c", code]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "[]\n"


def test_every_field_has_a_note(road):
    spec = type(road.spec)
    assert spec.model_fields.keys() - field_notes(spec).keys() <= {"type"}


def test_inputs_state_their_columns(road):
    required = road.spec.required_columns()
    assert set(required) == set(road.spec.source_columns())
    for one in required.values():
        first, again = (one.synthetic(np.random.RandomState(1), 7) for _ in range(2))
        assert len(first) == 7
        assert np.array_equal(first, again)


def test_refitting_gives_the_same_state(road):
    values = road.values()
    assert road.unfitted.fit(values, "here") == (road.spec, road.files)
    assert road.spec.fit(values, "here") == (road.spec, road.files)


def test_fitted_state_round_trips(road):
    written = json.loads(json.dumps(road.spec.model_dump(mode="json")))
    assert TypeAdapter(Input).validate_python(written, strict=False) == road.spec
    for file, text in road.files.items():
        assert "/" not in file
        assert text.encode().decode() == text


def test_only_the_training_split_is_fitted_to(road):
    """Another validation split does not change the fitted state."""
    assigned = road.data.table[SPLIT].replace({"test": "validation", "validation": "test"})
    other = replace(road.data, table=road.data.table.with_columns(assigned))
    config, preprocessing = fit_config(road.config, other)
    assert (config, preprocessing) == (road.fitted_config, road.preprocessing)


def test_rows_are_transformed_independently(road):
    values = road.values("test")
    together = road.model_takes(road.prepared(values))
    assert len(together) == len(values)
    for row in range(len(values)):
        single = road.model_takes(road.prepared(values[row : row + 1]))[0]
        np.testing.assert_array_equal(together[row][: len(single)], single)
        assert not np.any(together[row][len(single) :])  # All that a longer text may add.


def test_preprocessed_values_fit_the_placeholder(road):
    placeholder = road.spec.placeholder("given")
    values = road.model_takes(road.prepared(road.values()))
    assert placeholder.name == "given"
    assert values.dtype == placeholder.dtype
    assert len(values.shape) == len(placeholder.shape)
    for found, expected in zip(values.shape[1:], placeholder.shape[1:], strict=True):
        assert expected in (None, found)


def test_the_features_of_an_example_are_finite_floats(road):
    placeholder = road.spec.placeholder("given")
    features = road.spec.features(placeholder)
    outputs = [features.vector] if features.tokens is None else [features.vector, features.tokens]
    model = keras.Model(placeholder, outputs)
    values = road.model_takes(road.prepared(road.values()))
    for output, found in zip(outputs, model(values, training=False), strict=False):
        assert found.dtype == output.dtype
        assert np.isfinite(found.numpy()).all()
    assert features.vector.shape[1] is not None


def test_a_model_accepts_its_batches(road):
    data = transform(road.fitted_config, road.data, road.preprocessing)
    model = build_model(road.fitted_config)
    seen = 0
    for inputs, _ in evaluation_batches(road.fitted_config, data.splits["test"]):
        said = model(inputs, training=False)["answer"].numpy()
        assert np.isfinite(said).all()
        seen += len(said)
    assert seen == data.examples("test")


def test_has_image_and_has_text_give_images_and_texts(road):
    prepared = road.prepared(road.values("test"))
    if isinstance(road.spec, HasImage):
        image = road.spec.to_image(road.model_takes(prepared)[0])
        assert image.dtype == np.uint8
        assert image.ndim == 3
        assert image.shape[2] in (1, 3)
    if isinstance(road.spec, HasText):
        texts = road.spec.to_texts(prepared, road.files)
        assert [type(text) for text in texts] == [str] * len(prepared)
    assert isinstance(road.spec, HasImage | HasText)


def test_values_of_another_modality_are_refused(road):
    columns = dict.fromkeys(road.spec.source_columns(), np.zeros((3, 2, 2, 2, 2), "uint16"))
    frame = frame_of({"train": columns})
    with pytest.raises(DataError, match=r"^(here|column `size`): "):
        road.spec.scan(frame, "here")
