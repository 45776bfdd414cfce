"""Text modality."""
