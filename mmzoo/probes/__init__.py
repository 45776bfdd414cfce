"""Probes: classical models on what the heads of a trained network read. One probe a file."""

from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from mmzoo.probes.base import Arrays as Arrays
from mmzoo.probes.base import BaseProbe as BaseProbe
from mmzoo.probes.knn import KNN as KNN
from mmzoo.probes.logistic import Logistic as Logistic
from mmzoo.probes.ridge import Ridge as Ridge
from mmzoo.probes.svm import SVM as SVM

Probe = Annotated[SVM | KNN | Logistic | Ridge, Field(discriminator="type")]
ProbeName = Literal["svm", "knn", "logistic", "ridge"]

_NAMED: Mapping[str, Callable[[], BaseProbe]] = {
    "svm": SVM,
    "knn": KNN,
    "logistic": Logistic,
    "ridge": Ridge,
}


def _of_name(probe: Any) -> Any:
    """The probe that a name alone stands for: that with all defaults."""
    return _NAMED[probe]() if isinstance(probe, str) else probe


ChosenProbe = Annotated[ProbeName | Probe, AfterValidator(_of_name)]
"""What stands in a config: a probe's fields, or its name for all of its defaults."""


def probes_of(chosen: Iterable[ChosenProbe]) -> tuple[Probe, ...]:
    """The probes of a config, none of them a name any more: the validation has seen to that."""
    return tuple(probe for probe in chosen if not isinstance(probe, str))
