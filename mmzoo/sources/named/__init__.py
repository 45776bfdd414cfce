"""The data sets that mmzoo knows by name, a module each.

To add one: write its module, then name it here, in `DatasetName` and in `NAMED`. One that a source
makes of others stands in `COMBINED`.
"""

from __future__ import annotations

from typing import Literal

from mmzoo.sources.named.av_digits import AV_DIGITS as AV_DIGITS
from mmzoo.sources.named.bundled_tables import BREAST_CANCER, DIABETES, IRIS, WINE
from mmzoo.sources.named.cifar10 import CIFAR10
from mmzoo.sources.named.cifar100 import CIFAR100
from mmzoo.sources.named.digits import DIGITS
from mmzoo.sources.named.easy_vqa import EASY_VQA
from mmzoo.sources.named.entry import CombinedSet as CombinedSet
from mmzoo.sources.named.entry import NamedSet as NamedSet
from mmzoo.sources.named.entry import OfficialFile as OfficialFile
from mmzoo.sources.named.fashion_mnist import FASHION_MNIST
from mmzoo.sources.named.fsdd import FSDD
from mmzoo.sources.named.imdb import IMDB
from mmzoo.sources.named.mnist import MNIST
from mmzoo.sources.named.mr import MR
from mmzoo.sources.named.sst2 import SST2
from mmzoo.sources.named.thucnews_titles import THUCNEWS_TITLES

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
