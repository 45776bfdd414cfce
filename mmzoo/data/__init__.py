"""Data sources: tables, folders, named data sets and more, each read into a `Frame` with splits."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from mmzoo.data.av_digits import AvDigits as AvDigits
from mmzoo.data.bad_rows import apply_on_bad_row as apply_on_bad_row
from mmzoo.data.datasets import COMBINED as COMBINED
from mmzoo.data.datasets import NAMED as NAMED
from mmzoo.data.datasets.dataset_catalogue import Listing as Listing
from mmzoo.data.datasets.dataset_catalogue import build as build
from mmzoo.data.datasets.dataset_catalogue import catalogue as catalogue
from mmzoo.data.datasets.dataset_catalogue import fetch as fetch
from mmzoo.data.datasets.dataset_source import Dataset as Dataset
from mmzoo.data.folder_source import Folder as Folder
from mmzoo.data.frame import Frame as Frame
from mmzoo.data.frame import OnBadRow as OnBadRow
from mmzoo.data.frame import Skipped as Skipped
from mmzoo.data.in_memory import InMemoryTable as InMemoryTable
from mmzoo.data.synthetic import Synthetic as Synthetic
from mmzoo.data.table_files import table_exists as table_exists
from mmzoo.data.table_format import TableFormat as TableFormat
from mmzoo.data.table_reader import columns_of as columns_of
from mmzoo.data.table_source import Table as Table
from mmzoo.data.tfds_source import Tfds as Tfds
from mmzoo.data.unsplit_table import read_rows as read_rows
from mmzoo.directories import data_directories as data_directories
from mmzoo.directories import data_directory as data_directory

Source = Annotated[
    AvDigits | Dataset | Folder | Synthetic | Table | Tfds, Field(discriminator="type")
]
