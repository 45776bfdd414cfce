"""What a report says and shows of each kind of head."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from mmzoo.config import Config
from mmzoo.evaluation.evaluate import Evaluation
from mmzoo.evaluation.mistakes import mistakes_picture
from mmzoo.evaluation.plots import calibration_plot, confusion_plot, regression_plot
from mmzoo.evaluation.report import HeadReport, Picture
from mmzoo.evaluation.shown_mistakes import shown_mistakes
from mmzoo.heads import Binary, Classification, Head, Multilabel, Regression
from mmzoo.metrics import confusion_matrix, per_label
from mmzoo.sources import Data


def head_report(
    name: str, config: Config, data: Data, evaluation: Evaluation, folder: Path
) -> HeadReport:
    """The figures of one head; its pictures are drawn into `folder`."""
    head: Head = config.heads[name]
    labels, predicted = evaluation.labels[name], evaluation.predictions[name]
    metrics = evaluation.metrics[name]
    # One head, as nearly always, has the plain file names that other programs look for.
    prefix = "" if len(config.heads) == 1 else f"{name}_"
    match head:
        case Regression():
            path = folder / f"{prefix}regression.png"
            regression_plot(path, labels.reshape(predicted.shape), predicted)
            drawn = Picture("Predicted against true", path)
            return HeadReport(name, head.type, metrics, pictures=(drawn,))
        case Multilabel():
            figures = per_label(head.label_rows(labels), predicted, head.threshold)
            names = head.class_names or ()
            return HeadReport(name, head.type, metrics, class_names=names, per_label=figures)
        case Classification() | Binary():
            names = head.class_names or ()
            true, said = head.class_labels(labels), head.decided(predicted)
            confusion = confusion_matrix(true, said, len(names))
            confusion_png = folder / f"{prefix}confusion.png"
            confusion_plot(confusion_png, confusion, names)
            probabilities = head.class_probabilities(predicted)
            calibration_png = folder / f"{prefix}calibration.png"
            confidence = np.take_along_axis(probabilities, said[:, None], axis=1)[:, 0]
            calibration_plot(calibration_png, confidence, said == true)
            pictures: tuple[Picture, ...] = (
                Picture("Confusion matrix", confusion_png),
                Picture("Calibration", calibration_png),
            )
            values, captions = shown_mistakes(name, config, data, evaluation)
            if values:
                mistakes_png = folder / f"{prefix}mistakes.png"
                mistakes_picture(mistakes_png, values, captions)
                pictures += (Picture("Worst mistakes", mistakes_png),)
            return HeadReport(name, head.type, metrics, names, confusion, pictures=pictures)
