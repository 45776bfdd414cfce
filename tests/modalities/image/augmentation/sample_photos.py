"""Small sample photos from scikit-learn."""

from __future__ import annotations

import numpy as np
from sklearn.datasets import load_sample_images


def photos(size: int) -> np.ndarray:
    """A pagoda, a flower and a lawn: uint8 `[3, size, size, 3]`, every sixth pixel."""
    china, flower = load_sample_images().images
    corners = [(china, 0, 100), (flower, 40, 120), (china, 427 - 6 * size, 640 - 6 * size)]
    return np.stack([photo[y:, x:][: 6 * size : 6, : 6 * size : 6] for photo, y, x in corners])
