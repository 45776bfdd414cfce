"""Tables: CSV, TSV, JSON lines and Parquet files with an example in each row."""

from mmzoo.sources.table.format import TableFormat as TableFormat
from mmzoo.sources.table.header import columns_of as columns_of
from mmzoo.sources.table.header import is_there as is_there
from mmzoo.sources.table.rows import read_frame as read_frame
from mmzoo.sources.table.rows import read_rows as read_rows
from mmzoo.sources.table.table import Table as Table
