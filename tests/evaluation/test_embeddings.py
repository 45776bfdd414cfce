"""Embeddings of examples, and the files of TensorBoard's projector."""

from __future__ import annotations

import csv

import numpy as np
import pytest
from frames import load_arrays
from PIL import Image
from tensorboard.plugins.base_plugin import TBContext
from tensorboard.plugins.projector import projector_plugin

from mmzoo import evaluate, load_config
from mmzoo.evaluation import embeddings as embeddings_module
from mmzoo.evaluation.embeddings import Embeddings, embed
from mmzoo.evaluation.evaluate import evaluate_model
from mmzoo.evaluation.projector import write_projector
from mmzoo.model import build_model
from mmzoo.model_graph import encoder_of
from mmzoo.preprocessing import fit_config, load_frame
from mmzoo.trained_model import load_trained


@pytest.fixture(scope="module")
def evaluated(trained_run):
    """The model, config, data and evaluation of the test split."""
    model, config = load_trained(trained_run)
    data = load_arrays(config)
    return model, config, data, {}, evaluate_model(model, config, data, "test")


def test_vectors_equal_the_encoder_output(evaluated):
    model, _, data, _, _ = evaluated
    found = embed(*evaluated)
    pixels = data.splits["test"]["image"]
    assert set(found.vectors) == {"image_encoder"}
    assert found.examples == len(pixels)
    assert np.array_equal(found.images, pixels)
    vectors, _ = encoder_of(model, "image")(pixels, training=False)
    np.testing.assert_allclose(found.vectors["image_encoder"], vectors, rtol=1e-4, atol=1e-5)


def test_points_have_true_and_predicted_labels(evaluated):
    _, _, data, _, evaluation = evaluated
    columns = embed(*evaluated).columns
    assert list(columns) == [
        *("digit_true", "digit", "digit_probability", "digit_correct", "example"),
    ]
    true = data.splits["test"][evaluated[1].columns["digit"]]
    assert columns["digit_true"] == [str(label) for label in true]
    right = [a == b for a, b in zip(columns["digit_true"], columns["digit"], strict=True)]
    assert [word == "yes" for word in columns["digit_correct"]] == right
    assert np.mean(right) == evaluation.metrics["digit"]["accuracy"]
    assert columns["example"][:2] == ["row 0", "row 1"]


def test_the_sample_of_many_examples_is_deterministic(evaluated, monkeypatch):
    monkeypatch.setattr(embeddings_module, "MOST_EXAMPLES", 20)
    first, again = embed(*evaluated), embed(*evaluated)
    rows = first.columns["example"]
    assert rows == again.columns["example"]
    assert len(rows) == len(first.images) == 20
    assert rows != [f"row {row}" for row in range(20)]  # The first may be all of one class.
    place = int(rows[3].split()[1])
    assert np.array_equal(first.images[3], evaluated[2].splits["test"]["image"][place])


def test_wide_vectors_get_a_smaller_sample(evaluated, monkeypatch):
    width = embed(*evaluated).vectors["image_encoder"].shape[1]
    monkeypatch.setattr(embeddings_module, "_MOST_NUMBERS", 7 * width + 1)
    assert embed(*evaluated).examples == 7


def test_fused_vectors_are_included(tiny):
    tiny["fusion"] = {"type": "concat", "units": [5]}
    config = load_config(tiny).with_columns()
    config, _ = fit_config(config, load_frame(config))
    data = load_arrays(config)
    model = build_model(config)
    model.compile(**config.objective.compile_arguments(config.heads, config.soft_targets))
    found = embed(model, config, data, {}, evaluate_model(model, config, data, "validation"))
    assert {name: vectors.shape[1] for name, vectors in found.vectors.items()} == {
        "image_encoder": 64,
        "fusion": 5,
    }


def test_one_column_per_head_without_probabilities(run_of_all_heads):
    model, config = load_trained(run_of_all_heads)
    data = load_arrays(config)
    evaluation = evaluate_model(model, config, data, "test")
    assert list(embed(model, config, data, {}, evaluation).columns) == [
        *("which_true", "which", "which_probability", "which_correct"),
        *("is_true", "is", "is_probability", "is_correct"),
        *("many_true", "many", "much_true", "much_0", "much_1", "example"),
    ]


@pytest.mark.slow
def test_tensorboard_reads_what_an_evaluation_writes(own_run):
    evaluate(own_run, embeddings=True)
    evaluate(own_run, split="validation", embeddings=True)
    evaluate(own_run, split="validation", embeddings=True)
    plugin = projector_plugin.ProjectorPlugin(TBContext(logdir=str(own_run.logs)))
    configs, _ = plugin._read_latest_config_files([("run", str(own_run.logs))])
    entries = {entry.tensor_name: entry for entry in configs["run"].embeddings}
    assert list(entries) == ["test/image_encoder", "validation/image_encoder"]
    for entry in entries.values():
        tensor = projector_plugin._read_tensor_tsv_file(str(own_run.logs / entry.tensor_path))
        assert tensor.shape == tuple(entry.tensor_shape)
        with (own_run.logs / entry.metadata_path).open(newline="") as file:
            rows = list(csv.reader(file, delimiter="\t"))
        assert len(rows) == 1 + len(tensor)
        assert list(entry.sprite.single_image_dim) == [8, 8]
    assert list(own_run.logs.glob("*tfevents*"))  # Or TensorBoard would not look there.


def points(count, **changes):
    given = {
        "split": "test",
        "vectors": {"a": np.eye(count, 3, dtype=np.float32)},
        "columns": {"label": list("abcde"[:count]), "example": list(range(count))},
        "images": None,
    }
    return Embeddings(**{**given, **changes})


def test_names_cannot_break_out_of_their_cells(tmp_path):
    names = ["a\tb", "c\r\nd", "e\u2028f"]
    folder = write_projector(tmp_path, points(3, columns={"label": names, "row": [0.5, 1, 2]}))
    text = (folder / "metadata.tsv").read_bytes().decode()
    assert text == "label\trow\na b\t0.5\nc d\t1\ne f\t2\n"


def test_a_sprite_has_the_images_in_their_order(tmp_path):
    images = np.arange(5, dtype=np.uint8)[:, None, None, None] * np.ones((1, 4, 6, 1), np.uint8)
    folder = write_projector(tmp_path, points(5, images=40 * images))
    sheet = np.asarray(Image.open(folder / "sprite.png"))
    assert sheet.shape == (3 * 4, 3 * 6, 3)
    assert sheet[2::4, 3::6, 0].tolist() == [[0, 40, 80], [120, 160, 0], [0, 0, 0]]
    assert "single_image_dim: 6\n    single_image_dim: 4" in config_text(tmp_path)


def test_large_images_are_downscaled_in_a_sprite(tmp_path):
    images = np.full((2, 100, 200, 3), 7, np.uint8)
    folder = write_projector(tmp_path, points(2, images=images))
    with Image.open(folder / "sprite.png") as sprite:
        assert sprite.size == (128, 64)


def test_a_damaged_projector_config_is_rewritten(tmp_path):
    (tmp_path / "projector_config.pbtxt").write_text("embeddings {")
    write_projector(tmp_path, points(2))
    assert config_text(tmp_path).count("tensor_name") == 1


def config_text(logs):
    return (logs / "projector_config.pbtxt").read_text()
