"""What a report says and shows of each kind of head."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from mmzoo.config import Config, Preprocessing
from mmzoo.evaluation.evaluate import Evaluation
from mmzoo.evaluation.pictures.mistakes import mistakes_picture
from mmzoo.evaluation.pictures.plots import calibration_plot, confusion_plot, regression_plot
from mmzoo.evaluation.pictures.shown_mistakes import ShownMistakes, confidence_in, shown_mistakes
from mmzoo.evaluation.reports.page import Picture
from mmzoo.evaluation.reports.report import HeadReport, WrittenMistake
from mmzoo.heads import Binary, Classification, Head, Multilabel, Regression
from mmzoo.metrics import confusion_matrix, per_label
from mmzoo.sources import Data


def head_report(
    name: str,
    config: Config,
    data: Data,
    preprocessing: Preprocessing,
    evaluation: Evaluation,
    folder: Path,
) -> HeadReport:
    """The figures of one head; its pictures are drawn into `folder`."""
    head: Head = config.heads[name]
    labels, predicted = evaluation.labels[name], evaluation.predictions[name]
    probes = evaluation.probe_metrics.get(name, {})
    report = HeadReport(name, head.type, evaluation.metrics[name], probes=probes)
    there = head.labelled(labels)
    labels, predicted = labels[there], predicted[there]
    if not there.any():
        return report
    # One head, as nearly always, has the plain file names that other programs look for.
    prefix = "" if len(config.heads) == 1 else f"{name}_"
    match head:
        case Regression():
            path = folder / f"{prefix}regression.png"
            regression_plot(path, labels.reshape(predicted.shape), predicted)
            return replace(report, pictures=(Picture("Predicted against true", path),))
        case Multilabel():
            figures = per_label(head.label_rows(labels), predicted, head.threshold)
            return replace(report, class_names=head.class_names or (), per_label=figures)
        case Classification() | Binary():
            names = head.class_names or ()
            true, said = head.class_labels(labels), head.decided(predicted)
            confusion = confusion_matrix(true, said, len(names))
            pictures = [
                Picture("Confusion matrix", folder / f"{prefix}confusion.png"),
                Picture("Calibration", folder / f"{prefix}calibration.png"),
            ]
            confusion_plot(pictures[0].path, confusion, names)
            confidence = confidence_in(head.class_probabilities(predicted), said)
            calibration_plot(pictures[1].path, confidence, said == true)
            mistakes = Picture("Worst mistakes", folder / f"{prefix}mistakes.png")
            shown = shown_mistakes(name, config, data, preprocessing, evaluation)
            if shown.pictures:
                mistakes_picture(mistakes.path, shown.pictures, shown.captions)
                pictures.append(mistakes)
            else:
                mistakes.path.unlink(missing_ok=True)  # Of an evaluation of other weights.
            return replace(
                report,
                class_names=names,
                confusion=confusion,
                pictures=tuple(pictures),
                mistakes=_written(shown),
            )


def _written(shown: ShownMistakes) -> tuple[WrittenMistake, ...]:
    """The mistakes that can be read."""
    if not shown.texts:
        return ()
    return tuple(
        WrittenMistake(caption, row, {name: texts[place] for name, texts in shown.texts.items()})
        for place, (caption, row) in enumerate(zip(shown.captions, shown.rows, strict=True))
    )
