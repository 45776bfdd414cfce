"""The image input: its files, sizes, augmentations and encoder."""

from mmzoo.inputs.image.augment import Augmentation as Augmentation
from mmzoo.inputs.image.image import Image as Image
