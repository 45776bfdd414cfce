"""The registry of named data sets.

To add one: define its `NamedSet` in one of the modules of this package, and list it here in
`DatasetName` and `NAMED`. Data sets that a source combines from others are in `COMBINED`.
"""

from __future__ import annotations

from typing import Literal

from mmzoo.data.datasets.dataset_entry import CombinedSet as CombinedSet
from mmzoo.data.datasets.dataset_entry import NamedSet as NamedSet
from mmzoo.data.datasets.dataset_entry import OfficialFile as OfficialFile
from mmzoo.data.datasets.image_datasets import CIFAR10, CIFAR100, DIGITS, FASHION_MNIST, MNIST
from mmzoo.data.datasets.other_datasets import AV_DIGITS as AV_DIGITS
from mmzoo.data.datasets.other_datasets import EASY_VQA, FSDD
from mmzoo.data.datasets.tabular_datasets import BREAST_CANCER, DIABETES, IRIS, WINE
from mmzoo.data.datasets.text_datasets import IMDB, MR, SST2, THUCNEWS_TITLES

DatasetName = Literal[
    "mnist",
    "fashion_mnist",
    "cifar10",
    "cifar100",
    "digits",
    "imdb",
    "mr",
    "sst2",
    "thucnews_titles",
    "fsdd",
    "easy_vqa",
    "breast_cancer",
    "wine",
    "iris",
    "diabetes",
]

NAMED: dict[DatasetName, NamedSet] = {
    "mnist": MNIST,
    "fashion_mnist": FASHION_MNIST,
    "cifar10": CIFAR10,
    "cifar100": CIFAR100,
    "digits": DIGITS,
    "imdb": IMDB,
    "mr": MR,
    "sst2": SST2,
    "thucnews_titles": THUCNEWS_TITLES,
    "fsdd": FSDD,
    "easy_vqa": EASY_VQA,
    "breast_cancer": BREAST_CANCER,
    "wine": WINE,
    "iris": IRIS,
    "diabetes": DIABETES,
}

COMBINED: dict[str, CombinedSet] = {"av_digits": AV_DIGITS}
