from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from spec_tree import CNN, VALID, Cosine, Experiment, Flip, LeNet, Rotation

from mmzoo.errors import ConfigError
from mmzoo.spec import PositiveInt, Problem, Spec, load_spec


def test_a_file_becomes_a_spec(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(VALID)
    spec = load_spec(Experiment, path)
    image = spec.inputs["image"]
    assert spec.name == "mnist"
    assert image.shape == (28, 28, 1)
    assert image.augment == (Flip(), Rotation(degrees=20))
    assert image.encoder == CNN(filters=(32, 64), dropout=0.5)
    assert spec.fusion.units == (128,)
    assert spec.train.learning_rate == Cosine(warmup=0.05)
    assert spec.train.note == "a: b"


def test_python_values_can_be_lists_tuples_and_specs() -> None:
    values = {
        "name": "x",
        "inputs": {"image": {"type": "image", "shape": [8, 8, 1], "encoder": LeNet(units=(3,))}},
        "heads": {"digit": {"type": "classification", "class_names": ("a", "b")}},
    }
    spec = load_spec(Experiment, values, ["train.epochs=2"])
    assert spec.inputs["image"].encoder == LeNet(units=(3,))
    assert spec.heads["digit"].class_names == ("a", "b")
    assert spec.train.epochs == 2


def test_non_string_keys_are_rejected() -> None:
    with pytest.raises(ConfigError, match=r"^heads: a name must be text, got number 1$"):
        load_spec(Experiment, {"heads": {1: {}}})


def test_self_referencing_values_are_rejected() -> None:
    values: dict[str, object] = {}
    values["train"] = values
    with pytest.raises(ConfigError, match=r"go more than 20 deep here$"):
        load_spec(Experiment, values)


class Steps(Spec):
    """Whose rule names both fields."""

    warmup: PositiveInt = 5
    total: PositiveInt = 5

    def rules(self) -> Iterator[Problem]:
        if self.warmup >= self.total:
            yield Problem(("warmup",), "expected less than the total")
            yield Problem(("total",), "expected more than the warmup")


def test_rules_ignore_defaults_that_replace_invalid_values() -> None:
    with pytest.raises(ConfigError) as caught:
        load_spec(Steps, {"warmup": 0, "total": 3})
    assert str(caught.value).splitlines() == [
        "warmup: expected a whole number of at least 1, got number 0",
        "total: expected more than the warmup",
    ]


def test_default_of_a_family_of_one_needs_no_type() -> None:
    values = {
        "name": "x",
        "inputs": {"image": {"type": "image", "shape": [8, 8, 1], "encoder": {"type": "cnn"}}},
        "heads": {},
    }
    assert load_spec(Experiment, values).fusion.type == "concat"


def test_the_loader_imports_nothing_heavy() -> None:
    code = (
        "import sys, mmzoo.spec; "
        "print([name for name in ('tensorflow', 'keras', 'numpy') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
