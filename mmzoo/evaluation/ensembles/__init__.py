"""Several finished runs together."""
