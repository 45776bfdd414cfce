"""Ensemble methods: average, weighted average, vote and stacking of predictions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from mmzoo.heads import LabelledHead
from mmzoo.probes import Arrays, Logistic, Ridge

Method = Literal["average", "weighted", "vote", "stacking"]
Predictions = Sequence[np.ndarray]
"""The predictions of each member for the same rows, float `[rows, width]`."""

METHOD_NAMES: dict[Method, str] = {
    "average": "average",
    "weighted": "weighted average",
    "vote": "vote",
    "stacking": "stacking",
}
FITTED: tuple[Method, ...] = ("weighted", "stacking")
"""The methods that are fitted to the validation split."""
_SEED = 0
_STEPS = 5_000
_CONVERGED = 1e-10
"""The fit has converged once no weight changes by more in one step."""
_SMALLEST = 1e-7
"""Keras' cross-entropies clip probabilities to this too."""


@dataclass(frozen=True)
class Combination:
    """An ensemble method, fitted to one head.

    Attributes:
        head: the head of the members.
        method: how their predictions are combined.
        weights: for `weighted`, the weight of each member, non-negative with a sum of one.
        stackers: for `stacking`, part of the prediction (see `_parts`) -> arrays of a fitted
            regression; none for a label that is constant in the validation split.
    """

    head: LabelledHead
    method: Method
    weights: tuple[float, ...] = ()
    stackers: dict[str, Arrays] = field(default_factory=dict)

    @property
    def decision_head(self) -> LabelledHead:
        """The head that evaluates and decodes: for votes, its threshold is half of them."""
        if self.method == "vote" and self.head.output_kind == "probabilities":
            return self.head.replace(threshold=0.5)
        return self.head

    def combine(self, predictions: Predictions) -> np.ndarray:
        """Combines the members' predictions to one, of the same shape and dtype."""
        match self.method:
            case "average":
                combined = _mean(predictions)
            case "weighted":
                combined = np.tensordot(np.array(self.weights), np.stack(predictions), 1)
            case "vote":
                combined = _votes(self.head, predictions)
            case "stacking":
                combined = self._stack(predictions)
        return combined.astype(predictions[0].dtype)

    def _stack(self, predictions: Predictions) -> NDArray[np.float64]:
        combined = _mean(predictions)
        for part, features, columns in _parts(self.head, predictions):
            arrays = self.stackers.get(part)
            if arrays is None:
                continue
            if self.head.output_kind == "numbers":
                combined = Ridge().predict(arrays, features)
            elif self.head.output_kind == "probabilities":
                combined[:, columns] = Logistic().predict(arrays, features)[:, 1:]
            else:
                combined = np.zeros_like(combined)
                combined[:, arrays["classes"]] = Logistic().predict(arrays, features)
        return combined


def fit_combination(
    method: Method,
    head: LabelledHead,
    predictions: Predictions = (),
    labels: np.ndarray | None = None,
) -> Combination:
    """Fits an ensemble method to one head.

    Args:
        method: how predictions are combined.
        head: the head of the members.
        predictions: the members' predictions for the validation split, for methods in `FITTED`.
        labels: the labels of these rows, none of them missing.
    """
    if method not in FITTED:
        return Combination(head, method)
    assert labels is not None
    targets = head.perfect_output(labels)
    if method == "weighted":
        return Combination(
            head, method, weights=best_weights(head.output_kind, predictions, targets)
        )
    return Combination(head, method, stackers=_stackers(head, predictions, targets))


def _stackers(
    head: LabelledHead, predictions: Predictions, targets: NDArray[np.float64]
) -> dict[str, Arrays]:
    """Regressions of the targets on the members' predictions."""
    stackers = {}
    for part, features, columns in _parts(head, predictions):
        if head.output_kind == "numbers":
            stackers[part], _ = Ridge().fit(features, targets, _SEED)
            continue
        classes = (
            targets.argmax(axis=1) if head.output_kind == "classes" else targets[:, columns][:, 0]
        )
        if len(np.unique(classes)) > 1:
            stackers[part], _ = Logistic().fit(features, classes.astype(np.int64), _SEED)
    return stackers


def _parts(head: LabelledHead, predictions: Predictions) -> list[tuple[str, np.ndarray, list[int]]]:
    """The parts of a prediction that get a regression each: name, features, and output columns.

    Independent probabilities are one part per column; otherwise all columns are one part.
    """
    width = predictions[0].shape[1]
    if head.output_kind != "probabilities":
        return [("all", np.concatenate(predictions, axis=1), list(range(width)))]
    return [
        (str(column), np.stack([one[:, column] for one in predictions], axis=1), [column])
        for column in range(width)
    ]


def _mean(predictions: Predictions) -> NDArray[np.float64]:
    mean: NDArray[np.float64] = np.stack(predictions).mean(axis=0, dtype=np.float64)
    return mean


def _votes(head: LabelledHead, predictions: Predictions) -> NDArray[np.float64]:
    """The share of members that vote for each class or label; summed probabilities break ties.

    The sum is at most the number of members, so divided by one more it never outweighs a vote. The
    shares of classes sum to 1; the share of a label is above one half if most vote for it.
    """
    members = len(predictions)
    summed = members * _mean(predictions)
    if head.output_kind == "classes":
        votes = np.sum([np.eye(one.shape[1])[one.argmax(axis=1)] for one in predictions], axis=0)
    else:
        threshold = getattr(head, "threshold", 0.5)
        votes = np.sum([one >= threshold for one in predictions], axis=0)
    return (votes + summed / (members + 1)) / (members + members / (members + 1))


def best_weights(
    output_kind: str, predictions: Predictions, targets: NDArray[np.float64]
) -> tuple[float, ...]:
    """The convex weights (non-negative, sum one) whose weighted average has the smallest loss.

    Args:
        output_kind: the head's. The loss of "classes" and "probabilities" is the negative
            log-likelihood; that of "numbers" the squared error divided by the variance.
        predictions: the predictions of each member, `[rows, width]`.
        targets: zeros and ones, or numbers, `[rows, width]`.
    """
    predicted = np.stack(predictions).astype(np.float64)
    if output_kind == "numbers":
        std = targets.std(axis=0)
        errors = (predicted - targets) / np.where(std > 0, std, 1.0)
        return _least_squares_weights(errors.reshape(len(predicted), -1))
    of_truth = (
        targets * predicted
        if output_kind == "classes"
        else targets * predicted + (1 - targets) * (1 - predicted)
    )
    if output_kind == "classes":
        of_truth = of_truth.sum(axis=2)
    of_truth = np.clip(of_truth.reshape(len(predicted), -1), _SMALLEST, 1)
    return _likelihood_weights(of_truth)


def _likelihood_weights(of_truth: NDArray[np.float64]) -> tuple[float, ...]:
    """Maximum-likelihood weights of probabilities of the truth, `[members, cases]`.

    By expectation maximization, whose every step lowers the loss and keeps the sum at one.

    Reference: Dempster, Laird and Rubin, "Maximum likelihood from incomplete data via the EM
    algorithm", 1977.
    """
    weights = np.full(len(of_truth), 1 / len(of_truth))
    for _ in range(_STEPS):
        before, weights = weights, weights * (of_truth / (weights @ of_truth)).mean(axis=1)
        weights = weights / weights.sum()
        if np.abs(weights - before).max() < _CONVERGED:
            break
    return tuple(weights.tolist())


def _least_squares_weights(errors: NDArray[np.float64]) -> tuple[float, ...]:
    """Least-squares weights of errors `[members, cases]`, by projected gradients with momentum.

    As the weights have a sum of one, the error of the average is the average of the errors.

    Reference: Beck and Teboulle, "A fast iterative shrinkage-thresholding algorithm for linear
    inverse problems", 2009.
    """
    products = errors @ errors.T / errors.shape[1]
    rate = 1 / max(float(np.linalg.eigvalsh(products)[-1]), 1e-300)
    weights = ahead = np.full(len(errors), 1 / len(errors))
    for step in range(_STEPS):
        before, weights = weights, _onto_simplex(ahead - rate * products @ ahead)
        ahead = weights + step / (step + 3) * (weights - before)
    return tuple(weights.tolist())


def _onto_simplex(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The nearest point of the probability simplex.

    Reference: Duchi et al., "Efficient projections onto the l1-ball for learning in high
    dimensions", 2008.
    """
    descending = np.sort(values)[::-1]
    excess = (np.cumsum(descending) - 1) / np.arange(1, len(values) + 1)
    count = np.flatnonzero(descending > excess)[-1]
    return np.maximum(values - excess[count], 0.0)
