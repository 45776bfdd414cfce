"""Suggested image inputs: size, channels and encoder that fit a sample of image files."""

from __future__ import annotations

from typing import Any

from mmzoo.data.column_types import ColumnProfile
from mmzoo.modalities.file_probe import read_file
from mmzoo.modalities.image.encoders.mobilenet import MobileNet
from mmzoo.modalities.image.image_files import read_image_header
from mmzoo.modalities.suggestion import Suggestion, read_headers

_PRETRAINED_SIZE = 224
_MIN_PRETRAINED = 96
"""Minimum height and width of photos, for which pretrained networks suit."""
_MAX_SIZE = 128
"""Maximum size for networks trained from scratch; larger images mainly slow them down."""
_FILTERS = (32, 64, 64, 128, 128)
_MIN_FEATURE_MAP = 4
"""Minimum height and width of the last feature map of a convolutional network."""


def suggest_image(column: ColumnProfile) -> Suggestion:
    """An image input for a column of paths."""
    headers, unreadable = read_headers(
        column.files, lambda path: read_image_header(read_file(path, "image"))
    )
    if not headers:
        return Suggestion({}, unreadable=unreadable)
    sizes = {(header.height, header.width) for header in headers}
    height = sorted(header.height for header in headers)[len(headers) // 2]
    width = sorted(header.width for header in headers)[len(headers) // 2]
    size = f"the files are {height} x {width}"
    if len(sizes) > 1:
        size = f"{len(sizes)} sizes, with a median of {height} x {width}"
    fields: dict[str, Any] = {"type": "image"}
    if min(height, width) >= _MIN_PRETRAINED and (pretrained := _pretrained_encoder()):
        shape = [_PRETRAINED_SIZE, _PRETRAINED_SIZE, 3]
        return Suggestion(
            {**fields, "shape": shape, "resize": "crop", "encoder": pretrained},
            {"shape": size, "encoder": "its ImageNet weights are on this machine"},
            unreadable,
        )
    resize = {}
    if len(sizes) > 1 or max(height, width) > _MAX_SIZE:
        height = width = min(height, width, _MAX_SIZE)
        resize = {"resize": "crop"}
    stages = 1
    while stages < len(_FILTERS) and min(height, width) // 2 ** (stages + 1) >= _MIN_FEATURE_MAP:
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
    return Suggestion(
        {**fields, "shape": shape, **resize, "encoder": encoder}, {"shape": size}, unreadable
    )


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
