"""Plots show their data for any names and numbers, without warnings."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
import sklearn.metrics as reference
from PIL import Image

from mmzoo.evaluation import figures
from mmzoo.evaluation.plots import (
    calibration_plot,
    confusion_plot,
    history_plot,
    ranking_plot,
)
from mmzoo.evaluation.regression_plots import regression_plot, residual_plot

NO_FONT_HAS = "\U0010fffd"


def pixels(path):
    with Image.open(path) as image:
        assert image.format == "PNG"
        return np.asarray(image.convert("RGB")).astype(int)


def reddish(path):
    """How many pixels are clearly more red than blue."""
    image_file = pixels(path)
    return int(np.sum(image_file[..., 0] - image_file[..., 2] > 60))


def confusion_of(classes, mistakes):
    confusion = np.diag(np.full(classes, 100)).astype(np.int64)
    for row, column in mistakes:
        confusion[row, column] += 1
    return confusion


@pytest.mark.parametrize("classes", [2, pytest.param(100, marks=pytest.mark.slow)])
def test_one_mistake_in_a_hundred_is_visible(tmp_path, classes):
    names = [f"class {number}" for number in range(classes)]
    confusion_plot(tmp_path / "right.png", confusion_of(classes, []), names)
    confusion_plot(tmp_path / "wrong.png", confusion_of(classes, [(0, 1)]), names)
    assert reddish(tmp_path / "right.png") == 0
    assert reddish(tmp_path / "wrong.png") > 100


@pytest.mark.slow
def test_confusion_grows_with_the_classes_up_to_a_limit(tmp_path):
    widths = []
    for classes in (2, 10, 20, 400):
        confusion_plot(
            tmp_path / "c.png", confusion_of(classes, []), [str(n) for n in range(classes)]
        )
        widths.append(pixels(tmp_path / "c.png").shape[1])
    assert widths == sorted(widths)
    assert widths[1] < widths[2]
    assert widths[-1] < 2100


@pytest.mark.parametrize(
    "names",
    [
        ["猫", "犬", NO_FONT_HAS],
        ["$x_1$", r"$\frac$", "$"],
        ["", "two\nlines", "nul \x00 and \ud800"],
        ["x" * 500, "עברית", "\N{GRINNING FACE}"],
    ],
    ids=["no glyphs", "formulas", "empty and control", "long, from the right, emoji"],
)
def test_confusion_accepts_any_names(tmp_path, names):
    confusion_plot(tmp_path / "c.png", confusion_of(3, [(0, 2)]), names)
    assert pixels(tmp_path / "c.png").std() > 0


def test_confusion_of_nothing_is_drawn(tmp_path):
    confusion_plot(tmp_path / "c.png", np.zeros((2, 2), np.int64), ["a", "b"])
    confusion_plot(tmp_path / "one.png", np.array([[7]]), ["a"])
    assert reddish(tmp_path / "c.png") == reddish(tmp_path / "one.png") == 0


def test_class_labels_are_short_single_lines_that_can_be_drawn():
    names = ["4", "two\n lines", NO_FONT_HAS, "", "a very long class name"]
    assert figures.class_labels(names, longest=12) == ["4", "two lines", "#2", "#3", "a very long…"]


def test_drawable_replaces_characters_without_a_glyph():
    assert figures.drawable(f"a{NO_FONT_HAS}é") == "a□é"


def test_calibration_shows_overconfidence(tmp_path):
    confidence = np.full(100, 0.75)
    calibration_plot(tmp_path / "right.png", confidence, np.arange(100) % 4 > 0)
    calibration_plot(tmp_path / "wrong.png", confidence, np.arange(100) % 4 == 0)
    assert reddish(tmp_path / "wrong.png") > 2 * reddish(tmp_path / "right.png")


def test_calibration_of_a_single_prediction_is_drawn(tmp_path):
    calibration_plot(tmp_path / "c.png", np.ones(1, np.float32), np.ones(1, bool))
    assert pixels(tmp_path / "c.png").std() > 0


@pytest.mark.parametrize(("rows", "numbers"), [(1, 1), (50, 12), (6000, 4)])
def test_regression_draws_few_and_many_points(tmp_path, rows, numbers):
    true = np.random.default_rng(0).normal(size=(rows, numbers)).astype(np.float32)
    names = [f"${NO_FONT_HAS}"] * numbers
    regression_plot(tmp_path / "r.png", true, true + 0.1, names)
    image_file = pixels(tmp_path / "r.png")
    assert np.sum(image_file[..., 2] - image_file[..., 0] > 40) > 10, "no blue points"
    assert reddish(tmp_path / "r.png") > 100, "no orange diagonal"


def test_regression_of_a_constant_is_drawn(tmp_path):
    regression_plot(tmp_path / "r.png", np.full(5, 2.0), np.full(5, 2.0))
    assert reddish(tmp_path / "r.png") > 100


def history(**columns):
    epochs = len(next(iter(columns.values())))
    return [
        {"epoch": float(epoch + 1), "step": 10.0 * (epoch + 1)}
        | {name: values[epoch] for name, values in columns.items() if values[epoch] is not None}
        for epoch in range(epochs)
    ]


def charts(monkeypatch, tmp_path, rows, **fields):
    """The curves of each chart of a history, by their names."""
    drawn = []
    monkeypatch.setattr(
        "mmzoo.evaluation.plots.write_figure", lambda figure, _: drawn.append(figure)
    )
    history_plot(tmp_path / "h.png", rows, **fields)
    return {
        axes.get_title(loc="left"): {
            line.get_label(): list(line.get_ydata()) for line in axes.lines
        }
        for axes in drawn[0].axes
    }


def test_history_has_a_chart_for_each_metric_with_both_splits(monkeypatch, tmp_path):
    rows = history(
        learning_rate=[0.1, 0.01],
        loss=[2.0, 1.0],
        digit_accuracy=[0.5, 0.75],
        validation_loss=[3.0, 2.0],
        validation_digit_accuracy=[0.4, 0.6],
    )
    assert charts(monkeypatch, tmp_path, rows) == {
        "loss": {"train": [2.0, 1.0], "validation": [3.0, 2.0]},
        "digit accuracy": {"train": [0.5, 0.75], "validation": [0.4, 0.6]},
        "learning rate": {"train": [0.1, 0.01]},
    }


def test_a_constant_learning_rate_is_not_plotted(monkeypatch, tmp_path):
    rows = history(loss=[2.0, 1.0], learning_rate=[0.1, 0.1])
    assert list(charts(monkeypatch, tmp_path, rows)) == ["loss"]


def test_the_best_epoch_is_marked(monkeypatch, tmp_path):
    rows = history(loss=[3.0, 2.0, 1.0], validation_loss=[2.0, 1.0, 1.5])
    marked = charts(monkeypatch, tmp_path, rows, best=2)["loss"]
    assert marked["best epoch"] == [0, 1]  # A line from the bottom to the top.


def drawn(monkeypatch, draw):
    """The axes of the figure that a function draws."""
    figures = []
    for module in ("plots", "regression_plots"):
        monkeypatch.setattr(
            f"mmzoo.evaluation.{module}.write_figure", lambda figure, _: figures.append(figure)
        )
    draw()
    return figures[0].axes


def test_bars_of_few_predictions_are_fainter(monkeypatch, tmp_path):
    confidence = np.repeat([0.95, 0.55], [40, 3])
    axes = drawn(
        monkeypatch, lambda: calibration_plot(tmp_path / "c.png", confidence, confidence > 0.5)
    )
    alphas = {bars.get_label(): bars.patches[0].get_alpha() for bars in axes[0].containers}
    assert alphas["accuracy, fewer than 10 predictions"] < 0.5 < alphas["accuracy"]


@pytest.mark.parametrize("labels", [1, 3, 12])
def test_ranking_curves_name_the_class_and_its_areas(monkeypatch, tmp_path, labels):
    random = np.random.RandomState(0)
    true, scores = random.randint(0, 2, (80, labels)), random.rand(80, labels)
    names = [f"label {number}" for number in range(labels)]
    path = tmp_path / "r.png"
    ranking_plot(path, true, scores, names, 0.5)
    assert path.read_bytes().startswith(b"\x89PNG")
    roc, curves = drawn(monkeypatch, lambda: ranking_plot(path, true, scores, names, 0.5))
    if labels == 1:
        assert roc.get_title(loc="left") == "ROC of 'label 0'"
        assert curves.get_title(loc="left") == "Precision and recall of 'label 0'"
    for axes, word, score in (
        (roc, "area", reference.roc_auc_score),
        (curves, "average", reference.average_precision_score),
    ):
        written = axes.get_legend_handles_labels()[1]
        assert len(written) == min(labels, 8)
        for text in written:
            name, figure = text.split(f", {word} ")
            number = names.index(name)
            expected = score(true[:, number], scores[:, number])
            assert float(figure) == pytest.approx(expected, abs=5e-4)


def test_ranking_curves_need_two_classes(tmp_path):
    ranking_plot(tmp_path / "r.png", np.ones((5, 1)), np.full((5, 1), 0.7), ["yes"], 0.5)
    assert (tmp_path / "r.png").is_file()


@pytest.mark.parametrize(("rows", "numbers"), [(1, 1), (40, 5), (6000, 1)])
def test_residuals_are_drawn(tmp_path, rows, numbers):
    true = 1e6 * np.random.default_rng(0).normal(size=(rows, numbers))
    residual_plot(tmp_path / "r.png", true, true + 1e5, ["a"] * numbers)
    assert reddish(tmp_path / "r.png") > 100, "no orange line"


def test_axes_of_a_regression_are_plain_numbers(monkeypatch, tmp_path):
    true = np.linspace(0, 4e6, 50)
    axes = drawn(monkeypatch, lambda: regression_plot(tmp_path / "r.png", true, true * 1.1))[0]
    axes.figure.canvas.draw()
    assert "2,000,000" in [label.get_text() for label in axes.get_yticklabels()]


def test_history_skips_missing_and_non_finite_values(monkeypatch, tmp_path):
    rows = history(loss=[2.0, float("nan"), 1.0], validation_loss=[None, float("inf"), 4.0])
    assert charts(monkeypatch, tmp_path, rows) == {
        "loss": {"train": [2.0, 1.0], "validation": [4.0]}
    }


@pytest.mark.parametrize("epochs", [0, 1, 100])
def test_history_of_any_length_is_plotted(tmp_path, epochs):
    rows = history(loss=list(range(epochs)), validation_loss=list(range(epochs)))
    history_plot(tmp_path / "h.png", rows)
    assert pixels(tmp_path / "h.png").shape[2] == 3


def test_equal_figures_give_equal_files(tmp_path):
    for name in ("a.png", "b.png"):
        confusion_plot(tmp_path / name, confusion_of(3, [(0, 1)]), ["a", "b", "c"])
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_a_failed_plot_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "c.png"
    path.write_bytes(b"old")

    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match=r"^disk full$"):
        confusion_plot(path, confusion_of(2, []), ["a", "b"])
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["c.png"]


def run_python(code):
    return subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)


def test_importing_plots_and_reports_loads_nothing_heavy():
    result = run_python(
        "import sys, mmzoo.evaluation.plots, mmzoo.evaluation.image_grid\n"
        "import mmzoo.evaluation.report\n"
        "print({'matplotlib', 'PIL', 'tensorflow', 'sklearn'} & set(sys.modules))"
    )
    assert result.stdout == "set()\n", result.stderr


def test_plotting_leaves_pyplot_alone(tmp_path):
    result = run_python(
        "import sys, pathlib, numpy\n"
        "from mmzoo.evaluation.plots import confusion_plot\n"
        f"path = pathlib.Path({str(tmp_path / 'c.png')!r})\n"
        "confusion_plot(path, numpy.eye(2, dtype=int), 'ab')\n"
        "print('matplotlib.pyplot' in sys.modules)"
    )
    assert result.stdout == "False\n", result.stderr
