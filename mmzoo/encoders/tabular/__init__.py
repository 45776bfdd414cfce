"""Tabular encoders: rows of normalised numbers and numbered categories in, features out."""

from mmzoo.encoders.tabular.layout import MISSING as MISSING
from mmzoo.encoders.tabular.layout import UNSEEN as UNSEEN
from mmzoo.encoders.tabular.layout import Layout as Layout
from mmzoo.encoders.tabular.mlp import MLP as MLP

TabularEncoder = MLP
