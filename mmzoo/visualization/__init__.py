"""Images of what goes into a model, what it has learned and what it attends to."""

from __future__ import annotations
