"""Heads: one named prediction each, with its layer, loss and metrics. One head a file."""

from typing import Annotated

from pydantic import Field

from mmzoo.heads.base import BaseHead as BaseHead
from mmzoo.heads.binary import Binary as Binary
from mmzoo.heads.classification import Classification as Classification
from mmzoo.heads.multilabel import Multilabel as Multilabel
from mmzoo.heads.regression import Regression as Regression

Head = Annotated[Classification | Binary | Multilabel | Regression, Field(discriminator="type")]
