"""Checkpoints are restored exactly or rejected, with a fallback to the previous one."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from mmzoo.checkpoint import (
    assign_arrays,
    checkpoints,
    newest_checkpoint,
    read_checkpoint,
    save_frozen,
)
from mmzoo.checkpoint import save_checkpoint as save
from mmzoo.errors import RunError, TrainingError
from mmzoo.lazy import keras, tf
from mmzoo.run_log import shown_by


def variables(value: float = 0.0) -> list[keras.Variable | tf.Variable]:
    """Of the kinds and dtypes that there are."""
    return [
        keras.Variable(np.full((3, 2), value, "float32"), name="kernel"),
        keras.Variable(np.full((2,), 7, "uint32"), dtype="uint32", name="seed"),
        tf.Variable(np.int64(value), name="count"),
        keras.Variable(np.full((), value, "float16"), dtype="float16", name="half"),
    ]


def arrays(those: list[keras.Variable | tf.Variable]) -> list[np.ndarray]:
    return [np.asarray(variable.numpy()) for variable in those]


def assert_equal(one: list[np.ndarray], two: list[np.ndarray]) -> None:
    for a, b in zip(one, two, strict=True):
        assert a.dtype == b.dtype
        np.testing.assert_array_equal(a, b)


def restore(folder: Path) -> tuple[list[np.ndarray], dict, list[str]]:
    """Result of restoring into fresh variables: values, state, messages."""
    fresh, logged, state = variables(-1.0), [], None
    with shown_by(logged.append):
        found = newest_checkpoint(folder)
    if found:
        path, saved, state = found
        assign_arrays(saved, fresh, path)
    return arrays(fresh), state, logged


# Whole.


def test_everything_is_restored(tmp_path):
    saved = variables(1.5)
    path = save(tmp_path, 12, saved, {"history": [{"loss": 0.1 + 0.2, "x": float("inf")}]})
    found, state, logged = restore(tmp_path)
    assert path.name == "000000000012.npz"
    assert_equal(found, arrays(saved))
    assert state == {"step": 12, "history": [{"loss": 0.1 + 0.2, "x": float("inf")}]}
    assert logged == []


def test_no_checkpoint_to_restore(tmp_path):
    assert restore(tmp_path / "missing")[1] is None


def test_the_newest_two_are_kept(tmp_path):
    for step in (1, 2, 10, 100):
        save(tmp_path, step, variables(step), {})
    assert [path.name for path in checkpoints(tmp_path)] == [
        "000000000010.npz",
        "000000000100.npz",
    ]
    assert restore(tmp_path)[1] == {"step": 100}


def test_partial_file_is_not_a_checkpoint(tmp_path):
    """Otherwise a kill during the first save would leave a run that cannot be resumed."""
    (tmp_path / ".000000000003.npz.4242.tmp.npz").write_bytes(b"half")
    assert restore(tmp_path)[1] is None
    save(tmp_path, 2, variables(), {})
    assert restore(tmp_path)[1] == {"step": 2}


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_non_finite_values_are_not_saved(tmp_path, bad):
    save(tmp_path, 1, variables(1.0), {})
    with pytest.raises(TrainingError) as caught:
        save(tmp_path, 2, [keras.Variable([1.0, bad], name="kernel")], {})
    assert str(caught.value) == (
        "Step 2: kernel is no longer finite, so this step was not saved. "
        "Try a smaller train.optimizer.learning_rate."
    )
    assert restore(tmp_path)[1] == {"step": 1}


# Damaged.


def damaged(content: bytes, chance: random.Random) -> bytes:
    """The content with flipped bits, truncated, or with a hole."""
    changed = bytearray(content)
    kind, place = chance.randrange(4), chance.randrange(len(content))
    if kind == 0:
        return content[:place]
    if kind == 1:
        end = min(len(content), place + chance.randrange(1, 600))
        changed[place:end] = bytes(end - place)
    else:
        for _ in range(kind - 1):
            changed[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    return bytes(changed)


@pytest.mark.parametrize("frozen", [False, True])
def test_damage_is_detected(tmp_path, frozen):
    """Of whatever byte, in either file; also where a zip file keeps dates and the like."""
    saved = variables(1.5)
    if frozen:
        path = save_with_frozen(tmp_path, 5, saved)
        damaged_path = tmp_path / "frozen-0.npz"
    else:
        damaged_path = path = save(tmp_path, 5, saved, {"a": 1})
    content, chance = damaged_path.read_bytes(), random.Random(0)
    for _ in range(600):
        changed = damaged(content, chance)
        damaged_path.write_bytes(changed)
        if changed == content:
            read_checkpoint(path)
            continue
        with pytest.raises(RunError, match=r"the file is damaged") as caught:
            read_checkpoint(path)
        assert "\n" not in str(caught.value)


def test_an_edited_checkpoint_is_damaged(tmp_path):
    """Numpy computes the checksums of a zip file anew."""
    path = save(tmp_path, 5, variables(), {"a": 1})
    with np.load(path) as file:
        entries = dict(file)
    np.savez(path, **entries)
    with pytest.raises(RunError) as caught:
        read_checkpoint(path)
    message = f"{path}: the file is damaged (000000000005.npz has a wrong checksum)"
    assert str(caught.value) == message


# Frozen weights.


def save_with_frozen(folder: Path, step: int, saved: list, name: str = "frozen-0.npz") -> Path:
    frozen = save_frozen(folder, name, saved, frozenset({0, 3}))
    return save(folder, step, saved, {"a": step}, frozen)


def test_frozen_weights_are_stored_once(tmp_path):
    saved = variables(1.5)
    frozen = save_frozen(tmp_path, "frozen-0.npz", saved, frozenset({0, 3}))
    file, before = tmp_path / "frozen-0.npz", (tmp_path / "frozen-0.npz").stat()
    for step in (1, 2, 3):
        saved[2].assign(step)
        save(tmp_path, step, saved, {}, frozen)
    assert file.stat().st_mtime_ns == before.st_mtime_ns
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "000000000002.npz",
        "000000000003.npz",
        "frozen-0.npz",
    ]
    with np.load(tmp_path / "000000000003.npz") as entries:
        assert sorted(entries) == ["000001", "000002", "state"]
    found, state, said = restore(tmp_path)
    assert_equal(found, arrays(saved))
    assert (state, said) == ({"step": 3}, [])


def test_frozen_weights_of_another_stage_are_refused(tmp_path, messages):
    """And the checkpoint before, whose own file is whole, is used."""
    save_with_frozen(tmp_path, 1, variables(1.0))
    newest = save_with_frozen(tmp_path, 2, variables(2.0), "frozen-1.npz")
    (tmp_path / "frozen-1.npz").write_bytes((tmp_path / "frozen-0.npz").read_bytes())
    found, _, [said] = restore(tmp_path)
    assert said == f"{newest}: the file is damaged (frozen-1.npz has a wrong checksum)"
    assert_equal(found, arrays(variables(1.0)))
    (tmp_path / "frozen-1.npz").unlink()
    with pytest.raises(RunError, match=r"damaged \(.*No such file or directory: .*frozen-1.npz"):
        read_checkpoint(newest)


@pytest.mark.parametrize("content", [b"", b"half", b"\0" * 5000])
def test_falls_back_to_the_previous_checkpoint(tmp_path, content):
    save(tmp_path, 1, variables(1.0), {})
    newest = save(tmp_path, 2, variables(2.0), {})
    newest.write_bytes(content)
    found, state, [logged] = restore(tmp_path)
    assert_equal(found, arrays(variables(1.0)))
    assert state == {"step": 1}
    assert logged.startswith(f"{newest}: the file is damaged (")


def test_damaged_checkpoint_is_replaced(tmp_path):
    """Otherwise it would be tried first at every resume, and be one of the two that are kept."""
    save(tmp_path, 10, variables(), {})
    save(tmp_path, 20, variables(), {}).write_bytes(b"")
    save(tmp_path, 15, variables(), {})
    assert [int(path.stem) for path in checkpoints(tmp_path)] == [10, 15]


def test_all_damaged(tmp_path, messages):
    for step in (1, 2):
        save(tmp_path, step, variables(), {})
    for path in checkpoints(tmp_path):
        path.write_bytes(b"")
    with pytest.raises(RunError) as caught:
        newest_checkpoint(tmp_path)
    assert str(caught.value) == (
        f"{tmp_path}: none of its checkpoints can be read. Use the best weights, or train again "
        "without --resume."
    )
    assert len(messages) == 2


# Of another model.


def test_checkpoint_of_a_different_model_changes_nothing(tmp_path):
    path = save(tmp_path, 1, variables(1.0), {})
    others = {
        "4 variables, expected 3": variables()[:3],
        "kernel is [3, 2] float32, expected [2, 3] float32": [
            keras.Variable(np.zeros((2, 3), "float32"), name="kernel"),
            *variables()[1:],
        ],
        "half is [] float16, expected [] float32": [
            *variables()[:3],
            keras.Variable(0.0, name="half"),
        ],
    }
    for problem, other in others.items():
        before = arrays(other)
        with pytest.raises(RunError) as caught:
            assign_arrays(read_checkpoint(path)[0], other, path)
        assert str(caught.value) == f"{path}: from a different model: {problem}"
        assert_equal(arrays(other), before)


def test_arrays_are_assigned_by_order(tmp_path):
    path = tmp_path / "x.npz"
    into = variables()
    assign_arrays(arrays(variables(3.0)), into, path)
    assert_equal(arrays(into), arrays(variables(3.0)))
