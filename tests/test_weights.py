"""Weights files: atomic writes, and validation before reading."""

from __future__ import annotations

import os

import h5py
import numpy as np
import pytest

from mmzoo.errors import RunError, TrainingError
from mmzoo.lazy import keras
from mmzoo.weights import load_weights, save_weights

KERNEL = "layers/dense/vars/0"
BIAS = "layers/dense/vars/1"


def model(units=3, inputs=4):
    image = keras.Input((inputs,), name="image")
    return keras.Model(image, keras.layers.Dense(units, name="dense")(image), name="net")


@pytest.fixture
def file(tmp_path):
    """The weights of `model()`, with no value that is 0."""
    path = tmp_path / "best.weights.h5"
    trained = model()
    trained.set_weights([np.full(w.shape, 0.5, "float32") for w in trained.get_weights()])
    save_weights(trained, path)
    return path


def error_message(path, into=None):
    """The message for a file that must not change the model."""
    into = into or model()
    before = into.get_weights()
    with pytest.raises(RunError) as caught:
        load_weights(into, path)
    for was, now in zip(before, into.get_weights(), strict=True):
        np.testing.assert_array_equal(was, now)
    return str(caught.value)


def test_weights_round_trip_exactly(tmp_path):
    trained, path = model(), tmp_path / "best.weights.h5"
    save_weights(trained, path)
    other = model()
    assert (other.get_weights()[0] != trained.get_weights()[0]).any()
    load_weights(other, path)
    for saved, loaded in zip(trained.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(saved, loaded)


def test_file_is_replaced_without_leftovers(file):
    save_weights(model(), file)
    assert os.listdir(file.parent) == [file.name]


def test_sub_models_and_statistics_are_saved(tmp_path):
    def nested():
        inside = keras.Input((4,))
        norm = keras.Model(inside, keras.layers.BatchNormalization()(inside), name="image_encoder")
        image = keras.Input((4,), name="image")
        return keras.Model({"image": image}, {"digit": keras.layers.Dense(2)(norm(image))})

    trained, path = nested(), tmp_path / "best.weights.h5"
    trained.set_weights([np.full(w.shape, 0.25, "float32") for w in trained.get_weights()])
    save_weights(trained, path)
    other = nested()
    load_weights(other, path)
    assert len(other.get_weights()) == 6
    assert all((weights == 0.25).all() for weights in other.get_weights())


def test_optimizer_is_not_saved(tmp_path):
    trained, path = model(), tmp_path / "best.weights.h5"
    trained.compile("adam", "mean_squared_error")
    trained.optimizer.build(trained.trainable_variables)
    save_weights(trained, path)
    names: list[str] = []
    with h5py.File(path) as weights:
        weights.visit(names.append)
    assert KERNEL in names
    assert not [name for name in names if "optimizer" in name]


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_non_finite_weights_are_not_saved(file, bad):
    before = file.read_bytes()
    trained = model()
    kernel, bias = trained.get_weights()
    bias[1] = bad
    trained.set_weights([kernel, bias])
    with pytest.raises(TrainingError) as caught:
        save_weights(trained, file)
    assert str(caught.value) == f"{file}: not written, as dense/bias is not finite"
    assert file.read_bytes() == before
    assert os.listdir(file.parent) == [file.name]


def test_a_missing_file(tmp_path):
    path = tmp_path / "x.weights.h5"
    assert error_message(path) == f"{path}: there is no such weights file"
    assert error_message(tmp_path) == f"{tmp_path}: there is no such weights file"


def test_not_an_hdf5_file(tmp_path):
    path = tmp_path / "x.weights.h5"
    path.write_text("not weights")
    message = error_message(path)
    assert message.startswith(f"{path}: not a weights file, or a damaged one (")
    path.write_bytes(b"")
    assert error_message(path).startswith(f"{path}: not a weights file, or a damaged one (")


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.99])
def test_truncated_file(file, share):
    content = file.read_bytes()
    file.write_bytes(content[: int(share * len(content))])
    message = error_message(file)
    assert message.startswith(f"{file}: not a weights file, or a damaged one (")


def test_damaged_bytes_are_refused_or_change_no_value(file):
    content, random = file.read_bytes(), np.random.RandomState(0)
    with h5py.File(file) as h5:
        values, offset = h5[KERNEL][()], h5[KERNEL].id.get_offset()
    places = [*range(offset, offset + values.nbytes), *random.randint(0, len(content), 100)]
    refused = 0
    for place in places:
        damaged = bytearray(content)
        damaged[place] ^= 1 << random.randint(8)
        file.write_bytes(bytes(damaged))
        loaded = model()
        try:
            load_weights(loaded, file)
        except RunError:
            refused += 1
        else:
            np.testing.assert_array_equal(loaded.get_weights()[0], values)
    assert values.nbytes <= refused < len(places)


def test_other_values_than_those_saved(file):
    with h5py.File(file, "r+") as h5:
        h5[KERNEL][0, 0] = 1.0
    assert error_message(file) == f"{file}: damaged: its values differ from those that were saved"


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("older", [False, True])
def test_non_finite_values_are_refused(file, bad, older):
    with h5py.File(file, "r+") as h5:
        h5[KERNEL][0, 0] = bad
        if older:
            del h5.attrs["sha256"]
    assert error_message(file) == (
        f"{file}: damaged: /{KERNEL} has values that are not finite numbers"
    )


def test_a_file_without_a_checksum_is_loaded(file):
    checksum = load_weights(model(), file)
    assert len(checksum) == 64
    assert checksum == save_weights(model_of(file), file)
    with h5py.File(file, "r+") as h5:
        del h5.attrs["sha256"]
    assert load_weights(model(), file) is None


def model_of(file):
    loaded = model()
    load_weights(loaded, file)
    return loaded


def test_many_groups_are_rejected(file):
    with h5py.File(file, "r+") as h5:
        for number in range(10_500):
            h5.create_group(f"layers/dense/{number}")
    assert error_message(file) == f"{file}: refused, it has more than 10,000 parts"


def test_another_shape(file):
    assert error_message(file, model(units=5)) == (
        f"{file}: weights of a different model: /{KERNEL} is [4, 3] <f4, expected [4, 5] <f4; "
        f"/{BIAS} is [3] <f4, expected [5] <f4"
    )


def test_another_type(file):
    with h5py.File(file, "r+") as h5:
        del h5[BIAS]
        h5[BIAS] = np.zeros(3, "float64")
    assert error_message(file) == (
        f"{file}: weights of a different model: /{BIAS} is [3] <f8, expected [3] <f4"
    )


def test_missing_and_unknown_entries(file):
    with h5py.File(file, "r+") as h5:
        h5.move(BIAS, "layers/dense/vars/7")
    assert error_message(file) == (
        f"{file}: weights of a different model: /{BIAS} is missing; "
        "/layers/dense/vars/7 is not in the model"
    )


def test_many_differences_are_abbreviated(file):
    with h5py.File(file, "r+") as h5:
        for number in range(10, 20):
            h5[f"layers/dense/vars/{number}"] = 1.0
    message = error_message(file)
    assert message.endswith(
        "/layers/dense/vars/10 is not in the model; /layers/dense/vars/11 is not in the model; "
        "/layers/dense/vars/12 is not in the model; and 7 more"
    )


def test_huge_array_is_rejected(file):
    """A file of 12 kB can declare terabytes, which would exhaust memory."""
    with h5py.File(file, "r+") as h5:
        del h5[KERNEL]
        h5.create_dataset(KERNEL, shape=(2**20, 2**20), dtype="f4")
    assert error_message(file) == (
        f"{file}: weights of a different model: /{KERNEL} is [1048576, 1048576] <f4, "
        "expected [4, 3] <f4"
    )
    assert file.stat().st_size < 1e6


def test_an_array_that_is_not_in_the_file_is_rejected(file):
    with h5py.File(file, "r+") as h5:
        del h5[KERNEL]
        h5.create_dataset(KERNEL, shape=(4, 3), dtype="f4")
    assert error_message(file) == f"{file}: damaged: /{KERNEL} is incomplete"


def test_external_link_is_rejected(file):
    other = file.with_name("secret.h5")
    with h5py.File(other, "w") as h5:
        h5["kernel"] = np.zeros((4, 3), "float32")
    with h5py.File(file, "r+") as h5:
        del h5[KERNEL]
        h5[KERNEL] = h5py.ExternalLink(str(other), "/kernel")
    assert error_message(file) == f"{file}: refused, /{KERNEL} links to somewhere else"


def test_soft_link_is_rejected(file):
    with h5py.File(file, "r+") as h5:
        del h5[BIAS]
        h5["elsewhere"] = np.zeros(3, "float32")
        h5[BIAS] = h5py.SoftLink("/elsewhere")
    assert error_message(file) == f"{file}: refused, /{BIAS} links to somewhere else"


def test_soft_link_to_its_parent_is_rejected(file):
    with h5py.File(file, "r+") as h5:
        h5["layers/again"] = h5py.SoftLink("/layers")
    assert error_message(file) == f"{file}: refused, /layers/again links to somewhere else"


def test_hard_link_cycle_is_rejected(file):
    with h5py.File(file, "r+") as h5:
        h5["layers/dense/again"] = h5["layers"]
    assert error_message(file) == f"{file}: refused, /layers/dense/again has a second name"


def test_deeply_nested_groups_are_rejected(file):
    with h5py.File(file, "r+") as h5:
        h5.create_group("/".join("x" * 100))
    assert error_message(file) == f"{file}: refused, its groups are nested too deeply"


def test_external_storage_is_rejected(file):
    """HDF5 would read `/etc/passwd` into a weight."""
    secret = file.with_name("secret.bin")
    secret.write_bytes(bytes(48))
    with h5py.File(file, "r+") as h5:
        del h5[KERNEL]
        h5.create_dataset(KERNEL, (4, 3), "float32", external=[(str(secret), 0, 48)])
    assert error_message(file) == f"{file}: refused, /{KERNEL} stores its values in another file"


def test_virtual_dataset_is_rejected(file):
    with h5py.File(file, "r+") as h5:
        del h5[KERNEL]
        layout = h5py.VirtualLayout((4, 3), "float32")
        layout[:] = h5py.VirtualSource("secret.h5", "kernel", (4, 3))
        h5.create_virtual_dataset(KERNEL, layout)
    assert error_message(file) == f"{file}: refused, /{KERNEL} stores its values in another file"


def test_named_type_is_rejected(file):
    with h5py.File(file, "r+") as h5:
        h5["layers/dense/vars/2"] = np.dtype("float32")
    assert error_message(file) == f"{file}: refused, /layers/dense/vars/2 is not an array"


def test_exponentially_many_paths_are_rejected(file):
    """Ten hard links at each of thirty levels are 10**30 ways through 30 groups."""
    with h5py.File(file, "r+") as h5:
        below = h5.create_group("bottom")
        for level in range(30):
            above = h5.create_group(f"level{level}")
            for name in range(10):
                above[str(name)] = below
            below = above
    assert error_message(file).endswith(" has a second name")


def test_chunked_storage_is_rejected(file):
    with h5py.File(file, "r+") as h5:
        del h5[KERNEL]
        chunks = {"chunks": (16384, 16384), "maxshape": (None, None), "compression": "gzip"}
        h5.create_dataset(KERNEL, (4, 3), "float32", **chunks)
    assert error_message(file) == f"{file}: refused, /{KERNEL} stores its values in chunks"
