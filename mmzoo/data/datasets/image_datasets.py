"""Image data sets: digits, MNIST, Fashion-MNIST, CIFAR-10 and CIFAR-100."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from mmzoo.data.datasets.bundled_formats import bundled_file
from mmzoo.data.datasets.dataset_entry import NamedSet, OfficialFile
from mmzoo.data.datasets.image_formats import read_cifar10, read_cifar100, read_mnist_layout
from mmzoo.data.frame import Splits
from mmzoo.lazy import np

# Digits, bundled with scikit-learn.

_DIGITS_FILE = "datasets/data/digits.csv.gz"


def _read_digits(files: Mapping[str, Path]) -> Splits:
    # uint16, as 16 * 255 does not fit into a byte.
    table = np.asarray(_digits_table(), dtype=np.uint16)
    pixels, label = table[:, :64], table[:, 64]
    image = ((pixels * 255 + 8) // 16).astype(np.uint8).reshape(-1, 8, 8, 1)
    return {"train": {"image": image, "label": label.astype(np.int64)}}


def _digits_table() -> object:
    """`[1797, 65]`: in each row 64 pixels, from 0 to 16, and the digit."""
    path = bundled_file(_DIGITS_FILE, "digits")
    if path:
        return np.loadtxt(path, delimiter=",", dtype=np.uint16)

    # The public API, which takes half a second longer, as `sklearn.datasets` imports much.
    from sklearn.datasets import load_digits

    digits = load_digits()
    return np.column_stack([digits.data, digits.target])


DIGITS = NamedSet(
    name="digits",
    description="Handwritten digits, 8x8, greyscale; needs no download.",
    homepage="https://archive.ics.uci.edu/dataset/80",
    licence="CC BY 4.0",
    citation='Alpaydin and Kaynak, "Optical recognition of handwritten digits", UCI, 1998',
    examples={"train": 1_797},
    classes={"label": ("0", "1", "2", "3", "4", "5", "6", "7", "8", "9")},
    files=(),
    mirrors=(),
    read=_read_digits,
)


# MNIST, and Fashion-MNIST in the same format.

MNIST = NamedSet(
    name="mnist",
    description="Handwritten digits, 28x28, greyscale.",
    homepage="http://yann.lecun.com/exdb/mnist/",
    licence="none stated by the authors; commonly assumed to be CC BY-SA 3.0",
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
    # The authors' own server often refuses downloads, so it is tried last.
    mirrors=(
        "https://storage.googleapis.com/cvdf-datasets/mnist",
        "https://ossci-datasets.s3.amazonaws.com/mnist",
        "http://yann.lecun.com/exdb/mnist",
    ),
    read=read_mnist_layout,
)


FASHION_MNIST = NamedSet(
    name="fashion_mnist",
    description="Photos of clothing, 28x28, greyscale.",
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


# CIFAR.

CIFAR10 = NamedSet(
    name="cifar10",
    description="Photos of animals and vehicles, 32x32, colour.",
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


_CIFAR100_CLASSES = """
    apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus
    butterfly camel can castle caterpillar cattle chair chimpanzee clock cloud cockroach couch
    crab crocodile cup dinosaur dolphin elephant flatfish forest fox girl hamster house kangaroo
    keyboard lamp lawn_mower leopard lion lizard lobster man maple_tree motorcycle mountain mouse
    mushroom oak_tree orange orchid otter palm_tree pear pickup_truck pine_tree plain plate poppy
    porcupine possum rabbit raccoon ray road rocket rose sea seal shark shrew skunk skyscraper
    snail snake spider squirrel streetcar sunflower sweet_pepper table tank telephone television
    tiger tractor train trout tulip turtle wardrobe whale willow_tree wolf woman worm
"""
_SUPERCLASSES = """
    aquatic_mammals fish flowers food_containers fruit_and_vegetables household_electrical_devices
    household_furniture insects large_carnivores large_man-made_outdoor_things
    large_natural_outdoor_scenes large_omnivores_and_herbivores medium_mammals
    non-insect_invertebrates people reptiles small_mammals trees vehicles_1 vehicles_2
"""

CIFAR100 = NamedSet(
    name="cifar100",
    description="Photos of 100 classes in 20 superclasses, 32x32, colour.",
    homepage="https://www.cs.toronto.edu/~kriz/cifar.html",
    licence="none stated by the authors, who ask to be cited",
    citation='Krizhevsky, "Learning multiple layers of features from tiny images", 2009',
    examples={"train": 50_000, "test": 10_000},
    classes={
        "label": tuple(_CIFAR100_CLASSES.split()),
        "coarse_label": tuple(_SUPERCLASSES.split()),
    },
    files=(
        OfficialFile(
            "cifar-100-binary.tar.gz",
            168_513_733,
            "58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec",
        ),
    ),
    mirrors=("https://www.cs.toronto.edu/~kriz", "https://cave.cs.toronto.edu/kriz"),
    read=read_cifar100,
)
