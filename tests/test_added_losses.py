"""Losses added by layers are part of the loss of every objective."""

from __future__ import annotations

import numpy as np
import pytest

from mmzoo.heads import Regression
from mmzoo.lazy import keras
from mmzoo.objectives import Supervised

PRICE = Regression(dim=1, normalize=False)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize(
    ("weights", "auxiliary"),
    [
        ("given", {"price": ("alone",)}),
        ("uncertainty", None),
        ("uncertainty", {"price": ("alone",)}),
    ],
)
def test_losses_added_by_layers_are_included(weights, auxiliary, training):
    """As in Keras' own sum: regularizers and `add_loss`."""
    heads = {"price": PRICE, "weight": PRICE}

    def loss_of(regularizer) -> tuple[float, float]:
        keras.utils.set_random_seed(0)
        x = keras.Input((2,), name="x")
        hidden = keras.layers.ActivityRegularization(l2=0.1 if regularizer else 0.0)(x)
        outputs = {
            name: keras.layers.Dense(1, kernel_regularizer=regularizer, name=name)(hidden)
            for name in (*heads, *(("alone",) if auxiliary else ()))
        }
        model = Supervised(weights=weights).build({"x": x}, outputs, "net", heads, auxiliary, 0.5)
        model.compile("sgd", **Supervised().compile_arguments(heads, soft=False))
        values = np.array([[1.0, 2.0], [3.0, -1.0]], "float32")
        targets = dict.fromkeys(heads, np.zeros((2, 1), "float32"))
        predicted = model({"x": values}, training=training)
        loss = model.compute_loss(y=targets, y_pred=predicted, training=training)
        return float(loss), float(sum(model.losses))

    plain, nothing = loss_of(None)
    regularized, added = loss_of("l2")
    assert nothing == 0
    assert added > 0.7
    assert regularized == pytest.approx(plain + added, rel=1e-5)
