"""Standardize gives each example mean 0 and standard deviation 1, independent of the batch."""

from __future__ import annotations

import numpy as np
import pytest

VALUES = np.random.RandomState(0).normal(-40, 25, (3, 20, 10)).astype("float32")


def test_examples_are_standardized_independently():
    from mmzoo.layers.input_layers import Standardize

    values = VALUES * np.array([1, 2, 3], "float32")[:, None, None]
    outputs = Standardize()(values).numpy()
    np.testing.assert_allclose(outputs.mean((1, 2)), 0, atol=1e-4)
    np.testing.assert_allclose(outputs.std((1, 2)), 1, atol=1e-4)
    np.testing.assert_allclose(outputs[:1], Standardize()(values[:1]), atol=1e-5)


def test_axes():
    from mmzoo.layers.input_layers import Standardize

    outputs = Standardize(axes=(1,))(VALUES).numpy()
    np.testing.assert_allclose(outputs.mean(1), 0, atol=1e-4)
    np.testing.assert_allclose(outputs.std(1), 1, atol=1e-4)
    described = Standardize(axes=(1,), epsilon=0.5).get_config()
    assert (described["axes"], described["epsilon"]) == ((1,), 0.5)


@pytest.mark.parametrize("dtype", ["float32", "mixed_float16"])
def test_constant_input_gives_zeros(dtype):
    from mmzoo.layers.input_layers import Standardize

    assert not Standardize(dtype=dtype)(np.full((2, 5, 5), -80, "float32")).numpy().any()


def test_large_values_do_not_overflow_in_float16():
    from mmzoo.layers.input_layers import Standardize

    outputs = Standardize(dtype="mixed_float16")(VALUES * 100)
    assert outputs.dtype == "float16"
    np.testing.assert_allclose(outputs, Standardize()(VALUES * 100), atol=5e-3)
