"""Training. The story is told in `train.py`; every other module is one of its parts."""
