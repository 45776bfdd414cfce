"""CIFAR-10."""

from __future__ import annotations

from mmzoo.sources.formats.cifar import read_cifar10
from mmzoo.sources.named.entry import NamedSet, OfficialFile

CIFAR10 = NamedSet(
    name="cifar10",
    description="Photographs of animals and vehicles, 32x32, colour.",
    homepage="https://www.cs.toronto.edu/~kriz/cifar.html",
    licence="none stated by the authors, who ask to be cited",
    citation='Krizhevsky, "Learning multiple layers of features from tiny images", 2009',
    examples={"train": 50_000, "test": 10_000},
    classes={
        "label": (
            "airplane",
            "automobile",
            "bird",
            "cat",
            "deer",
            "dog",
            "frog",
            "horse",
            "ship",
            "truck",
        )
    },
    files=(
        OfficialFile(
            "cifar-10-binary.tar.gz",
            170_052_171,
            "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
        ),
    ),
    mirrors=("https://www.cs.toronto.edu/~kriz", "https://cave.cs.toronto.edu/kriz"),
    read=read_cifar10,
)
