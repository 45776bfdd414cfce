"""Conditional GANs: losses by hand, two networks with an optimizer each, and errors in configs."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import numpy as np
import pytest

from mmzoo.batches import training_batches
from mmzoo.config import Config, load_config
from mmzoo.errors import ConfigError
from mmzoo.lazy import keras, tf
from mmzoo.model import build_model
from mmzoo.objectives.gan_model import CONDITION, REALNESS
from mmzoo.order import TrainingOrder
from mmzoo.preprocessing import fit_config, load_frame, transform

IMAGE = {
    "type": "image",
    "shape": [6, 6, 1],
    "encoder": {
        "type": "cnn",
        "filters": [3, 4],
        "padding": "same",
        "activation": "leaky_relu",
        "pool_type": "average",
    },
}
TEXT = {"type": "text", "length": 4, "encoder": {"type": "embedding", "dim": 5}}
CLASSES = {"type": "classification", "classes": 3}
BATCH = 8


def values(**changes: Any) -> dict[str, Any]:
    return {
        "name": "adversaries",
        "source": {"type": "synthetic", "rows": 48},
        "inputs": {"photo": IMAGE},
        "heads": {"kind": CLASSES},
        "objective": {"type": "gan", "dim": 4},
        "train": {"batch_size": BATCH},
        **deepcopy(changes),
    }


def gan(**settings: Any) -> dict[str, Any]:
    return {"type": "gan", "dim": 4, **settings}


def prepared(**changes: Any) -> tuple[Config, Any, Any]:
    """A fitted config, its compiled model and a training batch."""
    config = load_config(values(**changes)).with_columns()
    frame = load_frame(config)
    config, preprocessing = fit_config(config, frame)
    data = transform(config, frame, preprocessing)
    order = TrainingOrder(0, data.examples("train"), BATCH)
    batch = next(iter(training_batches(config, data.splits["train"], order, 0, 1)))
    model = build_model(config)
    optimizers = config.objective.optimizers(config.train.optimizer)
    model.compile(
        **{
            name: one.build(one.learning_rate, config.train.ema) for name, one in optimizers.items()
        },
        **config.objective.compile_arguments(config.heads, soft=False),
    )
    model.optimizer.build(model.trainable_variables)
    return config, model, batch


SETTINGS = {
    "a class": {},
    "a class and a text": {
        "inputs": {"words": TEXT, "photo": IMAGE},
        "objective": gan(loss="wasserstein", spectral_norm=True),
    },
    "a text": {
        "inputs": {"words": TEXT, "photo": IMAGE},
        "heads": {},
        "objective": gan(gradient_penalty=1.0),
    },
    "one of two classes": {"heads": {"good": {"type": "binary"}}},
}


@pytest.mark.parametrize("name", SETTINGS)
def test_every_variable_of_both_networks_learns(name):
    _, model, batch = prepared(**SETTINGS[name])
    both = (model.discriminator_variables, model.generator.trainable_variables)
    assert sum(map(len, both)) == len(model.trainable_variables)
    before = [[one.numpy() for one in network] for network in both]
    for _ in range(2):
        model.train_step(batch)
    unchanged = [
        variable.path
        for network, was in zip(both, before, strict=True)
        for variable, value in zip(network, was, strict=True)
        if np.array_equal(variable.numpy(), value)
    ]
    assert unchanged == []
    results = {key: float(value) for key, value in model.get_metrics_result().items()}
    assert {"loss", "discriminator_loss", "generator_loss"} <= results.keys()
    assert np.isfinite([*results.values()]).all()


def test_the_losses_are_those_by_hand():
    """Of the scores of real and generated images, and the head's of the real ones."""
    _, model, (inputs, targets) = prepared()
    outputs = model(inputs, training=False)
    loss = float(model.compute_loss(inputs, targets, outputs, None, training=False))
    noise = keras.random.normal((BATCH, 4), seed=0).numpy()
    code = np.concatenate([noise, np.eye(3)[targets["kind"]]], axis=1)
    images = 255 * model.generator(code).numpy()
    real, made = outputs[REALNESS].numpy(), model({"photo": images})[REALNESS].numpy()
    adversarial = np.log1p(np.exp(-real)).mean() + np.log1p(np.exp(made)).mean()
    chosen = outputs["kind"].numpy()[np.arange(BATCH), targets["kind"]]
    assert loss == pytest.approx(adversarial - np.log(chosen).mean(), rel=1e-5)
    results = model.compute_metrics(inputs, targets, outputs)
    assert float(results["discriminator_loss"]) == pytest.approx(adversarial, rel=1e-5)
    made_real = np.log1p(np.exp(-made)).mean()
    assert float(results["generator_loss"]) == pytest.approx(made_real, rel=1e-5)


def test_the_generator_is_given_the_features_of_other_inputs():
    _, model, (inputs, _) = prepared(**SETTINGS["a text"])
    noise = np.random.RandomState(0).normal(size=(BATCH, 4)).astype("float32")
    words = {"words": inputs["words"]}
    features = model(inputs, training=False)[CONDITION]
    expected = model.generator(np.concatenate([noise, features], axis=1))
    np.testing.assert_allclose(model.generate(noise, None, words), expected, rtol=1e-6)
    others = {"words": tf.roll(inputs["words"], 1, axis=0)}
    assert np.abs(model.generate(noise, None, others) - expected).max() > 0


def test_each_network_has_an_optimizer_of_its_own():
    """Adam for the generator and, twice a step, gradient descent for the discriminator."""
    objective = gan(
        discriminator_steps=2, discriminator_optimizer={"type": "sgd", "learning_rate": 1e-30}
    )
    _, model, batch = prepared(objective=objective)
    before = [one.numpy() for one in model.discriminator_variables]
    generator = [one.numpy() for one in model.generator.trainable_variables]
    for _ in range(3):
        model.train_step(batch)
    of_generator, of_discriminator = model.optimizer.parts
    assert isinstance(of_generator, keras.optimizers.Adam)
    assert isinstance(of_discriminator, keras.optimizers.SGD)
    assert (int(of_generator.iterations), int(of_discriminator.iterations)) == (3, 6)
    for variable, was in zip(model.discriminator_variables, before, strict=True):
        np.testing.assert_allclose(variable.numpy(), was, atol=1e-20)
    # The first steps of Adam are of about its learning rate.
    moved = [
        np.abs(variable.numpy() - was).max()
        for variable, was in zip(model.generator.trainable_variables, generator, strict=True)
    ]
    assert 1e-4 < max(moved) < 4e-3
    own = {id(one) for part in model.optimizer.parts for one in part.variables}
    assert own <= {id(one) for one in model.optimizer.variables}


def test_moving_averages_are_in_the_order_of_the_variables():
    _, model, batch = prepared(train={"batch_size": BATCH, "ema": 0.5})
    before = [one.numpy() for one in model.trainable_variables]
    model.train_step(batch)
    averages = model.optimizer._model_variables_moving_average
    for variable, average, was in zip(model.trainable_variables, averages, before, strict=True):
        # Keras starts the average at the value after the first update.
        assert average.shape == variable.shape
        np.testing.assert_allclose(average.numpy(), variable.numpy(), rtol=1e-5, atol=1e-6)
        assert was.shape == variable.shape


def test_spectral_normalization_holds_for_all_kernels_before_the_score():
    _, model, batch = prepared(objective=gan(spectral_norm=True))
    step = tf.function(lambda: model.train_step(batch))
    for _ in range(25):
        step()
    norms = {
        variable.path: np.linalg.norm(variable.numpy().reshape(-1, variable.shape[-1]), 2)
        for variable in model.discriminator_variables
        if variable.name == "kernel"
    }
    assert abs(norms.pop("kind/kernel") - 1) > 0.02
    assert len(norms) == 3
    np.testing.assert_allclose([*norms.values()], 1.0, rtol=0.01)


def test_a_trained_model_generates_without_the_optimizers(tmp_path):
    """Both networks are in the weights file."""
    from mmzoo.weights import load_weights, save_weights

    config, model, batch = prepared()
    model.train_step(batch)
    save_weights(model, tmp_path / "both.weights.h5")
    again = build_model(config.replace(train=config.train.replace(seed=1)))
    load_weights(again, tmp_path / "both.weights.h5")
    noise = np.random.RandomState(0).normal(size=(3, 4)).astype("float32")
    classes = np.arange(3)
    expected = model.generate(noise, classes, {})
    np.testing.assert_array_equal(again.generate(noise, classes, {}), expected)
    assert expected.shape == (3, 6, 6, 1)


AUDIO = {
    "type": "audio",
    "rate": 1000,
    "seconds": 0.2,
    "spectrogram": {"type": "log_mel", "bins": 6, "window": 0.064},
    "encoder": {"type": "cnn", "filters": [3, 4]},
}
ERRORS = {
    "no image": (
        {"inputs": {"words": TEXT}},
        "objective: expected an image input to generate; there are: words (text)",
    ),
    "two images": (
        {"inputs": {"photo": IMAGE, "sketch": IMAGE}},
        "objective.input: expected the name of the input to generate, as there are several images: "
        "photo, sketch",
    ),
    "an unknown image": (
        {"objective": gan(input="foto")},
        "objective.input: unknown input 'foto'; did you mean 'photo'? There are: photo",
    ),
    "audio": (
        {"inputs": {"photo": IMAGE, "sound": AUDIO}, "objective": gan(input="sound")},
        "objective.input: inputs.sound is audio, which cannot be generated; expected an image",
    ),
    "no decoder": (
        {"inputs": {"photo": {**IMAGE, "shape": [32, 32, 1], "encoder": {"type": "lenet"}}}},
        "inputs.photo: expected a decoder, as it is generated: it has a lenet encoder, which "
        "cannot be mirrored: give its decoder, such as `decoder: {filters: [128, 64, 32]}`, which "
        "starts from maps of 1/8 of the size",
    ),
    "a frozen discriminator": (
        {
            "inputs": {
                "photo": {
                    **IMAGE,
                    "shape": [32, 32, 3],
                    "encoder": {"type": "squeezenet", "weights": "none"},
                    "decoder": {"filters": [4, 4]},
                }
            }
        },
        "inputs.photo.encoder.trainable: expected true: this encoder is the discriminator, which "
        "has to learn",
    ),
    "missing images": (
        {"inputs": {"photo": {**IMAGE, "missing": "learned"}}},
        "inputs.photo.missing: expected error: a GAN learns from images that are there",
    ),
    "nothing to ask for": (
        {"heads": {}},
        "heads: expected a classification head, whose classes the GAN generates; or another input, "
        "such as a text, that says what to generate",
    ),
    "a number to ask for": (
        {"heads": {"size": {"type": "regression"}}},
        "heads.size.type: a GAN generates images of a class, so expected classification or binary, "
        "got regression",
    ),
    "missing labels": (
        {"heads": {"kind": {**CLASSES, "missing": "ignore"}}},
        "heads.kind.missing: expected error: a GAN generates an image of each example's class",
    ),
    "two heads": (
        {"heads": {"kind": CLASSES, "good": {"type": "binary"}}},
        "heads: expected one head with a GAN, got 2: kind, good",
    ),
    "a name of its own": (
        {"heads": {"generated": CLASSES}},
        "heads.generated: a GAN has its own figures of this name: choose another name",
    ),
    "decisions": (
        {"inputs": {"words": TEXT, "photo": IMAGE}, "fusion": {"type": "decision"}},
        "fusion.type: expected a fusion of features, such as concat, got decision: the "
        "discriminator scores the fused features",
    ),
    "several discriminators": (
        {"share": False},
        "share: expected true: a GAN has a single discriminator",
    ),
    "mixing": (
        {"train": {"mixing": {"type": "mixup"}}},
        "train.mixing: expected none: a GAN would learn to mix images",
    ),
    "accumulation": (
        {"train": {"accumulate": 2}},
        "train.accumulate: expected 1 with a GAN",
    ),
    "early stopping": (
        {"train": {"early_stopping": {"patience": 3}}},
        "train.early_stopping: expected none: neither loss of a GAN says how good its images are. "
        "Leave it out",
    ),
    "a plateau": (
        {"train": {"optimizer": {"type": "adam", "schedule": {"type": "plateau"}}}},
        "train.optimizer.schedule: expected another schedule than plateau: neither loss of a GAN "
        "says how good its images are. Leave it out",
    ),
    "the loss": (
        {"train": {"monitor": "validation_loss"}},
        "train.monitor: unknown metric 'validation_loss'. There are: epoch, "
        "validation_kind_accuracy",
    ),
    "an unbounded loss": (
        {"objective": gan(loss="wasserstein", gradient_penalty=0.0)},
        "objective.gradient_penalty: expected more than 0 with loss wasserstein, such as 10, or "
        "`spectral_norm: true`: without either, the loss has no bound",
    ),
}


@pytest.mark.parametrize("name", ERRORS)
def test_what_does_not_fit_is_said(name):
    changes, expected = ERRORS[name]
    with pytest.raises(ConfigError) as caught:
        load_config(values(**changes))
    assert str(caught.value).split("\n") == [expected]


def test_probes_and_fusions_of_features_go_with_a_gan():
    config = load_config(
        values(
            inputs={"words": TEXT, "photo": IMAGE},
            fusion={"type": "film"},
            probes=["knn"],
            train={"monitor": "validation_kind_accuracy", "early_stopping": {"patience": 2}},
        )
    )
    assert config.monitor() == "validation_kind_accuracy"
    assert load_config(values()).monitor() == "epoch"
