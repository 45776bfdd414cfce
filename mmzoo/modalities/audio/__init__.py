"""Audio modality."""
