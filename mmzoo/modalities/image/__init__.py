"""The image input: decoding, resizing, augmentation and encoders."""

from __future__ import annotations

from mmzoo.modalities.image.augmentation import Augmentation as Augmentation
from mmzoo.modalities.image.image_input import Image as Image
