"""Retrieval: vectors of examples, an index of them, search in it, and zero-shot classification."""
