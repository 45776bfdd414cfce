"""MNIST."""

from __future__ import annotations

from mmzoo.sources.formats.idx import read_mnist_layout
from mmzoo.sources.named.entry import NamedSet, OfficialFile

MNIST = NamedSet(
    name="mnist",
    description="Handwritten digits, 28x28, grey.",
    homepage="http://yann.lecun.com/exdb/mnist/",
    licence="none stated by the authors; commonly taken as CC BY-SA 3.0",
    citation=(
        'LeCun et al., "Gradient-based learning applied to document recognition", '
        "Proceedings of the IEEE, 1998"
    ),
    examples={"train": 60_000, "test": 10_000},
    classes={"label": ("0", "1", "2", "3", "4", "5", "6", "7", "8", "9")},
    files=(
        OfficialFile(
            "train-images-idx3-ubyte.gz",
            9_912_422,
            "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
        ),
        OfficialFile(
            "train-labels-idx1-ubyte.gz",
            28_881,
            "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
        ),
        OfficialFile(
            "t10k-images-idx3-ubyte.gz",
            1_648_877,
            "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
        ),
        OfficialFile(
            "t10k-labels-idx1-ubyte.gz",
            4_542,
            "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
        ),
    ),
    # The authors' own server often refuses downloads, so it comes last.
    mirrors=(
        "https://storage.googleapis.com/cvdf-datasets/mnist",
        "https://ossci-datasets.s3.amazonaws.com/mnist",
        "http://yann.lecun.com/exdb/mnist",
    ),
    read=read_mnist_layout,
)
