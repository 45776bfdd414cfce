"""Fréchet distance between two sets of feature vectors."""

from __future__ import annotations

import numpy as np

from mmzoo.metrics.metric_inputs import Floats


def frechet_distance(one: Floats, other: Floats) -> float:
    """The squared Fréchet distance between normal distributions fitted to two sets of vectors.

        |m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2))

    with means m and covariance matrices C. On features of the Inception network it is the FID. It
    is biased upwards with few vectors, so compare distances of equally many only.

    Reference: Heusel et al., "GANs trained by a two time-scale update rule converge to a local Nash
    equilibrium", 2017.

    Args:
        one: float `[rows, width]`, of at least two rows.
        other: float `[rows, width]`; may have another number of rows.
    """
    one, other = np.asarray(one, np.float64), np.asarray(other, np.float64)
    if min(len(one), len(other)) < 2:
        raise ValueError("a covariance needs at least two rows")
    difference = one.mean(axis=0) - other.mean(axis=0)
    first = np.atleast_2d(np.cov(one, rowvar=False))
    second = np.atleast_2d(np.cov(other, rowvar=False))
    # (C1 C2)^(1/2) has the trace of (R C2 R)^(1/2), where R^2 = C1 and both are symmetric.
    values, vectors = np.linalg.eigh(first)
    root = vectors * np.sqrt(values.clip(min=0.0)) @ vectors.T
    mixed = np.linalg.eigvalsh(root @ second @ root)
    trace = np.trace(first) + np.trace(second) - 2.0 * np.sqrt(mixed.clip(min=0.0)).sum()
    return max(0.0, float(difference @ difference + trace))
