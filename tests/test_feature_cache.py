"""Feature cache: features are found unchanged or not at all."""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmzoo.errors import DataError
from mmzoo.feature_cache import FREE_SPACE_ADVICE, FeatureCache, FeatureKey

PARTS = {"examples": "ab12", "copies": 0, "width": 0.35, "clip": None, "flip": True, "name": "é"}
FILES = ("meta.json", "vector.npy")


def key(name: str = "photos") -> FeatureKey:
    return FeatureKey(f"net on {name}", {"examples": name, "copies": 0})


def features(rows=10, width=6, dtype="float16"):
    return np.random.default_rng(0).integers(-9, 9, (rows, width)).astype(dtype)


def batches(array, size=4):
    return (array[start : start + size] for start in range(0, len(array), size))


def add(cache, name="photos", array=None):
    array = features() if array is None else array
    return cache.add(key(name), array.shape, str(array.dtype), batches(array))


def same(found, expected) -> bool:
    return found.dtype == expected.dtype and np.array_equal(found, expected)


def names(cache):
    return {entry.key.parts["examples"] for entry in cache.entries()}


def age(cache, name, seconds):
    """Sets the time of last use to so many seconds ago."""
    used = time.time() - seconds
    os.utime(cache.folder / key(name).digest / "meta.json", (used, used))


@pytest.fixture
def cache(tmp_path) -> FeatureCache:
    return FeatureCache(tmp_path / "cache" / "features")


@pytest.fixture
def entry(cache) -> Path:
    """The folder of cached features."""
    add(cache)
    return cache.folder / key().digest


class TestKeys:
    def test_the_order_of_parts_and_the_description_do_not_matter(self):
        digest = FeatureKey("net", PARTS).digest
        assert FeatureKey("other", dict(reversed(PARTS.items()))).digest == digest
        assert len(digest) == 64
        assert set(digest) <= set("0123456789abcdef")

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            *(("examples", "ab13"), ("examples", ""), ("copies", 1), ("copies", 0.0)),
            *(("copies", False), ("copies", None), ("copies", "0"), ("width", 0.35000000000000003)),
        ],
    )
    def test_every_part_matters(self, name, value):
        assert FeatureKey("net", {**PARTS, name: value}).digest != FeatureKey("net", PARTS).digest

    def test_a_part_more_or_less_matters(self):
        without = {name: value for name, value in PARTS.items() if name != "clip"}
        assert FeatureKey("net", without).digest != FeatureKey("net", PARTS).digest

    def test_the_digest_is_the_same_in_every_process_and_release(self):
        assert FeatureKey("", {"a": 1}).digest == (
            "5d2124bdec864b9de8f29160298bf03bc27f34aceba54b4f2d29d45f1564d8e9"
        )


class TestFindingAndAdding:
    def test_unknown_features_are_not_found(self, cache, messages):
        assert cache.find(key()) is None
        assert not cache.entries()
        assert not cache.folder.exists()
        assert not messages

    @pytest.mark.parametrize("dtype", ["float16", "float32"])
    def test_features_are_found_again(self, cache, messages, dtype):
        array = features(3_000, 257, dtype)
        assert same(add(cache, array=array), array)
        found = FeatureCache(cache.folder).find(key())
        assert same(found, array)
        assert isinstance(found, np.memmap)
        assert not found.flags.writeable
        assert cache.find(key("other")) is None
        assert not messages

    def test_zero_rows_are_supported(self, cache):
        assert add(cache, array=features(0, 3)).shape == (0, 3)

    def test_only_the_entry_is_in_the_folder_and_numpy_reads_it(self, cache, entry):
        assert os.listdir(cache.folder) == [key().digest]
        assert sorted(os.listdir(entry)) == sorted(FILES)
        assert np.array_equal(np.load(entry / "vector.npy", allow_pickle=False), features())

    def test_an_entry_describes_its_features(self, cache, entry):
        [found] = cache.entries()
        assert (found.folder, found.key, found.shape) == (entry, key(), (10, 6))
        assert found.dtype == "float16"
        assert found.size == sum(path.stat().st_size for path in entry.iterdir())
        assert abs(found.created - time.time()) < 600

    def test_entries_come_by_last_use_and_are_chosen_by_digest_and_age(self, cache):
        for name, seconds in {"a": 30, "b": 10, "c": 1_000}.items():
            add(cache, name)
            age(cache, name, seconds)
        assert [found.key for found in cache.entries()] == [key("b"), key("a"), key("c")]
        cache.find(key("a"))
        assert cache.entries()[0].key == key("a")
        chosen = cache.entries([key(name).digest[:9] for name in "ac"])
        assert [found.key for found in chosen] == [key("a"), key("c")]
        assert [found.key for found in cache.entries(unused_for=900)] == [key("c")]
        with pytest.raises(DataError) as caught:
            cache.entries(["nothing"])
        assert str(caught.value) == (
            "no cached features have a key that begins with `nothing`. "
            "`mmzoo data cache` lists those there are."
        )

    def test_removed_features_are_gone_and_other_files_stay(self, cache):
        (cache.folder / "notes").mkdir(parents=True)
        (cache.folder / f"{key().digest}.txt").write_text("mine")
        for name in "ab":
            add(cache, name)
        cache.remove(cache.entries([key("a").digest]))
        assert names(cache) == {"b"}
        cache.remove(cache.entries())
        assert sorted(os.listdir(cache.folder)) == sorted(["notes", f"{key().digest}.txt"])

    @pytest.mark.parametrize("error", [FileNotFoundError(2, "No such file"), KeyboardInterrupt()])
    def test_an_error_while_features_are_computed_leaves_nothing(self, cache, error):
        def failing():
            yield features()[:4]
            raise error

        with pytest.raises(type(error)):
            cache.add(key(), (10, 6), "float16", failing())
        assert os.listdir(cache.folder) == []


class TestDamage:
    """A damaged entry is removed with a warning, and can be added again."""

    def refused(self, cache, messages, why):
        assert cache.find(key()) is None
        assert messages == [
            f"Cached features of net on photos are damaged ({why}), so they are computed again."
        ]
        assert os.listdir(cache.folder) == []
        assert same(add(cache), features())
        return True

    @pytest.mark.parametrize("share", [0.0, 0.5, 0.99])
    def test_a_truncated_array(self, cache, entry, messages, share):
        path = entry / "vector.npy"
        os.truncate(path, int(share * path.stat().st_size))
        assert self.refused(cache, messages, "vector.npy has another checksum")

    @pytest.mark.parametrize("text", ["", "null", "[]", "{}", "\xff", "1" * 9_999])
    def test_a_malformed_meta(self, cache, entry, messages, text):
        (entry / "meta.json").write_bytes(text.encode("latin-1"))
        assert self.refused(cache, messages, "meta.json is malformed")

    @pytest.mark.parametrize("name", FILES)
    def test_a_missing_file(self, cache, entry, messages, name):
        (entry / name).unlink()
        assert self.refused(cache, messages, f"{name} cannot be read: No such file or directory")

    def test_changed_parts_are_another_key(self, cache, entry, messages):
        meta = json.loads((entry / "meta.json").read_text())
        meta["parts"]["copies"] = 1
        (entry / "meta.json").write_text(json.dumps(meta))
        assert self.refused(cache, messages, "it is the entry of another key")

    @pytest.mark.parametrize("kind", ["file", "link", "empty folder"])
    def test_a_foreign_file_in_place_of_an_entry(self, cache, entry, kind, tmp_path):
        elsewhere = entry.rename(tmp_path / "elsewhere")
        match kind:
            case "file":
                entry.write_text("")
            case "link":
                entry.symlink_to(elsewhere / "meta.json")
            case _:
                entry.mkdir()
        assert cache.find(key()) is None
        assert sorted(os.listdir(elsewhere)) == sorted(FILES)
        assert same(add(cache), features())

    @given(data=st.data())
    @settings(max_examples=40)
    def test_any_changed_byte_is_detected(self, tmp_path_factory, data):
        cache = FeatureCache(tmp_path_factory.mktemp("cache"))
        add(cache)
        path = cache.folder / key().digest / data.draw(st.sampled_from(FILES))
        content = bytearray(path.read_bytes())
        content[int(data.draw(st.floats(0, 1, exclude_max=True)) * len(content))] ^= data.draw(
            st.integers(1, 255)
        )
        path.write_bytes(content)
        found = cache.find(key())
        assert found is None or same(found, features())
        assert path.suffix == ".json" or found is None


class TestRoom:
    """The least recently used entries are evicted; what does not fit is not cached."""

    KB = features(10, 25, "float32")
    MB = features(1_000, 250, "float32")

    def test_the_least_recently_used_entries_are_evicted(self, cache, messages):
        cache = FeatureCache(cache.folder, limit=3_400_000)
        for name in "abc":
            add(cache, name, self.MB)
        for name, seconds in {"a": 10, "b": 30, "c": 20}.items():
            age(cache, name, seconds)
        found = cache.find(key("b"))
        oldest = cache.find(key("c"))
        age(cache, "c", 20)
        add(cache, "d", features(1_500, 250, "float32"))
        assert names(cache) == {"b", "d"}
        assert messages == [
            "Cached features of net on c are removed to make room.",
            "Cached features of net on a are removed to make room.",
        ]
        assert same(found, self.MB)
        assert same(oldest, self.MB)  # Still mapped.

    def test_features_larger_than_the_limit_are_not_computed(self, cache, messages):
        cache = FeatureCache(cache.folder, limit=1_500_000)
        add(cache, "a", self.MB)
        never = iter(lambda: pytest.fail("computed a batch"), None)
        assert cache.add(key("b"), (2_000, 250), "float32", never) is None
        assert names(cache) == {"a"}
        assert messages == [
            "Features of net on b are not cached: they take 2.0 MB, and "
            "`train.frozen_features.limit` is 1.5 MB."
        ]

    def test_a_full_disk(self, cache, messages):
        cache.folder.mkdir(parents=True)
        free = shutil.disk_usage(cache.folder).free
        cache = FeatureCache(cache.folder, limit=10 * free)
        never = iter(lambda: pytest.fail("computed a batch"), None)
        assert cache.add(key(), (free // 2_000, 1_000), "float32", never) is None
        [text] = messages
        assert f", and {cache.folder} has room for " in text
        assert text.endswith(f" GB. {FREE_SPACE_ADVICE}")

    def test_an_uncreatable_folder(self, tmp_path, messages):
        (tmp_path / "file").write_text("in the way")
        cache = FeatureCache(tmp_path / "file" / "features")
        assert cache.find(key()) is None
        never = iter(lambda: pytest.fail("computed a batch"), None)
        assert cache.add(key(), (1, 1), "float32", never) is None
        assert messages == [
            f"Features of net on photos are not cached: {cache.folder}: Not a directory. "
            f"{FREE_SPACE_ADVICE}"
        ]

    def test_a_disk_that_fills_up_half_way(self, cache):
        @contextmanager
        def files_end_at(size):
            """Limits the size of files of this process, as a full disk would."""
            soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
            resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
            try:
                yield
            finally:
                resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

        def rows():
            for batch in batches(self.MB, 100):
                yield batch
                stack.enter_context(files_end_at(500_000))

        with ExitStack() as stack, pytest.raises(DataError) as caught:
            cache.add(key(), self.MB.shape, "float32", rows())
        assert str(caught.value) == (
            f"features of net on photos cannot be cached: {cache.folder}: File too large. They "
            f"take 1.0 MB. {FREE_SPACE_ADVICE}"
        )
        assert os.listdir(cache.folder) == []


WRITER = """
import sys
from pathlib import Path
from mmzoo.feature_cache import FeatureCache
from test_feature_cache import batches, features, key, same

def pausing():
    for index, batch in enumerate(batches(features(200, 50), 2)):
        if index == int(sys.argv[2]):
            print("pausing", flush=True)
            sys.stdin.readline()
        yield batch

found = FeatureCache(Path(sys.argv[1])).add(key(), (200, 50), "float16", pausing())
assert same(found, features(200, 50))
"""


class TestProcesses:
    @pytest.fixture
    def writer(self, cache):
        """Starts a process that adds features and pauses before one of its hundred batches."""
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join([*sys.path[1:], str(Path(__file__).parent)]),
        }
        started = []

        def start(pauses_at):
            command = [sys.executable, "-c", WRITER, str(cache.folder), str(pauses_at)]
            pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
            started.append(subprocess.Popen(command, env=environment, text=True, **pipes))
            assert started[-1].stdout.readline() == "pausing\n"
            return started[-1]

        yield start
        for process in started:
            process.kill()
            process.communicate()

    def test_files_of_a_killed_writer_are_not_used(self, cache, writer):
        process = writer(50)
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert cache.find(key()) is None
        assert cache.entries() == ()
        [leftover] = cache.folder.iterdir()
        cache.remove(())
        assert leftover.exists()  # As if its writer were alive.
        day_ago = time.time() - 90_000
        for path in (*leftover.iterdir(), leftover):
            os.utime(path, (day_ago, day_ago))
        assert same(add(cache), features())
        assert os.listdir(cache.folder) == [key().digest]

    def test_two_processes_add_the_same_features_at_once(self, cache, writer):
        for process in [writer(50), writer(99)]:
            _, errors = process.communicate("go on\n")
            assert process.returncode == 0, errors
        assert same(cache.find(key()), features(200, 50))
        assert os.listdir(cache.folder) == [key().digest]
