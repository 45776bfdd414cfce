"""The image input: its files, sizes, augmentations and encoder."""

from mmzoo.inputs.image.image import Image as Image
from mmzoo.modalities.image.augmentation import Augmentation as Augmentation
