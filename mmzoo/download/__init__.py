"""Files from mirrors, whole and checked."""

from mmzoo.download.answer import Limits as Limits
from mmzoo.download.hashes import algorithm_of as algorithm_of
from mmzoo.download.hashes import digest_of as digest_of
from mmzoo.download.mirrors import DownloadError as DownloadError
from mmzoo.download.mirrors import download as download
