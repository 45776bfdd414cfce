"""The Keras model of a conditional GAN: a discriminator and a generator, trained in turns."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from mmzoo import layers
from mmzoo.lazy import keras, tf
from mmzoo.modalities.abilities import Generates
from mmzoo.objectives.network_optimizers import NetworkOptimizers

Tensors = Mapping[str, tf.Tensor]

REALNESS = "gan.realness"
"""The output with the discriminator's score of being real; no name in a config can equal it."""
CONDITION = "gan.condition"
"""The output with the features of the inputs that the generator is given."""
_VALIDATION_SEED = 0
"""Validation draws the same noise in every epoch."""


class GanSettings(Protocol):
    """The fields of the objective that the model uses."""

    @property
    def dim(self) -> int: ...
    @property
    def loss(self) -> str: ...
    @property
    def penalty(self) -> float: ...
    @property
    def spectral_norm(self) -> bool: ...
    @property
    def discriminator_steps(self) -> int: ...


class GanModel(keras.Model):
    """A functional model that is the discriminator, with a generator beside it.

    It maps the inputs to the outputs of the heads and to `REALNESS`. A training step updates the
    discriminator on a batch and as many generated examples of the same classes, once or several
    times, then the generator.

    Attributes:
        generator: from a code, float `[batch, width]`, to values as the input's decoder gives them.
        settings: the objective.
        generated: the name of the generated input.
        head: the name of the head whose classes are asked for; None if there is none.
        classes: their number.
    """

    def __init__(
        self,
        inputs: Mapping[str, keras.KerasTensor],
        outputs: Mapping[str, keras.KerasTensor],
        name: str,
        settings: GanSettings,
        generated: tuple[str, Generates],
        head: str | None,
        classes: int,
    ) -> None:
        """Builds the generator.

        Args:
            inputs: of the discriminator; the generated one is float.
            outputs: of the heads, `REALNESS` and, if the generator is given other inputs,
                `CONDITION`.
            name: the model's.
            settings: the objective.
            generated: the name of the generated input, and the input.
            head: the name of the head whose classes are asked for, if there is one.
            classes: their number.
        """
        super().__init__(dict(inputs), dict(outputs), name=name)
        self.settings = settings
        self.generated, self._spec = generated
        self.head, self.classes = head, classes
        self._heads = [one for one in outputs if one not in (REALNESS, CONDITION)]
        self._condition = None
        width = settings.dim + classes
        if CONDITION in outputs:
            others = {one: tensor for one, tensor in inputs.items() if one != self.generated}
            self._condition = keras.Model(others, outputs[CONDITION])
            width += outputs[CONDITION].shape[-1]
        code = keras.Input((width,), name="code")
        self.generator = keras.Model(code, self._spec.decoder_output(code), name="generator")
        self._noise = keras.random.SeedGenerator()
        self._discriminator_mean = keras.metrics.Mean(name="discriminator_loss")
        self._generator_mean = keras.metrics.Mean(name="generator_loss")
        self._kernels: list[tuple[keras.Variable, keras.Variable]] = []
        if settings.spectral_norm:
            scored = keras.Model(dict(inputs), outputs[REALNESS])
            self._kernels = [
                (kernel, self._singular_vector(kernel, number))
                for number, kernel in enumerate(scored.trainable_variables)
                if kernel.name == "kernel" and len(kernel.shape) > 1
            ]

    def _singular_vector(self, kernel: keras.Variable, number: int) -> keras.Variable:
        return self.add_weight(
            shape=(kernel.shape[-1],),
            initializer="random_normal",
            dtype="float32",
            trainable=False,
            name=f"singular_vector{number}",
        )

    @property
    def whole(self) -> keras.Model:
        """Both networks as one functional model, whose weights are saved."""
        code = keras.Input(self.generator.input_shape[1:], name="generator.code")
        inputs, outputs = [*self.inputs, code], [*self.outputs, self.generator(code)]
        return keras.Model(inputs, outputs, name=self.name)

    @property
    def discriminator_variables(self) -> list[keras.Variable]:
        """The trainable variables of the discriminator."""
        others = {id(variable) for variable in self.generator.trainable_variables}
        return [one for one in self.trainable_variables if id(one) not in others]

    def compile(
        self,
        optimizer: Any = "rmsprop",
        discriminator_optimizer: keras.optimizers.Optimizer | None = None,
        **settings: Any,
    ) -> None:
        """As `keras.Model.compile`, with `loss` and `loss_weights` by head.

        Args:
            optimizer: the generator's.
            discriminator_optimizer: the discriminator's; None for a model that is not trained.
            settings: the other arguments.
        """
        if discriminator_optimizer is not None:
            optimizer = NetworkOptimizers(
                [
                    (optimizer, self.generator.trainable_variables),
                    (discriminator_optimizer, self.discriminator_variables),
                ]
            )
        super().compile(optimizer=optimizer, **settings)
        self._loss_of: Mapping[str, Callable[..., tf.Tensor]] = settings["loss"] or {}
        self._weight_of: Mapping[str, float] = settings["loss_weights"] or {}

    def train_step(self, data: Any) -> dict[str, Any]:
        """Updates both networks on a batch of inputs, targets and, if there are any, weights."""
        inputs, targets, weights = keras.utils.unpack_x_y_sample_weight(data)
        for _ in range(self.settings.discriminator_steps):
            with tf.GradientTape() as tape:
                outputs = self(inputs, training=True)
                loss = self.compute_loss(inputs, targets, outputs, weights, training=True)
                scaled = self.optimizer.scale_loss(loss)
            self._update(tape, scaled, self.discriminator_variables)
            for kernel, vector in self._kernels:
                values = layers.spectrally_normalized(kernel.value, vector.value)
                kernel.assign(values[0])
                vector.assign(values[1])
        self._loss_tracker.update_state(loss * _devices(), sample_weight=self._rows(inputs))
        with tf.GradientTape() as tape:
            loss = self._generator_loss(inputs, targets)
            scaled = self.optimizer.scale_loss(loss)
        self._update(tape, scaled, self.generator.trainable_variables)
        return self.compute_metrics(inputs, targets, outputs, weights)

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> tf.Tensor:
        """The discriminator's loss of a batch and as many generated examples, a scalar.

        The losses of the heads are those of the real examples.
        """
        generated = tf.stop_gradient(self._generated_for(x, y, training))
        scores = self._outputs_of(x, generated, training)[REALNESS]
        loss = layers.discriminator_loss(y_pred[REALNESS], scores, self.settings.loss)
        rows = self._rows(x)
        self._discriminator_mean.update_state(loss, sample_weight=rows)
        if not training:
            adversarial = layers.generator_loss(scores, self.settings.loss)
            self._generator_mean.update_state(adversarial, sample_weight=rows)
        if training and self.settings.penalty:
            loss += self.settings.penalty * layers.gradient_penalty(
                lambda values: self._outputs_of(x, values, training)[REALNESS],
                self._spec.reconstruction_target(x[self.generated]),
                generated,
                keras.random.uniform((rows,), seed=self._noise),
            )
        # Every device adds its share, as with the losses of the heads.
        loss /= _devices()
        if self._heads:
            of_heads = {name: y_pred[name] for name in self._heads}
            return loss + super().compute_loss(x, y, of_heads, sample_weight, training)
        return tf.add_n([loss, *(tf.cast(one, tf.float32) for one in self.losses)])

    def compute_metrics(
        self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None
    ) -> dict[str, Any]:
        of_heads = {name: y_pred[name] for name in self._heads}
        return super().compute_metrics(x, y, of_heads, sample_weight)

    def generate(self, noise: tf.Tensor, classes: tf.Tensor | None, inputs: Tensors) -> tf.Tensor:
        """Generated values as the input's decoder gives them, float32 `[batch, ...]`.

        Args:
            noise: standard normal, float32 `[batch, dim]`.
            classes: the classes asked for, int `[batch]`; None without a head.
            inputs: the other inputs of the model, by name.
        """
        return self._generate(noise, classes, inputs, training=False)

    def _generate(
        self, noise: tf.Tensor, classes: tf.Tensor | None, inputs: Tensors, training: bool
    ) -> tf.Tensor:
        parts = [noise]
        if classes is not None:
            parts.append(tf.one_hot(classes, self.classes))
        if self._condition is not None:
            others = {name: inputs[name] for name in self._condition.input}
            features = self._condition(others, training=False)
            parts.append(tf.stop_gradient(tf.cast(features, tf.float32)))
        return self.generator(tf.concat(parts, axis=1), training=training)

    def _generated_for(self, inputs: Tensors, targets: Tensors, training: bool) -> tf.Tensor:
        """An example generated for each one of a batch, from new noise."""
        shape = (self._rows(inputs), self.settings.dim)
        noise = keras.random.normal(shape, seed=self._noise if training else _VALIDATION_SEED)
        classes = None if self.head is None else _class_ids(targets[self.head], self.classes)
        return self._generate(noise, classes, inputs, training)

    def _outputs_of(self, inputs: Tensors, generated: tf.Tensor, training: bool) -> Tensors:
        """The outputs for a batch with generated values in place of the real ones."""
        values = self._spec.from_reconstruction(generated)
        outputs: Tensors = self({**inputs, self.generated: values}, training=training)
        return outputs

    def _generator_loss(self, inputs: Tensors, targets: Tensors) -> tf.Tensor:
        """The loss of new generated examples: taken for real, and read as the classes asked for."""
        generated = self._generated_for(inputs, targets, training=True)
        outputs = self._outputs_of(inputs, generated, training=True)
        loss = layers.generator_loss(outputs[REALNESS], self.settings.loss)
        self._generator_mean.update_state(loss, sample_weight=self._rows(inputs))
        loss /= _devices()
        if self.head is None:
            return loss
        read = self._loss_of[self.head](targets[self.head], outputs[self.head])
        return loss + self._weight_of[self.head] * read

    def _update(
        self, tape: tf.GradientTape, loss: tf.Tensor, variables: Sequence[keras.Variable]
    ) -> None:
        self.optimizer.apply(tape.gradient(loss, list(variables)), variables)

    def _rows(self, inputs: Tensors) -> tf.Tensor:
        return tf.shape(inputs[self.generated])[0]


def _class_ids(target: tf.Tensor, classes: int) -> tf.Tensor:
    """The class of each target of a head that chooses a class, int32 `[batch]`.

    Args:
        target: class ids `[batch]`, the probability of the second of two classes `[batch, 1]`, or
            a probability per class `[batch, classes]`.
        classes: their number.
    """
    if target.shape.rank == 1:
        return tf.cast(target, tf.int32)
    if target.shape[1] == 1:
        return tf.cast(tf.round(target[:, 0]), tf.int32)
    return tf.argmax(target, axis=1, output_type=tf.int32)


def _devices() -> int:
    return int(tf.distribute.get_strategy().num_replicas_in_sync)
