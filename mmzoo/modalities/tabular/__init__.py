"""The tabular input: numeric, categorical and date columns of a table."""

from __future__ import annotations

from mmzoo.modalities.tabular.tabular_input import Tabular as Tabular
