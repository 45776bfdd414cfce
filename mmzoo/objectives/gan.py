"""Conditional generative adversarial networks (GAN)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from mmzoo.heads import BaseHead, ChoosesClass, HeadInputs
from mmzoo.lazy import keras
from mmzoo.modalities.abilities import Generates
from mmzoo.objectives.base_objective import BaseObjective
from mmzoo.optimizers import BaseOptimizer, Optimizer
from mmzoo.shared_encoders import encoder_owner
from mmzoo.spec import NonNegativeFloat, PositiveInt, Problem, Spec, did_you_mean
from mmzoo.spec.wording import shorten

_WASSERSTEIN_PENALTY = 10.0


class Gan(BaseObjective):
    """A generative adversarial network that generates images of a class, or for a text.

    A generator learns to make images that a discriminator cannot tell from real ones. Both are
    described by the image input: its `encoder` is the trunk of the discriminator, its `decoder` (by
    default the mirror image of a `cnn` encoder) makes the image. The condition is the class of a
    classification or binary head, and any other input, such as a text:

    - The head learns the classes of the real images beside the discriminator, on the same features;
      the generator learns to make images that the head reads as the class asked for (an auxiliary
      classifier). It stays a head like any other, for `eval` and `predict`.
    - The discriminator fuses the features of the image with those of the other inputs, and the
      generator is given the features of these.

    Each step updates the discriminator `discriminator_steps` times and the generator once, each
    with an optimizer of its own. Neither loss says how good the images are, so the last epoch is
    the best one; `mmzoo eval --frechet RUN` measures the images by another network.

    References: Goodfellow et al., "Generative adversarial nets", 2014; Odena et al., "Conditional
    image synthesis with auxiliary classifier GANs", 2017; Gulrajani et al., "Improved training of
    Wasserstein GANs", 2017; Miyato et al., "Spectral normalization for generative adversarial
    networks", 2018.
    """

    monitor = "epoch"

    type: Literal["gan"] = "gan"
    input: str | None = None
    """Name of the input to generate; by default the only image."""
    dim: PositiveInt = 64
    """Width of the random vector that the generator makes an image from."""
    loss: Literal["non_saturating", "wasserstein"] = "non_saturating"
    """The loss: cross-entropy between real and generated, or the difference of their mean scores,
    which needs a gradient penalty or spectral normalization."""
    gradient_penalty: NonNegativeFloat | None = None
    """Weight of the gradient penalty, which keeps the slope of the discriminator's score near 1, by
    pixels from 0 to 1. By default 10 with the loss `wasserstein`, else 0. Batch normalization in
    the encoder does not go with it."""
    spectral_norm: bool = False
    """Spectral normalization: after each update, every kernel on the way to the discriminator's
    score is divided by its largest singular value."""
    discriminator_steps: PositiveInt = 1
    """Updates of the discriminator for each one of the generator, with new generated images."""
    discriminator_optimizer: Optimizer | None = None
    """The discriminator's optimizer, with a learning rate and schedule of its own; by default one
    with the settings of `train.optimizer`, which is the generator's."""

    @property
    def penalty(self) -> float:
        """The weight of the gradient penalty."""
        if self.gradient_penalty is not None:
            return self.gradient_penalty
        return _WASSERSTEIN_PENALTY if self.loss == "wasserstein" else 0.0

    def rules(self) -> Iterator[Problem]:
        if self.loss == "wasserstein" and not self.penalty and not self.spectral_norm:
            yield Problem(
                ("gradient_penalty",),
                "expected more than 0 with loss wasserstein, such as 10, or `spectral_norm: true`: "
                "without either, the loss has no bound",
            )
        if self.discriminator_optimizer and self.discriminator_optimizer.schedule.type == "plateau":
            yield Problem(
                ("discriminator_optimizer", "schedule"),
                "expected another schedule: plateau goes by the monitored metric, and is supported "
                "by train.optimizer only",
            )

    def experiment_rules(self, experiment: Any) -> Iterator[Problem]:
        yield from self._input_rules(experiment.inputs)
        yield from self._condition_rules(experiment)
        yield from _network_rules(experiment)
        yield from _training_rules(experiment)

    def _input_rules(self, inputs: Mapping[str, Any]) -> Iterator[Problem]:
        """The input to generate."""
        can = [name for name, spec in inputs.items() if isinstance(spec, Generates)]
        name = self.input
        if name is None:
            if not can:
                kinds = ", ".join(f"{one} ({spec.type})" for one, spec in inputs.items())
                yield Problem(
                    ("objective",), f"expected an image input to generate; there are: {kinds}"
                )
            if len(can) > 1:
                yield Problem(
                    ("objective", "input"),
                    f"expected the name of the input to generate, as there are several images: "
                    f"{', '.join(can)}",
                )
        elif name not in inputs:
            meant = did_you_mean(name, inputs) or "."
            yield Problem(
                ("objective", "input"),
                f"unknown input '{shorten(name)}'{meant} There are: {', '.join(inputs)}",
            )
        elif name not in can:
            yield Problem(
                ("objective", "input"),
                f"inputs.{name} is {inputs[name].type}, which cannot be generated; expected an "
                "image",
            )
        generated = self.generated_input(inputs)
        if generated is not None:
            yield from _generated_rules(generated, inputs)

    def _condition_rules(self, experiment: Any) -> Iterator[Problem]:
        """The heads and inputs that say what to generate."""
        heads: Mapping[str, BaseHead] = experiment.heads
        for name, head in heads.items():
            if not isinstance(head, ChoosesClass):
                yield Problem(
                    ("heads", name, "type"),
                    f"a GAN generates images of a class, so expected classification or binary, got "
                    f"{head.type}",
                )
            elif getattr(head, "missing", "error") != "error":
                yield Problem(
                    ("heads", name, "missing"),
                    "expected error: a GAN generates an image of each example's class",
                )
            if name in ("discriminator", "generator", "generated"):
                yield Problem(
                    ("heads", name), "a GAN has its own figures of this name: choose another name"
                )
        if not heads and len(experiment.inputs) == 1:
            yield Problem(
                ("heads",),
                "expected a classification head, whose classes the GAN generates; or another "
                "input, such as a text, that says what to generate",
            )
        if len(heads) > 1:
            yield Problem(
                ("heads",), f"expected one head with a GAN, got {len(heads)}: {', '.join(heads)}"
            )

    def generated_input(self, inputs: Mapping[str, Any]) -> str | None:
        can = [name for name, spec in inputs.items() if isinstance(spec, Generates)]
        if self.input is not None:
            return self.input if self.input in can else None
        return can[0] if len(can) == 1 else None

    def own_outputs(self, inputs: Mapping[str, Spec]) -> Mapping[str, BaseHead]:
        from mmzoo.objectives.gan_model import CONDITION, REALNESS

        conditions = tuple(name for name in inputs if name != self.generated_input(inputs))
        # The difference of two means has no use for a bias.
        has_bias = self.loss != "wasserstein"
        realness: dict[str, BaseHead] = {REALNESS: _Realness(has_bias=has_bias)}
        return {**realness, CONDITION: _Condition(inputs=conditions)} if conditions else realness

    def build(
        self,
        inputs: Mapping[str, keras.KerasTensor],
        outputs: Mapping[str, keras.KerasTensor],
        name: str,
        heads: Mapping[str, BaseHead],
        auxiliary: Mapping[str, tuple[str, ...]] | None = None,
        auxiliary_weight: float = 0.0,
        specs: Mapping[str, Any] | None = None,
    ) -> keras.Model:
        from mmzoo.objectives.gan_model import GanModel

        assert specs is not None
        generated = self.generated_input(specs)
        assert generated is not None
        head = next(iter(heads), None)
        # A binary head has one output, the probability of the second class.
        classes = max(2, outputs[head].shape[-1]) if head else 0
        return GanModel(inputs, outputs, name, self, (generated, specs[generated]), head, classes)

    def optimizers(self, optimizer: BaseOptimizer) -> dict[str, BaseOptimizer]:
        own = self.discriminator_optimizer or optimizer
        return {"optimizer": optimizer, "discriminator_optimizer": own}


def _generated_rules(name: str, inputs: Mapping[str, Any]) -> Iterator[Problem]:
    spec = inputs[name]
    if encoder_owner(spec) or any(encoder_owner(other) == name for other in inputs.values()):
        yield Problem(
            ("inputs", name, "encoder"),
            "expected an encoder of its own, which no other input shares: it is the "
            "discriminator's",
        )
    elif problem := spec.decoder_problem():
        yield Problem(("inputs", name), f"expected a decoder, as it is generated: it {problem}")
    if spec.encoder.frozen:
        yield Problem(
            ("inputs", name, "encoder", "trainable"),
            "expected true: this encoder is the discriminator, which has to learn",
        )
    if spec.missing != "error":
        yield Problem(
            ("inputs", name, "missing"), "expected error: a GAN learns from images that are there"
        )


def _network_rules(experiment: Any) -> Iterator[Problem]:
    if not experiment.share:
        yield Problem(("share",), "expected true: a GAN has a single discriminator")
    fusion = experiment.fusion
    if not hasattr(fusion, "fuse"):
        yield Problem(
            ("fusion", "type"),
            f"expected a fusion of features, such as concat, got {fusion.type}: the discriminator "
            "scores the fused features",
        )
    elif fusion.auxiliary_loss:
        yield Problem(("fusion", "auxiliary_loss"), "expected 0 with a GAN")


def _training_rules(experiment: Any) -> Iterator[Problem]:
    train = experiment.train
    if train.mixing is not None:
        yield Problem(("train", "mixing"), "expected none: a GAN would learn to mix images")
    if train.fine_tune is not None:
        yield Problem(("train", "fine_tune"), "expected none with a GAN")
    if train.accumulate > 1:
        yield Problem(("train", "accumulate"), "expected 1 with a GAN")
    if train.monitor in (None, Gan.monitor):
        why = "neither loss of a GAN says how good its images are. Leave it out"
        if train.early_stopping is not None:
            yield Problem(("train", "early_stopping"), f"expected none: {why}")
        if train.optimizer.schedule.type == "plateau":
            yield Problem(
                ("train", "optimizer", "schedule"), f"expected another schedule than plateau: {why}"
            )


class _OwnOutput(BaseHead):
    """An output of the discriminator that only the objective reads."""

    def compile_loss(self, soft: bool) -> keras.losses.Loss:
        raise TypeError("the objective has the loss of this output")


class _Realness(_OwnOutput):
    type: Literal["realness"] = "realness"
    has_bias: bool

    def build(self, given: HeadInputs, name: str) -> keras.KerasTensor:
        layer = keras.layers.Dense(1, use_bias=self.has_bias, dtype="float32", name=name)
        return layer(given.fused.vector)


class _Condition(_OwnOutput):
    type: Literal["condition"] = "condition"
    inputs: tuple[str, ...]

    def build(self, given: HeadInputs, name: str) -> keras.KerasTensor:
        """The feature vectors of the inputs, concatenated."""
        vectors = [given.inputs[one].vector for one in self.inputs]
        joined = vectors[0] if len(vectors) == 1 else keras.ops.concatenate(vectors, axis=-1)
        return keras.layers.Activation("linear", dtype="float32", name=name)(joined)
