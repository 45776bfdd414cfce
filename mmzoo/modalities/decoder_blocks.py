"""Decoders shared by several modalities: maps rebuilt from a code by convolutions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from annotated_types import MinLen

from mmzoo.lazy import keras
from mmzoo.modalities.base_encoder import Activation, Encoder
from mmzoo.modalities.encoder_blocks import (
    ConvolutionalStages,
    convolution,
    dense_layers,
    stage_value,
)
from mmzoo.modalities.run_encoder import RunEncoder
from mmzoo.spec import PositiveInt, Problem, Rate, Spec

MapSize = tuple[int, int]
"""Height and width of a map."""


class ConvolutionalDecoder(Spec):
    """Convolutional decoder: dense layers to a small map, then stages that enlarge it.

    Each stage resizes the map to twice its height and width, by nearest neighbours, before its
    convolutions. Resized convolutions leave no checkerboard patterns, as transposed ones do.

    Reference: Odena et al., "Deconvolution and checkerboard artifacts", 2016.
    """

    filters: Annotated[tuple[PositiveInt, ...], MinLen(1)]
    """Filters of the small map, then of each stage; the last stage has those of the one before. One
    stage per entry."""
    units: tuple[PositiveInt, ...] = ()
    """Width of each dense layer between the code and the small map."""
    kernel_size: PositiveInt | tuple[PositiveInt, ...] = 3
    """Kernel height and width of each stage."""
    convolutions: PositiveInt | tuple[PositiveInt, ...] = 1
    """Number of convolutions per stage, after its resizing."""
    batch_norm: bool = False
    """Whether to add batch normalization between each convolution and its activation."""
    norm_momentum: Rate = 0.9
    """Momentum of the moving statistics of batch normalization."""
    activation: Activation = "relu"
    """Activation of convolutions and dense layers."""

    def rules(self) -> Iterator[Problem]:
        for field in ("kernel_size", "convolutions"):
            value = getattr(self, field)
            if isinstance(value, tuple) and len(value) != len(self.filters):
                yield Problem(
                    (field,),
                    f"expected one number, or one for each of the {len(self.filters)} stages of "
                    f"`filters`; got {len(value)} numbers",
                )

    def build(
        self, code: keras.KerasTensor, sizes: list[MapSize], channels: int, output: str
    ) -> keras.KerasTensor:
        """The rebuilt map, float32 `[batch, height, width, channels]`.

        Args:
            code: float `[batch, width]`.
            sizes: of the map at the start and after each stage, ascending.
            channels: of the rebuilt map.
            output: its activation.
        """
        (height, width), *larger = sizes
        x = dense_layers(code, self.units, self.activation, 0.0)
        x = keras.layers.Dense(height * width * self.filters[0], self.activation, name="map")(x)
        x = keras.layers.Reshape((height, width, self.filters[0]), name="reshape")(x)
        for stage, size in enumerate(larger):
            if size != tuple(x.shape[1:3]):
                x = keras.layers.Resizing(
                    *size, interpolation="nearest", name=f"stage{stage + 1}_resize"
                )(x)
            for index in range(stage_value(self.convolutions, stage)):
                x = self._convolution(x, stage, f"stage{stage + 1}_conv{index + 1}")
        return keras.layers.Conv2D(
            channels,
            stage_value(self.kernel_size, len(self.filters) - 1),
            padding="same",
            activation=output,
            dtype="float32",
            name="output",
        )(x)

    def _convolution(self, x: keras.KerasTensor, stage: int, name: str) -> keras.KerasTensor:
        filters = self.filters[min(stage + 1, len(self.filters) - 1)]
        momentum = self.norm_momentum if self.batch_norm else None
        kernel = stage_value(self.kernel_size, stage)
        return convolution(x, filters, kernel, "same", momentum, self.activation, name)


def decoder_problem(decoder: ConvolutionalDecoder | None, encoder: Encoder, advice: str) -> str:
    """The error if neither a decoder is given nor the encoder can be mirrored; else ""."""
    if decoder is not None or isinstance(encoder, ConvolutionalStages | RunEncoder):
        return ""
    return f"has a {encoder.type} encoder, which cannot be mirrored: give its decoder, {advice}"


def rebuild_map(
    code: keras.KerasTensor,
    decoder: ConvolutionalDecoder | None,
    encoder: Encoder,
    shape: tuple[int, int, int],
    output: str,
) -> keras.KerasTensor:
    """A map rebuilt from a code by the decoder or, by default, the mirror image of its encoder.

    Args:
        code: float `[batch, width]`.
        decoder: if given, the map doubles in size in each stage.
        encoder: of the same map; made of `ConvolutionalStages` if no decoder is given.
        shape: height, width and channels of the map.
        output: activation of the rebuilt map.

    Returns:
        float32 `[batch, height, width, channels]`.
    """
    height, width, channels = shape
    if decoder is None:
        assert isinstance(encoder, ConvolutionalStages)
        decoder, sizes = _mirror_image(encoder, (height, width))
    else:
        factors = [2**stage for stage in range(len(decoder.filters), -1, -1)]
        sizes = [(-(-height // factor), -(-width // factor)) for factor in factors]
    return decoder.build(code, sizes, channels, output)


def _mirror_image(
    encoder: ConvolutionalStages, size: MapSize
) -> tuple[ConvolutionalDecoder, list[MapSize]]:
    """The decoder with the layers of an encoder in reverse, and the sizes of its maps.

    The encoder's last dense layer gives the code, so it has no counterpart.
    """

    def reversed_stages(value: int | tuple[int, ...]) -> int | tuple[int, ...]:
        return value if isinstance(value, int) else value[::-1]

    decoder = ConvolutionalDecoder(
        filters=encoder.filters[::-1],
        units=encoder.units[-2::-1],
        kernel_size=reversed_stages(encoder.kernel_size),
        convolutions=reversed_stages(encoder.convolutions),
        batch_norm=encoder.batch_norm,
        norm_momentum=encoder.norm_momentum,
        activation=encoder.activation,
    )
    sizes = zip(*map(encoder.map_sizes, size), strict=True)
    return decoder, [*sizes][::-1]
