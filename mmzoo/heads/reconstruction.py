"""Reconstruction head: the decoder of an autoencoder."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Literal, Self

from pydantic import PrivateAttr

from mmzoo import layers
from mmzoo.heads.base_head import BaseHead, HeadInputs
from mmzoo.lazy import keras, np, tf
from mmzoo.modalities.abilities import Reconstructs
from mmzoo.modalities.base_input import presence
from mmzoo.modalities.scan import Files
from mmzoo.randomness import Randomness
from mmzoo.spec import NonNegativeFloat, PositiveFloat, Problem, Spec, did_you_mean
from mmzoo.spec.wording import join_or, shorten

_STD = 0.1


class Reconstruction(BaseHead):
    """Rebuilds an input from the fused features, the code: an autoencoder.

    The input's own decoder does it; `decoder` of the input describes it. With one image as the only
    input, the model is a convolutional autoencoder. With several inputs it is a multimodal
    autoencoder, which with `modality_dropout` learns to rebuild a missing input from the others:
    the target of a dropped input is the input itself. An example that really lacks the input does
    not count. The width of the code is that of the fused features: of the last of the fusion's
    `units`, or else of its `dim` or of the encoder.

    Errors are those of the network's targets: images have pixels from 0 to 1 (a mean squared error
    of 0.01 is a root mean square error of 25.5 grey levels), audio has log-mel levels from 0 (the
    spectrogram's `floor`) to 1 (0 dB), numbers of a table are normalized.

    Reference: Hinton and Salakhutdinov, "Reducing the dimensionality of data with neural networks",
    2006; Masci et al., "Stacked convolutional auto-encoders for hierarchical feature extraction",
    2011; Vincent et al., "Extracting and composing robust features with denoising autoencoders",
    2008; Ngiam et al., "Multimodal deep learning", 2011.
    """

    type: Literal["reconstruction"] = "reconstruction"
    input: str
    """Name of the input to rebuild."""
    loss: (
        Literal[
            "mean_squared_error",
            "binary_cross_entropy",
            "bernoulli",
            "gaussian",
            "categorical",
        ]
        | None
    ) = None
    """By default a mean over the values of an example: the mean squared error of images, audio and
    numbers, the cross-entropy of words and categories. `binary_cross_entropy`, for images, treats
    each pixel as a probability. The others are negative log-likelihoods in nats, summed over the
    values, as the ELBO of a variational autoencoder needs them: `bernoulli` for images of black and
    white pixels (see `binarize` of the input), `gaussian` for images, audio and tables (whose
    categories are categorical), and `categorical` for texts."""
    std: PositiveFloat | None = None
    """Standard deviation of `loss: gaussian`, in the unit of the errors below; by default 0.1."""
    noise: NonNegativeFloat = 0.0
    """Noise that is added to the input in training and that the target does not have, for a
    denoising autoencoder: the standard deviation of Gaussian noise on pixels from 0 to 1, samples
    from -1 to 1 or normalized numbers, or the share of words that are hidden. All heads see the
    noisy input."""

    _rebuilds: Any = PrivateAttr(None)
    """The input to rebuild, see `with_inputs`."""

    def input_rules(self, inputs: Mapping[str, Spec]) -> Iterator[Problem]:
        spec = inputs.get(self.input)
        if spec is None:
            meant = did_you_mean(self.input, inputs) or "."
            yield Problem(
                ("input",),
                f"unknown input '{shorten(self.input)}'{meant} There are: {', '.join(inputs)}",
            )
            return
        if not isinstance(spec, Reconstructs):
            kind = getattr(spec, "type", "")
            yield Problem(("input",), f"inputs.{self.input} is {kind}, which has no decoder")
            return
        if problem := spec.decoder_problem():
            yield Problem(("input",), f"inputs.{self.input} {problem}")
        losses = (*spec.reconstruction_losses, *spec.likelihoods)
        if self.loss is not None and self.loss not in losses:
            yield Problem(
                ("loss",),
                f"expected {join_or(losses)}, which inputs.{self.input} is rebuilt by, got "
                f"{self.loss}; you can leave it out",
            )
        if self.std is not None and self.loss != "gaussian":
            yield Problem(("std",), "expected none, as it is that of `loss: gaussian`")
        if self.noise > spec.largest_noise:
            yield Problem(
                ("noise",),
                f"expected at most {spec.largest_noise:g} for inputs.{self.input}, "
                f"got {self.noise:g}",
            )

    def with_inputs(self, inputs: Mapping[str, Spec]) -> Self:
        copy = self.replace()
        copy._rebuilds = inputs[self.input]
        return copy

    @property
    def rebuilds(self) -> Reconstructs:
        """The input to rebuild, in a head of a config."""
        assert self._rebuilds is not None, "not a head of a config: see `with_inputs`"
        rebuilds: Reconstructs = self._rebuilds
        return rebuilds

    @property
    def needed_inputs(self) -> tuple[str, ...]:
        return (self.input,)

    def reads_values(self, name: str, inputs: Collection[str]) -> bool:
        return name == self.input

    def build(self, given: HeadInputs, name: str) -> keras.KerasTensor:
        """The rebuilt input. The decoder is a sub-model with the head's name, from code to it."""
        code = given.fused.vector
        inside = keras.Input(code.shape[1:], dtype=code.dtype, name="code")
        return keras.Model(inside, self.rebuilds.decoder_output(inside), name=name)(code)

    def target_from_inputs(self, inputs: Mapping[str, tf.Tensor]) -> tf.Tensor:
        """The input as the decoder gives it, float32 `[batch, ...]`; NaN where there is none."""
        target = self.rebuilds.reconstruction_target(inputs[self.input])
        present = inputs.get(presence(self.input))
        if present is None:
            return target
        shape = [-1, *[1] * (target.shape.rank - 1)]
        return tf.where(tf.reshape(present > 0, shape), target, float("nan"))

    def noisy_inputs(
        self, inputs: Mapping[str, tf.Tensor], randomness: Randomness
    ) -> Mapping[str, tf.Tensor]:
        if not self.noise:
            return inputs
        drawn = randomness.fold(f"noise of {self.input}")
        noisy = self.rebuilds.add_noise(inputs[self.input], self.noise, drawn)
        return {**inputs, self.input: noisy}

    @property
    def has_likelihood(self) -> bool:
        """Whether the loss is a negative log-likelihood in nats."""
        return self.loss in self.rebuilds.likelihoods

    def log_likelihood(self, target: tf.Tensor, outputs: tf.Tensor) -> tf.Tensor:
        """That of each example, in nats, float32 `[batch]`; 0 for one that lacks the input."""
        assert self.loss is not None
        std = self.std or _STD
        return -self.rebuilds.negative_log_likelihood(target, outputs, self.loss, std)

    def compile_loss(self, soft: bool) -> keras.losses.Loss:
        loss = self.loss or self.rebuilds.reconstruction_losses[0]
        if self.has_likelihood:
            return layers.ExampleLoss(
                lambda target, rebuilt: -self.log_likelihood(target, rebuilt), loss
            )
        return layers.ExampleLoss(
            lambda target, rebuilt: self.rebuilds.reconstruction_errors(target, rebuilt)[loss], loss
        )

    @property
    def error_names(self) -> tuple[str, ...]:
        """The errors of an example; the first one sums it up. Others are of the loss or shown."""
        unused = {*self.rebuilds.reconstruction_losses[1:]} - {self.loss}
        return tuple(name for name in self.rebuilds.reconstruction_metrics() if name not in unused)

    def collected(self, outputs: tf.Tensor, inputs: Mapping[str, tf.Tensor]) -> tf.Tensor:
        """The errors of each example, float32 `[batch, error_names]`; NaN where there is none."""
        target = self.target_from_inputs(inputs)
        errors = self.rebuilds.reconstruction_errors(target, outputs)
        first, *others = (errors[name] for name in self.error_names)
        # A network that diverged must not look as if examples had no target.
        diverged = layers.has_target(target) & tf.math.is_nan(first)
        first = tf.where(diverged, tf.constant(float("inf")), first)
        return tf.stack([first, *others], axis=1)

    def show_reconstruction(
        self, target: np.ndarray, rebuilt: np.ndarray, files: Files
    ) -> tuple[Sequence[np.ndarray] | Sequence[str], Sequence[np.ndarray] | Sequence[str]]:
        """Originals and rebuilt values to display, see `show_target` of `Reconstructs`."""
        return self.rebuilds.show_target(target, files), self.show_rebuilt(rebuilt, files)

    def show_rebuilt(
        self, rebuilt: np.ndarray, files: Files
    ) -> Sequence[np.ndarray] | Sequence[str]:
        """Rebuilt values to display, see `Reconstructs`."""
        return self.rebuilds.show_rebuilt(rebuilt, files)

    def evaluate(self, labels: None, predicted: np.ndarray) -> dict[str, Any]:
        """The mean errors over the examples that have the input, and their number."""
        from mmzoo.metrics.intervals import mean_interval

        rebuilt = predicted[~np.isnan(predicted[:, 0])].astype(np.float64)
        metrics: dict[str, Any] = {}
        for index, name in enumerate(self.error_names):
            values = rebuilt[:, index][~np.isnan(rebuilt[:, index])]
            is_finite = len(values) > 0 and bool(np.isfinite(values).all())
            metrics[name] = float(values.mean()) if is_finite else None
            if index == 0 and is_finite and (interval := mean_interval(values)):
                metrics[f"{name}_ci95"] = [max(0.0, interval[0]), interval[1]]
        return {**metrics, "examples": len(rebuilt)}

    def example_scores(self, labels: None, predicted: np.ndarray) -> np.ndarray:
        """The negated error of each example."""
        return -predicted[:, 0].astype(np.float64)

    def decode(self, predicted: np.ndarray, name: str, top: int = 0) -> dict[str, list[Any]]:
        """A column with the error of each row: large where an input is unlike the training data."""
        errors = [None if np.isnan(error) else float(error) for error in predicted[:, 0]]
        return {f"{name}_error": errors}
