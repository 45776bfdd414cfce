"""Fusion: the features of all inputs become one vector, or decisions. One fusion a file."""

from mmzoo.fusion.concat import Concat as Concat

Fusion = Concat
