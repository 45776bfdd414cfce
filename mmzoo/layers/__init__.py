"""Our own Keras layers, and a loss, one per file, registered for saving.

Importing one imports Keras, so encoders do it when they build.
"""
