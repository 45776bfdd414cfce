"""Contrastive head: the inputs of an example pulled together in a common space."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Annotated, Any, Literal

from annotated_types import MinLen

from mmzoo import layers
from mmzoo.heads.base_head import BaseHead, ChoosesClass, HeadInputs
from mmzoo.lazy import keras, np, tf
from mmzoo.spec import PositiveInt, Problem, Spec, did_you_mean
from mmzoo.spec.wording import shorten

_SCALE = 1 / 0.07
_SIGMOID_SCALE, _SIGMOID_BIAS = 10.0, -10.0


class Contrastive(BaseHead):
    """Projects inputs to a common space, where those of an example are near, others apart.

    Each input's vector (not the fused one) is projected to `dim` numbers and normalized. `loss:
    softmax` is InfoNCE over the batch in both directions, with a learned temperature that starts at
    0.07 and is at least 0.01, as in CLIP; `loss: sigmoid` is SigLIP's, with a learned scale and
    bias that start at 10 and -10. With several inputs it is the mean over all pairs of them. An
    example without one of two inputs does not count for this pair. The negatives of an example are
    the other examples of its step, on all devices. So a larger `train.batch_size` gives more of
    them, `train.accumulate` does not, and losses of batches of different sizes cannot be compared:
    after each epoch, and in `eval`, they have `train.evaluation_batch_size` examples.

    With `labels: HEAD` it is supervised contrastive learning: all vectors of a class of that head
    are near one another, whatever their example or input, and one input is enough.

    `eval` reports how well each input finds the other: recall among the first 1, 5 and 10 of all
    rows, the median rank and, where a head of the config predicts classes, how often the first has
    the right class. `mmzoo embed` writes the vectors, and `mmzoo search` searches them.

    References: Radford et al., "Learning transferable visual models from natural language
    supervision", 2021 (CLIP); Oord et al., "Representation learning with contrastive predictive
    coding", 2018 (InfoNCE); Zhai et al., "Sigmoid loss for language image pre-training",
    2023 (SigLIP); Khosla et al., "Supervised contrastive learning", 2020.
    """

    type: Literal["contrastive"] = "contrastive"
    inputs: Annotated[tuple[str, ...], MinLen(1)]
    """Names of the inputs to project, two or more; with `labels` one or more."""
    dim: PositiveInt = 128
    """Width of the common space."""
    loss: Literal["softmax", "sigmoid"] = "softmax"
    """The loss: InfoNCE or, with `sigmoid`, a binary question for every pair of the batch."""
    labels: str | None = None
    """Name of a head that predicts classes, for supervised contrastive learning. Examples without a
    label do not count."""

    def rules(self) -> Iterator[Problem]:
        if len(set(self.inputs)) != len(self.inputs):
            yield Problem(("inputs",), "expected unique names; some are duplicate")
        if len(self.inputs) == 1 and self.labels is None:
            yield Problem(
                ("inputs",),
                f"expected two or more inputs, got only {shorten(self.inputs[0])}: there is "
                "nothing to compare it with. Add an input, or name a head that predicts classes "
                "in `labels` for supervised contrastive learning",
            )
        if self.labels is not None and self.loss != "softmax":
            yield Problem(
                ("loss",), f"expected softmax, the only loss with `labels`, got {self.loss}"
            )

    def input_rules(self, inputs: Mapping[str, Spec]) -> Iterator[Problem]:
        for index, name in enumerate(self.inputs):
            if name not in inputs:
                meant = did_you_mean(name, inputs) or "."
                yield Problem(
                    ("inputs", index),
                    f"unknown input '{shorten(name)}'{meant} There are: {', '.join(inputs)}",
                )

    def head_rules(self, heads: Mapping[str, BaseHead]) -> Iterator[Problem]:
        if self.labels is None or isinstance(heads.get(self.labels), ChoosesClass):
            return
        usable = [name for name, head in heads.items() if isinstance(head, ChoosesClass)]
        there = f"There are: {', '.join(usable)}" if usable else "There is none"
        if self.labels in heads:
            kind = f"is {heads[self.labels].type}, which predicts no classes."
            yield Problem(("labels",), f"heads.{self.labels} {kind} {there} that does")
        else:
            meant = did_you_mean(self.labels, usable) or "."
            yield Problem(
                ("labels",),
                f"unknown head '{shorten(self.labels)}'{meant} {there} that predicts classes",
            )

    def build(self, given: HeadInputs, name: str) -> keras.KerasTensor:
        """The vectors and the scale and bias of their logits, `[batch, inputs, dim + 2]`.

        Vectors have a length of 1, or are NaN for an example that lacks the input. The inputs of
        the last layer are the vectors of each input, in order.
        """
        vectors = []
        for one in self.inputs:
            features, prefix = given.inputs[one], f"fusion_{name}_{one}"
            project = keras.layers.Dense(self.dim, use_bias=False, name=f"{prefix}_projection")
            normalize = keras.layers.UnitNormalization(dtype="float32", name=f"{prefix}_unit")
            vector = normalize(project(features.vector))
            if features.present is not None:
                mark = layers.MissingAsNaN(dtype="float32", name=f"{prefix}_or_nan")
                vector = mark(vector, features.present)
            vectors.append(vector)
        scale, bias = (_SCALE, None) if self.loss == "softmax" else (_SIGMOID_SCALE, _SIGMOID_BIAS)
        return layers.SimilarityLogits(scale, bias, dtype="float32", name=name)(vectors)

    def target_from_labels(self, targets: Mapping[str, tf.Tensor]) -> tf.Tensor | None:
        """The class ids of the head `labels`, for the supervised loss; -1 where missing."""
        if self.labels is None:
            return None
        target = targets[self.labels]
        if target.shape.rank == 1:
            return target
        # One-hot, or one number that is 0 or 1; NaN where missing.
        known = target[:, 0] >= 0
        classes = tf.argmax(target, axis=1) if target.shape[1] > 1 else target[:, 0]
        return tf.where(known, tf.cast(classes, tf.int64), -1)

    def class_head(self, heads: Mapping[str, BaseHead]) -> str | None:
        classes = (name for name, head in heads.items() if isinstance(head, ChoosesClass))
        return self.labels or next(classes, None)

    def compile_loss(self, soft: bool) -> keras.losses.Loss:
        if self.labels is not None:
            return layers.ExampleLoss(
                layers.supervised_contrastive_losses, "supervised_contrastive"
            )
        losses = layers.info_nce_losses if self.loss == "softmax" else layers.sigmoid_pair_losses
        return layers.ExampleLoss(lambda _, output: losses(output), self.loss)

    def evaluate(self, labels: np.ndarray | None, predicted: np.ndarray) -> dict[str, Any]:
        """Retrieval metrics of every pair of inputs, and the learned temperature.

        Args:
            labels: class ids `[rows]`, -1 where missing; None if no head has classes.
            predicted: of `build`, `[rows, inputs, dim + 2]`.
        """
        from mmzoo.metrics.retrieval_metrics import retrieval_metrics

        vectors = {name: predicted[:, index, :-2] for index, name in enumerate(self.inputs)}
        return {
            **retrieval_metrics(vectors, labels),
            "temperature": float(1 / predicted[0, 0, -2]),
        }

    def logits(self, model: keras.Model, name: str, cosines: np.ndarray) -> np.ndarray:
        """Cosines times the learned scale, plus the learned bias."""
        scale, bias = model.get_layer(name).scale_and_bias().numpy()
        return cosines * scale + bias

    def decode(self, predicted: np.ndarray, name: str, top: int = 0) -> dict[str, list[Any]]:
        """A column for each pair of inputs with the cosine of their vectors.

        It is small where the inputs do not belong together. There are none with one input.
        """
        pairs = list(combinations(enumerate(self.inputs), 2))
        columns: dict[str, list[Any]] = {}
        for (a, first), (b, second) in pairs:
            cosines = np.sum(predicted[:, a, :-2] * predicted[:, b, :-2], axis=1)
            column = name if len(pairs) == 1 else f"{name}_{first}_{second}"
            columns[f"{column}_similarity"] = [
                None if np.isnan(cosine) else float(cosine) for cosine in cosines
            ]
        return columns
