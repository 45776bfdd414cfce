"""Where examples come from: named columns, already split.

Importing this reads no data and imports no numpy, so that configs are checked quickly.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from mmzoo.directories import data_directories as data_directories
from mmzoo.directories import data_directory as data_directory
from mmzoo.sources.av_digits import AvDigits as AvDigits
from mmzoo.sources.bad_rows import settled as settled
from mmzoo.sources.bad_rows import unreadable as unreadable
from mmzoo.sources.bad_rows import with_column as with_column
from mmzoo.sources.bad_rows import without_rows as without_rows
from mmzoo.sources.data import BadRows as BadRows
from mmzoo.sources.data import Data as Data
from mmzoo.sources.data import OnBadRow as OnBadRow
from mmzoo.sources.data import Skipped as Skipped
from mmzoo.sources.dataset import Dataset as Dataset
from mmzoo.sources.folder import Folder as Folder
from mmzoo.sources.other import other_rows as other_rows
from mmzoo.sources.store import Listing as Listing
from mmzoo.sources.store import catalogue as catalogue
from mmzoo.sources.store import fetch as fetch
from mmzoo.sources.synthetic import Synthetic as Synthetic
from mmzoo.sources.table import TableFormat as TableFormat
from mmzoo.sources.table import columns_of as columns_of
from mmzoo.sources.table import is_there as is_there
from mmzoo.sources.table import read_frame as read_frame
from mmzoo.sources.table import read_rows as read_rows
from mmzoo.sources.table.table import Table as Table
from mmzoo.sources.tfds import Tfds as Tfds

Source = Annotated[
    AvDigits | Dataset | Folder | Synthetic | Table | Tfds, Field(discriminator="type")
]
