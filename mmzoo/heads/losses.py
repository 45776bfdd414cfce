"""Losses, and rules about them, that several heads share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from mmzoo.lazy import keras
from mmzoo.spec import Problem

SigmoidLoss = Literal["cross_entropy", "focal", "hinge", "mean_squared_error"]


def sigmoid_loss(
    loss: SigmoidLoss, label_smoothing: float, focal_gamma: float
) -> keras.losses.Loss:
    """The Keras loss, for float targets of 0 and 1 and probabilities `[batch, labels]`."""
    losses = keras.losses
    match loss:
        case "cross_entropy":
            return losses.BinaryCrossentropy(label_smoothing=label_smoothing)
        case "focal":
            return losses.BinaryFocalCrossentropy(
                gamma=focal_gamma, label_smoothing=label_smoothing
            )
        case "hinge":
            return losses.Hinge()
        case "mean_squared_error":
            return losses.MeanSquaredError()


def smoothing_rules(loss: str, label_smoothing: float) -> Iterator[Problem]:
    """Label smoothing belongs to losses of probabilities."""
    if label_smoothing and loss in ("hinge", "mean_squared_error"):
        yield Problem(
            ("label_smoothing",),
            f"expected 0 with loss {loss!r}: only cross_entropy and focal smooth labels",
        )
