import time

import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
from tensorboard.plugins.hparams import metadata as hparams_metadata
from tensorboard.plugins.hparams.api_pb2 import STATUS_SUCCESS
from tensorboard.util.tensor_util import make_ndarray
from trainings import read_scalars

from mmzoo.lazy import tf
from mmzoo.training.tensorboard_log import TensorBoardLog, truncate_events


def read(directory):
    """The events that TensorBoard reads from one run directory."""
    return EventAccumulator(str(directory), size_guidance={"tensors": 0}).Reload()


def points(accumulator, tag):
    return [(point.step, point.value) for point in accumulator.Scalars(tag)]


def test_writes_nothing_before_something_is_logged(tmp_path):
    log = TensorBoardLog(tmp_path / "logs")
    log.flush()
    log.close()
    assert list(tmp_path.iterdir()) == []


def test_train_and_validation_share_tags_in_two_directories(tmp_path):
    log = TensorBoardLog(tmp_path)
    log.scalars("train", 10, {"loss": 0.5, "digit/accuracy": 0.75})
    log.scalars("validation", 10, {"loss": 0.25, "digit/accuracy": 0.875})
    log.scalars("train", 20, {"loss": 0.125})
    log.close()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["train", "validation"]
    train, validation = read(tmp_path / "train"), read(tmp_path / "validation")
    assert train.Tags()["scalars"] == validation.Tags()["scalars"] == ["loss", "digit/accuracy"]
    assert points(train, "loss") == [(10, 0.5), (20, 0.125)]
    assert points(validation, "loss") == [(10, 0.25)]


def test_flushed_events_can_be_read_from_an_open_log(tmp_path):
    log = TensorBoardLog(tmp_path)
    log.scalars("train", 1, {"loss": 0.5})
    log.flush()
    assert read_scalars(tmp_path / "train") == {"loss": [(1, 0.5)]}


@pytest.mark.parametrize("shape", [(3, 28, 20, 1), (2, 8, 9, 3), (1, 4, 5, 4)])
def test_images_round_trip(tmp_path, shape):
    images = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    log = TensorBoardLog(tmp_path)
    log.images("validation", 7, "mistakes", images)
    log.close()
    accumulator = read(tmp_path / "validation")
    assert accumulator.SummaryMetadata("mistakes").plugin_data.plugin_name == "images"
    (event,) = accumulator.Tensors("mistakes")
    width, height, *image_files = make_ndarray(event.tensor_proto)
    assert (event.step, int(height), int(width)) == (7, shape[1], shape[2])
    assert np.array_equal([tf.io.decode_png(image) for image in image_files], images)


def test_one_image_needs_no_count(tmp_path):
    log = TensorBoardLog(tmp_path)
    log.images("train", 0, "confusion", np.zeros((4, 6, 3), np.uint8))
    log.close()
    (event,) = read(tmp_path / "train").Tensors("confusion")
    assert len(make_ndarray(event.tensor_proto)) == 2 + 1


def test_text_has_no_split(tmp_path):
    log = TensorBoardLog(tmp_path)
    log.text("config", 0, "```yaml\nname: mnist_cnn\n```")
    log.close()
    (path,) = tmp_path.iterdir()
    values = [value for event in EventFileLoader(str(path)).Load() for value in event.summary.value]
    assert [value.tag for value in values] == ["config"]
    assert values[0].metadata.plugin_data.plugin_name == "text"
    assert make_ndarray(values[0].tensor).item() == b"```yaml\nname: mnist_cnn\n```"


def test_hparams_are_one_finished_session_with_its_metrics(tmp_path):
    log = TensorBoardLog(tmp_path)
    began = time.time()
    log.hparams({"lr": 1e-3, "ema": False, "encoder": "cnn"}, {"test/loss": 0.5}, step=30)
    log.close()
    accumulator = read(tmp_path)
    assert points(accumulator, "test/loss") == [(30, 0.5)]
    content = accumulator.PluginTagToContent("hparams")
    start = hparams_metadata.parse_session_start_info_plugin_data(
        content[hparams_metadata.SESSION_START_INFO_TAG]
    )
    end = hparams_metadata.parse_session_end_info_plugin_data(
        content[hparams_metadata.SESSION_END_INFO_TAG]
    )
    assert start.hparams["lr"].number_value == 1e-3
    assert start.hparams["ema"].bool_value is False
    assert start.hparams["encoder"].string_value == "cnn"
    assert end.status == STATUS_SUCCESS
    assert start.start_time_secs <= began <= end.end_time_secs


def test_existing_events_are_not_logged_twice(tmp_path):
    """As after a kill between the end of an epoch and its checkpoint, or after the last step."""
    image = np.zeros((4, 4, 1), np.uint8)
    for loss in (0.5, 0.25):
        truncate_events(tmp_path, 30)
        log = TensorBoardLog(tmp_path)
        log.text("config", 0, "name: mnist_cnn")
        log.scalars("train", 30, {"loss": loss})
        log.scalars("train", 30, {"loss": loss, "step/loss": loss})
        log.images("train", 30, "image", image)
        log.hparams({"encoder": "cnn"}, {"test/loss": loss}, step=30)
        log.close()
    train, run = read(tmp_path / "train"), read(tmp_path)
    assert points(train, "loss") == points(train, "step/loss") == [(30, 0.5)]
    assert points(run, "test/loss") == [(30, 0.5)]
    assert [event.step for event in train.Tensors("image")] == [30]
    assert [event.step for event in run.Tensors("config")] == [0]
    assert [event.step for event in run.Tensors("_hparams_/session_end_info")] == [30]


def test_resumed_log_continues_after_the_cut(tmp_path):
    image = np.zeros((4, 4, 1), np.uint8)
    for first in (0, 20):
        truncate_events(tmp_path, first)
        log = TensorBoardLog(tmp_path)
        for step in range(first + 1, 31):
            log.scalars("train", step, {"loss": step})
            log.images("train", step, "image", image)
        log.close()
    accumulator = read(tmp_path / "train")
    assert [point.step for point in accumulator.Scalars("loss")] == list(range(1, 31))
    assert [event.step for event in accumulator.Tensors("image")] == list(range(1, 31))
