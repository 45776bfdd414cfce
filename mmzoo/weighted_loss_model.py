"""A Keras model with auxiliary outputs and learned weights of the losses."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from mmzoo.lazy import keras, tf

Tensors = Mapping[str, tf.Tensor]


class WeightedLossModel(keras.Model):
    """A functional model with outputs besides those of the heads, used only by the loss.

    Called with `training=True` it returns all outputs, else those of the heads.

    Attributes:
        heads: the names of the heads' outputs.
        auxiliary: by head, the names of its auxiliary outputs, trained on the same labels.
        auxiliary_weight: the weight of each auxiliary loss relative to the head's own.
        uncertainty: the name of the layer of learned weights; None where weights are given.
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
        # Keras also updates the mean loss of each head here.
        total = super().compute_loss(x, y, predicted, sample_weight, training)
        if self.uncertainty is None and not training:
            return total
        losses = {name: self._loss(name, y, y_pred, sample_weight, training) for name in self.heads}
        # By regularizers, and by layers that call `add_loss`. Every device adds its share, as with
        # the losses.
        devices = tf.distribute.get_strategy().num_replicas_in_sync
        added = [tf.cast(tf.reduce_sum(loss), tf.float32) for loss in self.losses]
        added = tf.add_n([tf.zeros([]), *added]) / devices
        if self.uncertainty is None:
            return added + tf.add_n([self._weight_of[name] * loss for name, loss in losses.items()])
        layer = self.get_layer(self.uncertainty)
        weighted = tf.reduce_sum(layer.loss_weights() * tf.stack(list(losses.values())))
        return weighted + layer.penalty() / devices + added

    def compute_metrics(
        self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None
    ) -> dict[str, Any]:
        return super().compute_metrics(x, y, self._of_heads(y_pred), sample_weight)

    def _loss(
        self, head: str, y: Tensors, outputs: Tensors, weights: Tensors | None, training: bool
    ) -> tf.Tensor:
        """A head's loss and, in training, those of its auxiliary outputs."""
        loss, weight = self._loss_of[head], None if weights is None else weights[head]
        total = loss(y[head], outputs[head], weight)
        if training:
            for name in self.auxiliary[head]:
                total += self.auxiliary_weight * loss(y[head], outputs[name], weight)
        return total

    def _of_heads(self, outputs: Tensors) -> Tensors:
        return {name: outputs[name] for name in self.heads}
