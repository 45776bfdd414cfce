"""A convolutional network, freely described: what images and spectrograms share."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import TYPE_CHECKING, Literal

from mmzoo.encoders.activations import Activation
from mmzoo.encoders.base import Encoder
from mmzoo.encoders.dense import dense_layers
from mmzoo.encoders.features import Features
from mmzoo.encoders.pooling import Pooling, pooled
from mmzoo.lazy import keras
from mmzoo.spec import PositiveInt, Problem, Rate

if TYPE_CHECKING:
    from keras import KerasTensor


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

    def convolved(self, x: KerasTensor) -> Features:
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

    def _convolution(self, x: KerasTensor, filters: int, stage: int, name: str) -> KerasTensor:
        from mmzoo.layers.batch_norm import BatchNorm

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

    def _pool(self, x: KerasTensor, stage: int) -> KerasTensor:
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
