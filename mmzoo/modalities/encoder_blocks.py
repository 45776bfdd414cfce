"""Blocks shared by the encoders of several modalities."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Literal

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
    """A vector, float `[batch, width]`, after a layer per entry of `units`, with dropout behind."""
    for index, width in enumerate(units, start=1):
        x = keras.layers.Dense(
            width, activation, kernel_initializer=kernel_initializer, name=f"dense{index}"
        )(x)
        if dropout:
            x = keras.layers.Dropout(dropout, name=f"dropout{index}")(x)
    return x


Pooling = Literal["flatten", "average", "max"]


def pooled(x: keras.KerasTensor, pooling: Pooling) -> keras.KerasTensor:
    """All of a `[batch, height, width, channels]` map, or each channel's average or maximum."""
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
    """The states of the last recurrent layer at every position.

    Padding must be at the end. No layer masks it, which would take time at every position: what
    reads forwards has passed the words before it comes to padding, and what reads backwards gets
    each sequence's own words reversed. States at padding mean nothing.

    Args:
        x: float `[batch, positions, width]`.
        present: bool `[batch, positions]`, false at padding; None where there is no padding.
        cell: the kind of layer.
        units: the width of each layer's state, in one direction.
        bidirectional: whether each layer has a second half that reads backwards.
        dropout: share of the entries of each layer's inputs dropped, the same at all positions.
        recurrent_dropout: share of the entries of the state that a layer does not see, likewise.

    Returns:
        The states read forwards and, if `bidirectional`, those read backwards, each float `[batch,
        positions, units[-1]]` in the order of the sequence.
    """
    from mmzoo.layers.sequences import ReversedWords

    states = [x]
    for index, width in enumerate(units, start=1):
        x = joined(states, f"both{index - 1}")
        if dropout:
            x = keras.layers.SpatialDropout1D(dropout, name=f"dropout{index}")(x)
        states = [_layer(cell, width, recurrent_dropout, f"{cell}{index}")(x)]
        if bidirectional:
            backwards = ReversedWords(name=f"reversed{index}")(x, present)
            name = f"{cell}{index}_backwards"
            backwards = _layer(cell, width, recurrent_dropout, name)(backwards)
            states.append(ReversedWords(name=f"restored{index}")(backwards, present))
    return states


def joined(parts: list[keras.KerasTensor], name: str) -> keras.KerasTensor:
    """The tensors side by side, along their last axis."""
    return keras.layers.Concatenate(name=name)(parts) if len(parts) > 1 else parts[0]


def _layer(cell: Cell, units: int, recurrent_dropout: float, name: str) -> keras.Layer:
    if not recurrent_dropout:
        layers = {"rnn": "SimpleRNN", "lstm": "LSTM", "gru": "GRU"}
        return getattr(keras.layers, layers[cell])(units, return_sequences=True, name=name)
    return keras.layers.RNN(_cell(cell, units, recurrent_dropout), return_sequences=True, name=name)


def _cell(cell: Cell, units: int, recurrent_dropout: float) -> keras.Layer:
    from mmzoo.layers.sequences import TiedGRUCell, TiedLSTMCell

    cells = {"rnn": keras.layers.SimpleRNNCell, "lstm": TiedLSTMCell, "gru": TiedGRUCell}
    return cells[cell](units, recurrent_dropout=recurrent_dropout, name="cell")


def head_problems(dim: int, num_heads: int) -> Iterator[Problem]:
    """What is wrong with fields `dim` and `num_heads`, if the one is no multiple of the other."""
    if dim % num_heads:
        yield Problem(
            ("num_heads",),
            f"expected a number that divides `dim`, which is {dim}; got {num_heads}",
        )


def with_attended(
    x: keras.KerasTensor,
    attended: keras.KerasTensor,
    name: str,
    *,
    hidden: int,
    activation: str,
    dropout: float,
) -> keras.KerasTensor:
    """Tokens, `[batch, positions, width]`, after a block that normalises first and adds after.

    Args:
        x: the tokens before it.
        attended: what they found where they looked, of the same shape.
        name: begins the names of its layers.
        hidden: units of the first of its two dense layers.
        activation: of that.
        dropout: share dropped, in training, of what each half of the block adds.
    """
    layers = keras.layers
    x = layers.Add(name=f"{name}_add1")([x, _dropped(attended, dropout, f"{name}_dropout1")])
    normed = normalised(x, f"{name}_norm2")
    inner = layers.Dense(hidden, activation, name=f"{name}_dense1")(normed)
    added = layers.Dense(x.shape[-1], name=f"{name}_dense2")(inner)
    return layers.Add(name=f"{name}_add2")([x, _dropped(added, dropout, f"{name}_dropout2")])


def normalised(x: keras.KerasTensor, name: str) -> keras.KerasTensor:
    """Each token with mean 0 and deviation 1 over its features, and a learned scale and shift."""
    return keras.layers.LayerNormalization(epsilon=1e-6, name=name)(x)


def _dropped(x: keras.KerasTensor, dropout: float, name: str) -> keras.KerasTensor:
    return keras.layers.Dropout(dropout, name=name)(x) if dropout else x


class Convolutions(Encoder):
    """Stages of convolution, activation and pooling over a map, then dense layers."""

    type: Literal["cnn"] = "cnn"
    filters: tuple[PositiveInt, ...] = (32, 64, 64)
    """Filters of each stage's convolutions: one stage per entry."""
    kernel_size: PositiveInt | tuple[PositiveInt, ...] = 3
    """Height and width of each stage's kernels."""
    convolutions: PositiveInt | tuple[PositiveInt, ...] = 1
    """Convolutions in each stage, before its pooling."""
    padding: Literal["valid", "same"] = "valid"
    """`valid` lets each convolution shrink the map by its kernel; `same` keeps its size."""
    batch_norm: bool = False
    """Normalise each convolution's output over the batch, before the activation."""
    norm_momentum: Rate = 0.9
    """How much of the moving statistics of batch norm each step keeps. Keras' own default of 0.99
    needs thousands of steps before evaluation sees what training saw."""
    activation: Activation = "relu"
    """The activation of convolutions and dense layers."""
    pool: PositiveInt | tuple[PositiveInt, ...] = 2
    """Size and stride of the pooling that ends each stage; 1 means none."""
    pool_type: Literal["max", "average"] = "max"
    """What pooling takes of its window."""
    stage_dropout: Rate = 0.0
    """Share of whole feature maps dropped after each stage."""
    pooling: Pooling = "flatten"
    """How the last feature map becomes a vector: all of it, or its average or maximum."""
    units: tuple[PositiveInt, ...] = ()
    """Width of each dense layer after the convolutions."""
    dropout: Rate = 0.0
    """Share of the feature vector dropped, and of each dense layer's output."""

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

    def smallest_map(self) -> int:
        """The smallest height or width that leaves something after the last stage."""
        return next(size for size in count(1) if self._size_after(size) >= 1)

    def convolved(self, x: keras.KerasTensor) -> Features:
        """The features of a map: float `[batch, height, width, channels]`, scaled."""
        for stage, filters in enumerate(self.filters):
            for index in range(_of_stage(self.convolutions, stage)):
                x = self._convolution(x, filters, stage, f"stage{stage + 1}_conv{index + 1}")
            x = self._pool(x, stage)
            if self.stage_dropout:
                name = f"stage{stage + 1}_dropout"
                x = keras.layers.SpatialDropout2D(self.stage_dropout, name=name)(x)
        tokens = keras.layers.Reshape((-1, x.shape[-1]), name="tokens")(x)
        x = pooled(x, self.pooling)
        if self.dropout:
            x = keras.layers.Dropout(self.dropout, name="dropout")(x)
        x = dense_layers(x, self.units, self.activation, self.dropout)
        return Features(vector=x, tokens=tokens)

    def _convolution(
        self, x: keras.KerasTensor, filters: int, stage: int, name: str
    ) -> keras.KerasTensor:
        from mmzoo.layers.convolutional import BatchNorm

        x = keras.layers.Conv2D(
            filters,
            _of_stage(self.kernel_size, stage),
            padding=self.padding,
            use_bias=not self.batch_norm,
            name=name,
        )(x)
        if self.batch_norm:
            x = BatchNorm(momentum=self.norm_momentum, name=f"{name}_norm")(x)
        return keras.layers.Activation(self.activation, name=f"{name}_{self.activation}")(x)

    def _pool(self, x: keras.KerasTensor, stage: int) -> keras.KerasTensor:
        size = _of_stage(self.pool, stage)
        if size == 1:
            return x
        max_pool, average_pool = keras.layers.MaxPooling2D, keras.layers.AveragePooling2D
        pool = max_pool if self.pool_type == "max" else average_pool
        return pool(size, name=f"stage{stage + 1}_pool")(x)

    def _size_after(self, size: int) -> int:
        for stage in range(len(self.filters)):
            if self.padding == "valid":
                shrink = _of_stage(self.kernel_size, stage) - 1
                size -= shrink * _of_stage(self.convolutions, stage)
            size //= _of_stage(self.pool, stage)
            if size < 1:  # Python's floor would let a negative size look like a positive one later.
                return 0
        return size


def _of_stage(value: int | tuple[int, ...], stage: int) -> int:
    return value if isinstance(value, int) else value[stage]
