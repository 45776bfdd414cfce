"""Tabular data sets bundled with scikit-learn, with its names of columns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from mmzoo.data.datasets.bundled_formats import read_table
from mmzoo.data.datasets.dataset_entry import NamedSet
from mmzoo.data.frame import Splits

_TARGET = "target"
_NUCLEUS_MEASURES = (
    "radius",
    "texture",
    "perimeter",
    "area",
    "smoothness",
    "compactness",
    "concavity",
    "concave points",
    "symmetry",
    "fractal dimension",
)


def _table(
    name: str,
    description: str,
    homepage: str,
    citation: str,
    licence: str,
    rows: int,
    columns: tuple[str, ...],
    classes: tuple[str, ...] = (),
) -> NamedSet:
    return NamedSet(
        name=name,
        description=f"{description}; needs no download.",
        homepage=homepage,
        licence=licence,
        citation=citation,
        examples={"train": rows},
        inputs=dict.fromkeys(columns, "number"),
        classes={_TARGET: classes} if classes else {},
        numbers=() if classes else (_TARGET,),
        files=(),
        mirrors=(),
        read=_reader(name, columns, bool(classes)),
    )


def _reader(
    name: str, columns: tuple[str, ...], classes: bool
) -> Callable[[Mapping[str, Path]], Splits]:
    def read(files: Mapping[str, Path]) -> Splits:
        table = read_table(name)
        inputs = {column: table[:, index] for index, column in enumerate(columns)}
        target = table[:, -1]
        return {"train": {**inputs, _TARGET: target.astype("int64") if classes else target}}

    return read


IRIS = _table(
    name="iris",
    description="Lengths and widths of the flowers of three species of iris",
    homepage="https://archive.ics.uci.edu/dataset/53",
    citation='Fisher, "The use of multiple measurements in taxonomic problems", 1936',
    licence="CC BY 4.0",
    rows=150,
    columns=("sepal length (cm)", "sepal width (cm)", "petal length (cm)", "petal width (cm)"),
    classes=("setosa", "versicolor", "virginica"),
)
WINE = _table(
    name="wine",
    description="Chemical analyses of wines from three growers",
    homepage="https://archive.ics.uci.edu/dataset/109",
    citation='Forina et al., "PARVUS: an extendable package for data exploration", 1988',
    licence="CC BY 4.0",
    rows=178,
    columns=(
        "alcohol",
        "malic_acid",
        "ash",
        "alcalinity_of_ash",
        "magnesium",
        "total_phenols",
        "flavanoids",
        "nonflavanoid_phenols",
        "proanthocyanins",
        "color_intensity",
        "hue",
        "od280/od315_of_diluted_wines",
        "proline",
    ),
    classes=("class_0", "class_1", "class_2"),
)
BREAST_CANCER = _table(
    name="breast_cancer",
    description="Measurements of cell nuclei in malignant and benign tumours",
    homepage="https://archive.ics.uci.edu/dataset/17",
    citation=(
        'Street et al., "Nuclear feature extraction for breast tumor diagnosis", SPIE 1905, 1993'
    ),
    licence="CC BY 4.0",
    rows=569,
    columns=(
        *(f"mean {measure}" for measure in _NUCLEUS_MEASURES),
        *(f"{measure} error" for measure in _NUCLEUS_MEASURES),
        *(f"worst {measure}" for measure in _NUCLEUS_MEASURES),
    ),
    classes=("malignant", "benign"),
)
DIABETES = _table(
    name="diabetes",
    description="Progression of diabetes after one year, from ten measurements of each patient",
    homepage="https://www4.stat.ncsu.edu/~boos/var.select/diabetes.html",
    citation='Efron et al., "Least angle regression", Annals of Statistics, 2004',
    licence="none stated by the authors",
    rows=442,
    columns=("age", "sex", "bmi", "bp", "s1", "s2", "s3", "s4", "s5", "s6"),
)
