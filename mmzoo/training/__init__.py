"""Training: `train.py` is the story on one page; the other modules are its parts."""
