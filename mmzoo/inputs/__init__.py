"""Inputs: all that is particular to one modality, and nothing else is."""

from typing import Annotated

from pydantic import Field

from mmzoo.inputs.audio import Audio as Audio
from mmzoo.inputs.base import BaseInput as BaseInput
from mmzoo.inputs.base import Files as Files
from mmzoo.inputs.base import presence as presence
from mmzoo.inputs.degradation import Degradation as Degradation
from mmzoo.inputs.found_whole import newly_damaged as newly_damaged
from mmzoo.inputs.image import Image as Image
from mmzoo.inputs.opened import Opened as Opened
from mmzoo.inputs.opened import Unopened as Unopened
from mmzoo.inputs.opened import are_files as are_files
from mmzoo.inputs.opened import has_file as has_file
from mmzoo.inputs.tabular import Tabular as Tabular
from mmzoo.inputs.text import Text as Text

Input = Annotated[Audio | Image | Tabular | Text, Field(discriminator="type")]
