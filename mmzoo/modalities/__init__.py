"""Modalities: image, text, audio and tabular inputs."""
