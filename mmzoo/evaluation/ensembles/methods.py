"""How the predictions of several models become one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from mmzoo.evaluation.ensembles.weights import best_weights
from mmzoo.heads import Binary, Classification, Head, Multilabel
from mmzoo.probes import Arrays, Logistic, Ridge

Method = Literal["average", "weighted", "vote", "stacking"]
Predictions = Sequence[NDArray[np.float32]]
"""Of each member, float32 `[rows, width]`, of the same rows."""

FITTED: tuple[Method, ...] = ("weighted", "stacking")
"""The methods that learn something, from the validation split."""
_SEED = 0


@dataclass(frozen=True)
class Combination:
    """How members' predictions become one for one head.

    Attributes:
        head: what predicts.
        method: how.
        weights: of `weighted`, one for each member; they are not negative, and their sum is one.
        stackers: of `stacking`, the arrays of a regression for each number of the prediction that
            is told by itself, by a word for it; of a label that never varied there is none.
    """

    head: Head
    method: Method
    weights: tuple[float, ...] = ()
    stackers: dict[str, Arrays] = field(default_factory=dict)

    @property
    def judge(self) -> Head:
        """The head that decides by what comes of it: of votes, half of them decide."""
        if self.method == "vote" and self.head.decides == "chances":
            return self.head.replace(threshold=0.5)
        return self.head

    def combined(self, predictions: Predictions) -> NDArray[np.float32]:
        """One prediction of several, float32 `[rows, width]`."""
        match self.method:
            case "average":
                made = _mean(predictions)
            case "weighted":
                made = np.tensordot(np.array(self.weights), np.stack(predictions), 1)
            case "vote":
                made = _votes(self.head, predictions)
            case "stacking":
                made = self._stacked(predictions)
        return made.astype(np.float32)

    def _stacked(self, predictions: Predictions) -> NDArray[np.float64]:
        made = _mean(predictions)
        for word, features, columns in _parts(self.head, predictions):
            arrays = self.stackers.get(word)
            if arrays is None:
                continue
            if self.head.decides == "numbers":
                made = Ridge().predict(arrays, features)
            elif self.head.decides == "chances":
                made[:, columns] = Logistic().predict(arrays, features)[:, 1:]
            else:
                made = np.zeros_like(made)
                made[:, arrays["classes"]] = Logistic().predict(arrays, features)
        return made


def fitted(
    method: Method, head: Head, predictions: Predictions = (), labels: np.ndarray | None = None
) -> Combination:
    """The combination, with what it learns.

    Args:
        method: how predictions become one.
        head: what predicts.
        predictions: of the validation split, for the methods of `FITTED`.
        labels: of its rows, none of them missing.
    """
    if method not in FITTED:
        return Combination(head, method)
    assert labels is not None
    targets = _targets(head, labels, predictions[0].shape[1])
    if method == "weighted":
        return Combination(head, method, weights=best_weights(head.decides, predictions, targets))
    return Combination(head, method, stackers=_stackers(head, predictions, targets))


def _stackers(
    head: Head, predictions: Predictions, targets: NDArray[np.float64]
) -> dict[str, Arrays]:
    """Regressions of what is true by what the members say."""
    stackers = {}
    for word, features, columns in _parts(head, predictions):
        if head.decides == "numbers":
            stackers[word], _ = Ridge().fit(features, targets, _SEED)
            continue
        classes = targets.argmax(axis=1) if head.decides == "classes" else targets[:, columns][:, 0]
        if len(np.unique(classes)) > 1:
            stackers[word], _ = Logistic().fit(features, classes.astype(np.int64), _SEED)
    return stackers


def _parts(
    head: Head, predictions: Predictions
) -> list[tuple[str, NDArray[np.float32], list[int]]]:
    """What is told by itself: a word for it, what the members say of it, and where it stands."""
    width = predictions[0].shape[1]
    if head.decides != "chances":
        return [("all", np.concatenate(predictions, axis=1), list(range(width)))]
    return [
        (str(column), np.stack([one[:, column] for one in predictions], axis=1), [column])
        for column in range(width)
    ]


def _targets(head: Head, labels: np.ndarray, width: int) -> NDArray[np.float64]:
    """Labels in the form of predictions, `[rows, width]`: zeros and ones, or numbers."""
    if head.decides == "numbers":
        return labels.reshape(-1, width).astype(np.float64)
    if isinstance(head, Classification):
        return np.eye(width)[head.class_labels(labels)]
    if isinstance(head, Binary):
        return head.class_labels(labels)[:, None].astype(np.float64)
    assert isinstance(head, Multilabel)
    return head.label_rows(labels).astype(np.float64)


def _mean(predictions: Predictions) -> NDArray[np.float64]:
    mean: NDArray[np.float64] = np.stack(predictions).mean(axis=0, dtype=np.float64)
    return mean


def _votes(head: Head, predictions: Predictions) -> NDArray[np.float64]:
    """The share of members that decide for a class or label; the sum of probabilities breaks ties.

    That sum is at most the number of members, so divided by one more it never outweighs a vote. The
    shares add up to 1, and a chance is above one half where most are for it.
    """
    members = len(predictions)
    summed = members * _mean(predictions)
    if head.decides == "classes":
        votes = np.sum([np.eye(one.shape[1])[one.argmax(axis=1)] for one in predictions], axis=0)
    else:
        threshold = getattr(head, "threshold", 0.5)
        votes = np.sum([one >= threshold for one in predictions], axis=0)
    return (votes + summed / (members + 1)) / (members + members / (members + 1))
