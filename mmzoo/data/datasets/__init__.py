"""Named public data sets."""

from __future__ import annotations

from mmzoo.data.datasets.dataset_entry import CombinedSet as CombinedSet
from mmzoo.data.datasets.dataset_entry import NamedSet as NamedSet
from mmzoo.data.datasets.dataset_entry import OfficialFile as OfficialFile
from mmzoo.data.datasets.named_sets import AV_DIGITS as AV_DIGITS
from mmzoo.data.datasets.named_sets import COMBINED as COMBINED
from mmzoo.data.datasets.named_sets import NAMED as NAMED
from mmzoo.data.datasets.named_sets import DatasetName as DatasetName
