"""Tabular modality."""
