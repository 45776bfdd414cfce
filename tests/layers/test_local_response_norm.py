"""LocalResponseNorm matches the paper's formula in numpy."""

import numpy as np
import pytest

from mmzoo.lazy import tf


def by_hand(values, size, bias, alpha, beta):
    channels = values.shape[-1]
    outputs = np.empty_like(values)
    for channel in range(channels):
        around = values[..., max(0, channel - size // 2) : channel + size // 2 + 1]
        total = (around**2).sum(-1)
        outputs[..., channel] = values[..., channel] / (bias + alpha * total) ** beta
    return outputs


@pytest.mark.parametrize(
    "settings",
    [
        {"size": 5, "bias": 2.0, "alpha": 1e-4, "beta": 0.75},
        {"size": 3, "bias": 1.0, "alpha": 0.5, "beta": 0.5},
    ],
)
def test_divides_by_neighboring_channels(settings):
    from mmzoo.layers.convolutional import LocalResponseNorm

    values = np.random.RandomState(0).normal(0, 10, (2, 3, 4, 9)).astype("float32")
    layer = LocalResponseNorm(**settings)
    np.testing.assert_allclose(layer(values), by_hand(values, **settings), rtol=1e-5)
    described = layer.get_config()
    assert {key: described[key] for key in settings} == settings


def test_defaults_are_those_of_the_paper():
    from mmzoo.layers.convolutional import LocalResponseNorm

    values = np.full((1, 1, 1, 7), 100.0, "float32")
    # Five maps of 100 squared: 2 + 1e-4 * 50,000 is 7 in the middle.
    np.testing.assert_allclose(LocalResponseNorm()(values)[0, 0, 0, 3], 100 / 7**0.75, rtol=1e-5)


@pytest.mark.parametrize("precision", ["float16", "bfloat16"])
def test_mixed_precision(precision):
    from mmzoo.layers.convolutional import LocalResponseNorm

    outputs = LocalResponseNorm(dtype=f"mixed_{precision}")(tf.ones((1, 2, 2, 4)))
    assert outputs.dtype == precision
    np.testing.assert_allclose(tf.cast(outputs, "float32"), 2.0**-0.75, rtol=1e-2)
