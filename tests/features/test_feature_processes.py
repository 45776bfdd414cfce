"""Processes that write, read, clear and die at once never see an entry that is not whole."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from keeping import features, keep, origin, same

from mmzoo.features import FeatureStore, Layout

LAYOUTS = {"vector": Layout((200, 50)), "tokens": Layout((200, 4, 5), "float16")}
WRITER = """
import sys
from pathlib import Path
from keeping import batches, features, origin, same
from mmzoo.features import FeatureStore
from test_feature_processes import LAYOUTS

def with_a_rest():
    for index, batch in enumerate(batches(features(LAYOUTS), 2)):
        if index == int(sys.argv[2]):
            print("resting", flush=True)
            sys.stdin.readline()
        yield batch

kept = FeatureStore(Path(sys.argv[1])).keep(origin(), LAYOUTS, with_a_rest())
assert same(kept, features(LAYOUTS))
print("kept", flush=True)
"""


@pytest.fixture
def start():
    """Starts processes of Python code, which do not outlive the test."""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    started = []

    def start(code, *arguments):
        command = [sys.executable, "-c", code, *map(str, arguments)]
        started.append(subprocess.Popen(command, env=environment, text=True, **pipes))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def writer(start, store):
    """Starts a process that keeps features, and rests before one of its hundred batches."""

    def start_writer(rests_at):
        process = start(WRITER, store.folder, rests_at)
        assert process.stdout.readline() == "resting\n"
        return process

    return start_writer


def passing(store):
    """Folders of entries that are being written, or were when their writer died."""
    return [name for name in os.listdir(store.folder) if name.endswith(".tmp")]


def test_a_killed_writer_leaves_nothing_that_is_used(store, writer, said):
    for rests_at in (0, 30, 99):
        process = writer(rests_at)
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert store.find(origin()) is None
        assert store.entries() == ()
        assert len(passing(store)) == 1  # The next writer removes that of the one before.
    assert same(keep(store, layouts=LAYOUTS), features(LAYOUTS))
    assert sorted(os.listdir(store.folder)) == [".lock", origin().key]
    assert not said


def test_what_a_living_writer_has_begun_is_left_alone_and_counted(store, writer, said):
    process = writer(rests_at=50)
    [folder] = passing(store)
    size = sum(layout.size for layout in LAYOUTS.values())
    small = FeatureStore(store.folder, limit=2 * size)
    assert keep(small, "other", LAYOUTS) is not None
    assert keep(small, "third", LAYOUTS) is not None  # In the room of the other.
    assert said == ["Kept features of net on other are removed to make room."]
    store.remove(())
    assert passing(store) == [folder]
    assert process.communicate("go on\n", timeout=60)[0] == "kept\n"
    assert same(store.find(origin()), features(LAYOUTS))
    assert not passing(store)


def test_two_processes_keep_the_same_features_at_once(store, writer, said):
    processes = [writer(rests_at=50), writer(rests_at=99)]
    assert len(passing(store)) == 2
    for process in processes:
        assert process.communicate("go on\n", timeout=60)[0] == "kept\n"
        assert process.returncode == 0
    assert same(store.find(origin()), features(LAYOUTS))
    assert sorted(os.listdir(store.folder)) == [".lock", origin().key]
    assert not said


READER = """
import sys
from pathlib import Path
from keeping import origin
from mmzoo.features import FeatureStore

kept = FeatureStore(Path(sys.argv[1])).find(origin())
print("reading", flush=True)
sys.stdin.readline()
print(int(kept["vector"].sum()), flush=True)
"""


def test_features_that_another_process_reads_stay_until_it_ends(store, start, said):
    size = sum(layout.size for layout in LAYOUTS.values())
    small = FeatureStore(store.folder, limit=size + 1_000)
    kept = keep(small, layouts=LAYOUTS)
    total = int(kept["vector"].sum())
    del kept
    reader = start(READER, store.folder)
    assert reader.stdout.readline() == "reading\n"
    assert keep(small, "other", LAYOUTS) is None
    assert [entry.origin for entry in small.remove(small.entries())] == [origin()]
    assert reader.communicate("go\n", timeout=30)[0] == f"{total}\n"
    assert keep(small, "other", LAYOUTS) is not None
    assert small.find(origin()) is None


CHURN = """
import sys
from pathlib import Path
from keeping import batches, features, keep, origin, same
from mmzoo.features import FeatureStore
from test_feature_processes import LAYOUTS

size = sum(layout.size for layout in LAYOUTS.values())
store = FeatureStore(Path(sys.argv[1]), limit=int(2.5 * size))
for turn in range(30):
    name = "abcd"[(turn * int(sys.argv[2])) % 4]
    kept = store.find(origin(name))
    if kept is None:
        kept = keep(store, name, LAYOUTS)
    assert kept is None or same(kept, features(LAYOUTS))
    del kept
    if turn % 10 == 9:
        store.remove(store.entries())
"""


def test_readers_writers_and_clearing_at_once(store, start):
    """What any of them is given is whole, and none of them takes another's for damaged."""
    processes = [start(CHURN, store.folder, step) for step in (1, 3, 5)]
    for process in processes:
        _, err = process.communicate(timeout=60)
        assert process.returncode == 0, err
    assert not passing(store)
