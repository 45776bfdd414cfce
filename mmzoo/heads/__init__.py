"""Heads: the named outputs of a model, each with its layers, loss, metrics and evaluation."""

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from mmzoo.heads.adversarial import Adversarial as Adversarial
from mmzoo.heads.base_head import BaseHead as BaseHead
from mmzoo.heads.base_head import ChoosesClass as ChoosesClass
from mmzoo.heads.base_head import ChoosesLabels as ChoosesLabels
from mmzoo.heads.base_head import EvaluatesOutputs as EvaluatesOutputs
from mmzoo.heads.base_head import HasCommonSpace as HasCommonSpace
from mmzoo.heads.base_head import HasLikelihood as HasLikelihood
from mmzoo.heads.base_head import HeadInputs as HeadInputs
from mmzoo.heads.base_head import RebuildsInput as RebuildsInput
from mmzoo.heads.base_head import ScoresExamples as ScoresExamples
from mmzoo.heads.base_head import WritesPredictions as WritesPredictions
from mmzoo.heads.base_head import has_predictions as has_predictions
from mmzoo.heads.binary import Binary as Binary
from mmzoo.heads.classification import Classification as Classification
from mmzoo.heads.contrastive import Contrastive as Contrastive
from mmzoo.heads.labelled_head import LabelledHead as LabelledHead
from mmzoo.heads.multilabel import Multilabel as Multilabel
from mmzoo.heads.reconstruction import Reconstruction as Reconstruction
from mmzoo.heads.regression import Regression as Regression

if TYPE_CHECKING:  # Other code may use only what every head has, or check for an ability.
    Head = BaseHead
else:
    Head = Annotated[
        Classification
        | Binary
        | Multilabel
        | Regression
        | Reconstruction
        | Contrastive
        | Adversarial,
        Field(discriminator="type"),
    ]
