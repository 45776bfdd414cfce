"""Drawn training examples equal those of the training batches."""

from __future__ import annotations

import json

import numpy as np
import pytest
import yaml
from frames import load_arrays
from PIL import Image

from mmzoo.batches import training_batches
from mmzoo.config import load_config
from mmzoo.errors import ConfigError, DataError
from mmzoo.order import TrainingOrder
from mmzoo.preprocessing import fit_config, load_frame
from mmzoo.visualization.augmented_examples import draw_augmented_examples


@pytest.fixture
def draw(tiny, tmp_path):
    """Draws batches of `tiny` with these changes."""
    path = tmp_path / "tiny.yaml"
    path.write_text(yaml.safe_dump(tiny))

    def drawn(*overrides, rows=3, epochs=2, output=tmp_path / "view.png"):
        return draw_augmented_examples(path, overrides, rows=rows, epochs=epochs, output=output)

    return drawn


def seen(drawing, row, column):
    """One image of the grid as it was before it was enlarged 28 times: [8, 8]."""
    sheet = np.asarray(Image.open(drawing.path))[..., 0]
    height = (len(sheet) - 18) // len(drawing.facts["examples"])
    top, left = 18 + row * height, 18 + column * (224 + 18)
    return sheet[top + 14 : top + 224 : 28, left + 14 : left + 224 : 28]


def batches(tiny, epochs, **changes):
    """Inputs and targets of complete epochs by row of the split, and the rows of the first step."""
    config = load_config({**tiny, **changes}).with_columns()
    config, _ = fit_config(config, load_frame(config))
    data = load_arrays(config)
    order = TrainingOrder(config.train.seed, data.examples("train"), config.train.batch_size)
    found = []
    for epoch in range(epochs):
        steps = range(epoch * order.steps_per_epoch, (epoch + 1) * order.steps_per_epoch)
        made = training_batches(config, data.splits["train"], order, steps[0], steps[-1] + 1)
        rows = np.concatenate([order.step_rows(step) for step in steps])
        inputs = np.concatenate([batch[0]["image"] for batch in made])
        found.append(dict(zip(rows.tolist(), inputs, strict=True)))
    return found, order.step_rows(0), data.splits["train"]


def test_each_row_is_an_example_and_each_column_an_epoch(draw, tiny):
    tiny["inputs"]["image"]["augment"] = [{"type": "shift", "height": 0.3, "width": 0.3}]
    drawing = draw("inputs.image.augment=[{type: shift, height: 0.3, width: 0.3}]")
    epochs, first, train = batches(tiny, 2)
    for place, row in enumerate(first[:3].tolist()):
        assert np.array_equal(seen(drawing, place, 0), train["image"][row][..., 0])
        for column, examples in enumerate(epochs, start=1):
            assert np.array_equal(seen(drawing, place, column), examples[row][..., 0])
    changed = [not np.array_equal(seen(drawing, 0, 0), seen(drawing, 0, k)) for k in (1, 2)]
    assert all(changed)


def test_mixed_examples_are_those_of_training_batches(draw, tiny):
    drawing = draw("train.mixing={type: mixup, alpha: 1.0}")
    train = {**tiny["train"], "mixing": {"type": "mixup", "alpha": 1.0}}
    epochs, first, _ = batches(tiny, 2, train=train)
    for place, row in enumerate(first[:3].tolist()):
        for column, examples in enumerate(epochs, start=1):
            assert np.array_equal(seen(drawing, place, column), examples[row][..., 0])


def test_drawing_is_described(draw):
    drawing = draw("inputs.image.augment=[{type: flip}]")
    assert drawing.text == (
        "3 examples of digits: original, then as tiny gets them in the first 2 epochs."
    )
    facts = json.loads(json.dumps(drawing.facts))
    assert (facts["inputs"], facts["left_out"], facts["epochs"]) == (["image"], [], 2)
    assert [set(example) for example in facts["examples"]] == 3 * [{"row", "label"}]


def test_missing_augmentation_is_reported(draw):
    assert draw(rows=1, epochs=1).text == (
        "1 example of digits: original, then as tiny gets them in the first epoch.\n"
        "They are not changed: no input has `augment`, and there is no `mixing`."
    )


def test_rows_are_limited_to_a_batch(draw):
    assert len(draw("train.batch_size=2", rows=8).facts["examples"]) == 2


@pytest.mark.parametrize(
    ("overrides", "output", "error", "message"),
    [
        ((), "view.jpg", DataError, "view.jpg: expected a name that ends in .png"),
        (("train.epoch=3",), "view.png", ConfigError, "did you mean 'train.epochs'?"),
    ],
)
def test_errors_are_reported_early(draw, tmp_path, overrides, output, error, message):
    with pytest.raises(error) as caught:
        draw(*overrides, output=tmp_path / output)
    assert message in str(caught.value)
    assert not list(tmp_path.glob("view*"))


def test_texts_are_printed_as_tokens(tmp_path):
    text = {"type": "text", "vocabulary_size": 50, "length": 4, "encoder": {"type": "embedding"}}
    image = {"type": "image", "shape": [8, 8, 1], "encoder": {"type": "cnn", "filters": [4]}}
    config = {
        "name": "both",
        "source": {"type": "synthetic", "rows": 60},
        "inputs": {"title": text},
        "heads": {"answer": {"type": "binary"}},
        "train": {"batch_size": 3, "evaluation_batch_size": 2},
    }
    path, output = tmp_path / "texts.yaml", tmp_path / "view.png"

    def draw():
        path.write_text(yaml.safe_dump(config))
        return draw_augmented_examples(path, (), rows=3, epochs=2, output=output)

    drawing = draw()
    assert drawing.path is None
    assert not output.exists()
    assert drawing.facts["inputs"] == ["title"]
    first, *lines = drawing.text.splitlines()
    assert first == "3 examples of synthetic, as both gets them:"
    for example, title, line in zip(
        drawing.facts["examples"], lines[::2], lines[1::2], strict=True
    ):
        assert title == f"{example['row']}, {example['label']}:"
        assert line == f"  {example['texts']['title']}"
        assert 1 <= len(line.split()) <= 4

    config["inputs"]["photo"] = image
    drawing = draw()
    assert drawing.path == output
    assert output.exists()
    assert drawing.facts["inputs"] == ["photo", "title"]
    assert drawing.text.splitlines()[-1].startswith("  word")
