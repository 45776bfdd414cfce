"""What frozen encoders made of examples, kept on disk so that later runs need not make it again.

Importing this imports no numpy, so that what is kept is listed quickly.
"""

from __future__ import annotations

from mmzoo.features.entry import Entry as Entry
from mmzoo.features.layout import Arrays as Arrays
from mmzoo.features.layout import Layout as Layout
from mmzoo.features.layout import filled as filled
from mmzoo.features.layout import size_text as size_text
from mmzoo.features.origin import Origin as Origin
from mmzoo.features.store import LIMIT as LIMIT
from mmzoo.features.store import FeatureStore as FeatureStore
