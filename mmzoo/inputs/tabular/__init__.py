"""The tabular input: the columns of a table as numbers and categories."""

from mmzoo.inputs.tabular.tabular import Tabular as Tabular
