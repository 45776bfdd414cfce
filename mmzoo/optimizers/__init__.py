"""Optimizers. One optimizer a file."""

from typing import Annotated

from pydantic import Field

from mmzoo.optimizers.adagrad import Adagrad as Adagrad
from mmzoo.optimizers.adam import Adam as Adam
from mmzoo.optimizers.adamw import AdamW as AdamW
from mmzoo.optimizers.lion import Lion as Lion
from mmzoo.optimizers.rmsprop import RMSprop as RMSprop
from mmzoo.optimizers.sgd import SGD as SGD

Optimizer = Annotated[SGD | Adagrad | RMSprop | Adam | AdamW | Lion, Field(discriminator="type")]
