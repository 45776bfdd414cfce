"""Fashion-MNIST."""

from __future__ import annotations

from mmzoo.sources.formats.idx import read_mnist_layout
from mmzoo.sources.named.entry import NamedSet, OfficialFile

FASHION_MNIST = NamedSet(
    name="fashion_mnist",
    description="Photographs of clothes, 28x28, grey.",
    homepage="https://github.com/zalandoresearch/fashion-mnist",
    licence="MIT",
    citation=(
        'Xiao et al., "Fashion-MNIST: a novel image dataset for benchmarking machine learning '
        'algorithms", arXiv:1708.07747, 2017'
    ),
    examples={"train": 60_000, "test": 10_000},
    classes={
        "label": (
            "T-shirt/top",
            "Trouser",
            "Pullover",
            "Dress",
            "Coat",
            "Sandal",
            "Shirt",
            "Sneaker",
            "Bag",
            "Ankle boot",
        )
    },
    files=(
        OfficialFile(
            "train-images-idx3-ubyte.gz",
            26_421_880,
            "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
        ),
        OfficialFile(
            "train-labels-idx1-ubyte.gz",
            29_515,
            "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
        ),
        OfficialFile(
            "t10k-images-idx3-ubyte.gz",
            4_422_102,
            "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
        ),
        OfficialFile(
            "t10k-labels-idx1-ubyte.gz",
            5_148,
            "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
        ),
    ),
    mirrors=(
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com",
        "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion",
        "https://storage.googleapis.com/tensorflow/tf-keras-datasets",
    ),
    read=read_mnist_layout,
)
