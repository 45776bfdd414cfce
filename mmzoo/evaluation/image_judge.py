"""A finished run that judges generated images: by its features, and by the classes it reads."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmzoo.batches import Columns
from mmzoo.config import Config
from mmzoo.errors import RunError
from mmzoo.evaluation.generated_images import class_head, images_of_examples
from mmzoo.heads import ChoosesClass
from mmzoo.lazy import keras, tf
from mmzoo.metrics import frechet_distance, wilson_interval
from mmzoo.modalities.abilities import ReadsImageFiles
from mmzoo.model_graph import encoder_output
from mmzoo.runs import Run
from mmzoo.trained_model import load_trained, open_trained


@dataclass(frozen=True)
class ImageJudge:
    """A trained model of single images.

    Attributes:
        run: its directory.
        name: the name of its input.
        config: its config.
        model: from the input to the features of its encoder, and the outputs of its heads.
    """

    run: Path
    name: str
    config: Config
    model: keras.Model

    def judge(self, images: NDArray[np.uint8]) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        """Features, `[batch, width]`, and outputs of images.

        Args:
            images: uint8 `[batch, height, width, 1 or 3]`, of any size.
        """
        spec = self.config.inputs[self.name]
        assert isinstance(spec, ReadsImageFiles)
        features, outputs = self.model({self.name: spec.load(tf.constant(images))}, training=False)
        return features, outputs

    def head_of(self, classes: tuple[str, ...]) -> tuple[str, ChoosesClass] | None:
        """Its head that tells these classes apart, if it has one."""
        for name, head in self.config.heads.items():
            if isinstance(head, ChoosesClass) and {*classes} == {*(head.class_names or ())}:
                return name, head
        return None


def load_judge(run: Run | Path | str) -> ImageJudge:
    """The best weights of a run.

    Raises:
        RunError: there is no such run, or its input is not an image.
    """
    opened, checkpoint = open_trained(run, "best")
    model, config = load_trained(opened, checkpoint)
    images = [name for name, spec in config.inputs.items() if isinstance(spec, ReadsImageFiles)]
    if len(config.inputs) > 1 or not images:
        kinds = ", ".join(f"{name} ({spec.type})" for name, spec in config.inputs.items())
        raise RunError(
            f"{opened.directory}: its inputs are {kinds}; expected a run with an image as its only "
            "input, to judge generated images by"
        )
    outputs = {name: model.output[name] for name in config.heads}
    [name] = images
    both = keras.Model(model.input, (encoder_output(model, name), outputs))
    return ImageJudge(opened.directory, name, config, both)


def judge_generated(
    model: keras.Model, config: Config, columns: Columns, judge: ImageJudge
) -> dict[str, Any]:
    """Compares the images of a split with as many generated ones.

    Args:
        model: with a generator.
        config: of the model.
        columns: arrays of the split.
        judge: reads the images.

    Returns:
        `frechet_distance` of the judge's features, and the run and number of images; where the
        judge tells the classes apart, `class_accuracy`: the share of the generated images that it
        reads as the class asked for, and of the real ones (`real_class_accuracy`).
    """
    found = class_head(config)
    names = (found[1].class_names or ()) if found else ()
    head = judge.head_of(names) if names else None
    features: dict[str, list[NDArray[np.float32]]] = {"real": [], "generated": []}
    right, examples = {"real": 0, "generated": 0}, 0
    for real, generated, asked in images_of_examples(model, config, columns):
        examples += len(real)
        for kind, images in (("real", real), ("generated", generated)):
            vectors, outputs = judge.judge(images)
            features[kind].append(vectors.numpy().astype(np.float32))
            if head is not None and asked is not None:
                read = head[1].predicted_classes(outputs[head[0]].numpy())
                own = np.array([names.index(one) for one in head[1].class_names or ()])
                right[kind] += int((own[read] == asked).sum())
    vectors_of = {kind: np.concatenate(parts) for kind, parts in features.items()}
    distance = None
    if examples > 1 and all(np.isfinite(vectors).all() for vectors in vectors_of.values()):
        distance = frechet_distance(vectors_of["real"], vectors_of["generated"])
    figures: dict[str, Any] = {"frechet_distance": distance}
    if head is not None:
        figures["class_accuracy"] = right["generated"] / examples
        figures["class_accuracy_ci95"] = list(wilson_interval(right["generated"], examples))
        figures["real_class_accuracy"] = right["real"] / examples
    return {**figures, "images": examples, "features_of": str(judge.run)}
