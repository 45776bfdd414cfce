"""What there is to say of the source `av_digits`, which makes its examples of two named sets."""

from __future__ import annotations

from mmzoo.sources.named.entry import CombinedSet
from mmzoo.sources.named.fsdd import FSDD
from mmzoo.sources.named.mnist import MNIST

AV_DIGITS = CombinedSet(
    name="av_digits",
    description="Written and spoken digits in pairs, both spoilt by noise: a source of its own.",
    parts=(MNIST, FSDD),
    examples={"train": 6_000, "validation": 1_000, "test": 2_000},
    inputs={"image": "image", "audio": "file"},
    classes=FSDD.classes,
    citation='Vielzeuf et al., "CentralNet: a multilayer approach for multimodal fusion", 2018',
)
