"""Inputs: the modalities of a model. All code for one modality is in its package."""

from __future__ import annotations

from typing import Annotated, get_args

from pydantic import Field

from mmzoo.modalities.abilities import Augments as Augments
from mmzoo.modalities.abilities import CanBecomeEmpty as CanBecomeEmpty
from mmzoo.modalities.abilities import DecodesFiles as DecodesFiles
from mmzoo.modalities.abilities import HasCorruptions as HasCorruptions
from mmzoo.modalities.abilities import HasImage as HasImage
from mmzoo.modalities.abilities import HasLengths as HasLengths
from mmzoo.modalities.abilities import HasText as HasText
from mmzoo.modalities.abilities import Mixable as Mixable
from mmzoo.modalities.abilities import ReadsImageFiles as ReadsImageFiles
from mmzoo.modalities.abilities import VariesInLength as VariesInLength
from mmzoo.modalities.abilities import draw as draw
from mmzoo.modalities.audio import Audio as Audio
from mmzoo.modalities.base_input import BaseInput as BaseInput
from mmzoo.modalities.base_input import Corruption as Corruption
from mmzoo.modalities.base_input import presence as presence
from mmzoo.modalities.file_probe import are_files as are_files
from mmzoo.modalities.file_probe import has_file as has_file
from mmzoo.modalities.file_probe import with_file_name as with_file_name
from mmzoo.modalities.image import Image as Image
from mmzoo.modalities.scan import Files as Files
from mmzoo.modalities.scan import Lengths as Lengths
from mmzoo.modalities.scan import Scan as Scan
from mmzoo.modalities.suggestion import Section as Section
from mmzoo.modalities.suggestion import Suggestion as Suggestion
from mmzoo.modalities.tabular import Tabular as Tabular
from mmzoo.modalities.text import Text as Text

Input = Annotated[Audio | Image | Tabular | Text, Field(discriminator="type")]


def input_types() -> dict[str, type[BaseInput]]:
    """Input classes by their `type` in configs."""
    union = get_args(Input)[0]
    return {member.model_fields["type"].default: member for member in get_args(union)}
