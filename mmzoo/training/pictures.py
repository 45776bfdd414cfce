"""What a training puts into TensorBoard besides curves: its config, inputs, mistakes, hparams."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mmzoo.evaluation.evaluate import Evaluation
from mmzoo.evaluation.pictures.grid import captioned_grid
from mmzoo.evaluation.pictures.shown_mistakes import shown_mistakes
from mmzoo.examples import as_text
from mmzoo.spec import dump_yaml
from mmzoo.training.session import Session, first_training_batch

_INPUTS_SHOWN = 24


def log_start(session: Session) -> None:
    """The config as text, and the first batch as the model sees it, with its true labels."""
    config, log = session.config, session.log
    log.text("config", 0, f"```yaml\n{dump_yaml(config)}```")
    captions = _true_labels(session, _INPUTS_SHOWN)
    shown = [name for name, spec in config.inputs.items() if spec.pictured]
    batch = first_training_batch(session, shown) if shown else {}
    for name in shown:
        values = batch[name]
        pictures = [config.inputs[name].picture(value) for value in values[:_INPUTS_SHOWN]]
        log.images("train", 0, f"inputs/{name}", captioned_grid(pictures, captions))
    train, rows = session.data.splits["train"], session.stage.order.step_rows(0)[:_INPUTS_SHOWN]
    for name, spec in config.inputs.items():
        if spec.worded:
            chosen = {column: values[rows] for column, values in train.items()}
            texts = as_text(config, name, chosen, session.preprocessing)
            log.text(f"inputs/{name}", 0, _markdown(captions, texts))
    log.flush()


def _true_labels(session: Session, most: int) -> list[str]:
    """What is true of the first step's first examples, over all heads: "4", "4, even"."""
    rows = session.stage.order.step_rows(0)[:most]
    train, columns = session.data.splits["train"], session.config.columns
    labels = (
        ("?" if one is None else str(one) for one in head.truths(train[columns[name]][rows]))
        for name, head in session.config.heads.items()
    )
    return [", ".join(words) for words in zip(*labels, strict=True)]


def log_end(session: Session, evaluation: Evaluation) -> None:
    """The worst mistakes of each head, and the run's line in the table of hyperparameters."""
    config, step = session.config, session.step
    for head in config.heads:
        shown = shown_mistakes(head, config, session.data, session.preprocessing, evaluation)
        if shown.pictures:
            grid = captioned_grid(shown.pictures, shown.captions)
            session.log.images("validation", step, f"{head}/worst_mistakes", grid)
        for name, texts in shown.texts.items():
            tag = f"{head}/worst_mistakes/{name}"
            session.log.text(tag, step, _markdown(shown.captions, texts))
    figures = {
        f"{evaluation.split}/{head}/{name}": float(value)
        for head, metrics in evaluation.metrics.items()
        for name, value in metrics.items()
        if isinstance(value, int | float)
    }
    session.log.hparams(hyperparameters(config.model_dump()), figures, step)
    session.log.close()


def _markdown(captions: Sequence[str], texts: Sequence[str]) -> str:
    """Each text below its caption; as code, in which nothing of either is Markdown."""
    return "\n\n".join(
        f"    {caption}\n    {text}" for caption, text in zip(captions, texts, strict=True)
    )


def hyperparameters(tree: Mapping[str, Any], prefix: str = "") -> dict[str, bool | float | str]:
    """The settings of a config as flat values by dotted path, without those that are not set."""
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
