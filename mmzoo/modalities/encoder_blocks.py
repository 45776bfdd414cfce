"""Network blocks shared by the encoders of several modalities."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Literal

from mmzoo import layers
from mmzoo.lazy import keras
from mmzoo.modalities.base_encoder import Activation, Encoder, Features
from mmzoo.spec import PositiveInt, Problem, Rate


def dense_layers(
    x: keras.KerasTensor,
    units: tuple[int, ...],
    activation: str,
    dropout: float,
    kernel_initializer: str = "glorot_uniform",
) -> keras.KerasTensor:
    """Dense layers with an activation, each followed by dropout.

    Args:
        x: float `[batch, width]`.
        units: width of each layer.
        activation: activation of each layer.
        dropout: dropout rate after each layer; 0 adds no dropout layers.
        kernel_initializer: initializer of the kernels.

    Returns:
        Float `[batch, units[-1]]`; `x` if there are no layers.
    """
    for index, width in enumerate(units, start=1):
        x = keras.layers.Dense(
            width, activation, kernel_initializer=kernel_initializer, name=f"dense{index}"
        )(x)
        if dropout:
            x = keras.layers.Dropout(dropout, name=f"dropout{index}")(x)
    return x


Pooling = Literal["flatten", "average", "max"]


def global_pooling(x: keras.KerasTensor, pooling: Pooling) -> keras.KerasTensor:
    """Feature map as a vector: flattened, or pooled over all positions.

    Args:
        x: float `[batch, height, width, channels]`.
        pooling: kind of pooling.
    """
    match pooling:
        case "flatten":
            return keras.layers.Flatten(name="flatten")(x)
        case "average":
            return keras.layers.GlobalAveragePooling2D(name="average")(x)
        case "max":
            return keras.layers.GlobalMaxPooling2D(name="max")(x)


Cell = Literal["rnn", "lstm", "gru"]


def recurrent_states(
    x: keras.KerasTensor,
    present: keras.KerasTensor | None,
    cell: Cell,
    units: tuple[int, ...],
    bidirectional: bool,
    dropout: float,
    recurrent_dropout: float,
) -> list[keras.KerasTensor]:
    """Hidden states of the last of several recurrent layers, at every position.

    Padding must be at the end. Keras masks are not used, as they slow down every step. They are not
    needed: a forward layer reaches padding after the last token, and a backward layer reads each
    sequence in reverse, with the padding still at the end. States at padded positions are
    meaningless.

    Args:
        x: float `[batch, positions, width]`.
        present: bool `[batch, positions]`, false at padding; None if there is no padding.
        cell: kind of the recurrent layers.
        units: width of each layer's state, per direction.
        bidirectional: whether each layer also has a backward half.
        dropout: dropout rate of each layer's inputs, with the same mask at all positions.
        recurrent_dropout: dropout rate of the state, with the same mask at all positions.

    Returns:
        The forward states and, if `bidirectional`, the backward states, each float `[batch,
        positions, units[-1]]` in the order of the sequence.
    """
    states = [x]
    for index, width in enumerate(units, start=1):
        x = concatenate(states, f"both{index - 1}")
        if dropout:
            x = keras.layers.SpatialDropout1D(dropout, name=f"dropout{index}")(x)
        states = [_recurrent_layer(cell, width, recurrent_dropout, f"{cell}{index}")(x)]
        if bidirectional:
            backwards = layers.ReverseSequence(name=f"reversed{index}")(x, present)
            name = f"{cell}{index}_backwards"
            backwards = _recurrent_layer(cell, width, recurrent_dropout, name)(backwards)
            states.append(layers.ReverseSequence(name=f"restored{index}")(backwards, present))
    return states


def concatenate(parts: list[keras.KerasTensor], name: str) -> keras.KerasTensor:
    """Tensors concatenated along the last axis."""
    return keras.layers.Concatenate(name=name)(parts) if len(parts) > 1 else parts[0]


def _recurrent_layer(cell: Cell, units: int, recurrent_dropout: float, name: str) -> keras.Layer:
    if not recurrent_dropout:
        kinds = {
            "rnn": keras.layers.SimpleRNN,
            "lstm": keras.layers.LSTM,
            "gru": keras.layers.GRU,
        }
        return kinds[cell](units, return_sequences=True, name=name)
    cells = {
        "rnn": keras.layers.SimpleRNNCell,
        "lstm": layers.VariationalDropoutLSTMCell,
        "gru": layers.VariationalDropoutGRUCell,
    }
    one = cells[cell](units, recurrent_dropout=recurrent_dropout, name="cell")
    return keras.layers.RNN(one, return_sequences=True, name=name)


def num_heads_problems(dim: int, num_heads: int) -> Iterator[Problem]:
    """Yields a Problem if `num_heads` does not divide `dim`."""
    if dim % num_heads:
        yield Problem(
            ("num_heads",),
            f"expected a divisor of `dim`, which is {dim}; got {num_heads}",
        )


def residual_attention_block(
    x: keras.KerasTensor,
    attention_output: keras.KerasTensor,
    name: str,
    *,
    hidden: int,
    activation: str,
    dropout: float,
) -> keras.KerasTensor:
    """Rest of a pre-norm transformer block, after its attention: residuals and feed-forward part.

    Computes `x + attention_output`, then adds a feed-forward network of its layer norm.

    Args:
        x: block input, `[batch, positions, width]`.
        attention_output: output of the attention layer, same shape.
        name: prefix of the layer names.
        hidden: units of the first of the two dense layers.
        activation: activation of the first dense layer.
        dropout: dropout rate of the attention output and of the feed-forward output.

    Returns:
        Block output, `[batch, positions, width]`.
    """
    x = keras.layers.Add(name=f"{name}_add1")(
        [x, _dropout(attention_output, dropout, f"{name}_dropout1")]
    )
    normed = layer_norm(x, f"{name}_norm2")
    inner = keras.layers.Dense(hidden, activation, name=f"{name}_dense1")(normed)
    added = keras.layers.Dense(x.shape[-1], name=f"{name}_dense2")(inner)
    return keras.layers.Add(name=f"{name}_add2")([x, _dropout(added, dropout, f"{name}_dropout2")])


def layer_norm(x: keras.KerasTensor, name: str) -> keras.KerasTensor:
    """Layer normalization of each token over its features."""
    return keras.layers.LayerNormalization(epsilon=1e-6, name=name)(x)


def _dropout(x: keras.KerasTensor, dropout: float, name: str) -> keras.KerasTensor:
    return keras.layers.Dropout(dropout, name=name)(x) if dropout else x


class ConvolutionalStages(Encoder):
    """Base class of convolutional encoders: stages of convolution, activation and pooling."""

    type: Literal["cnn"] = "cnn"
    filters: tuple[PositiveInt, ...] = (32, 64, 64)
    """Filters of the convolutions of each stage; one stage per entry."""
    kernel_size: PositiveInt | tuple[PositiveInt, ...] = 3
    """Kernel height and width of each stage."""
    convolutions: PositiveInt | tuple[PositiveInt, ...] = 1
    """Number of convolutions per stage, before its pooling."""
    padding: Literal["valid", "same"] = "valid"
    """Padding of the convolutions: `same` keeps height and width, `valid` shrinks them by the
    kernel size minus 1."""
    batch_norm: bool = False
    """Whether to add batch normalization between each convolution and its activation."""
    norm_momentum: Rate = 0.9
    """Momentum of the moving statistics of batch normalization. Keras' default of 0.99 needs
    thousands of steps before evaluation matches training."""
    activation: Activation = "relu"
    """Activation of convolutions and dense layers."""
    pool: PositiveInt | tuple[PositiveInt, ...] = 2
    """Size and stride of the pooling at the end of each stage; 1 means no pooling."""
    pool_type: Literal["max", "average"] = "max"
    """Kind of the pooling at the end of each stage."""
    stage_dropout: Rate = 0.0
    """Spatial dropout rate after each stage: whole feature maps are dropped."""
    pooling: Pooling = "flatten"
    """How the last feature map becomes a vector: flattened, or global average or max pooling."""
    units: tuple[PositiveInt, ...] = ()
    """Width of each dense layer after the convolutions."""
    dropout: Rate = 0.0
    """Dropout rate of the pooled feature vector and of each dense layer's output."""

    def rules(self) -> Iterator[Problem]:
        stages = len(self.filters)
        if stages == 0:
            yield Problem(("filters",), "expected at least one stage, got an empty list")
        for field in ("kernel_size", "convolutions", "pool"):
            value = getattr(self, field)
            if isinstance(value, tuple) and len(value) != stages:
                yield Problem(
                    (field,),
                    f"expected one number, or one for each of the {stages} stages of `filters`; "
                    f"got {len(value)} numbers",
                )

    def min_map_size(self) -> int:
        """Minimum height or width for which the last feature map is not empty."""
        return next(size for size in count(1) if self.map_sizes(size)[-1] >= 1)

    def map_sizes(self, size: int) -> list[int]:
        """The height or width of a map of this size, and of that after each stage; 0 if empty."""
        sizes = [size]
        for stage in range(len(self.filters)):
            if self.padding == "valid":
                shrink = stage_value(self.kernel_size, stage) - 1
                size -= shrink * stage_value(self.convolutions, stage)
            # If nothing is left for one stage, there is nothing for the next ones either.
            size = max(0, size) // stage_value(self.pool, stage) if sizes[-1] else 0
            sizes.append(size)
        return sizes

    def convolutional_features(self, x: keras.KerasTensor) -> Features:
        """Features of a map, float `[batch, height, width, channels]`, with scaled values."""
        for stage, filters in enumerate(self.filters):
            for index in range(stage_value(self.convolutions, stage)):
                x = self._convolution(x, filters, stage, f"stage{stage + 1}_conv{index + 1}")
            x = self._pool(x, stage)
            if self.stage_dropout:
                name = f"stage{stage + 1}_dropout"
                x = keras.layers.SpatialDropout2D(self.stage_dropout, name=name)(x)
        tokens = keras.layers.Reshape((-1, x.shape[-1]), name="tokens")(x)
        x = global_pooling(x, self.pooling)
        if self.dropout:
            x = keras.layers.Dropout(self.dropout, name="dropout")(x)
        x = dense_layers(x, self.units, self.activation, self.dropout)
        return Features(vector=x, tokens=tokens)

    def _convolution(
        self, x: keras.KerasTensor, filters: int, stage: int, name: str
    ) -> keras.KerasTensor:
        momentum = self.norm_momentum if self.batch_norm else None
        kernel = stage_value(self.kernel_size, stage)
        return convolution(x, filters, kernel, self.padding, momentum, self.activation, name)

    def _pool(self, x: keras.KerasTensor, stage: int) -> keras.KerasTensor:
        size = stage_value(self.pool, stage)
        if size == 1:
            return x
        max_pool, average_pool = keras.layers.MaxPooling2D, keras.layers.AveragePooling2D
        pool = max_pool if self.pool_type == "max" else average_pool
        return pool(size, name=f"stage{stage + 1}_pool")(x)


def convolution(
    x: keras.KerasTensor,
    filters: int,
    kernel_size: int,
    padding: str,
    norm_momentum: float | None,
    activation: str,
    name: str,
) -> keras.KerasTensor:
    """A 2-D convolution with its activation; with a momentum, batch norm between the two."""
    has_norm = norm_momentum is not None
    x = keras.layers.Conv2D(
        filters, kernel_size, padding=padding, use_bias=not has_norm, name=name
    )(x)
    if has_norm:
        x = layers.BatchNorm(momentum=norm_momentum, name=f"{name}_norm")(x)
    return keras.layers.Activation(activation, name=f"{name}_{activation}")(x)


def stage_value(value: int | tuple[int, ...], stage: int) -> int:
    """The value of a stage, where a field has one number or one per stage."""
    return value if isinstance(value, int) else value[stage]
