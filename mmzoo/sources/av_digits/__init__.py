"""The source `av_digits`: written and spoken digits in pairs, both spoilt by noise."""

from mmzoo.sources.av_digits.av_digits import AvDigits as AvDigits
from mmzoo.sources.av_digits.av_digits import PairCounts as PairCounts
