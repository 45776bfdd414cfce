"""A model whose loss is more than the sum of its heads' losses."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from mmzoo.lazy import keras, tf

Tensors = Mapping[str, tf.Tensor]


class WeighedModel(keras.Model):
    """A functional model with outputs beside those of the heads, which only the loss gets to see.

    In training it gives them all; else the heads' alone, which is what predicts and is measured.

    Attributes:
        heads: the names of the outputs that are predictions.
        auxiliary: of each head, the names of further outputs to be near the same labels.
        auxiliary_weight: the weight of each of their losses beside the head's own.
        uncertainty: the name of the layer of learned weights; None where they are given.
    """

    def __init__(
        self,
        inputs: Tensors,
        outputs: Tensors,
        name: str,
        auxiliary: Mapping[str, Collection[str]],
        auxiliary_weight: float,
        uncertainty: str | None,
    ) -> None:
        """A model of named inputs and outputs; `auxiliary` has an entry for every head."""
        super().__init__(dict(inputs), dict(outputs), name=name)
        self.heads = tuple(auxiliary)
        self.auxiliary = {head: tuple(names) for head, names in auxiliary.items()}
        self.auxiliary_weight = auxiliary_weight
        self.uncertainty = uncertainty

    def compile(self, *arguments: Any, **settings: Any) -> None:
        """As `keras.Model.compile`, with `loss` and `loss_weights` by head."""
        super().compile(*arguments, **settings)
        self._loss_of: Mapping[str, Callable[..., tf.Tensor]] = settings["loss"]
        self._weight_of: Mapping[str, float] = settings["loss_weights"]

    def call(self, inputs: Tensors, training: bool | None = None, mask: Any = None) -> Tensors:
        outputs = super().call(inputs, training=training, mask=mask)
        return outputs if training else self._of_heads(outputs)

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> tf.Tensor:
        """The loss of a batch: its mean over the examples, a scalar."""
        predicted = self._of_heads(y_pred)
        # Keras takes the means of the heads' losses by this, too.
        total = super().compute_loss(x, y, predicted, sample_weight, training)
        if self.uncertainty is None and not training:
            return total
        losses = {name: self._loss(name, y, y_pred, sample_weight, training) for name in self.heads}
        # Of regularizers, and of layers that add one.
        added = tf.add_n(
            [tf.zeros([]), *(tf.cast(tf.reduce_sum(x), tf.float32) for x in self.losses)]
        )
        if self.uncertainty is None:
            return added + tf.add_n([self._weight_of[name] * loss for name, loss in losses.items()])
        layer = self.get_layer(self.uncertainty)
        weighed = tf.reduce_sum(layer.weights_of_losses() * tf.stack(list(losses.values())))
        # Each device adds its part, as it does of the losses.
        devices = tf.distribute.get_strategy().num_replicas_in_sync
        return weighed + layer.penalty() / devices + added

    def compute_metrics(
        self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None
    ) -> dict[str, Any]:
        return super().compute_metrics(x, y, self._of_heads(y_pred), sample_weight)

    def _loss(
        self, head: str, y: Tensors, outputs: Tensors, weights: Tensors | None, training: bool
    ) -> tf.Tensor:
        """A head's loss and, in training, those of its auxiliary predictions."""
        loss, weight = self._loss_of[head], None if weights is None else weights[head]
        total = loss(y[head], outputs[head], weight)
        if training:
            for name in self.auxiliary[head]:
                total += self.auxiliary_weight * loss(y[head], outputs[name], weight)
        return total

    def _of_heads(self, outputs: Tensors) -> Tensors:
        return {name: outputs[name] for name in self.heads}
