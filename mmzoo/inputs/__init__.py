"""Inputs: all that is particular to one modality, and nothing else is."""

from mmzoo.inputs.image import Image as Image

Input = Image
