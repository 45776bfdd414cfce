"""Grad-CAM: where in a picture a model finds what speaks for a class.

Reference: Selvaraju et al., "Grad-CAM: visual explanations from deep networks via gradient-based
localization", 2017.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mmzoo.anatomy import encoded, encoder_of, last_feature_map
from mmzoo.config import Config
from mmzoo.devices import memory_errors
from mmzoo.errors import RunError
from mmzoo.lazy import keras, tf
from mmzoo.seeing.cam_picture import cam_picture
from mmzoo.seeing.drawing import Drawing, require_png, unused_path
from mmzoo.seeing.explanation import Explanation
from mmzoo.seeing.score import choose_score, labels_of, score_tensor, values_of
from mmzoo.seeing.subject import open_subject
from mmzoo.spec import did_you_mean

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@memory_errors()
def draw_cam(
    run: Path,
    file: Path,
    *,
    input_name: str | None = None,
    head: str | None = None,
    label: str | None = None,
    output: Path | None = None,
) -> Drawing:
    """Explains what the model of a run says of a picture file, and draws it.

    Args:
        run: a run directory, `runs/<name>` for its newest, or a weights file inside one.
        file: the picture.
        input_name: the input that takes it.
        head: the head to explain; needed where there are several.
        label: the class, by its name or number; by default the predicted one.
        output: the PNG to write; by default `cam/<file's name>.png` in the run, numbered
            where there is one by that name.

    Raises:
        DataError: the file cannot be read, or the PNG has another ending.
        RunError: there is no such run, input, head or class, or nothing that could be explained.
    """
    require_png(output)
    subject = open_subject(run, input_name)
    where = str(subject.run.directory)
    if len(subject.config.inputs) > 1:
        raise RunError(
            f"{where}: predicts from {len(subject.config.inputs)} inputs together "
            f"({', '.join(subject.config.inputs)}), which a single file cannot give"
        )
    head = _head(subject.config, head, where)
    explanation = explain(
        subject.model, subject.config, subject.name, subject.read(file), head, label
    )
    path = output or unused_path(subject.run.pictures("cam"), file)
    cam_picture(path, explanation)
    facts = {"file": str(file), "input": subject.name, **explanation.as_dict()}
    return Drawing(path, f"{file}\n{explanation}", facts)


def explain(
    model: keras.Model,
    config: Config,
    name: str,
    values: NDArray[np.uint8],
    head: str,
    label: str | None = None,
) -> Explanation:
    """The Grad-CAM of one head for one picture, by a model with no other inputs.

    The gradient of the class's score, averaged over the last feature map, weighs the map's
    channels; where their sum is positive, the place speaks for the class.

    Args:
        model: as `build_model` makes it of the config.
        config: fitted.
        name: the input's name.
        values: the picture as the model gets it, uint8 `[1, height, width, channels]`.
        head: the head's name.
        label: the class, by its name or number; by default the predicted one.

    Raises:
        RunError: the head has no such class, or the encoder has no feature map.
    """
    spec = config.heads[head]
    predicted = model({name: values}, training=False)[head].numpy()
    score = choose_score(head, spec, predicted, label)
    encoder = encoder_of(model, name, head)
    last_map = last_feature_map(encoder)
    if last_map is None:
        raise RunError(
            f"inputs.{name}: this {config.inputs[name].encoder.type} encoder ends in one place for "
            "the whole picture, so there are none to compare. Larger pictures (`shape`) leave more."
        )
    raw, kind = score_tensor(model, head)
    whole_score = keras.Model(encoded(model, name, head), raw)
    to_map = keras.Model(encoder.input, last_map)
    from_map = keras.Model(last_map, encoder.outputs[0])
    feature_map = to_map(values, training=False)
    with tf.GradientTape() as tape:
        tape.watch(feature_map)
        scores = whole_score(from_map(feature_map, training=False), training=False)
        chosen = score.sign * scores[0, score.output]
    gradient = tape.gradient(chosen, feature_map)
    return Explanation(
        picture=config.inputs[name].picture(values[0]),
        heat=_heat(tf.cast(feature_map[0], tf.float32), tf.cast(gradient[0], tf.float32)),
        score=score,
        kind=kind,
        said=dict(zip(labels_of(head, spec), values_of(spec, predicted), strict=True)),
    )


def _heat(feature_map: tf.Tensor, gradient: tf.Tensor) -> NDArray[np.float32]:
    """The channels' sum weighed by their mean gradients, what is positive of it, up to 1."""
    weights = tf.reduce_mean(gradient, axis=(0, 1))
    heat = tf.nn.relu(tf.tensordot(feature_map, weights, axes=1)).numpy()
    highest = heat.max()
    return heat / highest if highest > 0 else heat


def _head(config: Config, asked: str | None, where: str) -> str:
    """The head that was asked for, or the only one."""
    if asked is None and len(config.heads) > 1:
        raise RunError(
            f"{where}: has {len(config.heads)} heads: {', '.join(config.heads)}. "
            "Say which one to explain by --head NAME."
        )
    head = asked or next(iter(config.heads))
    if head not in config.heads:
        meant = did_you_mean(head, config.heads) or "."
        raise RunError(f"{where}: has no head '{head}'{meant} There are: {', '.join(config.heads)}")
    return head
