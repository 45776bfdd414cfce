"""ScaledMetric matches numpy in the units before standardization."""

import numpy as np
import pytest

from mmzoo import layers
from mmzoo.lazy import keras


@pytest.mark.parametrize("scale", [(2e5, 0.5), (3e25, 1e25), (1e-30, 4e-30)])
@pytest.mark.parametrize("name", ["MeanAbsoluteError", "RootMeanSquaredError"])
def test_is_the_metric_in_the_units_of_the_scale(name, scale):
    random = np.random.RandomState(0)
    true, predicted = (random.normal(size=(8, 2)).astype("float32") for _ in range(2))
    metric = layers.ScaledMetric(getattr(keras.metrics, name)(name="error"), scale)
    for part in (slice(0, 3), slice(3, 8)):
        metric.update_state(true[part], predicted[part])
    errors = (true.astype("float64") - predicted) * scale
    expected = abs(errors).mean() if "Abs" in name else np.sqrt((errors**2).mean())
    assert float(metric.result()) == pytest.approx(expected, rel=1e-5)
    assert metric.name == "error"
    assert [variable.shape for variable in metric.variables] == [(), ()]
    metric.reset_state()
    assert float(metric.result()) == 0
