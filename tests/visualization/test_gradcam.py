"""Grad-CAM highlights the region that a prediction depends on."""

from __future__ import annotations

import numpy as np
import pytest
from squares import SIDE, SQUARE, config_of

from mmzoo.errors import RunError
from mmzoo.lazy import keras
from mmzoo.model import build_model
from mmzoo.visualization.gradcam import explain


def heat_at_square(explanation, corner):
    """The share of the heat in the places that see some of the square.

    A place of the map stands for 4 pixels and sees 4 more on each side of them.
    """
    first = np.maximum(corner // 4 - 1, 0)
    end = -(-(corner + SQUARE) // 4) + 1
    heat = explanation.heatmap
    return heat[first[0] : end[0], first[1] : end[1]].sum() / heat.sum()


def test_heatmap_covers_the_square(finder):
    for image, corner in zip(finder.images, finder.corners, strict=True):
        found = explain(finder.model, finder.config, "image", image[None], "found")
        assert (found.score.label, found.kind, found.heatmap.shape) == ("square", "logit", (8, 8))
        assert found.heatmap.max() == 1
        assert heat_at_square(found, corner) > 0.98
        centre = (corner + SQUARE / 2) / SIDE
        np.testing.assert_allclose(found.centre, centre, atol=3 / SIDE)


def test_predictions_are_those_of_the_model(finder):
    predicted = finder.model({"image": finder.images[:1]})["found"].numpy()[0]
    found = explain(finder.model, finder.config, "image", finder.images[:1], "found")
    assert found.predictions == pytest.approx({"nothing": predicted[0], "square": predicted[1]})
    assert np.array_equal(found.image, finder.images[0])


def test_class_by_name_or_index(finder):
    by_name, by_number = (
        explain(finder.model, finder.config, "image", finder.images[:1], "found", label)
        for label in ("nothing", "0")
    )
    assert by_name.score == by_number.score
    assert heat_outside(by_name, finder.corners[0]) == pytest.approx(1)


def heat_outside(explanation, corner):
    """Fraction of the heat outside the square; 1 if there is no heat."""
    return 1 if explanation.centre is None else 1 - heat_at_square(explanation, corner)


def test_frozen_encoder_is_explained_too(finder):
    before = explain(finder.model, finder.config, "image", finder.images[:1], "found")
    encoder = finder.model.get_layer("image_encoder")
    encoder.trainable = False
    frozen = explain(finder.model, finder.config, "image", finder.images[:1], "found")
    encoder.trainable = True
    np.testing.assert_array_equal(frozen.heatmap, before.heatmap)


def test_confident_model_is_explained_too(finder):
    """Softmax saturates for a confident prediction; the logits do not."""
    model = build_model(finder.config)
    model.set_weights(finder.model.get_weights())
    head = model.get_layer("found")
    head.kernel.assign(1000 * head.kernel)
    sure = explain(model, finder.config, "image", finder.images[:1], "found")
    assert sure.predictions["square"] == 1
    assert heat_at_square(sure, finder.corners[0]) > 0.98


def test_head_without_logits_uses_log_probability(finder):
    image = keras.Input((SIDE, SIDE, 1), dtype="uint8", name="image")
    encoder = finder.config.inputs["image"].encoder
    inside = keras.Input((SIDE, SIDE, 1), dtype="uint8")
    features = encoder.build(inside)
    outputs = [features.vector, features.tokens]
    vector, _ = keras.Model(inside, outputs, name="image_encoder")(image)
    votes = [keras.layers.Dense(2, "softmax")(vector) for _ in range(2)]
    decided = keras.layers.Average(name="found")(votes)
    model = keras.Model({"image": image}, {"found": decided})
    taught = finder.model.get_weights()
    model.set_weights([*taught, *taught[-2:]])
    found = explain(model, finder.config, "image", finder.images[:1], "found")
    assert found.kind == "log-probability"
    assert heat_at_square(found, finder.corners[0]) > 0.98


@pytest.mark.parametrize("type_", ["binary", "multilabel", "regression"])
def test_every_type_of_head_is_explained(finder, type_):
    names = {"class_names": ["off", "on"]}
    fields = {"binary": names, "multilabel": {"classes": 2, **names}, "regression": {"dim": 2}}
    config = config_of({"found": {"type": type_, **fields[type_]}})
    model = build_model(config)
    weights = finder.model.get_weights()
    if type_ == "binary":  # One number says yes, which the other class is against.
        weights[-2:] = [weights[-2][:, 1:] - weights[-2][:, :1], weights[-1][1:] - weights[-1][:1]]
    model.set_weights(weights)
    first, second = (
        explain(model, config, "image", finder.images[:1], "found", label) for label in ("0", "1")
    )
    assert second.kind == ("value" if type_ == "regression" else "logit")
    assert second.score.label == ("found_1" if type_ == "regression" else "on")
    assert heat_at_square(second, finder.corners[0]) > 0.98
    assert heat_outside(first, finder.corners[0]) > 0.5
    if type_ == "binary":
        assert not (first.heatmap * second.heatmap).any()


def test_several_values_require_a_choice():
    config = config_of({"much": {"type": "regression", "dim": 2}})
    with pytest.raises(RunError) as caught:
        explain(build_model(config), config, "image", np.zeros((1, SIDE, SIDE, 1), "uint8"), "much")
    assert str(caught.value) == (
        "heads.much: predicts 2 values. Choose the one to explain with --class, from 0 to 1."
    )


def test_only_value_needs_no_choice():
    config = config_of({"much": {"type": "regression", "dim": 1}})
    pixels = np.zeros((1, SIDE, SIDE, 1), "uint8")
    found = explain(build_model(config), config, "image", pixels, "much")
    assert found.score.label == "much"
    assert str(found).startswith("much: ")


def test_an_unknown_class(finder):
    with pytest.raises(RunError) as caught:
        explain(finder.model, finder.config, "image", finder.images[:1], "found", "sqare")
    assert str(caught.value) == (
        "heads.found: has no class 'sqare'; did you mean 'square'? There are 2, also by index, 0 "
        "to 1: nothing, square"
    )


def test_map_before_global_pooling_is_used():
    heads = {"found": {"type": "binary", "class_names": ["no", "yes"]}}
    config = config_of(heads, filters=[8, 16], pool=[4, 8])
    pixels = np.zeros((1, SIDE, SIDE, 1), "uint8")
    assert explain(build_model(config), config, "image", pixels, "found").heatmap.shape == (8, 8)


def test_network_without_feature_map_is_rejected():
    heads = {"found": {"type": "binary", "class_names": ["no", "yes"]}}
    config = config_of(heads, type="resnet", depth=[1] * 6, filters=[4] * 6)
    with pytest.raises(RunError) as caught:
        explain(
            build_model(config), config, "image", np.zeros((1, SIDE, SIDE, 1), "uint8"), "found"
        )
    assert str(caught.value) == (
        "inputs.image: this resnet encoder has no feature map with more than one position. "
        "Use larger images (`shape`)."
    )
