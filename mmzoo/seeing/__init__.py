"""Seeing: pictures of what goes into a model, of what it has learnt, and of what it looks at."""
