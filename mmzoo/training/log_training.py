"""TensorBoard logs of a training: config, inputs, curves, mistakes and hyperparameters."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from mmzoo.batches import training_batch
from mmzoo.evaluation.evaluate import Evaluation
from mmzoo.evaluation.generated_images import sample_images
from mmzoo.evaluation.image_grid import captioned_grid
from mmzoo.evaluation.mistakes import worst_mistakes
from mmzoo.evaluation.prior_samples import prior_samples
from mmzoo.evaluation.reconstructions import reconstructions
from mmzoo.lazy import keras, np
from mmzoo.modalities.abilities import HasImage, HasText, draw
from mmzoo.preprocessing import as_text
from mmzoo.spec import dump_yaml
from mmzoo.training.session import Session
from mmzoo.training.timer import StepScheduler

_INPUTS_SHOWN = 24


def log_start(session: Session) -> None:
    """Logs the config, and the first batch of model inputs with its true labels."""
    config, log = session.config, session.log
    log.text("config", 0, f"```yaml\n{dump_yaml(config)}```")
    captions = _true_labels(session, _INPUTS_SHOWN)
    shown = [name for name, spec in config.inputs.items() if isinstance(spec, HasImage)]
    batch = _first_batch(session, shown) if shown else {}
    for name in shown:
        values = batch[name]
        images = [draw(config.inputs[name], value) for value in values[:_INPUTS_SHOWN]]
        log.images("train", 0, f"inputs/{name}", captioned_grid(images, captions))
    train, rows = session.data.splits["train"], session.stage.order.step_rows(0)[:_INPUTS_SHOWN]
    for name, spec in config.inputs.items():
        if isinstance(spec, HasText):
            chosen = {column: values[rows] for column, values in train.items()}
            texts = as_text(config, name, chosen, session.preprocessing)
            log.text(f"inputs/{name}", 0, _markdown(captions, texts))
    log.flush()


def _first_batch(session: Session, names: Collection[str]) -> dict[str, np.ndarray]:
    """Preprocessed inputs of the first step; each must have the same shape in all rows."""
    config, order, columns = session.config, session.stage.order, session.data.splits["train"]
    rows = order.step_rows(0)
    # An example depends on others of its device only if they are mixed.
    parts = (
        [rows[:_INPUTS_SHOWN]] if config.train.mixing is None else np.split(rows, order.replicas)
    )
    batches = [training_batch(config, columns, part)[0] for part in parts]
    return {name: np.concatenate([batch[name] for batch in batches]) for name in names}


def _true_labels(session: Session, most: int) -> list[str]:
    """The labels of the first examples of the first step, of all heads: "4", "4, even".

    The names of the rows if no head has labels.
    """
    rows = session.stage.order.step_rows(0)[:most]
    train, columns = session.data.splits["train"], session.config.columns
    if not session.config.labelled_heads:
        return [session.data.row_name("train", int(row)) for row in rows]
    labels = (
        ("?" if one is None else str(one) for one in head.true_labels(train[columns[name]][rows]))
        for name, head in session.config.labelled_heads.items()
    )
    return [", ".join(words) for words in zip(*labels, strict=True)]


def log_step(session: Session, scheduler: StepScheduler) -> None:
    """Adds a point to the curves over steps."""
    total, examples = session.loop.loss_total()
    total_before, examples_before = session.logged
    session.logged = (total, examples)
    values = {
        "step/learning_rate": session.learning_rate.last(),
        "step/gradient_norm": float(session.loop.updates.gradient_norm.numpy()),
        "step/examples_per_second": scheduler.steps_per_second * session.config.train.batch_size,
        "step/waiting_for_data": scheduler.waiting,
    }
    if examples > examples_before:  # Steps may have been skipped.
        values["step/loss"] = (total - total_before) / (examples - examples_before)
    session.log.scalars("train", session.step, values)


def log_epoch(
    session: Session, trained: Mapping[str, float], validated: Mapping[str, float]
) -> None:
    """Adds the metrics of an epoch, with both splits in one chart."""
    session.logged = (0.0, 0.0)
    session.log.scalars("train", session.step, _tags(trained, session))
    session.log.scalars("validation", session.step, _tags(validated, session))
    session.log.flush()


def log_generated(session: Session) -> None:
    """Logs images that the model generates with its present weights, if it is a GAN."""
    config = session.config
    if config.objective.generated_input(config.inputs) is None:
        return
    model, data = session.stage.loop.model, session.data
    images = sample_images(model, config, data, "validation", session.preprocessing)
    session.log.images("validation", session.step, "generated", images.grid())


def _tags(metrics: Mapping[str, float], session: Session) -> dict[str, float]:
    """TensorBoard tag -> metric; a slash groups tags: "digit/accuracy"."""
    tags = {}
    for name, value in metrics.items():
        head = next((head for head in session.config.heads if name.startswith(f"{head}_")), None)
        tags[f"{head}/{name.removeprefix(f'{head}_')}" if head else name] = value
    return tags


def log_end(session: Session, evaluation: Evaluation, model: keras.Model) -> None:
    """Logs examples of each head, and the run's hyperparameters and test metrics.

    Examples are the worst mistakes, or originals and reconstructions.

    Args:
        session: of the finished training.
        evaluation: on the test split.
        model: with the best weights, for the data of the evaluation.
    """
    config, step = session.config, session.step
    for head in config.heads:
        _log_reconstructions(session, head, evaluation, model)
        shown = worst_mistakes(head, config, session.data, session.preprocessing, evaluation)
        if shown.images:
            grid = captioned_grid(shown.images, shown.captions)
            session.log.images("validation", step, f"{head}/worst_mistakes", grid)
        for name, texts in shown.texts.items():
            tag = f"{head}/worst_mistakes/{name}"
            session.log.text(tag, step, _markdown(shown.captions, texts))
    for head, values in prior_samples(model, config, session.preprocessing).items():
        if isinstance(values[0], str):
            text = _markdown([""] * len(values), [str(value) for value in values])
            session.log.text(f"{head}/samples", step, text)
        else:
            images = [np.asarray(value) for value in values]
            grid = captioned_grid(images, [""] * len(images))
            session.log.images("validation", step, f"{head}/samples", grid)
    figures = {
        f"{evaluation.split}/{head}/{name}": float(value)
        for head, metrics in {**evaluation.metrics, "fusion": evaluation.fusion}.items()
        for name, value in metrics.items()
        if isinstance(value, int | float)
    }
    session.log.hparams(hyperparameters(config.model_dump()), figures, step)
    session.log.close()


def _log_reconstructions(
    session: Session, head: str, evaluation: Evaluation, model: keras.Model
) -> None:
    stage = session.stage
    data = stage.training_inputs.data
    found = reconstructions(head, stage.config, data, session.preprocessing, evaluation, model)
    tag = f"{head}/reconstructions"
    if found.are_images:
        session.log.images("validation", session.step, tag, found.grid())
    elif found.rows:
        lines = (" -> ".join(row[1:3]) for row in found.texts())
        session.log.text(tag, session.step, _markdown(found.rows, [*lines]))


def _markdown(captions: Sequence[str], texts: Sequence[str]) -> str:
    """Each text below its caption, as code blocks, so that nothing is rendered as Markdown."""
    return "\n\n".join(
        f"    {caption}\n    {text}" for caption, text in zip(captions, texts, strict=True)
    )


def hyperparameters(tree: Mapping[str, Any], prefix: str = "") -> dict[str, bool | float | str]:
    """Dotted path -> value of a config, without values that are not set."""
    flat: dict[str, bool | float | str] = {}
    for key, value in tree.items():
        path = f"{prefix}{key}"
        if isinstance(value, Mapping):
            flat |= hyperparameters(value, f"{path}.")
        elif isinstance(value, bool | int | float | str):
            flat[path] = value
        elif value is not None and key != "class_names":
            flat[path] = str(list(value))
    return flat
