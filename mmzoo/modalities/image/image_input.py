"""Image: an input of images."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from annotated_types import Gt, Lt

from mmzoo import layers
from mmzoo.errors import DataError
from mmzoo.lazy import keras, np, tf
from mmzoo.modalities.base_input import Corruption
from mmzoo.modalities.decoder_blocks import ConvolutionalDecoder, decoder_problem, rebuild_map
from mmzoo.modalities.file_input import FileInput
from mmzoo.modalities.file_probe import FileKind
from mmzoo.modalities.image.augmentation import Augmentation, augment
from mmzoo.modalities.image.augmentation.erasing import box_mask
from mmzoo.modalities.image.encoders import ImageEncoder
from mmzoo.modalities.image.encoders.image_encoder import ImageNetwork
from mmzoo.modalities.image.encoders.mobilenet import MobileNet
from mmzoo.modalities.image.image_corruptions import add_gaussian_noise, image_corruptions
from mmzoo.modalities.image.image_decoding import (
    IMAGE_FILES,
    conversion_notes,
    decode_batch,
    read_image,
)
from mmzoo.modalities.image.image_files import ImageHeader
from mmzoo.modalities.image.image_resize import Resize, convert_channels, crop_edges, resize_images
from mmzoo.modalities.scan import Files
from mmzoo.modalities.suggestion import Section
from mmzoo.randomness import Randomness
from mmzoo.spec import PositiveInt, Problem

_PRETRAINED_SIZE = 224
_MIN_PRETRAINED = 96
"""Minimum height and width of photos, for which pretrained networks suit."""
_MAX_SIZE = 128
"""Maximum size for networks trained from scratch; larger images mainly slow them down."""
_FILTERS = (32, 64, 64, 128, 128)
_MIN_FEATURE_MAP = 4
"""Minimum height and width of the last feature map of a convolutional network."""


class Image(FileInput):
    """Images as uint8 pixels from 0 to 255; each encoder rescales them as it needs."""

    files: ClassVar[FileKind] = IMAGE_FILES
    suffixes: ClassVar[tuple[str, ...]] = (
        *(".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".bmp", ".gif", ".webp"),
    )

    type: Literal["image"] = "image"
    shape: tuple[PositiveInt, PositiveInt, PositiveInt]
    """Height, width and channels: 1 for greyscale, 3 for RGB."""
    resize: Resize = "stretch"
    """How images of other sizes are resized: stretch changes the aspect ratio, crop crops the
    center, pad pads with black."""
    binarize: Annotated[float, Gt(0), Lt(1)] | None = None
    """Threshold, as a share of 255, from which on pixels become white (255), others black (0). It
    applies after resizing and augmentation, in training and everywhere else."""
    antialias: bool = True
    """Whether downscaling is antialiased. `false` samples pixels instead, as Keras' own loaders do:
    coarser, but faster for images that are up to a few times too large."""
    augment: tuple[Augmentation, ...] = ()
    """Data augmentation of training images, applied in this order."""
    encoder: ImageEncoder
    """Network that computes features of the images."""
    decoder: ConvolutionalDecoder | None = None
    """Network that rebuilds the images for a `reconstruction` head; by default the mirror image of
    a `cnn` encoder."""

    def rules(self) -> Iterator[Problem]:
        """The encoder supports the channels and the size of the images."""
        yield from super().rules()
        height, width, channels = self.shape
        if channels not in (1, 3):
            yield Problem(
                ("shape", 2), f"expected 1 channel (greyscale) or 3 (RGB), got {channels}"
            )
        encoder = self.encoder.architecture
        if not isinstance(encoder, ImageNetwork):
            return  # A shared one is checked by its own input, that of a run when it is known.
        if channels in (1, 3) and channels not in encoder.channels:
            [needed] = encoder.channels
            yield Problem(
                ("shape", 2),
                f"this {encoder.type} encoder takes images with {needed} channels, not "
                f"{channels}: write [{height}, {width}, {needed}], and images are converted",
            )
        smallest = encoder.smallest_image()
        if min(height, width) < smallest:
            yield Problem(
                ("shape",),
                f"images of {height} x {width} are too small for this {encoder.type} "
                f"encoder: the minimum is {smallest} x {smallest}",
            )

    @property
    def corruptions(self) -> tuple[Corruption, ...]:
        return image_corruptions(self.shape)

    def placeholder(self, name: str) -> keras.KerasTensor:
        """The model's input: uint8 `[batch, height, width, channels]`."""
        return keras.Input(self.shape, dtype="uint8", name=name)

    def conversion_notes(self, headers: Sequence[ImageHeader]) -> Iterable[str]:
        """A note on how images of other sizes are resized, if there are any."""
        return conversion_notes(headers, self.shape, self.resize)

    def check(self, values: np.ndarray, where: str) -> None:
        """Checks that values are uint8 pixels `[rows, height, width, 1 or 3]`.

        Raises:
            DataError: the shape or dtype is wrong.
        """
        if values.ndim != 4 or values.shape[-1] not in (1, 3) or 0 in values.shape[1:]:
            raise DataError(
                f"{where}: expected images as an array of shape "
                f"(images, height, width, 1 or 3), found {values.shape}"
            )
        if values.dtype.name != "uint8":
            raise DataError(
                f"{where}: expected pixels from 0 to 255 as uint8, found {values.dtype.name}: "
                f"scale them to 0..255, round, and convert with .astype('uint8')"
            )

    def load(self, values: tf.Tensor) -> tf.Tensor:
        """Decodes images if necessary, resizes them to `shape` and applies `binarize`.

        Args:
            values: uint8 `[batch, any height, any width, 1 or 3]`, or files, strings `[batch, 3]`,
                of which missing ones become black images.

        Returns:
            uint8 `[batch, height, width, channels]`; the same tensor if it has that shape.
        """
        if values.dtype == tf.string:
            edges = self._edges if self.antialias else None
            return self._binarized(decode_batch(values, self.shape, self._resize, edges))
        return self._binarized(self._resize(values))

    def _binarized(self, images: tf.Tensor) -> tf.Tensor:
        if self.binarize is None:
            return images
        is_white = tf.cast(images, tf.float32) >= 255 * self.binarize
        return tf.where(is_white, tf.constant(255, tf.uint8), tf.constant(0, tf.uint8))

    def _resize(self, values: tf.Tensor) -> tf.Tensor:
        height, width, channels = self.shape
        if values.shape[-1] > channels:  # Converting first saves two thirds of the work.
            values = convert_channels(values, channels)
        return convert_channels(
            resize_images(values, height, width, self.resize, self.antialias), channels
        )

    def _edges(self, size: tf.Tensor) -> tf.Tensor:
        return crop_edges(size, *self.shape[:2], self.resize)

    @property
    def augmentations(self) -> tuple[Augmentation, ...]:
        return self.augment

    def augment_batch(self, images: tf.Tensor, randomness: Randomness) -> tf.Tensor:
        """Applies `augment` to loaded images; uint8, of the same shape."""
        return self._binarized(augment(images, self.augment, randomness))

    def blend(self, images: tf.Tensor, partners: tf.Tensor, share: tf.Tensor) -> tf.Tensor:
        """Weighted averages of images and their partners, as in mixup.

        Args:
            images: uint8 `[batch, height, width, channels]`.
            partners: uint8 `[batch, height, width, channels]`.
            share: float32 scalar, weight of the images: 0 gives the partners, 1 the images.
        """
        images, partners = tf.cast(images, tf.float32), tf.cast(partners, tf.float32)
        return tf.saturate_cast(tf.round(share * images + (1.0 - share) * partners), tf.uint8)

    def paste(
        self, images: tf.Tensor, partners: tf.Tensor, box: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Images with a box of their partner pasted in, as in cutmix.

        Args:
            images: uint8 `[batch, height, width, channels]`.
            partners: uint8 `[batch, height, width, channels]`.
            box: float32 `[4]`: top, left, bottom and right as fractions of height and width.

        Returns:
            The mixed images, and the share of the original pixels in them, a float32 scalar.
        """
        height, width, _ = self.shape
        box = tf.round(box * tf.constant([height, width, height, width], tf.float32))
        inside = box_mask(box[None], height, width)
        remaining = 1.0 - tf.reduce_mean(tf.cast(inside, tf.float32))
        return tf.where(inside, partners, images), remaining

    def synthetic(self, random: np.random.RandomState, rows: int) -> np.ndarray:
        """Noise images, uint8 `[rows, height, width, channels]`."""
        return random.randint(0, 256, (rows, *self.shape)).astype("uint8")

    def read_file(self, path: Path) -> np.ndarray:
        """Pixels of an image file, see `read_image`."""
        return read_image(path)

    def to_image(self, value: np.ndarray) -> np.ndarray:
        """One loaded image, uint8 `[height, width, 1 or 3]`, unchanged."""
        return value

    @property
    def reconstruction_losses(self) -> tuple[str, ...]:
        return "mean_squared_error", "binary_cross_entropy"

    @property
    def likelihoods(self) -> tuple[str, ...]:
        return "bernoulli", "gaussian"

    def reconstruction_metrics(self) -> tuple[str, ...]:
        return self.reconstruction_losses

    @property
    def largest_noise(self) -> float:
        """As a fraction of the range of pixels, as in the target."""
        return 1.0

    def decoder_problem(self) -> str:
        return decoder_problem(
            self.decoder,
            self.encoder.architecture,
            "such as `decoder: {filters: [128, 64, 32]}`, which starts from maps of 1/8 of the "
            "size",
        )

    def decoder_output(self, code: keras.KerasTensor) -> keras.KerasTensor:
        """Pixels from 0 to 1, float32 `[batch, height, width, channels]`."""
        return rebuild_map(code, self.decoder, self.encoder.architecture, self.shape, "sigmoid")

    def reconstruction_target(self, images: tf.Tensor) -> tf.Tensor:
        """Pixels from 0 to 1, float32 `[batch, height, width, channels]`."""
        return tf.cast(images, tf.float32) / 255.0

    def from_reconstruction(self, rebuilt: tf.Tensor) -> tf.Tensor:
        """Pixels from 0 to 255, float32 `[batch, height, width, channels]`."""
        return 255.0 * rebuilt

    def reconstruction_errors(self, target: tf.Tensor, rebuilt: tf.Tensor) -> dict[str, tf.Tensor]:
        """The mean squared error and cross-entropy over the pixels of each image, `[batch]`."""
        there = tf.logical_not(tf.math.is_nan(target))
        target = tf.where(there, target, 0.0)
        entropy = keras.ops.binary_crossentropy(target, rebuilt)
        return {
            "mean_squared_error": layers.masked_mean(tf.square(rebuilt - target), there),
            "binary_cross_entropy": layers.masked_mean(entropy, there),
        }

    def negative_log_likelihood(
        self, target: tf.Tensor, rebuilt: tf.Tensor, distribution: str, std: float
    ) -> tf.Tensor:
        """That of the pixels of each image, in nats, `[batch]`; `bernoulli` is for black or white.

        Each channel of each pixel is white with the rebuilt probability, or normally distributed
        around the rebuilt value.
        """
        there = tf.logical_not(tf.math.is_nan(target))
        target = tf.where(there, target, 0.0)
        if distribution == "bernoulli":
            return layers.masked_sum(keras.ops.binary_crossentropy(target, rebuilt), there)
        return layers.masked_sum(layers.normal_costs(tf.square(rebuilt - target), std), there)

    def add_noise(self, images: tf.Tensor, amount: float, randomness: Randomness) -> tf.Tensor:
        """Images with Gaussian noise; `amount` is its standard deviation, of pixels from 0 to 1."""
        return add_gaussian_noise(images, tf.constant(255.0 * amount), randomness)

    def show_target(self, target: np.ndarray, files: Files) -> list[np.ndarray]:
        """Images, uint8 `[height, width, channels]`."""
        return [*np.rint(255 * target).astype(np.uint8)]

    def show_rebuilt(self, rebuilt: np.ndarray, files: Files) -> list[np.ndarray]:
        """Images, uint8 `[height, width, channels]`."""
        return self.show_target(rebuilt, files)

    @classmethod
    def suggest_fields(cls, headers: Sequence[ImageHeader]) -> Section:
        """Size, channels and encoder that fit images with these headers."""
        sizes = {(header.height, header.width) for header in headers}
        height = sorted(header.height for header in headers)[len(headers) // 2]
        width = sorted(header.width for header in headers)[len(headers) // 2]
        size = f"the files are {height} x {width}"
        if len(sizes) > 1:
            size = f"{len(sizes)} sizes, with a median of {height} x {width}"
        fields: dict[str, Any] = {"type": "image"}
        if min(height, width) >= _MIN_PRETRAINED and (pretrained := _pretrained_encoder()):
            shape = [_PRETRAINED_SIZE, _PRETRAINED_SIZE, 3]
            return Section(
                {**fields, "shape": shape, "resize": "crop", "encoder": pretrained},
                {"shape": size, "encoder": "its ImageNet weights are on this machine"},
            )
        resize = {}
        if len(sizes) > 1 or max(height, width) > _MAX_SIZE:
            height = width = min(height, width, _MAX_SIZE)
            resize = {"resize": "crop"}
        stages = 1
        while (
            stages < len(_FILTERS) and min(height, width) // 2 ** (stages + 1) >= _MIN_FEATURE_MAP
        ):
            stages += 1
        encoder = {
            "type": "cnn",
            "filters": list(_FILTERS[:stages]),
            "padding": "same",
            "dropout": 0.3,
        }
        if all(header.is_greyscale for header in headers):
            channels, size = 1, f"{size}, in greyscale; with 3 channels they become RGB"
        else:
            channels, size = 3, f"{size}, in colour; with 1 channel they become greyscale"
        shape = [height, width, channels]
        return Section({**fields, "shape": shape, **resize, "encoder": encoder}, {"shape": size})


def _pretrained_encoder() -> dict[str, Any] | None:
    """The widest MobileNetV2 whose weights are in the cache."""
    for alpha in (1.0, 0.75, 0.5, 0.35):
        network = MobileNet(type="mobilenet_v2", alpha=alpha)
        if network.has_cached_weights(_PRETRAINED_SIZE, _PRETRAINED_SIZE):
            return {
                "type": "mobilenet_v2",
                "alpha": alpha,
                "weights": "imagenet",
                "trainable": False,
            }
    return None
