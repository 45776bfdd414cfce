"""Image: pictures as an input of the model."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import ClassVar, Literal

from mmzoo.errors import DataError
from mmzoo.inputs.degradation import Degradation
from mmzoo.inputs.image.decoding import decoded
from mmzoo.inputs.image.degradations import degradations_of
from mmzoo.inputs.image.files import Header, read_picture
from mmzoo.inputs.image.fitting import Resize, edges, fitted, with_channels
from mmzoo.inputs.image.opening import PICTURES, fitting_notes
from mmzoo.inputs.of_files import InputOfFiles
from mmzoo.inputs.opened import are_files
from mmzoo.inputs.opening import FileKind
from mmzoo.lazy import keras, np, tf
from mmzoo.modalities.image.augmentation import Augmentation, augment
from mmzoo.modalities.image.augmentation.erasing import inside_box
from mmzoo.modalities.image.encoders import ImageEncoder
from mmzoo.randomness import Randomness
from mmzoo.spec import PositiveInt, Problem, Rate


class Image(InputOfFiles):
    """Pictures, as pixels from 0 to 255 all the way into the encoder, which scales for itself."""

    pictured: ClassVar[bool] = True
    mixable: ClassVar[bool] = True
    """Two pictures can be blended into one, so mixup and cutmix may have them."""

    files: ClassVar[FileKind] = PICTURES

    type: Literal["image"] = "image"
    column: str | None = None
    """Where the data has the pictures; by default, the column with the input's name."""
    shape: tuple[PositiveInt, PositiveInt, PositiveInt]
    """Height, width and channels: 1 for grey, 3 for colour."""
    resize: Resize = "stretch"
    """How pictures of another size are made to fit: stretch, crop (edges) or pad (with black)."""
    antialias: bool = True
    """Whether a picture that shrinks is made of all its pixels; `false` leaves some out, as Keras'
    own loaders do: faster where pictures are up to a few times too large, and coarser."""
    augment: tuple[Augmentation, ...] = ()
    """Random changes to training pictures, in this order."""
    missing: Literal["error", "learned"] = "error"
    """What is done about an example that has no picture: it is a bad row, or something that is
    learned stands in the place of its features."""
    missing_files: Literal["error", "absent"] = "error"
    """What a path is at which there is no file: a bad row, or as good as an empty cell."""
    modality_dropout: Rate = 0.0
    """Share of the training examples from which the pictures are taken away, anew in every epoch,
    so that the model learns to do without; no example loses all of its inputs."""
    encoder: ImageEncoder
    """The network that reads the pictures."""

    def rules(self) -> Iterator[Problem]:
        """The channels are grey or colour, and the encoder's stages fit the picture."""
        yield from super().rules()
        height, width, channels = self.shape
        if channels not in (1, 3):
            yield Problem(
                ("shape", 2), f"a picture has 1 channel (grey) or 3 (colour), not {channels}"
            )
        elif channels not in self.encoder.channels:
            [needed] = self.encoder.channels
            yield Problem(
                ("shape", 2),
                f"this {self.encoder.type} encoder takes pictures of {needed} channels, not "
                f"{channels}: write [{height}, {width}, {needed}], to which pictures are converted",
            )
        smallest = self.encoder.smallest_image()
        if min(height, width) < smallest:
            yield Problem(
                ("shape",),
                f"pictures of {height} x {width} are too small for this {self.encoder.type} "
                f"encoder: the smallest that fit are {smallest} x {smallest}",
            )

    @property
    def degradations(self) -> tuple[Degradation, ...]:
        return degradations_of(self.shape)

    def placeholder(self, name: str) -> keras.KerasTensor:
        """The model's input: uint8 `[batch, height, width, channels]`."""
        return keras.Input(self.shape, dtype="uint8", name=name)

    def fitting_notes(self, headers: Sequence[Header]) -> Iterable[str]:
        """A sentence on what is done about pictures of other sizes, if there are such."""
        return fitting_notes(headers, self.shape, self.resize)

    def check(self, values: np.ndarray, where: str) -> None:
        """Raises a DataError unless the values are pixels or opened files.

        Args:
            values: The column.
            where: Says where they come from.
        """
        if are_files(values):
            return
        if values.ndim != 4 or values.shape[-1] not in (1, 3) or 0 in values.shape[1:]:
            raise DataError(
                f"{where}: expected pictures as an array of shape "
                f"(pictures, height, width, 1 or 3), found {values.shape}"
            )
        if values.dtype.name != "uint8":
            raise DataError(
                f"{where}: expected pixels from 0 to 255 as uint8, found {values.dtype.name}: "
                f"scale them to 0..255, round, and convert with .astype('uint8')"
            )

    def preprocess(self, values: tf.Tensor) -> tf.Tensor:
        """Pictures of any sizes as pictures of this input's shape.

        Args:
            values: uint8 `[batch, any height, any width, 1 or 3]`, or opened files, strings
                `[batch, 3]`, which are decoded; absent ones are black.

        Returns:
            Uint8 `[batch, height, width, channels]`; the very tensor if it has that shape.
        """
        if values.dtype == tf.string:
            return decoded(
                values, self.shape, self._fitted, self._edges if self.antialias else None
            )
        return self._fitted(values)

    def _fitted(self, values: tf.Tensor) -> tf.Tensor:
        height, width, channels = self.shape
        if values.shape[-1] > channels:  # Grey first, for a third of the work.
            values = with_channels(values, channels)
        return with_channels(fitted(values, height, width, self.resize, self.antialias), channels)

    def _edges(self, size: tf.Tensor) -> tf.Tensor:
        return edges(size, *self.shape[:2], self.resize)

    def augmented(self, images: tf.Tensor, randomness: Randomness) -> tf.Tensor:
        """Preprocessed pictures after this input's augmentations; uint8, of the same shape."""
        return augment(images, self.augment, randomness)

    def blend(self, images: tf.Tensor, partners: tf.Tensor, share: tf.Tensor) -> tf.Tensor:
        """Each picture with its partner shining through.

        Args:
            images: uint8 `[batch, height, width, channels]`.
            partners: Likewise.
            share: float32 scalar, from 0 (the partners) to 1 (the pictures).
        """
        images, partners = tf.cast(images, tf.float32), tf.cast(partners, tf.float32)
        return tf.saturate_cast(tf.round(share * images + (1.0 - share) * partners), tf.uint8)

    def paste(
        self, images: tf.Tensor, partners: tf.Tensor, box: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Each picture with a box of its partner in it, and the share of it that still shows.

        Args:
            images: uint8 `[batch, height, width, channels]`.
            partners: Likewise.
            box: float32 `[4]`: top, left, bottom and right as fractions of height and width.

        Returns:
            The pictures, and a float32 scalar from 0 to 1 that counts whole pixels.
        """
        height, width, _ = self.shape
        box = tf.round(box * tf.constant([height, width, height, width], tf.float32))
        inside = inside_box(box[None], height, width)
        remaining = 1.0 - tf.reduce_mean(tf.cast(inside, tf.float32))
        return tf.where(inside, partners, images), remaining

    def synthetic(self, random: np.random.RandomState, rows: int) -> np.ndarray:
        """Made-up pictures: uint8 `[rows, height, width, channels]` of noise."""
        return random.randint(0, 256, (rows, *self.shape)).astype("uint8")

    def read_file(self, path: Path) -> np.ndarray:
        """A picture file as uint8 `[its height, its width, 1 or 3]`; a DataError if it is none."""
        return read_picture(path)

    def picture(self, value: np.ndarray) -> np.ndarray:
        """One preprocessed value as uint8 `[height, width, 1 or 3]`, to be looked at."""
        return value
