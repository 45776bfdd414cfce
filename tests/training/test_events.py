import random
import shutil

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from trainings import read_scalars

from mmzoo.errors import TrainingError
from mmzoo.lazy import tf
from mmzoo.training.tensorboard_log import (
    EVENT_FILES,
    EventWriter,
    last_steps,
    new_event_file,
    read_events,
    truncate_events,
)


def log(directory, steps, value=0.0, tags=("loss", "digit/accuracy")):
    """Writes one event a step, as a session of a training does, and returns its file."""
    path = new_event_file(directory)
    writer = EventWriter(path)
    for step in steps:
        values = [Summary.Value(tag=tag, simple_value=value) for tag in tags]
        writer.write(Event(step=step, wall_time=step, summary=Summary(value=values)))
    writer.close()
    return path


def steps_of(directory, tag="loss"):
    return [step for step, _ in read_scalars(directory)[tag]]


def test_reads_back_what_was_written(tmp_path):
    log(tmp_path, [1, 2], value=0.5)
    assert read_scalars(tmp_path) == {
        "loss": [(1, 0.5), (2, 0.5)],
        "digit/accuracy": [(1, 0.5), (2, 0.5)],
    }


def test_the_last_step_of_each_tag_is_read(tmp_path):
    log(tmp_path, range(1, 6), tags=["loss", "accuracy"])
    log(tmp_path, [3, 7], tags=["loss"])
    assert last_steps(tmp_path) == {"loss": 7, "accuracy": 5}
    assert last_steps(tmp_path / "missing") == {}


def test_files_of_later_sessions_sort_later(tmp_path):
    paths = [log(tmp_path, [step]) for step in (1, 2, 3)]
    assert paths == sorted(set(paths))
    assert steps_of(tmp_path) == [1, 2, 3]


def test_cut_removes_what_comes_after_the_step_in_every_split(tmp_path):
    log(tmp_path, range(1, 31))
    log(tmp_path / "train", range(1, 31))
    log(tmp_path / "validation", range(10, 31, 10))
    truncate_events(tmp_path, 20)
    assert steps_of(tmp_path) == list(range(1, 21))
    assert steps_of(tmp_path / "train") == list(range(1, 21))
    assert steps_of(tmp_path / "validation") == [10, 20]


def test_cut_keeps_header_wall_times_and_what_tensorboard_reads(tmp_path):
    log(tmp_path, range(1, 31), value=0.25)
    truncate_events(tmp_path, 20)
    (path,) = tmp_path.iterdir()
    assert next(read_events(path)).file_version == "brain.Event:2"
    curve = EventAccumulator(str(tmp_path)).Reload().Scalars("loss")
    assert [(point.wall_time, point.step, point.value) for point in curve] == [
        (step, step, 0.25) for step in range(1, 21)
    ]


def test_cut_at_step_0_leaves_a_file_that_tensorboard_reads(tmp_path):
    log(tmp_path, range(1, 4))
    truncate_events(tmp_path, 0)
    assert read_scalars(tmp_path) == {}
    assert EventAccumulator(str(tmp_path)).Reload().Tags()["scalars"] == []


def test_cut_without_event_files_makes_none(tmp_path):
    (tmp_path / "train").mkdir()
    truncate_events(tmp_path, 20)
    truncate_events(tmp_path / "missing", 20)
    assert [path.name for path in tmp_path.rglob("*")] == ["train"]


@pytest.mark.parametrize("seed", range(20))
def test_killed_at_any_byte_and_resumed_logs_each_step_once(tmp_path, seed):
    """Everything up to the checkpoint at step 20 was flushed; later bytes may be torn."""
    path = log(tmp_path, range(1, 21), value=1.0)
    flushed = path.stat().st_size
    path.unlink()
    path = log(tmp_path, range(1, 31), value=1.0)
    whole = path.read_bytes()
    path.write_bytes(whole[: random.Random(seed).randint(flushed, len(whole))])

    truncate_events(tmp_path, 20)
    log(tmp_path, range(21, 31), value=2.0)

    expected = [(step, 1.0 if step <= 20 else 2.0) for step in range(1, 31)]
    assert read_scalars(tmp_path) == {"loss": expected, "digit/accuracy": expected}
    curve = EventAccumulator(str(tmp_path)).Reload().Scalars("loss")
    assert [(point.step, point.value) for point in curve] == expected


def test_many_interruptions_leave_one_file_and_each_step_once(tmp_path):
    for start in range(0, 50, 10):
        truncate_events(tmp_path, start)
        log(tmp_path, range(start + 1, start + 16))
    truncate_events(tmp_path, 50)
    assert steps_of(tmp_path) == list(range(1, 51))
    assert len(list(tmp_path.iterdir())) == 1


def test_an_interrupted_cut_is_completed_by_the_next(tmp_path):
    log(tmp_path, range(1, 11))
    second = log(tmp_path, range(11, 31))
    saved = second.read_bytes()
    truncate_events(tmp_path, 20)
    second.write_bytes(saved)
    (tmp_path / "cut.tmp").write_bytes(saved[:100])
    truncate_events(tmp_path, 20)
    assert steps_of(tmp_path) == list(range(1, 21))
    assert [path.match(EVENT_FILES) for path in tmp_path.iterdir()] == [True]


def test_steps_logged_twice_keep_the_later_value(tmp_path):
    log(tmp_path, range(1, 6), value=1.0)
    log(tmp_path, range(4, 8), value=2.0, tags=["loss"])
    truncate_events(tmp_path, 6)
    curves = read_scalars(tmp_path)
    assert curves["loss"] == [(1, 1.0), (2, 1.0), (3, 1.0), (4, 2.0), (5, 2.0), (6, 2.0)]
    assert curves["digit/accuracy"] == [(step, 1.0) for step in range(1, 6)]


def test_cut_sorts_steps_of_overlapping_sessions(tmp_path):
    log(tmp_path, range(1, 11), value=1.0)
    log(tmp_path, range(4, 7), value=2.0)
    truncate_events(tmp_path, 9)
    assert read_scalars(tmp_path)["loss"] == [
        (step, 2.0 if 4 <= step <= 6 else 1.0) for step in range(1, 10)
    ]


def test_cut_leaves_events_of_one_step_in_the_order_they_were_written(tmp_path):
    for tag in ("b", "a", "c"):
        log(tmp_path, [1, 2], tags=[tag])
    truncate_events(tmp_path, 1)
    assert list(read_scalars(tmp_path)) == ["b", "a", "c"]


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.integers(0, 10_000), junk=st.binary(max_size=40), cut=st.integers(0, 40))
def test_damaged_file_never_stops_a_cut(tmp_path, place, junk, cut):
    shutil.rmtree(tmp_path)
    path = log(tmp_path, range(1, 31))
    content = path.read_bytes()
    place %= len(content) + 1
    path.write_bytes(content[:place] + junk + content[place + len(junk) :])
    truncate_events(tmp_path, cut)
    steps = steps_of(tmp_path) if read_scalars(tmp_path) else []
    assert steps == list(range(1, len(steps) + 1))
    assert len(steps) <= cut


@pytest.mark.parametrize("content", [b"", b"\0" * 1000, b"\xff" * 1000])
def test_file_without_a_complete_record_becomes_an_empty_log(tmp_path, content):
    path = new_event_file(tmp_path)
    path.write_bytes(content)
    truncate_events(tmp_path, 20)
    assert [event.file_version for event in read_events(path)] == ["brain.Event:2"]


def test_valid_records_that_are_not_events_are_skipped(tmp_path):
    path = new_event_file(tmp_path)
    with tf.io.TFRecordWriter(str(path)) as writer:
        writer.write(b"\xff\xff\xff not an event")
    assert list(read_events(path)) == []


def test_full_disk_is_reported(tmp_path):
    full = tmp_path / "events.out.tfevents.1"
    full.symlink_to("/dev/full")
    writer = EventWriter(full)
    with pytest.raises(TrainingError) as caught:
        writer.flush()
    message = str(caught.value)
    assert message.startswith(f"{full}: the TensorBoard log cannot be written: ")
    assert "No space left on device" in message
    assert message.endswith("Free some space or fix the permissions, then continue with --resume.")


def test_full_disk_does_not_change_files(tmp_path):
    log(tmp_path, range(1, 31))
    (tmp_path / "cut.tmp").symlink_to("/dev/full")
    with pytest.raises(TrainingError, match="No space left on device"):
        truncate_events(tmp_path, 20)
    assert steps_of(tmp_path) == list(range(1, 31))
