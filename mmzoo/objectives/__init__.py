"""Objectives: what is minimised. One objective a file."""

from mmzoo.objectives.supervised import Supervised as Supervised

Objective = Supervised
